#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

/// What came of build routes, in the file of --tuningCacheFile: {tuner_version, results: [{iteration, model, route, state, …}]}. It is
/// written anew after each.
class RouteResults {
 public:
  /// Reads what the file knows so far; without a file nothing is kept. Throws Failure for a file that is no such JSON.
  explicit RouteResults(std::string file);

  /// The median compute time of a route of a model, in ms, if it was measured.
  std::optional<double> known(const std::string& model, const std::string& route) const;
  /// Throws Failure where it cannot be written.
  void add_measured(const std::string& model, const std::string& route, uint64_t engine_bytes,
                    const Trace& trace);
  void add_failed(const std::string& model, const std::string& route, const std::string& why);

 private:
  void add(nlohmann::ordered_json result);
  std::string file_;
  nlohmann::ordered_json json_;
};

}  // namespace burnish::cli::trtexec
