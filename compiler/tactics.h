#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/backend.h"
#include "tuner/problem.h"

namespace burnish {

/// A node that can be done in several ways, for whoever decides between them.
struct NodeChoice {
  std::string node;                              // as in Step::name
  std::string key;                               // equal for equal problems
  std::vector<Tactic> tactics;                   // by estimate, the default first
  std::function<Problem(size_t count)> problem;  // with the first `count` of them as candidates
};

/// The decision for the tactic of least cost. `tactics` are by cost.
Decision decide_by_estimate(std::string node, const std::vector<Tactic>& tactics);
/// What `ctx` has been offered, by cost.
std::vector<Tactic> by_cost(const KernelCtx& ctx);

/// The choice that the node of `ctx` leaves; nothing where it has one tactic, or is refused. Asks `ctx` for nothing that
/// would change a plan. The choice is good as long as `ctx` and `backend`.
std::optional<NodeChoice> find_choice(std::string node, KernelCtx& ctx, const Backend& backend);

}  // namespace burnish
