#pragma once

#include <nlohmann/json.hpp>

namespace burnish::cli::report {

using Json = nlohmann::ordered_json;

/// Which layers of two engines do the same work: [{nodes, a: [places], b: [places]}] in the order of the first engine, layers being
/// put together as far as they share ONNX nodes. A layer without a partner stands alone.
Json match_layers(const Json& a, const Json& b);

}  // namespace burnish::cli::report
