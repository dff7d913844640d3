#pragma once

#include "cli/trtexec/session.h"

namespace burnish::cli::trtexec {

/// Fails for a debug tensor that is asked for and that the engine does not have.
void require_debug_tensors(const Session& session, const InferenceOptions& options);
/// Runs once, and writes the tensors inside the engine that --saveDebugTensors names, and all as --saveAllDebugTensors says: each in a
/// file of its name in the current folder, a summary to the log. Throws Failure.
void save_debug_tensors(Session& session, const InferenceOptions& options, const Log& log);

}  // namespace burnish::cli::trtexec
