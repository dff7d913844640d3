#pragma once

#include <map>
#include <memory>
#include <set>

#include "compiler/library.h"
#include "runtime/libraries/cudnn.h"

namespace burnish::cudnn {

/// Convolutions and attention by cuDNN's graphs, as tactics: one for each way that its heuristics propose, named by version and
/// engine. Nothing is opened before it is needed.
class Cudnn final : public Library {
 public:
  /// For GPUs of `architecture` ("sm_90"): the one that is here, else one that is described to the library. `directory` as for
  /// Session::open.
  Cudnn(std::string_view architecture, std::string directory)
      : architecture_(architecture), directory_(std::move(directory)) {}
  std::string_view name() const override { return library_name; }
  Verdict accepts(KernelCtx& ctx) const override;
  Result<> open() override;
  void announce(KernelCtx& ctx, int most) override;
  Result<> prepare(ThreadPool& pool, const std::function<Result<>(int, int)>& progress,
                   const std::function<bool()>& late) override;
  std::string account() const override;
  Result<std::vector<std::string>> tactics(KernelCtx& ctx, int most) override;
  /// Opens the library: only that makes the plan which the engine keeps.
  Verdict describe(KernelCtx& ctx, std::string_view tactic) override;

 private:
  struct Announced {
    OperationGraph graph;
    size_t most;
  };
  void plan(const Announced& announced);
  /// What a tactic's name has before the engine.
  std::string before_engine() const;
  const std::string architecture_, directory_;
  std::unique_ptr<Planner> planner_;
  std::map<std::string, Announced> announced_;  // by the graph's text, not yet prepared
  std::set<std::string> left_;                  // what there was no time for
};

}  // namespace burnish::cudnn
