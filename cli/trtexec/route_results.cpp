#include "cli/trtexec/route_results.h"

#include <filesystem>
#include <fstream>

#include "api/burnish.h"
#include "cli/failure.h"
#include "cli/output.h"

namespace burnish::cli::trtexec {

RouteResults::RouteResults(std::string file)
    : file_(std::move(file)),
      json_({{"tuner_version", burnish_version()}, {"results", nlohmann::ordered_json::array()}}) {
  if (file_.empty() || !std::filesystem::exists(file_)) return;
  std::ifstream in(file_);
  json_ = nlohmann::ordered_json::parse(in, nullptr, false);
  if (!json_.is_object() || !json_.contains("results") || !json_["results"].is_array())
    fail("--tuningCacheFile='" + file_ + "' holds no results of build routes",
         "name another file, or remove it");
}

std::optional<double> RouteResults::known(const std::string& model, const std::string& route) const {
  for (const auto& result : json_["results"])
    if (result.is_object() && result.value("model", "") == model && result.value("route", "") == route &&
        result.value("state", "") == "passed")
      return result.value("median_compute_ms", 0.0);
  return {};
}

void RouteResults::add(nlohmann::ordered_json result) {
  result["iteration"] = json_["results"].size();
  json_["results"].push_back(std::move(result));
  if (!file_.empty()) write_text(file_, json_.dump(1) + "\n");
}

void RouteResults::add_measured(const std::string& model, const std::string& route, uint64_t engine_bytes,
                                const Trace& trace) {
  add({{"model", model},
       {"route", route},
       {"state", "passed"},
       {"engine_bytes", engine_bytes},
       {"queries", trace.queries.size()},
       {"throughput_qps", static_cast<double>(trace.queries.size()) / trace.wall_seconds()},
       {"median_compute_ms", median(values_of(trace, &Query::compute))}});
}

void RouteResults::add_failed(const std::string& model, const std::string& route, const std::string& why) {
  add({{"model", model}, {"route", route}, {"state", "failed"}, {"why", why}});
}

}  // namespace burnish::cli::trtexec
