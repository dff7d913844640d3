#pragma once

#include <memory>

#include "compiler/library.h"
#include "runtime/libraries/cublaslt.h"

namespace burnish::cublaslt {

/// Matrix products by cuBLASLt, as tactics: one for each algorithm that its heuristics propose. Nothing is opened before `open`.
class CublasLt final : public Library {
 public:
  /// `directory` as for Session::open.
  explicit CublasLt(std::string directory) : directory_(std::move(directory)) {}
  std::string_view name() const override { return library_name; }
  Verdict accepts(KernelCtx& ctx) const override;
  Result<> open() override;
  Result<std::vector<std::string>> tactics(KernelCtx& ctx, int most) override;
  /// Needs no library: the name of a tactic says all.
  Verdict describe(KernelCtx& ctx, std::string_view tactic) override;

 private:
  std::string directory_;
  std::unique_ptr<MatmulSession> session_;
};

}  // namespace burnish::cublaslt
