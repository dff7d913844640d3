#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "runtime/cuda/device.h"
#include "runtime/libraries/cudnn_descriptors.h"
#include "runtime/libraries/cudnn_engine.h"

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
  /// For a GPU of this machine. `directory` as for Session::open, here and below.
  static Result<std::unique_ptr<Planner>> open(const cuda::Device& device, const std::string& directory);
  /// For one that need not be here, as the library describes it to itself in JSON. Plans that it compiles want NVIDIA's driver,
  /// libcuda.so.1, all the same: without it the library knows only what it has compiled already.
  static Result<std::unique_ptr<Planner>> open_described(std::string_view json, const std::string& directory);
  ~Planner();
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  /// The ways that the library's heuristics (mode A) propose for a graph, the likely fastest first; none where it refuses it.
  Result<std::vector<Engine>> proposals(const OperationGraph& graph);
  /// The plan of one way, whether it was proposed or not. Error unsupported or device_error when it cannot be made.
  Result<SerializedPlan> plan(const OperationGraph& graph, const Engine& engine);
  /// Whether `proposals` has been answered.
  bool knows(const OperationGraph& graph);

  /// Whether plans are for a GPU of this machine.
  bool has_device() const { return device_.has_value(); }
  /// The library's: "9.19.0".
  std::string version() const { return call_.version_text(); }

  /// How often the heuristics were asked and plans made, and an answer was there already.
  struct Counts {
    size_t heuristics = 0, plans = 0, found = 0;
  };
  Counts counts() const;

 private:
  Planner(const Functions& call, std::optional<cuda::Device> device, Owned described)
      : call_(call), device_(std::move(device)), described_(std::move(described)) {}

  /// What is known of one graph. One thread asks at a time; the others wait for what it learns.
  struct Asked {
    std::mutex turn;
    std::optional<Owned> graph;
    std::vector<Owned> parts;
    std::optional<std::vector<Engine>> proposals;
    std::map<std::string, Result<SerializedPlan>> plans;  // by the engine's text
  };
  std::shared_ptr<Asked> asked(const OperationGraph& graph);
  Result<> describe(const OperationGraph& graph, Handle handle, Asked& asked) const;
  Result<std::vector<Engine>> ask(const OperationGraph& graph, Handle handle, Asked& asked) const;
  Result<Engine> read(const Owned& configuration) const;
  /// What the configuration refers to is added to `parts`.
  Result<Owned> configure(const Owned& graph, const Engine& engine, std::vector<Owned>& parts) const;
  Result<SerializedPlan> make(const Owned& configuration, Handle handle) const;
  template <class T>
  Result<T> with_handle(const std::function<Result<T>(Handle)>& work);
  void count(size_t Counts::* what);

  const Functions call_;
  const std::optional<cuda::Device> device_;
  const Owned described_;  // what plans are for where there is no device
  mutable std::mutex mutex_;
  std::vector<Handle> idle_;
  std::map<std::string, std::shared_ptr<Asked>> asked_;  // by the graph's text
  Counts counts_;
};

}  // namespace burnish::cudnn
