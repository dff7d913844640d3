#pragma once

#include <string>
#include <vector>

#include "ir/op.h"
#include "plan/plan.h"

namespace burnish {

/// Makes device kernels for one target.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view target() const = 0;  // "sm_90"
  /// Whether this node can run on the device; the reason if not.
  virtual Verdict accepts(const Graph& graph, const Node& node) const = 0;
  /// The kernels that do node's work, operands lying in memory as `ctx` says, appended to ctx.calls.
  virtual Verdict describe(KernelCtx& ctx) const = 0;
  /// The source of a call, and the order of its arguments. Two calls with the same source are one kernel.
  struct Source {
    std::string text;  // the kernel is named `kernel` in it
    std::vector<KernelArgument> arguments;
  };
  virtual Source emit(const KernelCtx& ctx, const KernelCall& call) const = 0;
  /// Source -> binary. May be called from several threads at once.
  virtual Result<std::vector<std::byte>> compile(const std::string& source) const = 0;
};

}  // namespace burnish
