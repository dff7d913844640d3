#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/parallel.h"
#include "compiler/backend.h"
#include "tuner/problem.h"

namespace burnish {

/// Compiles device text on all threads, each text once.
class KernelCompiler {
 public:
  /// Told what is being done and how much of it is; an error ends it.
  using Report = std::function<Result<>(std::string_view stage, int done, int total)>;
  KernelCompiler(const Backend& backend, ThreadPool& pool, Report report)
      : backend_(backend), pool_(pool), report_(std::move(report)) {}

  /// Those of `sources` that are new. What does not compile is an error among `kernels()`. `late` is asked now and then: once
  /// it says so, those not begun are left.
  Result<> compile(std::span<const std::string> sources, const std::string& stage,
                   const std::function<bool()>& late = {});
  /// The binary of each source; the first error there is.
  Result<std::vector<std::vector<std::byte>>> binaries(std::span<const std::string> sources);

  const CompiledKernels& kernels() const { return kernels_; }
  const Backend& backend() const { return backend_; }
  const Report& report() const { return report_; }

 private:
  const Backend& backend_;
  ThreadPool& pool_;
  Report report_;
  CompiledKernels kernels_;
};

}  // namespace burnish
