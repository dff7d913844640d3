#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "plan/engine_file.h"
#include "runtime/cuda/stream.h"
#include "runtime/device_work.h"
#include "runtime/host_provider.h"
#include "runtime/memory.h"
#include "runtime/plugin_calls.h"

namespace burnish {

/// How long one step took, and what its layer had to do at least, where the plan says so at this step.
struct StepTime {
  std::string name, kind;
  float milliseconds = 0;
  std::optional<int64_t> flops, bytes_read, bytes_written;
};

/// What a plan of a GPU needs to run.
struct DeviceSide {
  cuda::Device device;
  std::shared_ptr<const DevicePlan> loaded;
  cuda::Stream stream;  // of the context
};

/// Runs the steps of a plan: the values of its slots, and what each kind of step does.
class Executor {
 public:
  Executor(const EngineFile& file, const Plan& plan, int threads, std::shared_ptr<const HostCalls> calls,
           std::optional<HostPool> pool, PluginCalls plugins, std::optional<DeviceSide> device);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  Memory& memory() { return memory_; }
  const Memory& memory() const { return memory_; }
  int64_t slot(Slot s) const { return slots_[s]; }
  std::span<const int64_t> slots() const { return slots_; }
  const std::optional<DeviceSide>& device() const { return device_; }
  size_t graphs_built() const { return graphs_.built(); }

  /// How many bytes of a GPU's L2 cache intermediate results may keep; 0: none.
  void keep_in_cache(size_t bytes) { work_->keep_in_cache(bytes, device_->device.info()); }
  /// The profile that runs are to keep to; none: any.
  void choose_profile(std::optional<size_t> profile);
  /// Extents of an output as far as the inputs set so far tell, else -1. Errors as of `begin`, once all are set.
  Result<Shape> expected_extents(size_t output) const;
  /// Binds the symbols from the extents of the inputs, checks that the inputs agree, finds room for what is known.
  Result<> begin();
  struct How {
    const cuda::Stream* stream = nullptr;  // for a plan of a GPU
    bool graphs = true;
    std::vector<StepTime>* times = nullptr;  // set: step by step, each timed
  };
  Result<> run(const How& how);

 private:
  friend class HostCallRun;
  Result<> bind_symbols();
  Result<> check_agreement(std::span<const int64_t> slots, std::span<const Shape> shapes) const;
  Result<> evaluate_stage(uint32_t stage);
  Result<> run_steps(std::span<const Step> steps, const How& how);
  Result<> run_device(std::span<const Step> steps, const How& how);
  Result<> run_step(const Step& step, const How& how);
  Result<> run_timed(const Step& step, const How& how);

  Result<> operator_for(const Step& step, const How& how);
  Result<> copy(const Copy& copy, const How& how);
  Result<> call_plugin(const PluginCall& call, const How& how);
  burnish_tensor plugin_tensor(const Operand& x) const;
  Result<> read_extents(const ReadExtents& step);
  Result<> write_extents(const WriteExtents& step);
  Result<bool> condition(const If& step) const;

  std::byte* host_address(const Operand& x) const;
  std::vector<int64_t> values(const std::vector<Slot>& slots) const;
  /// The number in a slot of a step's work.
  std::optional<int64_t> known(Slot s) const {
    return s == Work::unknown ? std::optional<int64_t>() : slots_[s];
  }

  const Plan& plan_;
  std::shared_ptr<const HostCalls> calls_;
  std::optional<HostPool> pool_;
  PluginCalls plugins_;
  std::optional<DeviceSide> device_;
  Memory memory_;
  std::optional<ThreadPool> copies_;  // for copies between strided tensors
  std::optional<DeviceWork> work_;
  GraphCache graphs_;
  std::vector<int64_t> slots_;
  std::optional<size_t> profile_;
  std::vector<Shape> bound_;  // extents that the slots of stage 0 were computed for
};

}  // namespace burnish
