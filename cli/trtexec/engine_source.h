#pragma once

#include <optional>
#include <string>

#include "cli/engine.h"
#include "cli/trtexec/log.h"
#include "cli/trtexec/options.h"

namespace burnish::cli::trtexec {

/// Builds the engine that the options ask for and opens it, refitted where they ask for that or it could not run; keeps it as built
/// where --saveEngine says. `target`: "cpu", "sm_90". Throws Failure.
Engine build_engine_of(const Options& options, const std::string& target, const Log& log);
/// Opens the engine of --loadEngine, refitted likewise, and keeps it as it runs where --saveEngine says. Throws Failure; for the plan of
/// another library one that says so.
Engine load_engine_of(const Options& options, const Log& log);
/// Opens an engine that was built for the options, refitted likewise. Throws Failure.
Engine open_for(const Options& options, const std::string& path, const Log& log);
/// Writes `to`: complete, or not at all. Throws Failure.
void copy_engine(const std::string& from, const std::string& to);
/// Loads the engine several times and says how long that takes.
void time_loading(const std::string& path, const Log& log);
/// Says which version made the engine.
void report_version(const std::string& path, const Log& log);

}  // namespace burnish::cli::trtexec
