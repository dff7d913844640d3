#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "runtime/cuda/device.h"
#include "runtime/libraries/cudnn_descriptors.h"

namespace burnish::cudnn {

/// A plan of the library's as text, and the memory it needs.
struct SerializedPlan {
  std::string json;
  int64_t workspace = 0;
};

/// Asks the library for plans, once for equal graphs: its heuristics take from 3 to 100 ms, and a plan that it compiles half a second.
/// Any number of threads may ask at once, each call with a handle that no other uses meanwhile.
class Planner {
 public:
  Planner(const Functions& call, cuda::Device device) : call_(call), device_(std::move(device)) {}
  ~Planner();
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  /// How many ways the library's heuristics (mode A) propose for a graph, the likely fastest first; 0 where it refuses it.
  Result<size_t> proposals(const OperationGraph& graph);
  /// The plan of one of them. Error unsupported when it cannot be made.
  Result<SerializedPlan> plan(const OperationGraph& graph, size_t proposal);
  /// Whether `proposals` has been answered.
  bool knows(const OperationGraph& graph);

  /// How often the heuristics were asked and plans made, and an answer was there already.
  struct Counts {
    size_t heuristics = 0, plans = 0, found = 0;
  };
  Counts counts() const;

 private:
  /// What is known of one graph. One thread asks at a time; the others wait for what it learns.
  struct Asked {
    std::mutex turn;
    std::optional<size_t> count;
    std::vector<Owned> parts, configurations;
    std::map<size_t, Result<SerializedPlan>> plans;
  };
  std::shared_ptr<Asked> asked(const OperationGraph& graph);
  Result<size_t> count(const OperationGraph& graph, Asked& asked);
  Result<> ask(const OperationGraph& graph, Handle handle, Asked& asked) const;
  Result<SerializedPlan> make(const Owned& configuration, Handle handle) const;
  template <class T>
  Result<T> with_handle(const std::function<Result<T>(Handle)>& work);
  void count(size_t Counts::* what);

  const Functions call_;
  const cuda::Device device_;
  mutable std::mutex mutex_;
  std::vector<Handle> idle_;
  std::map<std::string, std::shared_ptr<Asked>> asked_;  // by the graph's text
  Counts counts_;
};

}  // namespace burnish::cudnn
