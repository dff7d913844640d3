#include "runtime/cuda/arguments.h"

#include <algorithm>
#include <array>

namespace burnish::cuda {

Result<> Arguments::add(const Device& device, const TensorMap& map) {
  std::array<cuuint64_t, 5> extents{}, strides{};
  std::array<cuuint32_t, 5> every{};
  // An empty tensor, which the driver has no map of, is not copied from.
  std::ranges::transform(map.extents, extents.begin(), [](uint64_t v) { return std::max<uint64_t>(v, 1); });
  std::ranges::transform(map.strides, strides.begin(), [&](uint64_t v) { return v * map.element_size; });
  every.fill(1);
  const CUtensorMapDataType type =
      map.element_size == 2 ? CU_TENSOR_MAP_DATA_TYPE_UINT16 : CU_TENSOR_MAP_DATA_TYPE_UINT32;
  CUtensorMap& made = maps_.emplace_back();
  TRY(device.check(
      device.driver().tensor_map_encode(
          &made, type, static_cast<cuuint32_t>(map.extents.size()), reinterpret_cast<void*>(map.address),
          extents.data(), strides.data(), map.box.data(), every.data(), CU_TENSOR_MAP_INTERLEAVE_NONE,
          CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
      "cuTensorMapEncodeTiled"));
  pointers_.push_back(&made);
  return {};
}

void Arguments::clear() {
  numbers_.clear();
  maps_.clear();
  pointers_.clear();
}

}  // namespace burnish::cuda
