#pragma once

#include <mutex>
#include <vector>

#include "runtime/libraries/cudnn_planner.h"
#include "runtime/libraries/session.h"

namespace burnish::cudnn {

inline constexpr std::string_view library_name = "cudnn";

/// "9.19.0 workspace=0 tensors=0,1,3" and the library's own text in the next line: one routine, whose operands are these tensors
/// of the graph in this order, then the workspace if any.
std::string print(const std::string& version, const SerializedPlan& plan, const std::vector<size_t>& tensors);

class GraphSession final : public Session {
 public:
  static Result<std::unique_ptr<GraphSession>> open(const cuda::Device& device, const std::string& directory);
  ~GraphSession() override;
  std::string version() const override { return call_.version_text(); }
  /// Error unsupported when this version cannot read the plan.
  Result<std::unique_ptr<Routine>> prepare(std::string_view text) override;

 private:
  friend class PlanRoutine;
  GraphSession(Functions functions, cuda::Device device, Handle handle)
      : call_(functions), device_(std::move(device)), handle_(handle) {}
  Functions call_;
  cuda::Device device_;
  Handle handle_;
  std::mutex turn_;  // the handle holds the stream of a call
};

}  // namespace burnish::cudnn
