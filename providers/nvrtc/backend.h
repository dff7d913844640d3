#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/parallel.h"
#include "compiler/backend.h"
#include "providers/nvrtc/compile.h"

namespace burnish::nvrtc {

/// Kernels from our own device text, compiled by NVRTC. Needs no GPU.
class NvrtcBackend final : public Backend {
 public:
  /// Without a compiler it describes kernels and compiles none.
  NvrtcBackend(std::optional<Compiler> compiler, Architecture architecture)
      : compiler_(std::move(compiler)), architecture_(architecture) {}
  std::string_view target() const override { return architecture_.target; }
  Verdict accepts(const Graph& graph, const Node& node) const override;
  Verdict describe(KernelCtx& ctx) const override;
  Source emit(const KernelCtx& ctx, const KernelCall& call) const override;
  Result<std::vector<std::byte>> compile(const std::string& source) const override;

 private:
  std::optional<Compiler> compiler_;
  Architecture architecture_;
};

/// Names the device text that kernels are made of: another digest, another speed.
std::string device_text_digest();

}  // namespace burnish::nvrtc
