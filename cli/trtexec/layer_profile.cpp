#include "cli/trtexec/layer_profile.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/trtexec/inference.h"

namespace burnish::cli::trtexec {

namespace {

using Json = nlohmann::ordered_json;

Json profiled_run(burnish_context* context) {
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_context_profile(context, &json, &error), error);
  const Text text(json, burnish_text_free);
  return Json::parse(json);
}

double total(const LayerProfile::Layer& layer) {
  return std::accumulate(layer.ms.begin(), layer.ms.end(), 0.0);
}

double total(const LayerProfile& profile) {
  double sum = 0;
  for (const LayerProfile::Layer& layer : profile.layers) sum += total(layer);
  return sum;
}

}  // namespace

LayerProfile profile_layers(const Session& session, const InferenceOptions& options) {
  using Clock = std::chrono::steady_clock;
  const Cancellable cancellable;
  session.set_host_inputs(session.context());
  LayerProfile profile;
  std::map<std::string, size_t> index;
  const Clock::time_point begin = Clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  };
  InferenceOptions unwarmed = options;
  unwarmed.warm_up = 0;
  for (; goes_on(unwarmed, profile.runs, 0, elapsed()) || profile.runs == 0; ++profile.runs)
    for (const Json& step : profiled_run(session.context())) {
      const std::string name = step["name"];
      const auto [at, first] = index.try_emplace(name, profile.layers.size());
      if (first) profile.layers.push_back({name, {}});
      LayerProfile::Layer& layer = profile.layers[at->second];
      layer.ms.resize(profile.runs + 1);
      layer.ms.back() += step["ms"].get<double>();
    }
  return profile;
}

void report_profile(const LayerProfile& profile, const Log& log) {
  const double all = total(profile);
  const auto runs = static_cast<double>(profile.runs);
  double average = 0, middle = 0;
  log.info("");
  log.info(fmt::format("=== Profile ({} iterations ) ===", profile.runs));
  log.info("   Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer");
  const auto row = [&](double time, double mean, double median, const std::string& name) {
    log.info(
        fmt::format("{:>11.2f}{:>13.4f}{:>13.4f}{:>10.1f}   {}", time, mean, median, time / all * 100, name));
  };
  for (const LayerProfile::Layer& layer : profile.layers) {
    if (total(layer) == 0) continue;
    row(total(layer), total(layer) / runs, median(layer.ms), layer.name);
    average += total(layer) / runs;
    middle += median(layer.ms);
  }
  row(all, average, middle, "Total");
  log.info("");
}

std::string profile_json(const LayerProfile& profile) {
  const double all = total(profile);
  Json list = Json::array({{{"count", profile.runs}}});
  for (const LayerProfile::Layer& layer : profile.layers)
    list.push_back({{"name", layer.name},
                    {"timeMs", total(layer)},
                    {"averageMs", total(layer) / static_cast<double>(profile.runs)},
                    {"medianMs", median(layer.ms)},
                    {"percentage", total(layer) / all * 100}});
  std::string text = "[\n";
  for (size_t i = 0; i < list.size(); ++i) text += (i ? ", " : "  ") + list[i].dump() + "\n";
  return text + "]\n";
}

}  // namespace burnish::cli::trtexec
