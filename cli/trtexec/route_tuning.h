#pragma once

#include <optional>
#include <string>

#include "cli/engine.h"
#include "cli/trtexec/log.h"
#include "cli/trtexec/options.h"

namespace burnish::cli::trtexec {

/// Builds and times an engine by each route that --tuneBuildRoutes asks for, and gives the fastest one, which is kept where
/// --saveEngine says. Throws Failure.
Engine tune_build_routes(const Options& options, const std::string& target, std::optional<int> device,
                         const Log& log);
/// Says which routes that would be: of a mixed search those that are known before anything is timed.
void list_build_routes(const TuningOptions& tuning, const Log& log);
/// The knobs of build routes as JSON, or that one alone. Gives the exit status: 1 for a knob that there is not. Throws Failure.
int print_build_knobs(const std::string& knob);

}  // namespace burnish::cli::trtexec
