#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/table.h"

namespace burnish::cli {

struct BuildRequest {
  std::string model, engine;
  std::vector<std::string> shapes;
  BuildChoices choices;
};

static int build(const BuildRequest& request) {
  BuildChoices choices = request.choices;
  choices.shapes = parse_shapes(request.shapes);
  choices.targets = resolve_targets(choices.targets);
  std::string path = request.engine.empty() ? std::filesystem::path(request.model).stem().string() + ".engine"
                                            : request.engine;
  auto begin = std::chrono::steady_clock::now();
  build_engine(request.model, path, choices);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::error_code ignored;
  fmt::print("{}  {}  for {}{}{}  in {:.2f} s\n", path, bytes_text(std::filesystem::file_size(path, ignored)),
             fmt::join(choices.targets, ", "), choices.fp16 ? "  FP16" : "", choices.tf32 ? "  TF32" : "",
             seconds);
  return 0;
}

void add_build(CLI::App& app, Action& action) {
  auto request = std::make_shared<BuildRequest>();
  CLI::App& command =
      add_command(app, "build", "Make an engine from an ONNX model",
                  "  burnish build resnet50.onnx                                for the GPU that is there\n"
                  "  burnish build resnet50.onnx -o small.engine --fp16         half precision\n"
                  "  burnish build bert.onnx --target sm_90 --target cpu        one engine for both\n"
                  "  burnish build yolo.onnx --shapes images:?x3x640x640        all but the batch fixed\n");
  command.add_option("MODEL", request->model, "The model, .onnx")->required()->type_name("");
  command
      .add_option("-o,--output", request->engine,
                  "The engine to write. Default: the model's name, .engine, in this folder")
      ->type_name("FILE")
      ->group("What to build");
  add_build_options(command, request->choices);
  add_shapes_option(command, request->shapes,
                    "Fix extents that the model leaves free; ? leaves one free. Free ones are decided by the "
                    "inputs of a run");
  add_verbose_option(command, request->choices.verbose);
  command.callback([request, &action] { action = [request] { return build(*request); }; });
}

}  // namespace burnish::cli
