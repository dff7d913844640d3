#pragma once

#include <nlohmann/json.hpp>

namespace burnish::cli::report {

using Json = nlohmann::ordered_json;

// Files that trtexec exports, of either door. Their forms: --exportLayerInfo {"Layers": […], "Bindings" or "I/O Tensors": […]}
// with layers as objects or as names alone; --exportProfile [{"count"}, {"name", "timeMs", "averageMs", "percentage"}, …];
// --exportTimes [{"latencyMs", "computeMs", "h2dMs", "d2hMs", …}, …].

/// The document of an engine (see document.h) that only its layer file tells of. Throws Failure or Json::exception.
Json exported_engine(const Json& layer_file);

/// Writes times into the layers by their names. `profile`: what --exportProfile or burnish bench --profile --json left. Times of
/// what is no layer (a reformatting copy that the layer file leaves out) become layers of their own, so that the sum stays. A file of
/// bench has the times of runs as well, which add_times reads. Throws Failure where no name is known, or Json::exception.
void add_profile(Json& engine, const Json& profile);

/// Writes {"host": quantiles of the latency, "gpu": of the computation, "h2d", "d2h", "runs", "runs_per_second"} into the engine's
/// "times", from what --exportTimes or burnish bench --json left. Throws Failure or Json::exception.
void add_times(Json& engine, const Json& times);

}  // namespace burnish::cli::report
