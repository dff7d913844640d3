#include "cli/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "cli/engine.h"
#include "cli/failure.h"

namespace burnish::cli {

std::vector<burnish_timing> time_runs(burnish_context* context, int count, double seconds, Progress& progress,
                                      const char* stage, decltype(burnish_context_time)* run) {
  std::vector<burnish_timing> timings;
  auto begin = std::chrono::steady_clock::now();
  double spent = 0;
  for (int portion = 1; count ? static_cast<int>(timings.size()) < count : spent < seconds;) {
    if (count) progress.stage(stage, static_cast<int>(timings.size()), count);
    else progress.stage(stage, static_cast<int>(spent * 10), static_cast<int>(std::ceil(seconds * 10)));
    if (count) portion = std::min(portion, count - static_cast<int>(timings.size()));
    timings.resize(timings.size() + portion);
    burnish_error* error = nullptr;
    check(run(context, portion, &timings[timings.size() - portion], &error), error);
    spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    double quarter = 0.25 * static_cast<double>(timings.size()) / std::max(spent, 1e-9);
    portion = static_cast<int>(std::clamp(quarter, 1.0, 1e5));
  }
  return timings;
}

/// The value below which the fraction lies, the nearest one measured.
Quantiles quantiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  auto at = [&](double fraction) {
    return values[static_cast<size_t>(std::ceil(fraction * static_cast<double>(values.size()))) - 1];
  };
  return {at(0.5), at(0.9), at(0.99),
          std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()),
          values.front()};
}

Quantiles quantiles_of(const std::vector<burnish_timing>& timings, float burnish_timing::* which) {
  std::vector<double> values;
  for (const burnish_timing& timing : timings) values.push_back(timing.*which);
  return quantiles(std::move(values));
}

Json json_of(const Quantiles& q) {
  return {{"median", q.median}, {"p90", q.p90}, {"p99", q.p99}, {"mean", q.mean}, {"min", q.min}};
}

Json description_of(burnish_context* context) {
  char* text = nullptr;
  burnish_error* error = nullptr;
  check(burnish_context_describe(context, &text, &error), error);
  return Json::parse(Text(text, burnish_text_free).get());
}

Json steps_of(burnish_context* context) {
  char* text = nullptr;
  burnish_error* error = nullptr;
  check(burnish_context_profile(context, &text, &error), error);
  return Json::parse(Text(text, burnish_text_free).get());
}

}  // namespace burnish::cli
