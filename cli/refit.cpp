#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/table.h"

namespace burnish::cli {

struct RefitRequest {
  std::string engine, model, output;
  bool verbose = false;
};

static int refit(const RefitRequest& request) {
  const std::string& path = request.output.empty() ? request.engine : request.output;
  auto begin = std::chrono::steady_clock::now();
  refit_engine(request.engine, request.model, path, request.verbose);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::error_code ignored;
  fmt::print("{}  {}  refitted from {}  in {:.2f} s\n", path,
             bytes_text(std::filesystem::file_size(path, ignored)), request.model, seconds);
  return 0;
}

void add_refit(CLI::App& app, Action& action) {
  auto request = std::make_shared<RefitRequest>();
  CLI::App& command = add_command(
      app, "refit", "Give an engine other weights; nothing is timed or compiled",
      "  burnish refit net.engine --onnx epoch9.onnx -o epoch9.engine    those of another training\n"
      "  burnish refit net.engine --onnx net.onnx                        where it was shipped without\n"
      "  burnish build net.onnx --refit                                  makes an engine that takes any "
      "weights\n"
      "  burnish build net.onnx --strip-weights                          one without, that takes its own\n");
  command.add_option("ENGINE", request->engine, "The engine, built with --refit or --strip-weights")
      ->required()
      ->type_name("");
  command.add_option("--onnx", request->model, "The model with the weights, otherwise that of the engine")
      ->required()
      ->type_name("FILE")
      ->group("Inputs");
  command.add_option("-o,--output", request->output, "The engine to write. Default: ENGINE itself")
      ->type_name("FILE")
      ->group("Outputs");
  add_verbose_option(command, request->verbose);
  command.callback([request, &action] { action = [request] { return refit(*request); }; });
}

}  // namespace burnish::cli
