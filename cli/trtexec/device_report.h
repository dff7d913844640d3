#pragma once

#include <optional>

#include "cli/trtexec/log.h"

namespace burnish::cli::trtexec {

/// Says which devices there are and which is used: GPU `device`, or the CPU where there is no number. Throws Failure where there
/// is no such GPU.
void report_device(std::optional<int> device, const Log& log);

}  // namespace burnish::cli::trtexec
