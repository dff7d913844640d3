#pragma once

#include <span>
#include <string>
#include <vector>

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
  /// Adds the calls of a tactic to ctx.routines.
  virtual Verdict describe(KernelCtx& ctx, std::string_view tactic) = 0;

  /// Whether a tactic is one of its own.
  bool owns(std::string_view tactic) const {
    return tactic.starts_with(name()) && (tactic.size() == name().size() || tactic[name().size()] == ' ');
  }
};

using Libraries = std::span<Library* const>;

}  // namespace burnish
