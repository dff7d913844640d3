#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tuner/timing_cache.h"
#include "tuner/timing_device.h"

namespace burnish {

struct TuneOptions {
  int most_rounds = 16;           // each times every candidate once that is still in the race
  int averaged = 1;               // timings that are averaged to one
  size_t most_trials = 0;         // of engines with another candidate (in_engine.h)
  double until = 0;               // by `clock`: when no more is timed
  std::function<double()> clock;  // seconds
  /// Told how many problems of how many are decided; an error ends the tuning.
  std::function<Result<>(int done, int total)> progress;
};

/// Times the candidates of each problem against each other and says which one wins, by problem. A problem that the time does
/// not suffice for, or the device's memory, or that has kernels which nobody compiled, is won by its default, untimed.
Result<std::vector<Timing>> tune(std::span<const Problem> problems, const CompiledKernels& kernels,
                                 TimingDevice& device, const TuneOptions& options);

}  // namespace burnish
