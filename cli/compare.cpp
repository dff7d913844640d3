#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/elements.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace burnish::cli {

struct CompareRequest {
  std::string model, device, reference;
  std::vector<std::string> shapes;
  BuildChoices choices;
  InputChoices inputs;
  double tolerance = 0;  // 0: by precision
};

/// What an engine needs while it is looked at: its outputs, their order, and where they came from.
struct Outcome {
  Arrays outputs;
  std::vector<std::string> order;
  std::string device;
};

/// Builds the model and runs it on `inputs`, which are made on first use.
static Outcome build_and_run(const CompareRequest& request, const BuildChoices& choices, DeviceChoice device,
                             const InputChoices& input_choices, Arrays& inputs) {
  Engine engine(nullptr, burnish_engine_free);
  {
    TemporaryFolder folder;
    std::string path = (folder.path() / "model.engine").string();
    build_engine(request.model, path, choices);
    engine = open_engine(path);  // it keeps the file's bytes mapped
  }
  Progress progress("comparing " + request.model, choices.verbose);
  if (inputs.empty()) inputs = make_inputs(inputs_of(engine.get()), input_choices);
  progress.stage("loading");
  Place place = place_engine(engine.get(), request.model, device);
  set_inputs(place.context.get(), inputs);
  progress.stage("running on " + place.device);
  burnish_error* error = nullptr;
  check(burnish_context_run(place.context.get(), nullptr, &error), error);
  Outcome outcome{read_outputs(engine.get(), place.context.get()), {}, place.device};
  for (const burnish_port& port : outputs_of(engine.get())) outcome.order.push_back(port.name);
  return outcome;
}

/// The device and target that the options leave open: GPU 0 where there is one, else the CPU.
static void settle_place(const CompareRequest& request, BuildChoices& choices, DeviceChoice& device) {
  burnish_error* error = nullptr;
  bool gpu = burnish_device_count(&error) > 0;
  burnish_error_free(error);
  if (!device) {
    bool for_cpu = choices.targets == std::vector<std::string>{"cpu"};
    device = for_cpu || (!gpu && choices.targets.empty()) ? -1 : 0;
  }
  if (choices.targets.empty()) {
    if (*device < 0) choices.targets = {"cpu"};
    else {
      burnish_device_info info{};
      error = nullptr;
      check(burnish_device_describe(*device, &info, &error), error);
      choices.targets = {info.target};
    }
  }
  if (*device < 0 && !choices.fp16 && !choices.bf16 && request.reference.empty())
    fail("nothing to compare: FP32 on the CPU is the reference itself",
         gpu ? "say --device 0, --fp16, or --reference OUTPUTS.npz"
             : "there is no GPU here: say --fp16, or --reference OUTPUTS.npz");
}

static Arrays reference_outputs(const CompareRequest& request, const InputChoices& input_choices,
                                Arrays& inputs) {
  if (!request.reference.empty()) return read_npz(request.reference);
  BuildChoices plain{.plugins = request.choices.plugins, .plugin_override = request.choices.plugin_override};
  plain.targets = {"cpu"};
  plain.shapes = parse_shapes(request.shapes);
  plain.verbose = request.choices.verbose;
  return build_and_run(request, plain, -1, input_choices, inputs).outputs;
}

static bool compare_output(const std::string& name, const Array& got, const Array& want, double tolerance,
                           std::vector<std::vector<std::string>>& rows) {
  if (got.shape != want.shape) {
    rows.push_back(
        {name, shape_text(got.shape), "", "", "shape differs: reference " + shape_text(want.shape)});
    return false;
  }
  Difference found = difference(got, want);
  bool good = found.relative_l2 <= tolerance;
  rows.push_back({name, shape_text(got.shape), fmt::format("{:.2e}", found.relative_l2),
                  fmt::format("{:.2e}", found.max_absolute),
                  good ? "good" : fmt::format("above {:g}", tolerance)});
  return good;
}

static int compare(const CompareRequest& request) {
  BuildChoices choices = request.choices;
  choices.shapes = parse_shapes(request.shapes);
  InputChoices input_choices = request.inputs;
  input_choices.shapes = choices.shapes;
  DeviceChoice device = parse_device(request.device);
  require_readable(request.model, "model");
  settle_place(request, choices, device);
  const double usual = choices.fp16 || choices.tf32 ? 1e-2 : choices.bf16 ? 3e-2 : 1e-4;
  const double tolerance = request.tolerance ? request.tolerance : usual;

  Arrays inputs;
  Arrays want = reference_outputs(request, input_choices, inputs);
  Outcome got = build_and_run(request, choices, device, input_choices, inputs);
  for (const auto& [name, array] : want)
    if (!got.outputs.contains(name))
      fail("'" + request.reference + "' holds '" + name + "', which is no output of the model",
           "its outputs are: " + fmt::format("{}", fmt::join(got.order, ", ")));
  if (want.empty())
    fail("'" + request.reference + "' holds no arrays", "keep outputs in it, keyed by their names");

  bool good = true;
  std::vector<std::vector<std::string>> rows{{"output", "shape", "relative L2", "max abs", "verdict"}};
  for (const std::string& name : got.order)
    if (want.contains(name))
      good &= compare_output(name, got.outputs.at(name), want.at(name), tolerance, rows);
  fmt::print("{} on {}{} against {}\n{}{} (relative L2 up to {:g})\n", request.model, got.device,
             choices.fp16   ? " in FP16"
             : choices.bf16 ? " in BF16"
                            : "",
             request.reference.empty() ? "FP32 on the CPU" : request.reference, table(rows),
             good ? "the outputs agree" : "the outputs DIFFER", tolerance);
  return good ? 0 : 1;
}

void add_compare(CLI::App& app, Action& action) {
  auto request = std::make_shared<CompareRequest>();
  CLI::App& command =
      add_command(app, "compare", "Build a model, run it, compare its outputs with a reference",
                  "  burnish compare resnet50.onnx                    GPU 0 against the CPU\n"
                  "  burnish compare resnet50.onnx --fp16             what half precision costs\n"
                  "  burnish compare bert.onnx --inputs in.npz --reference out.npz\n");
  command.add_option("MODEL", request->model, "The model, .onnx")->required()->type_name("");
  command
      .add_option("--reference", request->reference,
                  "Outputs to compare with. Default: what the model gives in FP32 on the CPU")
      ->type_name("OUT.npz")
      ->group("Comparison");
  command
      .add_option("--tolerance", request->tolerance,
                  "Relative L2 allowed. Default: 1e-4; with --fp16 or --tf32 1e-2")
      ->type_name("X")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""))
      ->group("Comparison");
  add_build_options(command, request->choices);
  add_input_options(command, request->inputs);
  add_shapes_option(command, request->shapes, "Extents fixed in the build, and those of random inputs");
  add_device_option(command, request->device, "GPU 0 if there is one, else cpu");
  add_verbose_option(command, request->choices.verbose);
  command.callback([request, &action] { action = [request] { return compare(*request); }; });
}

}  // namespace burnish::cli
