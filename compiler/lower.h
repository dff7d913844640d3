#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "compiler/backend.h"
#include "compiler/library.h"
#include "compiler/tactics.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace burnish {

struct LowerOptions {
  const Backend* backend = nullptr;  // null: everything on the host
  bool tf32 = false;                 // FP32 matrix products on a device may round their operands to TF32
  bool weights_vary = false;         // float constants that are equal may be replaced by others that are not
  /// The value of a symbol that memory is planned for.
  std::function<int64_t(const DimTable&, Dim symbol)> optimum;
  TacticLimits limits;
  uint32_t max_branches = 0;  // of the plan
  /// Of each input and output its axes from the slowest to the fastest in memory; empty: row-major.
  std::vector<std::vector<int>> input_orders, output_orders;
  ConstantForms* forms = nullptr;  // kept from lowering to lowering
  ThreadPool* pool = nullptr;      // that makes the constants; null: this thread does
  Libraries libraries;             // that nodes may be left to, where `decide` says so
  /// Decides between the tactics of a node; null: the least estimate.
  std::function<Decision(const NodeChoice&)> decide;
  /// Told the device source of every kernel, before the constants are made; null: nobody wants to know.
  std::function<void(std::span<const std::string>)> on_sources;
};

/// A plan whose constants and kernels are still apart: the engine writer lays them out.
struct Lowered {
  Plan plan;
  std::vector<Tensor> constants;     // by Plan::constants
  std::vector<std::string> sources;  // device source of each of Plan::modules
};

/// Graph -> plan: places every value in host or device memory, turns views into addresses, nodes into steps, symbols into
/// slots, and lays out the arenas. The graph is verified and its shape arithmetic absorbed.
Result<Lowered> lower(Graph& graph, const LowerOptions& options);

}  // namespace burnish
