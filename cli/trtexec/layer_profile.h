#pragma once

#include <string>
#include <vector>

#include "cli/trtexec/session.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

/// What each layer took in every run of a profile, in the order that layers ran first.
struct LayerProfile {
  struct Layer {
    std::string name;
    std::vector<double> ms;  // by run
  };
  std::vector<Layer> layers;
  size_t runs = 0;
};

/// Runs layer by layer as often and as long as the options say. Throws Failure.
LayerProfile profile_layers(const Session& session, const InferenceOptions& options);
void report_profile(const LayerProfile& profile, const Log& log);
std::string profile_json(const LayerProfile& profile);

}  // namespace burnish::cli::trtexec
