#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace burnish {

/// Tensors that a text names by their place: `constant f32[64, 3, 7, 7] #12`.
using Resources = std::vector<std::shared_ptr<const Tensor>>;

/// The text form (see README.md). Constants of more than 16 elements are appended to `resources`; without it their
/// elements are left out (`…`), and such a text does not parse.
std::string print(const Graph& graph, Resources* resources = nullptr);
/// One node, on one line unless it has regions; for messages.
std::string print(const Graph& graph, const Node& node);

/// Inverse of `print`: the graph comes back equal. Types are read, not inferred: see `verify`.
/// Errors (invalid_argument) begin "line N: ".
Result<Graph> parse(std::string_view text, std::span<const std::shared_ptr<const Tensor>> resources = {});

/// The same program: nodes, attributes, types, names, constants bit by bit, symbols, whatever the ids.
/// Values that nothing reads do not count.
bool equal(const Graph& a, const Graph& b);

}  // namespace burnish
