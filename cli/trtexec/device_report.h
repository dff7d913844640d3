#pragma once

#include <optional>

#include "cli/trtexec/lines.h"

namespace burnish::cli::trtexec {

/// What the device used is.
Lines device_lines(std::optional<int> device, const std::string& target);
/// Says which devices there are and which is used: GPU `device`; where there is no number the CPU if `target` is that, else none.
/// Throws Failure where there is no such GPU.
void report_device(std::optional<int> device, const std::string& target, const Log& log);

}  // namespace burnish::cli::trtexec
