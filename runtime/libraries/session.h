#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/cuda/graph.h"

namespace burnish {

/// A routine of a library with all but the addresses in place. Calls of the routines of one session take turns, so any thread
/// may make them.
class Routine {
 public:
  virtual ~Routine() = default;
  /// Puts the work on a stream, which may be being captured. `operands` are addresses in the order that the routine's text
  /// implies. Needs the device entered.
  virtual Result<> enqueue(const cuda::Stream& stream, std::span<const CUdeviceptr> operands) const = 0;
};

/// A library in use on one device: its handle, and what makes routines. Routines must not outlive it.
class Session {
 public:
  /// `library` is "cublaslt" or "cudnn"; `directory` is where it lies, empty: the usual places. Errors: io_error when it is not there,
  /// unsupported for a library that this version does not know, device_error.
  static Result<std::unique_ptr<Session>> open(std::string_view library, const cuda::Device& device,
                                               const std::string& directory = {});
  virtual ~Session() = default;
  /// "13.1.0".
  virtual std::string version() const = 0;
  /// Error incompatible_engine for a text that is none of this library's, unsupported for work that it refuses.
  virtual Result<std::unique_ptr<Routine>> prepare(std::string_view text) = 0;
};

/// The routine's work as one node of a graph; `stream` records it and is otherwise idle.
Result<cuda::GraphNode> add_routine(cuda::Graph& graph, cuda::Graph::After after, const Routine& routine,
                                    const cuda::Stream& stream, std::span<const CUdeviceptr> operands);

}  // namespace burnish
