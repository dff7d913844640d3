#pragma once

#include <optional>
#include <string>

#include "cli/trtexec/options.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

/// What tools that explore engines want beside the other files, as JSON: the summary of the run, its options, and the device.
std::string metadata_json(const Trace& trace, const Options& options, std::optional<int> device,
                          const std::string& target);

}  // namespace burnish::cli::trtexec
