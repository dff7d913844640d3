#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "base/dtype.h"
#include "runtime/libraries/cudnn_functions.h"
#include "runtime/libraries/session.h"

namespace burnish::cudnn {

inline constexpr std::string_view library_name = "cudnn";

/// A convolution and the pointwise operations that follow, for the library to plan. Sums and what lies between are FP32.
struct OperationGraph {
  struct Tensor {
    DType dtype = DType::f32;
    std::vector<int64_t> extents, strides;
    bool between = false;    // in no memory: what one operation leaves to the next
    int64_t alignment = 16;  // bytes that its address is a multiple of
  };
  std::vector<Tensor> tensors;
  /// Tensors by index.
  struct Convolution {
    size_t x = 0, w = 0, y = 0;
    std::vector<int64_t> before, after, strides, dilations;  // paddings, by spatial axis
  } convolution;
  struct Pointwise {
    PointwiseMode mode;
    size_t x;
    std::optional<size_t> b;
    size_t y;
    std::optional<double> upper_clip = {};  // of pointwise_relu
  };
  std::vector<Pointwise> pointwise;
};

/// A plan of the library's as text, and the memory it needs.
struct SerializedPlan {
  std::string json;
  int64_t workspace = 0;
};

/// "9.19.0 workspace=0 tensors=0,1,3" and the library's own text in the next line: one routine, whose operands are these tensors
/// of the graph in this order, then the workspace if any.
std::string print(const std::string& version, const SerializedPlan& plan, const std::vector<size_t>& tensors);

/// A descriptor of the library.
class Owned {
 public:
  Owned() = default;
  Owned(Descriptor descriptor, int (*destroy)(Descriptor)) : descriptor_(descriptor), destroy_(destroy) {}
  Owned(Owned&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, nullptr)), destroy_(other.destroy_) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(destroy_, other.destroy_);
    return *this;
  }
  ~Owned() {
    if (descriptor_) destroy_(descriptor_);
  }
  Descriptor get() const { return descriptor_; }

 private:
  Descriptor descriptor_ = nullptr;
  int (*destroy_)(Descriptor) = nullptr;
};

class GraphSession final : public Session {
 public:
  static Result<std::unique_ptr<GraphSession>> open(const cuda::Device& device, const std::string& directory);
  ~GraphSession() override;
  std::string version() const override { return call_.version_text(); }
  /// Error unsupported when this version cannot read the plan.
  Result<std::unique_ptr<Routine>> prepare(std::string_view text) override;

  /// How many ways the library's heuristics (mode A) propose for a graph, the likely fastest first; 0 where it refuses it.
  Result<size_t> proposals(const OperationGraph& graph);
  /// The plan of one of them. Error unsupported when it cannot be made.
  Result<SerializedPlan> plan(const OperationGraph& graph, size_t proposal);

 private:
  friend class PlanRoutine;
  GraphSession(Functions functions, cuda::Device device, Handle handle)
      : call_(functions), device_(std::move(device)), handle_(handle) {}
  Result<std::vector<Owned>> configurations(const OperationGraph& graph, std::vector<Owned>& parts);
  Functions call_;
  cuda::Device device_;
  Handle handle_;
  std::mutex turn_;  // the handle holds the stream of a call
};

}  // namespace burnish::cudnn
