#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "runtime/libraries/cudnn_functions.h"

namespace burnish::cudnn {

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

/// All of it, one line for each tensor and operation: equal texts are equal graphs.
std::string print(const OperationGraph& graph);

}  // namespace burnish::cudnn
