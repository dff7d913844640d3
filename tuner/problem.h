#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "plan/plan.h"

namespace burnish {

/// A block of device memory that the candidates for a problem work on.
struct ProblemBuffer {
  enum class Kind : uint8_t { input, output, scratch, constant };
  Kind kind = Kind::input;
  DType dtype = DType::f32;
  uint64_t bytes = 0;
  Tensor constant;  // its bytes, where they matter: a constant, maybe in a form of the candidate's own
};

/// A kernel launch with every number in place.
struct ProblemLaunch {
  struct Argument {
    enum class Kind : uint8_t { integer, pointer, tensor_map };
    Kind kind = Kind::integer;
    int64_t value = 0;                                 // the integer, else the buffer's index
    std::vector<uint64_t> extents = {}, strides = {};  // of a map
    std::vector<uint32_t> box = {};
    std::vector<KernelLaunch::Argument::Windows> windows = {};
    bool operator==(const Argument&) const = default;
  };
  std::string source;  // device text; its kernel is named `kernel`
  std::array<uint32_t, 3> grid = {1, 1, 1}, block = {1, 1, 1};
  uint32_t shared_bytes = 0;
  std::vector<Argument> arguments;
  bool starts_early = false;  // and waits on the GPU for the launch before it
};

/// A call of a library's routine (see runtime/libraries).
struct ProblemRoutine {
  std::string library, text;
  std::vector<uint32_t> operands;  // buffers
};

/// One way to solve a problem: routines first, then launches.
struct Candidate {
  std::string tactic;
  uint64_t workspace = 0;  // bytes of scratch
  std::vector<ProblemRoutine> routines = {};
  std::vector<ProblemLaunch> launches = {};
};

/// Work that a node leaves to the choice of a tactic, at the extents that are usual. Nodes with equal keys are one problem.
struct Problem {
  std::string key;   // names kernel, extents, types, layout and target; 32 hexadecimal digits
  std::string node;  // the first that has it, for messages
  std::vector<ProblemBuffer> buffers;
  std::vector<Candidate> candidates;  // by estimate, the default first
  size_t nodes = 1;                   // how many have it
  struct Refusal {
    std::string tactic, reason;
  };
  std::vector<Refusal> refused;  // what could not become a candidate
};

/// Binary of a source, or why there is none.
using CompiledKernels = std::map<std::string, Result<std::vector<std::byte>>>;

}  // namespace burnish
