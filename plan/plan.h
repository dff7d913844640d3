#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "shape/extent_range.h"
#include "shape/shape_program.h"

namespace burnish {

enum class Space : uint8_t { host = 0, device = 1 };

/// A block of memory. Extents are slots of the plan's shape program.
struct Buffer {
  enum class Kind : uint8_t { constant = 0, input = 1, output = 2, temporary = 3 };
  Kind kind = Kind::temporary;
  Space space = Space::host;
  uint32_t index = 0;  // constant: in Plan::constants; input, output: in Plan::inputs, Plan::outputs
  Slot bytes = 0;
  Slot offset = 0;     // temporary: byte offset in the arena of (space, stage)
  uint32_t stage = 0;  // temporary: the arena; its size is known once this stage is
  bool operator==(const Buffer&) const = default;
};

/// A tensor in a buffer: element (i0, …) lies at element offset + Σ i_k * strides[k].
struct Operand {
  static constexpr uint32_t none = ~uint32_t{0};
  uint32_t buffer = none;  // none: left out
  DType dtype = DType::f32;
  Slot offset = 0;
  std::vector<Slot> extents;
  std::vector<Slot> strides;
  bool operator==(const Operand&) const = default;
};

/// An extent of a tensor that its producer finds while it runs.
struct LateExtent {
  uint32_t output, axis;
  Slot symbol;
  bool operator==(const LateExtent&) const = default;
};

/// Runs an op's `eval`; operands are dense row-major in host memory.
struct HostCall {
  std::string text;  // the node in the text form of the IR: op, attributes, bodies
  std::vector<Operand> inputs, outputs;
  std::vector<LateExtent> late;
  bool operator==(const HostCall&) const = default;
};
/// Launches a kernel of Plan::modules.
struct KernelLaunch {
  struct Argument {
    /// tensor_map: how the GPU copies boxes of a tensor (CUDA driver API, cuTensorMapEncodeTiled), or elements of an image's windows
    /// (cuTensorMapEncodeIm2col), innermost axis first.
    enum class Kind : uint8_t { pointer = 0, integer = 1, tensor_map = 2 };
    Kind kind = Kind::pointer;
    uint32_t buffer = 0;  // not an integer: base + slot elements of element_size bytes
    uint32_t element_size = 1;
    Slot slot = 0;
    bool written = false;
    std::vector<Slot> extents, strides;  // tensor_map: of all axes; in elements, of all but the innermost
    std::vector<uint32_t>
        box;  // tensor_map: elements copied along each axis; of windows: channels, and how many of them
    /// tensor_map of four axes {channels, w, h, n}, for w and h; none: boxes are copied.
    struct Windows {
      uint32_t pad = 0, pad_end = 0;  // elements before and after the axis that they cover
      uint32_t reach = 0;             // from a window's first element to its last
      uint32_t step = 1;              // from window to window
      bool operator==(const Windows&) const = default;
    };
    std::vector<Windows> windows;
    bool has_address() const { return kind != Kind::integer; }
    bool operator==(const Argument&) const = default;
  };
  uint32_t module = 0;
  std::string function;
  Slot grid[3] = {0, 0, 0};
  uint32_t block[3] = {1, 1, 1};
  uint32_t shared_bytes = 0;
  std::vector<Argument> arguments;
  /// May start while those before it run: it waits on the GPU (programmatic dependent launch).
  bool starts_early = false;
  bool operator==(const KernelLaunch&) const = default;
};
/// Copies elements from one tensor to another of the same extents; spaces may differ only if both are dense.
struct Copy {
  Operand from, to;
  bool operator==(const Copy&) const = default;
};
/// Reads integers from host memory into symbols.
struct ReadExtents {
  struct Read {
    uint32_t element;
    Slot symbol;
    bool operator==(const Read&) const = default;
  };
  Operand from;
  std::vector<Read> reads;
  bool operator==(const ReadExtents&) const = default;
};
/// Writes slots as the elements of an integer tensor in host memory.
struct WriteExtents {
  Operand to;
  std::vector<Slot> values;
  bool operator==(const WriteExtents&) const = default;
};
/// symbol = slot; where the branches of an If join.
struct SetExtents {
  struct Set {
    Slot symbol, value;
    bool operator==(const Set&) const = default;
  };
  std::vector<Set> sets;
  bool operator==(const SetExtents&) const = default;
};
/// Stops the run with an error: a branch that the model allows but no shape can make right.
struct Fail {
  std::string message;
  bool operator==(const Fail&) const = default;
};
/// Calls a routine of a library that is opened when the plan is loaded.
struct LibraryCall {
  std::string library;  // "cublaslt"
  std::string text;     // what is to be done, in the library's terms (see runtime/libraries)
  std::vector<KernelLaunch::Argument> operands;  // pointers, in the order that the text implies
  bool operator==(const LibraryCall&) const = default;
};
/// Calls an operator of a plugin in the memory that its operands are in: on a stream, or on the host.
struct PluginCall {
  static constexpr size_t most_axes = 16;  // BURNISH_MAX_RANK
  uint32_t plugin = 0;                     // in Plan::plugins
  std::string domain, op, version;         // which of its operators
  std::string attributes;                  // of the node, as plugin/attributes.h spells them
  std::vector<Operand> inputs, outputs;    // dense row-major
  uint32_t workspace = Operand::none;      // a buffer
  bool operator==(const PluginCall&) const = default;
};
struct Step;
/// Runs one of two step lists by a bool or integer scalar in host memory.
struct If {
  Operand condition;
  std::vector<Step> then_steps, else_steps;
  bool operator==(const If&) const = default;
};

/// What a layer has to do at least, for rooflines: a run does without it.
struct Work {
  static constexpr Slot unknown = ~Slot{0};
  Slot flops = unknown;  // of its contractions; a multiplication and an addition are two
  Slot bytes_read = unknown, bytes_written = unknown;  // each operand once
  bool operator==(const Work&) const = default;
};

struct Step {
  std::string name;    // ONNX nodes it does the work of, for profiles and errors
  uint32_t stage = 0;  // nonzero: after the step this stage of the shape program is evaluated
  std::variant<HostCall, KernelLaunch, Copy, ReadExtents, WriteExtents, SetExtents, If, Fail, LibraryCall,
               PluginCall>
      what;
  Work work;  // of a layer of several kernels: the whole, at the first of them
  bool operator==(const Step&) const = default;
};

/// An input or output of the engine: as the model declares it, or in the format that was asked for.
struct Port {
  struct Axis {
    Slot slot = 0;
    bool binds = false;  // input: this axis defines the symbol `slot`; otherwise it must equal it
    int64_t least = 0, most = 0;
    std::string text;  // "batch", "2*seq + 1", "3"
    bool operator==(const Axis&) const = default;
  };
  std::string name;
  DType dtype = DType::f32;
  std::vector<Axis> axes;
  uint32_t buffer = 0;
  std::vector<uint32_t> order;  // axes from the slowest to the fastest in memory; empty: row-major
  /// What an output is for: the caller; or looking at a tensor inside the engine, marked by name, or because it is in memory anyway.
  enum class Role : uint8_t { caller = 0, debug = 1, unfused = 2 };
  Role role = Role::caller;
  bool operator==(const Port&) const = default;
};

/// Two numbers that must agree, checked once `stage` is known.
struct Check {
  Slot a = 0, b = 0;
  uint32_t stage = 0;
  std::string message;
  bool operator==(const Check&) const = default;
};

/// Bytes in the engine's constant section.
struct ConstantData {
  uint64_t offset = 0, bytes = 0;
  bool operator==(const ConstantData&) const = default;
};

/// Compiled kernels for one architecture.
struct KernelModule {
  std::string target;              // "sm_90"
  uint64_t offset = 0, bytes = 0;  // in the engine's code section
  uint64_t source = 0;             // XXH3-64 of the text that it was compiled from
  bool operator==(const KernelModule&) const = default;
};

/// A plugin that has to be loaded before the plan runs.
struct NeededPlugin {
  std::string name, version;
  std::string file;  // where the build had it from; empty: from the program itself
  bool operator==(const NeededPlugin&) const = default;
};

/// How a node's work is done, where there were several ways. For people: a run does without it.
struct Decision {
  struct Candidate {
    std::string tactic;
    uint64_t estimate = 0;     // thousandths of the least; 0: unknown
    uint64_t nanoseconds = 0;  // 0: not timed
    std::string refused;       // why it does not count; empty: it does
    bool operator==(const Candidate&) const = default;
  };
  std::string node;      // as in Step::name
  std::string tactic;    // the one taken
  std::string timed_on;  // the device; empty: taken by estimate
  std::vector<Candidate> candidates;
  bool operator==(const Decision&) const = default;
};

/// Extents of the inputs that an engine is for. A run's are all within one profile.
struct Profile {
  struct Input {
    std::vector<ExtentRange> axes;
    bool operator==(const Input&) const = default;
  };
  std::vector<Input> inputs;  // by Plan::inputs
  bool operator==(const Profile&) const = default;
};

/// One executable form of the model: all that the runtime knows.
struct Plan {
  std::string target;     // "cpu", "sm_90", …
  std::string precision;  // "fp32", "tf32", "fp16", "bf16"
  ShapeProgram shapes;
  std::vector<Port> inputs, outputs;
  std::vector<Check> checks;
  std::vector<Buffer> buffers;
  std::vector<ConstantData> constants;
  std::vector<KernelModule> modules;
  std::vector<Slot> host_arena, device_arena;  // total bytes, by stage
  std::vector<Step> steps;
  std::vector<std::string>
      host_reasons;  // "node 'x' (Op): why it runs on the host", where the target is a device
  std::vector<std::string>
      moves;  // "node 'x' (Op): why", by step that only moves data, where the target is a device
  std::vector<Decision> decisions;
  std::vector<std::string> fusion_reasons;  // "node 'x' (Op): why it is not one kernel with 'y'"
  std::vector<Profile> profiles;            // none: whatever the ports take
  std::vector<NeededPlugin> plugins;
  uint32_t max_branches = 0;  // device steps that run side by side at most; 0: no limit
  bool operator==(const Plan&) const = default;
};

/// Calls f(step) for each step in execution order, those of both branches of an If after the If itself.
template <class Steps, class F>
void for_each_step(Steps& steps, const F& f) {
  for (auto& step : steps) {
    f(step);
    if (auto* branch = std::get_if<If>(&step.what)) {
      for_each_step(branch->then_steps, f);
      for_each_step(branch->else_steps, f);
    }
  }
}

/// One access of a step to a buffer.
struct BufferUse {
  uint32_t buffer;
  bool writes;
};
/// What a step itself touches (not the steps inside an If).
std::vector<BufferUse> uses_of(const Step& step);

/// Error if an index is out of range, the shape program is malformed, or a step's operands have the wrong ranks.
Result<> verify(const Plan& plan);
/// Error if a step, or an output, reads memory that no step has written. For verified plans.
Result<> verify_written(const Plan& plan);
/// Error if two temporaries that are in use at the same time share bytes for these slot values. Arenas of one stage at a time.
Result<> verify_memory(const Plan& plan, std::span<const int64_t> slots);

}  // namespace burnish
