#include "cli/commands.h"

namespace burnish::cli {

void add_build_options(CLI::App& command, BuildChoices& choices) {
  command
      .add_option("--target", choices.targets,
                  "What to build for: cpu, sm_80, sm_86, sm_89, sm_90, sm_100, sm_120; several for one "
                  "engine that runs on "
                  "each. Default: the GPU that is there")
      ->type_name("NAME")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group("What to build");
  command.add_flag("--fp16", choices.fp16, "Store values in half precision (sums stay FP32)")
      ->group("What to build");
  command.add_flag("--bf16", choices.bf16, "Store values in BF16 (sums stay FP32); --fp16 goes before it")
      ->group("What to build");
  command.add_flag("--tf32", choices.tf32, "Let FP32 matrix products run as TF32 on the GPU")
      ->group("What to build");
  add_plugin_option(command, choices.plugins);
  command
      .add_flag("--plugin-override", choices.plugin_override,
                "Take plugins' operators for those of ONNX that have the same name")
      ->group("Plugins");
}

void add_plugin_option(CLI::App& command, std::vector<std::string>& files) {
  command
      .add_option("--plugin", files,
                  "A library of operators beside ONNX's own (docs/plugins.md); several times")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group("Plugins");
}

void add_shapes_option(CLI::App& command, std::vector<std::string>& texts, const std::string& help) {
  command.add_option("--shapes", texts, help)
      ->type_name("NAME:1x3x224x224,…")
      ->allow_extra_args(false)
      ->group("Inputs");
}

void add_input_options(CLI::App& command, InputChoices& choices) {
  command
      .add_option("--inputs", choices.file,
                  "Arrays keyed by input name, as numpy.savez writes them; the rest is random")
      ->type_name("IN.npz")
      ->group("Inputs");
  command.add_option("--seed", choices.seed, "Seed of random inputs. Default: 0")
      ->type_name("N")
      ->group("Inputs");
}

void add_device_option(CLI::App& command, std::string& device, const std::string& fallback) {
  command.add_option("--device", device, "cpu, or the number of a GPU. Default: " + fallback)
      ->type_name("cpu|N")
      ->group("Where");
}

void add_verbose_option(CLI::App& command, bool& verbose) {
  command.add_flag("--verbose", verbose, "Say what is done, stage by stage, and when")->group("General");
}

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& does,
                      const std::string& examples) {
  CLI::App& command = *app.add_subcommand(name, does);
  command.footer("Examples:\n" + examples);
  command.get_help_ptr()->group("General");
  command.allow_extras();  // main.cpp reports them in its own words
  return command;
}

}  // namespace burnish::cli
