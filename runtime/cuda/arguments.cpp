#include "runtime/cuda/arguments.h"

#include <algorithm>
#include <array>

namespace burnish::cuda {

namespace {

Result<> encode_windows(CUtensorMap& made, const Device& device, const TensorMap& map,
                        CUtensorMapDataType type, const cuuint64_t* extents, const cuuint64_t* strides) {
  const auto &w = map.windows[0], &h = map.windows[1];
  const int begin[] = {-static_cast<int>(w.pad), -static_cast<int>(h.pad)};
  const int end[] = {static_cast<int>(w.pad_end) - static_cast<int>(w.reach),
                     static_cast<int>(h.pad_end) - static_cast<int>(h.reach)};
  const cuuint32_t steps[] = {1, w.step, h.step, 1};
  return device.check(
      device.driver().tensor_map_encode_windows(
          &made, type, 4, reinterpret_cast<void*>(map.address), extents, strides, begin, end, map.box[0],
          map.box[1], steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
          CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
      "cuTensorMapEncodeIm2col");
}

Result<> encode_boxes(CUtensorMap& made, const Device& device, const TensorMap& map, CUtensorMapDataType type,
                      const cuuint64_t* extents, const cuuint64_t* strides) {
  constexpr cuuint32_t every[] = {1, 1, 1, 1, 1};
  return device.check(
      device.driver().tensor_map_encode(
          &made, type, static_cast<cuuint32_t>(map.extents.size()), reinterpret_cast<void*>(map.address),
          extents, strides, map.box.data(), every, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
          CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
      "cuTensorMapEncodeTiled");
}

}  // namespace

Result<> Arguments::add(const Device& device, const TensorMap& map) {
  std::array<cuuint64_t, 5> extents{}, strides{};
  // An empty tensor, which the driver has no map of, is not copied from.
  std::ranges::transform(map.extents, extents.begin(), [](uint64_t v) { return std::max<uint64_t>(v, 1); });
  std::ranges::transform(map.strides, strides.begin(), [&](uint64_t v) { return v * map.element_size; });
  const CUtensorMapDataType type =
      map.element_size == 2 ? CU_TENSOR_MAP_DATA_TYPE_UINT16 : CU_TENSOR_MAP_DATA_TYPE_UINT32;
  CUtensorMap& made = maps_.emplace_back();
  const auto encode = map.windows.empty() ? encode_boxes : encode_windows;
  TRY(encode(made, device, map, type, extents.data(), strides.data()));
  pointers_.push_back(&made);
  return {};
}

void Arguments::clear() {
  numbers_.clear();
  maps_.clear();
  pointers_.clear();
}

}  // namespace burnish::cuda
