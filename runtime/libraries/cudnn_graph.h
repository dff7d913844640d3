#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "runtime/libraries/cudnn_functions.h"

namespace burnish::cudnn {

/// Operations for the library to plan as one. Sums, and what lies between operations, are FP32 unless a tensor says otherwise.
struct OperationGraph {
  struct Tensor {
    DType dtype = DType::f32;
    std::vector<int64_t> extents, strides;
    bool between = false;    // in no memory: what one operation leaves to the next
    int64_t alignment = 16;  // bytes that its address is a multiple of
  };
  /// Tensors by index, here and below.
  struct Convolution {
    size_t x = 0, w = 0, y = 0;
    std::vector<int64_t> before, after, strides, dilations;  // paddings, by spatial axis
  };
  struct Pointwise {
    PointwiseMode mode;
    size_t x;
    std::optional<size_t> b;
    size_t y;
    std::optional<double> upper_clip = {};  // of pointwise_relu
  };
  /// c = a b, over the last two axes.
  struct Matmul {
    size_t a, b, c;
  };
  /// Over the axes along which y has extent 1 and x has not.
  struct Reduction {
    ReductionMode mode;
    size_t x, y;
  };
  using Operation = std::variant<Convolution, Pointwise, Matmul, Reduction>;

  std::vector<Tensor> tensors;
  std::vector<Operation> operations;  // each after those whose results it reads
};

/// All of it, one line for each tensor and operation: equal texts are equal graphs.
std::string print(const OperationGraph& graph);

}  // namespace burnish::cudnn
