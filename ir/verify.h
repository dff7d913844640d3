#pragma once

#include "base/result.h"
#include "ir/graph.h"

namespace burnish {

/// How far a graph has come.
enum class GraphStage : uint8_t {
  imported,   // as the importer and the passes leave it
  lowerable,  // ready to become a plan: every node can run, every symbol has its origin
};

/// Checks the rules that every graph keeps: each value is defined once, before its uses, inside its graph; types are what
/// inference gives; regions see their own values only. An Error (internal) names the node and the rule: a pass is wrong.
Result<> verify(const Graph& graph, GraphStage stage = GraphStage::imported);

}  // namespace burnish
