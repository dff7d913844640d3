#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "ir/op.h"

namespace burnish {

/// A library of ready routines, asked while an engine is built. Nobody estimates what its tactics take: they count where they
/// have been timed. Their names begin with the library's, so that a cache tells whose they are.
class Library {
 public:
  virtual ~Library() = default;
  /// "cublaslt": as in Plan's LibraryCall.
  virtual std::string_view name() const = 0;
  /// Whether it can do the work of `ctx`'s node, operands lying as `ctx` says. Does not open the library.
  virtual Verdict accepts(KernelCtx& ctx) const = 0;
  /// Opens the library and the GPU, if need be: an error says why it cannot be asked for tactics.
  virtual Result<> open() = 0;
  /// Its tactics for a node that it accepts, the likely fastest first; `most` at most. It is open. An error is a refusal too.
  virtual Result<std::vector<std::string>> tactics(KernelCtx& ctx, int most) = 0;
  /// Announces that `tactics` will be asked this, and `describe` for what it answers. It is open.
  virtual void announce(KernelCtx&, int /*most*/) {}
  /// Makes ready on all threads of `pool` what was announced and takes time. `late` is asked now and then: once it says so, what is not
  /// begun is left, and `tactics` answers error cancelled for it. `progress` as told by KernelCompiler::Report, without a stage.
  virtual Result<> prepare(ThreadPool& /*pool*/,
                           const std::function<Result<>(int done, int total)>& /*progress*/,
                           const std::function<bool()>& /*late*/) {
    return {};
  }
  /// What it was asked so far, in a line for whoever wants to know where time goes; empty: nothing.
  virtual std::string account() const { return {}; }
  /// Adds the calls of a tactic to ctx.routines.
  virtual Verdict describe(KernelCtx& ctx, std::string_view tactic) = 0;

  /// Whether a tactic is one of its own.
  bool owns(std::string_view tactic) const {
    return tactic.starts_with(name()) && (tactic.size() == name().size() || tactic[name().size()] == ' ');
  }
};

using Libraries = std::span<Library* const>;

}  // namespace burnish
