#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/engine.h"
#include "cli/npz.h"
#include "cli/trtexec/log.h"
#include "cli/trtexec/options.h"

namespace burnish::cli::trtexec {

/// An engine on a device with the values of its inputs: what everything else runs on.
class Session {
 public:
  /// GPU `device`, or the CPU where there is no number. Says what it sets up, and runs once. Throws Failure.
  Session(Engine engine, std::optional<int> device, const Options& options, const Log& log);

  /// A further context with the same profile; its inputs are not set.
  Context make_context() const;
  burnish_context* context() const { return context_.get(); }
  const burnish_engine* engine() const { return engine_.get(); }
  std::optional<int> device() const { return device_; }
  const std::vector<burnish_port>& input_ports() const { return inputs_; }
  const std::vector<burnish_port>& output_ports() const { return outputs_; }
  /// The tensors inside the engine that it was built to show.
  const std::vector<burnish_port>& debug_tensors() const { return debug_tensors_; }
  /// The values of an input, as the engine has them in memory.
  const Array& input(size_t index) const { return values_[index]; }
  /// What an output will be by the inputs' shapes; bytes are 0 where the data decides.
  burnish_tensor expected_output(size_t index) const;

  /// Sets all inputs of a context, in host memory; outputs are its own.
  void set_host_inputs(burnish_context* context) const;
  /// Runs the first context once on these values for inputs, others staying as they are, and gives every output.
  Arrays run(const Files& inputs);
  /// Outputs or debug tensors of the first context's latest run.
  Arrays read(const std::vector<burnish_port>& ports) const;

 private:
  void reserve_memory(const std::string& strategy, const Log& log);
  void reserve_for(int profile);
  void make_values(const Options& options, const Log& log);
  void report(const Options& options, const Log& log) const;

  Engine engine_;
  std::optional<int> device_;
  bool graphs_;
  double persistent_cache_;  // share of what the GPU may set aside
  std::optional<int> profile_;
  Context context_;
  std::vector<burnish_port> inputs_, outputs_, debug_tensors_;
  std::vector<Array> values_;
};

/// "1x3x224x224 float" parts of messages: the type as the interface spells it, "fp32" or "int64".
std::string type_text(burnish_dtype dtype);
/// The values of a raw file; its size must be that of the tensor. Throws Failure.
Array read_raw(const std::string& file, burnish_dtype dtype, std::vector<int64_t> shape,
               const std::string& name);

}  // namespace burnish::cli::trtexec
