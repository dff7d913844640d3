#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"

namespace burnish::cli {

struct MergeRequest {
  std::vector<std::string> caches;
  std::string output;
};

void add_merge_timings(CLI::App& app, Action& action) {
  auto request = std::make_shared<MergeRequest>();
  CLI::App& command = add_command(app, "merge-timings", "Make one timing cache of several",
                                  "  burnish merge-timings a.timing b.timing -o all.timing\n");
  command.add_option("CACHE", request->caches, "The caches; of two that know the same the later counts")
      ->required()
      ->type_name("");
  command.add_option("-o,--output", request->output, "The cache to write")
      ->required()
      ->type_name("FILE")
      ->group("Outputs");
  command.callback([request, &action] {
    action = [request] {
      merge_timing_caches(request->caches, request->output);
      fmt::print("{}\n", request->output);
      return 0;
    };
  });
}

}  // namespace burnish::cli
