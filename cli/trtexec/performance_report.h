#pragma once

#include <nlohmann/json.hpp>

#include "cli/trtexec/log.h"
#include "cli/trtexec/options.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

/// What a timed run shows: the trace in groups, the summary, what may limit it, and what the figures mean. `on_gpu` false: copies and
/// launches are no part of the run, and nothing is said of them.
void report_performance(const Trace& trace, const Options& options, bool on_gpu, const Log& log);
/// The summary as JSON: {"Throughput", "Latency": {"min", "max", "mean", "median", "percentile": {"90": …}}, …}.
nlohmann::ordered_json performance_json(const Trace& trace, const ReportingOptions& options);
/// The trace as JSON, a query a line.
std::string trace_json(const Trace& trace);

}  // namespace burnish::cli::trtexec
