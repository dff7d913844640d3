#pragma once

#include "cli/trtexec/session.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

/// Runs queries as the options say, on as many contexts side by side as they say; Ctrl-C ends it early. Throws Failure.
Trace run_inference(const Session& session, const InferenceOptions& options);

/// Whether a run that has made `queries`, of which `warm_up` count as warm-up, in `elapsed` ms goes on.
bool goes_on(const InferenceOptions& options, size_t queries, size_t warm_up, double elapsed);

}  // namespace burnish::cli::trtexec
