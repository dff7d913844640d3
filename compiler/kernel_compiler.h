#pragma once

#include <atomic>
#include <functional>
#include <future>
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
  ~KernelCompiler() { abandoned_ = true; }

  /// Begins to compile `sources` on threads of its own, as many as the pool has; with one thread it waits until they are wanted.
  /// Whoever wants a kernel next waits for all of them, and learns of an error.
  void begin(std::span<const std::string> sources);
  /// Those of `sources` that are new. What does not compile is an error among `kernels()`. `late` is asked now and then: once
  /// it says so, those not begun are left.
  Result<> compile(std::span<const std::string> sources, const std::string& stage,
                   const std::function<bool()>& late = {});
  /// The binary of each source; the first error there is.
  Result<std::vector<std::vector<std::byte>>> binaries(std::span<const std::string> sources);

  const CompiledKernels& kernels() const { return kernels_; }
  const Backend& backend() const { return backend_; }
  const Report& report() const { return report_; }
  ThreadPool& pool() const { return pool_; }

 private:
  Result<> compile_on(ThreadPool& pool, std::span<const std::string> sources, const std::string& stage,
                      const std::function<bool()>& late);
  /// "compiling kernels for sm_90".
  std::string stage() const;

  const Backend& backend_;
  ThreadPool& pool_;
  Report report_;
  CompiledKernels kernels_;
  std::atomic<bool> abandoned_ = false;
  std::future<Result<>> begun_;  // last: it uses the others
};

}  // namespace burnish
