#include <exception>
#include <new>
#include <string>
#include <vector>

#include "ir/evaluate.h"
#include "ir/text.h"
#include "runtime/host_abi.h"

namespace burnish {

namespace {

/// A host step, parsed: a graph of one node.
struct PreparedCall {
  Graph graph;
  const Node& node() const { return graph.nodes.front(); }
};

void report(const HostCallbacks& to, const Error& error) {
  to.fail(to.user, static_cast<int32_t>(error.code()), error.cause().c_str(), error.remedy().c_str());
}

/// Runs `body`, which gives a Result<>; true if it went well. Nothing is thrown past it.
template <class F>
bool guarded(const HostCallbacks& callbacks, const F& body) {
  try {
    const Result<> done = body();
    if (!done) report(callbacks, done.error());
    return static_cast<bool>(done);
  } catch (const std::bad_alloc&) {
    callbacks.fail(callbacks.user, static_cast<int32_t>(Code::out_of_memory), "out of host memory",
                   "run with smaller inputs");
  } catch (const std::exception& e) {
    callbacks.fail(callbacks.user, static_cast<int32_t>(Code::internal), e.what(), "");
  }
  return false;
}

Error unreadable(const std::string& why) {
  return Error(Code::incompatible_engine, why).remedy("build the engine again with this version of Burnish");
}

void* prepare(const char* text, size_t bytes, const HostCallbacks* callbacks) {
  auto call = std::unique_ptr<PreparedCall>(new (std::nothrow) PreparedCall);
  const bool well = guarded(*callbacks, [&]() -> Result<> {
    Result<Graph> graph = parse({text, bytes});
    if (!graph) return unreadable(graph.error().cause());
    if (graph->nodes.size() != 1) return unreadable("a host step must be one node");
    if (!graph->nodes.front().op->eval)
      return unreadable("operator '" + std::string(graph->nodes.front().op->name) +
                        "' does not run on the host");
    call->graph = *std::move(graph);
    return {};
  });
  return well ? call.release() : nullptr;
}

void release(void* call) { delete static_cast<PreparedCall*>(call); }

void* make_pool(int32_t threads, const HostCallbacks* callbacks) {
  ThreadPool* pool = nullptr;
  guarded(*callbacks, [&]() -> Result<> {
    pool = new ThreadPool(threads);
    return {};
  });
  return pool;
}

void free_pool(void* pool) { delete static_cast<ThreadPool*>(pool); }

TensorView view_of(const HostTensor& t) {
  const auto dtype = static_cast<DType>(t.dtype);
  if (t.rank == host_tensor_late) return {dtype, {-1}, nullptr};
  if (t.rank < 0) return {dtype, {0}, nullptr};
  return {dtype, Shape(t.shape, t.shape + t.rank), static_cast<std::byte*>(t.bytes)};
}

Result<> evaluate_call(const PreparedCall& call, ThreadPool& pool, std::span<const HostTensor> inputs,
                       std::span<const HostTensor> outputs, const HostCallbacks& callbacks) {
  std::vector<TensorView> in, out;
  std::vector<const TensorView*> in_pointers;
  for (const HostTensor& t : inputs) in.push_back(view_of(t));
  for (size_t i = 0; i < in.size(); ++i) in_pointers.push_back(inputs[i].rank < 0 ? nullptr : &in[i]);
  for (const HostTensor& t : outputs) out.push_back(view_of(t));
  return evaluate(call.node(), in_pointers, out, pool,
                  [&](size_t i, const Shape& shape) -> Result<TensorView> {
                    void* bytes = callbacks.allocate(callbacks.user, static_cast<uint32_t>(i),
                                                     static_cast<int32_t>(shape.size()), shape.data());
                    if (bytes == nullptr)
                      return Error(Code::internal, "no memory for an output");  // the runtime knows why
                    return TensorView{out[i].dtype, shape, static_cast<std::byte*>(bytes)};
                  });
}

int32_t run(const void* call, void* pool, const HostTensor* inputs, uint32_t input_count,
            const HostTensor* outputs, uint32_t output_count, const HostCallbacks* callbacks) {
  const bool well = guarded(*callbacks, [&] {
    return evaluate_call(*static_cast<const PreparedCall*>(call), *static_cast<ThreadPool*>(pool),
                         {inputs, input_count}, {outputs, output_count}, *callbacks);
  });
  return well ? 0 : 1;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const HostProviderTable* burnish_host_provider(
    uint32_t version) {
  static constexpr HostProviderTable table = {prepare, release, make_pool, free_pool, run};
  return version == host_abi_version ? &table : nullptr;
}

}  // namespace burnish
