#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "tuner/timing_cache.h"
#include "tuner/tuner.h"

namespace burnish {

/// Builds and loads the engine in which each problem is done by its timing's winner. Errors out_of_memory, unsupported and
/// invalid_argument say that this engine cannot be timed; any other ends the tuning.
using LoadEngine = std::function<Result<std::unique_ptr<EngineRun>>(std::span<const Timing> timings)>;

/// Takes back what is faster alone and slower among its neighbours, whose data is in the cache, whose blocks share the GPU.
/// Begins with the faster of two engines: all problems under their defaults, and all under their winners. Then, the longest
/// first, a problem's candidates that were nearly as fast alone take its place one at a time; who makes the engine faster
/// stays. So the engine is no slower than that of the defaults. Where engines cannot be timed the winners stay.
Result<> settle_in_engine(std::span<const Problem> problems, std::vector<Timing>& timings,
                          const LoadEngine& load, const TuneOptions& options);

}  // namespace burnish
