#pragma once

#include <set>
#include <span>
#include <string>

#include "runtime/cuda/kernel.h"

namespace burnish::cuda {

/// A node of a graph: good as long as the graph, or the GraphExec made from it, lives.
using GraphNode = CUgraphNode;

/// GPU work described before it runs. Each call adds one node that runs after all of `after`, which are nodes of
/// this graph. Work with an empty launch shape or zero bytes becomes a node that does nothing and can never be
/// updated to do something.
class Graph {
 public:
  using After = std::span<const GraphNode>;

  static Result<Graph> create(const Device& device);

  /// `arguments` as for launch(); the values are copied.
  Result<GraphNode> add_kernel(After after, const Kernel& kernel, const LaunchShape& shape,
                               std::span<void* const> arguments);
  /// The same for a kernel that may start while `before` still runs, and waits for it on the GPU (programmatic dependent launch,
  /// sm_90 and later). Neither is empty work.
  Result<GraphNode> add_early_kernel(GraphNode before, const Kernel& kernel, const LaunchShape& shape,
                                     std::span<void* const> arguments);
  /// The kernel of a node treats accesses to `window` so; of work that was empty, nothing.
  Result<> set_cache_window(GraphNode kernel, const CacheWindow& window);
  Result<GraphNode> add_upload(After after, CUdeviceptr to, const void* from, size_t bytes);
  Result<GraphNode> add_download(After after, void* to, CUdeviceptr from, size_t bytes);
  Result<GraphNode> add_copy(After after, CUdeviceptr to, CUdeviceptr from, size_t bytes);
  Result<GraphNode> add_fill(After after, CUdeviceptr to, unsigned char value, size_t bytes);
  /// Does nothing; joins what it comes after.
  Result<GraphNode> add_empty(After after);
  /// A copy of `child`, as one node; how a library's captured work becomes part of a graph.
  Result<GraphNode> add_child(After after, const Graph& child);

  CUgraph get() const { return graph_.get(); }
  const Device& device() const { return graph_.device(); }

 private:
  friend Result<Graph> end_capture(const Stream& stream);
  explicit Graph(Handle<CUgraph> graph) : graph_(std::move(graph)) {}
  friend class GraphExec;
  Result<GraphNode> add_idle(After after);
  Result<GraphNode> add_copy_node(After after, const CUDA_MEMCPY3D& copy);
  Handle<CUgraph> graph_;
  std::set<GraphNode> idle_;  ///< empty nodes that stand for empty work
};

/// From here to end_capture, work given to `stream` by this thread is recorded and does not run.
Result<> begin_capture(const Stream& stream);
/// What was recorded. Error device_error when the work broke the rules of capture.
Result<Graph> end_capture(const Stream& stream);

/// A graph ready to launch. Its nodes can be changed between launches, at a fraction of the cost of a new graph;
/// launches already on a stream keep what they had. Not for several threads at once.
class GraphExec {
 public:
  /// Takes the graph along, for its nodes name what to update.
  static Result<GraphExec> instantiate(Graph graph);

  /// Moves the graph to the GPU now, so that the first launch need not.
  Result<> upload(const Stream& stream) const;
  Result<> launch(const Stream& stream) const;

  /// Changes what a node does; its kind and its order stay. Emptied work is skipped until updated again.
  /// Error internal for a node that stands for work that was empty when the graph was made.
  Result<> update_kernel(GraphNode node, const Kernel& kernel, const LaunchShape& shape,
                         std::span<void* const> arguments);
  Result<> update_upload(GraphNode node, CUdeviceptr to, const void* from, size_t bytes);
  Result<> update_download(GraphNode node, void* to, CUdeviceptr from, size_t bytes);
  Result<> update_copy(GraphNode node, CUdeviceptr to, CUdeviceptr from, size_t bytes);
  Result<> update_fill(GraphNode node, CUdeviceptr to, unsigned char value, size_t bytes);

 private:
  GraphExec(Graph graph, Handle<CUgraphExec> exec) : graph_(std::move(graph)), exec_(std::move(exec)) {}
  Result<> update_copy_node(GraphNode node, const CUDA_MEMCPY3D& copy);
  Result<> check_has_work(GraphNode node) const;
  Result<> set_enabled(GraphNode node, bool enabled);
  Graph graph_;
  Handle<CUgraphExec> exec_;
  std::set<GraphNode> disabled_;
};

}  // namespace burnish::cuda
