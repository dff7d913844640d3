#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/report/graph_text.h"

namespace burnish::cli::report {

using Json = nlohmann::ordered_json;

/// What costs time in a plan and could be otherwise: [{rule, layer, what, remedy}]. Rules: "host step", "data movement", "channels"
/// (extents that tensor cores do not like), "not fused", "chosen by estimate". `layer` is a place in `layers`; none: the whole.
Json lint(const Json& plan, const Json& layers, const std::vector<TextNode>& nodes);

/// One finding about channels of a contraction, where `extent` is no multiple of what 16 bytes of `dtype` hold; null: none.
Json channels_finding(const char* which, int64_t extent, const std::string& dtype);

}  // namespace burnish::cli::report
