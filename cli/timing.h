#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "api/burnish.h"
#include "cli/progress.h"

namespace burnish::cli {

using Json = nlohmann::ordered_json;

/// The times of `count` runs, or of as many as fit into `seconds` where it is 0; in portions of a quarter of a second, so that
/// progress can be seen. `run` times a number of them.
std::vector<burnish_timing> time_runs(burnish_context* context, int count, double seconds, Progress& progress,
                                      const char* stage,
                                      decltype(burnish_context_time)* run = burnish_context_time);

/// Of times in milliseconds.
struct Quantiles {
  double median, p90, p99, mean, min;
};
/// Of one value or more. A quantile is the nearest value measured.
Quantiles quantiles(std::vector<double> values);
/// Of one of the two times of each run.
Quantiles quantiles_of(const std::vector<burnish_timing>& timings, float burnish_timing::* which);
/// {median, p90, p99, mean, min}
Json json_of(const Quantiles& q);

/// What burnish_context_describe and burnish_context_profile say. Throws Failure.
Json description_of(burnish_context* context);
Json steps_of(burnish_context* context);

}  // namespace burnish::cli
