#pragma once

#include <cstdint>
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
  std::string node;                 // as in Step::name
  std::string key;                  // equal for equal problems
  size_t number = 0;                // of decisions before it in the plan
  std::vector<Tactic> tactics;      // by estimate, the default first
  std::vector<Library*> libraries;  // that can do it as well
  std::vector<Decision::Candidate>
      refusals;  // of those that cannot, and of tactics that are not within the limits
  /// Its candidates are the first `count` tactics and up to as many of each library in `asked`, which are open.
  std::function<Problem(size_t count, Libraries asked)> problem;
  /// Announces to a library, which is open, that it will be asked so.
  std::function<void(size_t count, Library& asked)> announce;

  bool allows(std::string_view tactic) const;
};

/// A map's windows as plans and problems have them.
std::vector<KernelLaunch::Argument::Windows> windows_of(const TensorMap& map);
/// The decision for the tactic of least cost. `tactics` are by cost.
Decision decide_by_estimate(std::string node, const std::vector<Tactic>& tactics);
/// What `ctx` has been offered, by cost.
std::vector<Tactic> by_cost(const KernelCtx& ctx);

/// What a tactic may ask for at most, in bytes; 0: no limit. Scratch memory is counted at the largest extents, at the usual ones
/// where there is no largest.
struct TacticLimits {
  uint64_t workspace = 0;  // scratch memory of a node's calls
  uint64_t shared = 0;     // dynamic shared memory of a block
  bool any() const { return workspace > 0 || shared > 0; }
  /// Whether its launches start early. Their blocks may ask for more shared memory than they use, which a limit forbids.
  bool start_early(const KernelCtx& ctx) const { return ctx.starts_early() && shared == 0; }
};

/// Who does the work of nodes, and within what limits.
struct Makers {
  const Backend& backend;
  Libraries libraries;
  TacticLimits limits = {};
};

/// Whether some tactic of `backend` keeps to the limits.
Verdict fits_limits(KernelCtx& ctx, const Makers& makers);
/// The choice that the node of `ctx` leaves; nothing where it has one tactic, or is refused. Asks `ctx` for nothing that
/// would change a plan. The choice is good as long as `ctx` and what `makers` refers to. For nodes that fit.
std::optional<NodeChoice> find_choice(std::string node, KernelCtx& ctx, const Makers& makers);
/// Describes the node's work under the tactic decided, by the library whose it is, else by the backend. Where the library cannot
/// after all, or not within the limits, the backend does by its least estimate, and the decision says why.
Verdict describe(KernelCtx& ctx, const Makers& makers, std::optional<Decision>& decision);

}  // namespace burnish
