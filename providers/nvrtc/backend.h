#pragma once

#include <optional>

#include "compiler/backend.h"
#include "providers/nvrtc/compiler_pool.h"

namespace burnish::nvrtc {

/// Kernels from our own device text, compiled by NVRTC. Needs no GPU.
class NvrtcBackend final : public Backend {
 public:
  /// Without compilers it describes kernels and compiles none.
  NvrtcBackend(std::optional<CompilerPool> compilers, Architecture architecture)
      : compilers_(std::move(compilers)), architecture_(architecture) {}
  std::string_view target() const override { return architecture_.target; }
  Verdict accepts(const Graph& graph, const Node& node) const override;
  Verdict describe(KernelCtx& ctx) const override;
  Source emit(const KernelCtx& ctx, const KernelCall& call) const override;
  Result<std::vector<std::byte>> compile(const std::string& source) const override;

 private:
  std::optional<CompilerPool> compilers_;
  Architecture architecture_;
};

}  // namespace burnish::nvrtc
