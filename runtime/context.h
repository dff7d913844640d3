#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/engine.h"
#include "runtime/executor.h"
#include "runtime/tensor_ref.h"

namespace burnish {

struct ContextOptions {
  std::optional<int> device;                         // GPU ordinal; none: the host
  int threads = 0;                                   // for host steps; 0: one per core
  bool graphs = true;                                // false: kernels are launched one by one
  const HostProviderTable* host_provider = nullptr;  // null: libburnish_host.so
  const plugin::Plugins& plugins = plugin::loaded_plugins();
};

struct RunTime {
  float gpu_ms = 0, host_ms = 0;
};

/// Bytes held.
struct MemoryUse {
  size_t constants = 0, code = 0, device_arena = 0, host_arena = 0, bindings = 0;
};

/// What timed runs find in a GPU's L2 cache.
enum class L2 { warm, flushed };  // what the run before left; nothing of it

/// Memory for one inference at a time, and what runs it. For one thread at a time; several contexts of one engine may run
/// at once.
class Context {
 public:
  /// Uses the CUDA context that is current on this thread if it is on that GPU, else the primary one.
  static Result<std::unique_ptr<Context>> create(std::shared_ptr<const Engine> engine,
                                                 const ContextOptions& options);
  ~Context();

  /// Where input `name` is for the runs to come; null data: its shape alone, which `expected_output` needs. Host memory of a GPU
  /// plan is copied when a run starts.
  Result<> set_input(std::string_view name, const TensorRef& tensor);
  /// Where output `name` is to be written; null data: memory of the context again.
  Result<> set_output(std::string_view name, const TensorRef& tensor);

  /// Which of the plan's profiles the runs to come keep to; none: any that takes their inputs.
  Result<> set_profile(std::optional<size_t> profile);

  /// Sets `bytes` of the GPU's L2 cache aside, at most what it has for that, for the intermediate results of the runs to come; 0:
  /// none, as at first. What is set aside is so for all that shares the CUDA context. Error unsupported on the host.
  Result<> set_persistent_cache(size_t bytes);

  /// Without a stream, or with host steps in the plan, returns when the outputs are there; else once all is enqueued on
  /// `stream` (a CUstream). Error unsupported when a stream is given to a host plan, or is being captured and the plan has
  /// host steps.
  Result<> run(std::optional<void*> stream = {});

  /// What output `name` will be, as far as the inputs set so far tell: -1 for an extent that they do not, 0 bytes then too. Once all
  /// inputs are set their errors are those of a run.
  Result<TensorRef> expected_output(std::string_view name) const;
  /// Shape and place of output `name` after a run. Error invalid_argument before one.
  Result<TensorRef> output(std::string_view name) const;
  /// Copies output `name` to host memory of at least its size; waits for the run.
  Result<> read_output(std::string_view name, void* data, size_t bytes);

  /// Runs `count` times on the context's stream; inputs in host memory are copied to the GPU before, once. Emptying the cache is
  /// not timed. Error unsupported for a host plan that is to be timed with a flushed cache.
  Result<std::vector<RunTime>> time(int count, L2 l2 = L2::warm);
  /// Runs once, step by step.
  Result<std::vector<StepTime>> profile();

  MemoryUse memory() const;
  /// The GPU it runs on; null: the host.
  const cuda::Device* device() const { return executor_->device() ? &executor_->device()->device : nullptr; }
  const Plan& plan() const { return plan_; }
  /// The plan's numbers in the latest run; empty before one.
  std::span<const int64_t> slots() const {
    return has_run_ ? executor_->slots() : std::span<const int64_t>();
  }
  /// CUDA graphs made so far. A run with shapes and addresses of an earlier one makes none.
  size_t graphs_built() const { return executor_->graphs_built(); }

 private:
  Context(std::shared_ptr<const Engine> engine, const Plan& plan, bool graphs,
          std::unique_ptr<Executor> executor);
  Result<> check_space(const std::string& what, const TensorRef& tensor) const;
  enum class Inputs { fresh, captured, there_already };
  Result<> load_inputs(const cuda::Stream* stream, Inputs inputs);
  Result<const void*> pinned(Memory::Port& port, const cuda::Device& device, size_t bytes);
  Result<> store_outputs(const cuda::Stream* stream);
  Result<> follow(const cuda::Stream& stream);
  Result<> run_on(const cuda::Stream* stream, Executor::How how, Inputs inputs);
  /// The stream of the context, or null for a host plan.
  const cuda::Stream* own_stream() const {
    return executor_->device() ? &executor_->device()->stream : nullptr;
  }
  Result<std::optional<cuda::ContextScope>> enter() const;

  std::shared_ptr<const Engine> engine_;
  const Plan& plan_;
  bool graphs_;
  bool host_steps_;
  bool has_run_ = false;
  std::unique_ptr<Executor> executor_;
  std::optional<CUstream> last_stream_;  // the caller's, of the last run that was not waited for
  std::optional<cuda::Event> last_done_;
};

}  // namespace burnish
