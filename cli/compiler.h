#pragma once

#include <string>
#include <vector>

#include "cli/engine.h"
#include "cli/formats.h"
#include "cli/node_precision.h"
#include "cli/profiles.h"
#include "cli/shapes.h"

namespace burnish::cli {

/// What the commands that build take.
struct BuildChoices {
  std::vector<std::string> targets;  // empty: the GPU that is there
  bool fp16 = false, bf16 = false;
  bool tf32 = false;
  NodePrecisions node_precisions;
  Shapes shapes;
  std::vector<Profile> profiles;
  std::vector<std::string> decomposed_attention;  // ONNX nodes that are not to be one kernel
  std::vector<std::string> debug_tensors;         // inside the engine, to look at
  bool debug_unfused = false;                     // all that are in memory anyway, too
  uint64_t workspace_bytes = 0;                   // of a kernel's scratch memory at most; 0: no limit
  uint64_t shared_bytes = 0;                      // of a block's shared memory at most; 0: no limit
  int max_branches = 0;                           // that run side by side at most; 0: no limit
  bool verbose = false;
  int level = 0;             // of optimisation
  int max_tactics = 0;       // of a node that are timed at most; 0: as many as the level says
  int averaged_timings = 0;  // of a kernel that make one time; 0: one
  double time_budget = 0;
  std::string libraries = "present";  // or "none", or names by commas
  std::string timing_cache, timing_cache_mode = "append";
  Formats input_formats, output_formats;
  std::vector<std::string> plugins;  // files
  bool plugin_override = false;
  std::string build_route;     // knobs that go before what is above
  bool refittable = false;     // with any weights
  bool strip_weights = false;  // they are left out, and unless `refittable` it takes them alone
};

/// Builds `model` into `engine_path` with progress on the terminal; Ctrl-C cancels. Throws Failure or Interrupted. Gives what
/// the compiler has to say about it, line by line. libburnish_compiler.so is opened on first use: running an engine does without it.
std::vector<std::string> build_engine(const std::string& model, const std::string& engine_path,
                                      const BuildChoices& choices);

/// The engine with the weights of `model`, or where that is empty with its own again, into `output`. As build_engine; no GPU is
/// needed, and no NVRTC.
void refit_engine(const std::string& engine, const std::string& model, const std::string& output,
                  bool verbose);

/// What the timing caches `paths` know together, to `output`.
void merge_timing_caches(const std::vector<std::string>& paths, const std::string& output);

/// The targets asked for, or that of GPU 0. Throws Failure naming --target when there is none.
std::vector<std::string> resolve_targets(const std::vector<std::string>& asked);

/// Whether the GPU of one of these targets is here, so that kernels can be timed on it.
bool can_time_kernels(const std::vector<std::string>& targets);

/// What a build route may choose, as JSON.
Text build_knobs_json();

/// The model in the text form of the IR.
Text model_text(const std::string& model, const BuildChoices& choices);
/// The model as JSON.
Text model_json(const std::string& model);

}  // namespace burnish::cli
