#pragma once

#include <deque>
#include <span>
#include <vector>

#include "plan/plan.h"
#include "runtime/cuda/device.h"

namespace burnish::cuda {

/// A tensor of which kernels copy boxes, innermost axis first, or images {channels, w, h, n} of whose windows they copy elements.
struct TensorMap {
  CUdeviceptr address = 0;            ///< a multiple of 16
  uint32_t element_size = 2;          ///< bytes: 2 or 4
  std::span<const uint64_t> extents;  ///< one to five
  std::span<const uint64_t> strides;  ///< in elements, of all axes but the innermost
  std::span<const uint32_t>
      box;  ///< elements along each axis, 128 bytes along the innermost; of windows: channels, and how many
  std::span<const KernelLaunch::Argument::Windows> windows;  ///< of w and h; none: boxes are copied
};

/// The values that a kernel is launched with, in the order of its parameters.
class Arguments {
 public:
  void add(uint64_t number) { pointers_.push_back(&numbers_.emplace_back(number)); }
  /// Boxes land in lines of 128 bytes whose 16-byte chunks are permuted by the line's number, as `describe_matrix` in
  /// providers/nvrtc/device/wgmma.cuh has them. Error device_error when the driver refuses the map.
  Result<> add(const Device& device, const TensorMap& map);
  void clear();
  std::span<void* const> pointers() const { return pointers_; }

 private:
  std::deque<uint64_t> numbers_;  // what is added stays where it is
  std::deque<CUtensorMap> maps_;
  std::vector<void*> pointers_;
};

}  // namespace burnish::cuda
