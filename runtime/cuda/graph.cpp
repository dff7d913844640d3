#include "runtime/cuda/graph.h"

namespace burnish::cuda {

static CUDA_KERNEL_NODE_PARAMS kernel_parameters(const Kernel& kernel, const LaunchShape& shape,
                                                 std::span<void* const> arguments) {
  CUDA_KERNEL_NODE_PARAMS parameters{};
  parameters.func = kernel.function;
  parameters.gridDimX = shape.grid[0];
  parameters.gridDimY = shape.grid[1];
  parameters.gridDimZ = shape.grid[2];
  parameters.blockDimX = shape.block[0];
  parameters.blockDimY = shape.block[1];
  parameters.blockDimZ = shape.block[2];
  parameters.sharedMemBytes = shape.shared_bytes;
  parameters.kernelParams = const_cast<void**>(arguments.data());
  return parameters;
}

/// One row of `bytes` bytes; the caller sets the two ends.
static CUDA_MEMCPY3D row_of(size_t bytes) {
  CUDA_MEMCPY3D copy{};
  copy.WidthInBytes = bytes;
  copy.Height = 1;
  copy.Depth = 1;
  return copy;
}

static void copy_from_device(CUDA_MEMCPY3D& copy, CUdeviceptr from) {
  copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = from;
}

static void copy_to_device(CUDA_MEMCPY3D& copy, CUdeviceptr to) {
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = to;
}

static CUDA_MEMCPY3D upload_of(CUdeviceptr to, const void* from, size_t bytes) {
  CUDA_MEMCPY3D copy = row_of(bytes);
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = from;
  copy_to_device(copy, to);
  return copy;
}

static CUDA_MEMCPY3D download_of(void* to, CUdeviceptr from, size_t bytes) {
  CUDA_MEMCPY3D copy = row_of(bytes);
  copy_from_device(copy, from);
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = to;
  return copy;
}

static CUDA_MEMCPY3D copy_of(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  CUDA_MEMCPY3D copy = row_of(bytes);
  copy_from_device(copy, from);
  copy_to_device(copy, to);
  return copy;
}

static CUDA_MEMSET_NODE_PARAMS fill_of(CUdeviceptr to, unsigned char value, size_t bytes) {
  CUDA_MEMSET_NODE_PARAMS fill{};
  fill.dst = to;
  fill.value = value;
  fill.elementSize = 1;
  fill.width = bytes;
  fill.height = 1;
  return fill;
}

static std::string frame(const char* what, const Kernel& kernel, const LaunchShape& shape) {
  return std::string(what) + " kernel '" + kernel.name + "' (" + shape.text() + ")";
}

Result<Graph> Graph::create(const Device& device) {
  const ContextScope scope = TRY(device.enter());
  CUgraph graph = nullptr;
  TRY(device.check(device.driver().graph_create(&graph, 0), "cuGraphCreate"));
  return Graph(Handle<CUgraph>(device, graph, device.driver().graph_destroy));
}

Result<GraphNode> Graph::add_kernel(After after, const Kernel& kernel, const LaunchShape& shape,
                                    std::span<void* const> arguments) {
  if (shape.empty()) return add_idle(after);
  const CUDA_KERNEL_NODE_PARAMS parameters = kernel_parameters(kernel, shape, arguments);
  GraphNode node = nullptr;
  const CUresult result =
      device().driver().graph_add_kernel(&node, get(), after.data(), after.size(), &parameters);
  if (result == CUDA_SUCCESS) return node;
  TRY(device().check(result, "cuGraphAddKernelNode").during(frame("adding", kernel, shape)));
  return node;
}

Result<GraphNode> Graph::add_early_kernel(GraphNode before, const Kernel& kernel, const LaunchShape& shape,
                                          std::span<void* const> arguments) {
  const GraphNode node = TRY(add_kernel({}, kernel, shape, arguments));
  CUgraphEdgeData edge{};
  edge.from_port = CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC;
  edge.type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
  TRY(device()
          .check(device().driver().graph_add_dependencies(get(), &before, &node, &edge, 1),
                 "cuGraphAddDependencies")
          .during(frame("ordering", kernel, shape)));
  return node;
}

Result<> Graph::set_cache_window(GraphNode kernel, const CacheWindow& window) {
  if (idle_.contains(kernel)) return {};
  CUkernelNodeAttrValue value{};
  value.accessPolicyWindow = window.policy();
  return device().check(device().driver().graph_kernel_set_attribute(
                            kernel, CU_KERNEL_NODE_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value),
                        "cuGraphKernelNodeSetAttribute");
}

Result<GraphNode> Graph::add_copy_node(After after, const CUDA_MEMCPY3D& copy) {
  if (copy.WidthInBytes == 0) return add_idle(after);
  GraphNode node = nullptr;
  TRY(device().check(
      device().driver().graph_add_copy(&node, get(), after.data(), after.size(), &copy, device().context()),
      "cuGraphAddMemcpyNode"));
  return node;
}

Result<GraphNode> Graph::add_upload(After after, CUdeviceptr to, const void* from, size_t bytes) {
  return add_copy_node(after, upload_of(to, from, bytes));
}

Result<GraphNode> Graph::add_download(After after, void* to, CUdeviceptr from, size_t bytes) {
  return add_copy_node(after, download_of(to, from, bytes));
}

Result<GraphNode> Graph::add_copy(After after, CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return add_copy_node(after, copy_of(to, from, bytes));
}

Result<GraphNode> Graph::add_fill(After after, CUdeviceptr to, unsigned char value, size_t bytes) {
  if (bytes == 0) return add_idle(after);
  const CUDA_MEMSET_NODE_PARAMS fill = fill_of(to, value, bytes);
  GraphNode node = nullptr;
  TRY(device().check(
      device().driver().graph_add_fill(&node, get(), after.data(), after.size(), &fill, device().context()),
      "cuGraphAddMemsetNode"));
  return node;
}

Result<GraphNode> Graph::add_empty(After after) {
  GraphNode node = nullptr;
  TRY(device().check(device().driver().graph_add_empty(&node, get(), after.data(), after.size()),
                     "cuGraphAddEmptyNode"));
  return node;
}

Result<GraphNode> Graph::add_idle(After after) {
  const GraphNode node = TRY(add_empty(after));
  idle_.insert(node);
  return node;
}

Result<GraphNode> Graph::add_child(After after, const Graph& child) {
  GraphNode node = nullptr;
  TRY(device().check(device().driver().graph_add_child(&node, get(), after.data(), after.size(), child.get()),
                     "cuGraphAddChildGraphNode"));
  return node;
}

Result<> begin_capture(const Stream& stream) {
  // Relaxed: a library loads its kernels when they are first called, and other threads go on allocating while we record.
  return stream.device().check(
      stream.device().driver().stream_begin_capture(stream.get(), CU_STREAM_CAPTURE_MODE_RELAXED),
      "cuStreamBeginCapture");
}

Result<Graph> end_capture(const Stream& stream) {
  const Device& device = stream.device();
  CUgraph graph = nullptr;
  TRY(device.check(device.driver().stream_end_capture(stream.get(), &graph), "cuStreamEndCapture"));
  return Graph(Handle<CUgraph>(device, graph, device.driver().graph_destroy));
}

Result<GraphExec> GraphExec::instantiate(Graph graph) {
  const Device& device = graph.device();
  const ContextScope scope = TRY(device.enter());
  CUgraphExec exec = nullptr;
  TRY(device.check(device.driver().graph_instantiate(&exec, graph.get(), 0), "cuGraphInstantiateWithFlags"));
  Handle<CUgraphExec> handle(device, exec, device.driver().graph_exec_destroy);
  return GraphExec(std::move(graph), std::move(handle));
}

Result<> GraphExec::upload(const Stream& stream) const {
  return graph_.device().check(graph_.device().driver().graph_upload(exec_.get(), stream.get()),
                               "cuGraphUpload");
}

Result<> GraphExec::launch(const Stream& stream) const {
  return graph_.device().check(graph_.device().driver().graph_launch(exec_.get(), stream.get()),
                               "cuGraphLaunch");
}

Result<> GraphExec::check_has_work(GraphNode node) const {
  if (!graph_.idle_.contains(node)) return {};
  return Error(Code::internal,
               "a graph node made for empty work cannot be given work; a new graph is needed");
}

Result<> GraphExec::set_enabled(GraphNode node, bool enabled) {
  if (enabled != disabled_.contains(node) || graph_.idle_.contains(node)) return {};
  const Device& device = graph_.device();
  TRY(device.check(device.driver().graph_exec_set_enabled(exec_.get(), node, enabled),
                   "cuGraphNodeSetEnabled"));
  if (enabled) disabled_.erase(node);
  else disabled_.insert(node);
  return {};
}

Result<> GraphExec::update_kernel(GraphNode node, const Kernel& kernel, const LaunchShape& shape,
                                  std::span<void* const> arguments) {
  if (shape.empty()) return set_enabled(node, false);
  TRY(check_has_work(node));
  const Device& device = graph_.device();
  const CUDA_KERNEL_NODE_PARAMS parameters = kernel_parameters(kernel, shape, arguments);
  const CUresult result = device.driver().graph_exec_set_kernel(exec_.get(), node, &parameters);
  if (result == CUDA_SUCCESS) return set_enabled(node, true);
  return device.check(result, "cuGraphExecKernelNodeSetParams").during(frame("updating", kernel, shape));
}

Result<> GraphExec::update_copy_node(GraphNode node, const CUDA_MEMCPY3D& copy) {
  if (copy.WidthInBytes == 0) return set_enabled(node, false);
  TRY(check_has_work(node));
  const Device& device = graph_.device();
  TRY(device.check(device.driver().graph_exec_set_copy(exec_.get(), node, &copy, device.context()),
                   "cuGraphExecMemcpyNodeSetParams"));
  return set_enabled(node, true);
}

Result<> GraphExec::update_upload(GraphNode node, CUdeviceptr to, const void* from, size_t bytes) {
  return update_copy_node(node, upload_of(to, from, bytes));
}

Result<> GraphExec::update_download(GraphNode node, void* to, CUdeviceptr from, size_t bytes) {
  return update_copy_node(node, download_of(to, from, bytes));
}

Result<> GraphExec::update_copy(GraphNode node, CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return update_copy_node(node, copy_of(to, from, bytes));
}

Result<> GraphExec::update_fill(GraphNode node, CUdeviceptr to, unsigned char value, size_t bytes) {
  if (bytes == 0) return set_enabled(node, false);
  TRY(check_has_work(node));
  const Device& device = graph_.device();
  const CUDA_MEMSET_NODE_PARAMS fill = fill_of(to, value, bytes);
  TRY(device.check(device.driver().graph_exec_set_fill(exec_.get(), node, &fill, device.context()),
                   "cuGraphExecMemsetNodeSetParams"));
  return set_enabled(node, true);
}

}  // namespace burnish::cuda
