#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/table.h"

namespace burnish::cli {

struct BuildRequest {
  std::string model, engine;
  std::vector<std::string> shapes, profiles, input_formats, output_formats, node_precisions;
  BuildChoices choices;
};

constexpr int unchosen_level = -1;

static int build(const BuildRequest& request) {
  BuildChoices choices = request.choices;
  choices.shapes = parse_shapes(request.shapes);
  choices.profiles = parse_profiles(request.profiles);
  choices.input_formats = parse_formats("--input-formats", request.input_formats);
  choices.output_formats = parse_formats("--output-formats", request.output_formats);
  choices.node_precisions = parse_node_precisions(request.node_precisions);
  choices.targets = resolve_targets(choices.targets);
  std::string path = request.engine.empty() ? std::filesystem::path(request.model).stem().string() + ".engine"
                                            : request.engine;
  const bool wants_times = !choices.timing_cache.empty() || choices.time_budget > 0;
  if (choices.level == unchosen_level)
    choices.level = wants_times || can_time_kernels(choices.targets) ? 3 : 1;
  if (choices.timing_cache.empty()) {  // kept all the same, so that this build can be repeated
    choices.timing_cache = std::filesystem::path(path).replace_extension(".timing").string();
    choices.timing_cache_mode = "write";
  }
  auto begin = std::chrono::steady_clock::now();
  std::vector<std::string> notes = build_engine(request.model, path, choices);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::error_code ignored;
  fmt::print("{}  {}  for {}{}{}{}  in {:.2f} s\n", path,
             bytes_text(std::filesystem::file_size(path, ignored)), fmt::join(choices.targets, ", "),
             choices.fp16   ? "  FP16"
             : choices.bf16 ? "  BF16"
                            : "",
             choices.tf32 ? "  TF32" : "", choices.strip_weights ? "  without weights" : "", seconds);
  for (const std::string& note : notes) fmt::print("{}\n", note);
  return 0;
}

static void add_tuning_options(CLI::App& command, BuildChoices& choices) {
  const char* group = "How kernels are chosen";
  choices.level = unchosen_level;
  command
      .add_option("--optimization-level", choices.level,
                  "0 and 1: by estimate, without a GPU, always alike. 2 to 5: timed on the GPU if it is the "
                  "target, ever more candidates. Default: 3; 1 where that GPU is not here, unless a cache or "
                  "a budget is given")
      ->type_name("0..5")
      ->check(CLI::Range(0, 5).description(""))
      ->group(group);
  command
      .add_option("--libraries", choices.libraries,
                  "Where kernels are timed, time routines of these libraries too: cublaslt, cudnn; present: "
                  "those that are there. An engine that uses one needs it to run. Default: present")
      ->type_name("none|present|NAME,…")
      ->group(group);
  command
      .add_option("--time-budget", choices.time_budget,
                  "Spend at most so long on candidates; the rest by estimate. Default: as long as it takes")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e6).description(""))
      ->group(group);
  auto* cache =
      command
          .add_option("--timing-cache", choices.timing_cache,
                      "Keep times in this file from build to build: the same file, the same engine. "
                      "Default: the engine's name, .timing, written anew")
          ->type_name("FILE")
          ->group(group);
  command
      .add_option("--timing-cache-mode", choices.timing_cache_mode,
                  "For what the file lacks. append: time and add it; read: estimate it; strict: stop; write: "
                  "time everything, whatever the file holds. Default: append")
      ->type_name("MODE")
      ->check(CLI::IsMember({"append", "read", "strict", "write"}).description(""))
      ->group(group)
      ->needs(cache);
}

static void add_node_precision_option(CLI::App& command, BuildRequest& request) {
  command
      .add_option(
          "--node-precision", request.node_precisions,
          "With --fp16 or --bf16, keep what these ONNX nodes make in FP32; one * stands for anything, and of "
          "those that fit a node the last one counts")
      ->type_name("NODE:fp32,…")
      ->allow_extra_args(false)
      ->group("What to build");
}

static void add_format_options(CLI::App& command, BuildRequest& request) {
  auto add = [&](const char* name, std::vector<std::string>& texts, const std::string& what) {
    command.add_option(name, texts, what)
        ->type_name("NAME:fp16:nhwc,…")
        ->allow_extra_args(false)
        ->group("Inputs and outputs");
  };
  command
      .add_option("--profile", request.profiles,
                  "What free axes may be: min, opt and max, the engine being tuned for opt. Several "
                  "times: several profiles, of which a run keeps to one")
      ->type_name("NAME:1..8..32x3x224x224,…")
      ->allow_extra_args(false)
      ->group("Inputs");
  add("--input-formats", request.input_formats,
      "What inputs are in memory: fp32, fp16 or bf16; nchw or nhwc. Default: as in the model");
  add("--output-formats", request.output_formats, "The same of outputs");
}

void add_build(CLI::App& app, Action& action) {
  auto request = std::make_shared<BuildRequest>();
  CLI::App& command = add_command(
      app, "build", "Make an engine from an ONNX model",
      "  burnish build resnet50.onnx                                for the GPU that is there\n"
      "  burnish build resnet50.onnx -o small.engine --fp16         half precision\n"
      "  burnish build bert.onnx --target sm_90 --target cpu        one engine for both\n"
      "  burnish build yolo.onnx --shapes images:?x3x640x640        all but the batch fixed\n"
      "  burnish build bert.onnx --profile ids:1..8..32x128         any batch up to 32, tuned for 8\n"
      "  burnish build vit.onnx --timing-cache h200.timing          times kept for other builds\n");
  command.add_option("MODEL", request->model, "The model, .onnx")->required()->type_name("");
  command
      .add_option("-o,--output", request->engine,
                  "The engine to write. Default: the model's name, .engine, in this folder")
      ->type_name("FILE")
      ->group("What to build");
  add_build_options(command, request->choices);
  add_node_precision_option(command, *request);
  command
      .add_flag("--refit", request->choices.refittable,
                "Keep what `burnish refit` needs to give the engine other weights; they are in it twice then")
      ->group("What to build");
  command
      .add_flag(
          "--strip-weights", request->choices.strip_weights,
          "Leave the weights out: the engine runs once it is refitted from this very model, with --refit "
          "from one with any weights")
      ->group("What to build");
  add_tuning_options(command, request->choices);
  add_shapes_option(command, request->shapes,
                    "Fix extents that the model leaves free; ? leaves one free. Free ones are decided by the "
                    "inputs of a run");
  add_format_options(command, *request);
  add_verbose_option(command, request->choices.verbose);
  command.callback([request, &action] { action = [request] { return build(*request); }; });
}

}  // namespace burnish::cli
