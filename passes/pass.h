#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "base/result.h"
#include "ir/graph.h"
#include "passes/node_pattern.h"

namespace burnish {

/// In what a build in half precision computes and stores what some ONNX nodes make. Of those that fit a name the last one counts.
struct NodePrecision {
  NodePattern node;
  DType dtype = DType::f32;  // or the half precision of the build, as it would do by itself
  size_t result = 0;         // the type of this result alone, counted from 1; 0: of all that the node does
};

/// What a symbol will usually be. What pays may depend on it, what is right may not.
using UsualExtent = std::function<int64_t(const DimTable&, Dim symbol)>;

/// What passes may depend on besides the graph.
struct PassContext {
  ThreadPool& pool;
  std::optional<DType> half = {};  // f16 or bf16, where values are to be stored so
  std::span<const NodePrecision> nodes = {};
  std::span<const NodePattern> decomposed = {};  // attention that stays spelled out
  bool weights_vary = false;  // float tensors may be replaced by others once the engine is built
  UsualExtent usual = [](const DimTable& dims, Dim symbol) { return dims.range(symbol).lo; };
};

/// A rewrite of a graph and, through `for_each_graph`, of its regions. Text tests live in `passes/<name>.ir`.
struct Pass {
  std::string_view name;
  std::string_view what;  // one line for `--help` and dumps
  /// True if something changed.
  Result<bool> (*run)(Graph& graph, const PassContext& context);
};

/// The passes in order; `group` marks clean-ups that are repeated together until none changes anything.
struct Stage {
  std::string_view name;
  std::vector<const Pass*> passes;
  bool until_stable = false;
};
const std::vector<Stage>& pipeline();
/// Every pass there is, for tests and `--pass`.
std::span<const Pass* const> all_passes();

/// Runs the pipeline. The graph is verified at first and after each pass that changed it; an Error names the pass.
Result<> run_pipeline(Graph& graph, const PassContext& context);

/// Products with a sum over many terms: what tensor cores are for, and what pointwise work is fused into.
bool is_contraction(const Node& node);

/// f on the regions of control flow (not bodies of Fused), innermost first, then on the graph itself.
Result<bool> for_each_graph(Graph& graph, const std::function<Result<bool>(Graph&)>& f);
/// The same, but not on bodies of Loop and Scan: the host runs these as they are, from their inputs alone.
Result<bool> for_each_lowered_graph(Graph& graph, const std::function<Result<bool>(Graph&)>& f);

}  // namespace burnish
