#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "shape/extent_range.h"

namespace burnish {

/// What it takes to make an engine's constants again from other weights: the model without them, and how it was built. Only the
/// compiler can; the runtime carries it along.
struct RefitRecord {
  /// A float initialiser of the model.
  struct Weight {
    std::string name;
    std::string layer, role;  // how scripts for TensorRT name it: "conv1", "KERNEL"
    DType dtype = DType::f32;
    std::vector<int64_t> shape;
    bool fixed = false;     // only the values that it was built with are taken
    uint64_t checksum = 0;  // XXH3-64 of these
    bool stored = false;    // they are in the engine
    uint64_t offset = 0;    // in its constant section; the writer's to fill
    bool operator==(const Weight&) const = default;
  };
  struct NodePrecision {
    std::string pattern;
    DType dtype = DType::f32;
    uint64_t result = 0;
    bool operator==(const NodePrecision&) const = default;
  };
  struct Shape {
    std::string input;
    std::vector<int64_t> extents;
    bool operator==(const Shape&) const = default;
  };
  struct Ranges {
    std::string input;
    std::vector<ExtentRange> axes;
    bool operator==(const Ranges&) const = default;
  };
  struct Profile {
    std::vector<Ranges> inputs;
    bool operator==(const Profile&) const = default;
  };
  struct Format {
    std::string port;
    bool typed = false;  // else as the model declares it
    DType dtype = DType::f32;
    bool channels_last = false;
    bool operator==(const Format&) const = default;
  };

  bool stripped = false;  // the engine has no constants, and runs once it is refitted
  std::string model;      // ONNX, its weights without values
  std::vector<Weight> weights;
  // The options of the build that what is computed depends on.
  DType half = DType::f32;  // f16 or bf16, where values are stored so
  bool tf32 = false;
  std::vector<NodePrecision> node_precisions;
  std::vector<std::string> decomposed_attention, debug_tensors;
  bool debug_unfused = false;
  std::vector<Shape> shapes;
  std::vector<Profile> profiles;
  std::vector<Format> input_formats, output_formats;
  uint64_t workspace_bytes = 0, shared_bytes = 0;
  uint32_t max_branches = 0;
  int64_t level = 0;
  std::string kernels;       // names the device text that kernels include
  bool any_library = false;  // else those of the list were candidates
  std::vector<std::string> libraries;
  bool operator==(const RefitRecord&) const = default;

  /// Of its weights none may be another one.
  bool is_identical() const {
    for (const Weight& weight : weights)
      if (!weight.fixed) return false;
    return true;
  }
};

}  // namespace burnish
