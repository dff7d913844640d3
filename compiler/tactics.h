#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/backend.h"
#include "compiler/library.h"
#include "tuner/problem.h"

namespace burnish {

/// A node that can be done in several ways, for whoever decides between them.
struct NodeChoice {
  std::string node;                           // as in Step::name
  std::string key;                            // equal for equal problems
  std::vector<Tactic> tactics;                // by estimate, the default first
  std::vector<Library*> libraries;            // that can do it as well
  std::vector<Decision::Candidate> refusals;  // of those that cannot
  /// Its candidates are the first `count` tactics and up to as many of each library in `asked`, which are open.
  std::function<Problem(size_t count, Libraries asked)> problem;

  bool allows(std::string_view tactic) const;
};

/// The decision for the tactic of least cost. `tactics` are by cost.
Decision decide_by_estimate(std::string node, const std::vector<Tactic>& tactics);
/// What `ctx` has been offered, by cost.
std::vector<Tactic> by_cost(const KernelCtx& ctx);

/// The choice that the node of `ctx` leaves; nothing where it has one tactic, or is refused. Asks `ctx` for nothing that
/// would change a plan. The choice is good as long as `ctx`, `backend` and `libraries`.
std::optional<NodeChoice> find_choice(std::string node, KernelCtx& ctx, const Backend& backend,
                                      Libraries libraries);
/// Describes the node's work under the tactic decided, by the library whose it is, else by `backend`. Where the library cannot
/// after all, `backend` does, and the decision says why.
Verdict describe(KernelCtx& ctx, const Backend& backend, Libraries libraries,
                 std::optional<Decision>& decision);

}  // namespace burnish
