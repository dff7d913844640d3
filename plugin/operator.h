#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plugin/attributes.h"
#include "plugin/plugins.h"
#include "shape/dim.h"

namespace burnish::plugin {

/// Element type and extents of an operand. Left out: an input that the node does not have.
struct OperandType {
  DType dtype = DType::f32;
  std::vector<Dim> shape;
  bool left_out = false;
};

/// A plugin's operator made for one node. Errors are invalid_argument: what the plugin says, and who it is.
class Operator {
 public:
  /// What the plugin is told of the node; `memory` counts where it is to run.
  struct For {
    std::string node;
    burnish_plugin_phase phase = BURNISH_PLUGIN_BUILD;
    burnish_memory memory = BURNISH_HOST;
  };
  static Result<Operator> create(const Found& found, const For& told,
                                 const std::vector<Attribute>& attributes);

  /// Types of all outputs.
  Result<std::vector<OperandType>> infer(DimTable& dims, std::span<const OperandType> inputs) const;
  /// Bytes of scratch memory.
  Result<Dim> workspace(DimTable& dims, std::span<const OperandType> inputs,
                        std::span<const OperandType> outputs) const;
  /// What an engine keeps of the node's attributes.
  Result<std::vector<Attribute>> attributes(const std::vector<Attribute>& of_node) const;

  bool runs_on_host() const { return op_->run != nullptr; }
  bool runs_on_device() const { return op_->enqueue != nullptr; }
  Result<> run(std::span<const burnish_tensor> inputs, std::span<const burnish_tensor> outputs,
               void* workspace) const;
  /// On a CUstream of the current CUDA context.
  Result<> enqueue(std::span<const burnish_tensor> inputs, std::span<const burnish_tensor> outputs,
                   void* workspace, void* stream) const;

 private:
  Operator(const Found& found) : plugin_(found.plugin->name), op_(found.op) {}
  template <class F>
  Result<> call(const char* function, const F& f) const;

  std::string plugin_;
  const burnish_plugin_operator* op_;
  std::shared_ptr<void> state_;
};

}  // namespace burnish::plugin
