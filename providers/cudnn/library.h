#pragma once

#include <map>
#include <memory>
#include <set>

#include "compiler/library.h"
#include "runtime/libraries/cudnn.h"

namespace burnish::cudnn {

/// Convolutions by cuDNN's graphs, as tactics: one for each way that its heuristics propose, named by version and place in
/// their list. Nothing is opened before it is needed.
class Cudnn final : public Library {
 public:
  /// `directory` as for Session::open.
  explicit Cudnn(std::string directory) : directory_(std::move(directory)) {}
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
  std::string directory_;
  std::unique_ptr<GraphSession> session_;
  std::map<std::string, Announced> announced_;  // by the graph's text, not yet prepared
  std::set<std::string> left_;                  // what there was no time for
};

}  // namespace burnish::cudnn
