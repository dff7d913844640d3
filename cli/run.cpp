#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "cli/commands.h"
#include "cli/elements.h"
#include "cli/failure.h"
#include "cli/plugins.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace burnish::cli {

struct RunRequest {
  std::string engine, outputs, device;
  std::vector<std::string> shapes, plugins;
  InputChoices inputs;
  bool verbose = false;
};

static int run(const RunRequest& request) {
  InputChoices choices = request.inputs;
  choices.shapes = parse_shapes(request.shapes);
  DeviceChoice device = parse_device(request.device);
  if (!request.outputs.empty()) require_writable(request.outputs);

  Progress progress("running " + request.engine, request.verbose);
  load_plugins(request.plugins);
  progress.stage("opening the engine");
  Engine engine = open_engine(request.engine);
  choices.usual = opt_shapes(engine.get());
  progress.stage("reading inputs");
  Arrays inputs = in_engine_order(engine.get(), make_inputs(inputs_of(engine.get()), choices));
  progress.stage("loading");
  Place place = place_engine(engine.get(), request.engine, device);
  set_inputs(place.context.get(), inputs);
  progress.stage("running on " + place.device);
  auto begin = std::chrono::steady_clock::now();
  burnish_error* error = nullptr;
  check(burnish_context_run(place.context.get(), nullptr, &error), error);
  double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  progress.stage("reading outputs");
  Arrays outputs = read_outputs(engine.get(), place.context.get());
  if (!request.outputs.empty()) write_npz(request.outputs, outputs);

  std::vector<std::vector<std::string>> rows;
  for (const burnish_port& port : outputs_of(engine.get())) {
    const Array& array = outputs.at(port.name);
    rows.push_back({port.name, burnish_dtype_name(array.dtype), shape_text(array.shape), statistics(array)});
  }
  Progress::clear_line();
  fmt::print("{}ran in {:.3f} ms on {}\n", table(rows), ms, place.device);
  return 0;
}

void add_run(CLI::App& app, Action& action) {
  auto request = std::make_shared<RunRequest>();
  CLI::App& command =
      add_command(app, "run", "Run an engine once",
                  "  burnish run resnet50.engine                                   random inputs\n"
                  "  burnish run resnet50.engine --inputs in.npz --outputs out.npz\n"
                  "  burnish run bert.engine --shapes input_ids:4x128 --device cpu\n");
  command.add_option("ENGINE", request->engine, "The engine")->required()->type_name("");
  add_input_options(command, request->inputs);
  add_shapes_option(command, request->shapes,
                    fmt::format("Free extents of random inputs. Default: what the engine is tuned "
                                "for, else 1 on axis 0 and {} elsewhere",
                                FreeExtents::otherwise));
  command
      .add_option("--outputs", request->outputs,
                  "Where to keep the outputs, for numpy.load; bfloat16 is kept as float32")
      ->type_name("OUT.npz")
      ->group("Outputs");
  add_device_option(command, request->device,
                    "GPU 0 if it is there and the engine is built for it, else cpu");
  add_plugin_option(command, request->plugins);
  add_verbose_option(command, request->verbose);
  command.callback([request, &action] { action = [request] { return run(*request); }; });
}

}  // namespace burnish::cli
