#pragma once

#include <functional>
#include <memory>
#include <string>

#include "compiler/kernel_compiler.h"
#include "compiler/lower.h"
#include "tuner/timing_device.h"

namespace burnish {

/// How the tactics of an engine are chosen.
struct TuningOptions {
  enum class CacheMode {
    read,    // what the cache lacks is estimated; nothing is timed
    append,  // what it lacks is timed and added
    write,   // everything is timed, whatever it holds, and takes its place
    strict,  // what it lacks is an error
  };
  int level = 0;      // 0 and 1: by estimate; 2 to 5: timed, with more candidates and rounds
  std::string cache;  // a file; empty: none, everything is timed and nothing kept
  CacheMode mode = CacheMode::append;
  bool libraries_required = false;  // a library that cannot be opened is an error
  size_t most_candidates = 0;       // of a node that are timed at most; 0: as many as the level says
  int averaged = 1;                 // timings of a kernel that are averaged to one
  double budget = 0;  // seconds that compiling candidates and timing them may take; 0: as long as it takes
};

/// Finds the device that kernels for `target` are timed on; an error says why there is none.
using OpenTiming = std::function<Result<std::unique_ptr<TimingDevice>>(std::string_view target)>;

/// What tuning needs besides the graph.
struct TuningContext {
  const TuningOptions& options;
  KernelCompiler& compiler;
  std::string version;  // of what makes the kernels: timings of another one say nothing
  OpenTiming open;
  std::function<double()> clock;                 // seconds
  std::function<void(const std::string&)> note;  // what the user should know
};

/// Lowers a graph, each node under the tactic that is fastest, or estimated to be. The result is a function of the graph, the
/// options, the version, and what the cache holds afterwards; without a device it is one of what the cache held.
/// Errors: those of `lower`; invalid_argument for a cache that is none or, in mode strict, lacks something; io_error.
Result<Lowered> lower_tuned(Graph& graph, LowerOptions options, TuningContext& context);

/// The lowering that made a plan with these decisions, under the tactics that it took; nothing is timed. For the same graph, whatever
/// its weights are, and the same options and level.
Result<Lowered> lower_as_decided(Graph& graph, LowerOptions options, int level,
                                 std::span<const Decision> decisions);

}  // namespace burnish
