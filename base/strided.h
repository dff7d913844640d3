#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "base/dtype.h"
#include "base/parallel.h"
#include "base/tensor.h"

namespace burnish {

/// Extents with, for each of several operands, strides in elements; neighbouring axes that every operand walks as one are merged.
struct StridedLoop {
  std::vector<int64_t> extents;
  std::vector<std::vector<int64_t>> strides;  // [operand][axis]

  void merge_axes() {
    std::vector<int64_t> kept;
    std::vector<std::vector<int64_t>> kept_strides(strides.size());
    for (size_t axis = 0; axis < extents.size(); ++axis) {
      if (extents[axis] == 1) continue;
      bool joins = !kept.empty();
      for (size_t k = 0; joins && k < strides.size(); ++k)
        joins = kept_strides[k].back() == strides[k][axis] * extents[axis];
      if (joins) {
        kept.back() *= extents[axis];
        for (size_t k = 0; k < strides.size(); ++k) kept_strides[k].back() = strides[k][axis];
      } else {
        kept.push_back(extents[axis]);
        for (size_t k = 0; k < strides.size(); ++k) kept_strides[k].push_back(strides[k][axis]);
      }
    }
    if (kept.empty()) {
      kept.push_back(element_count(extents));
      for (auto& s : kept_strides) s.push_back(0);
    }
    extents = std::move(kept);
    strides = std::move(kept_strides);
  }

  /// Where the innermost axis jumps in operand 0 and an outer one walks along it: the innermost axis in tiles, and that other one just
  /// outside a tile, so that what is read of a cache line is read while it is there.
  void tile_for_reading() {
    constexpr int64_t widest = 64, narrowest = 8;
    const int64_t tile = std::gcd(extents.back(), widest);
    const auto walk = std::ranges::find(strides[0], 1);
    const int64_t from = strides[0].back(), to = strides[1].back();
    if (from == 0 || from == 1 || to != 1 || tile < narrowest || walk >= strides[0].end() - 1) return;
    const auto axis = walk - strides[0].begin();
    extents.back() /= tile;
    extents.push_back(tile);
    std::rotate(extents.begin() + axis, extents.begin() + axis + 1, extents.end() - 1);
    for (auto& s : strides) {
      s.push_back(s.back());
      s[s.size() - 2] *= tile;
      std::rotate(s.begin() + axis, s.begin() + axis + 1, s.end() - 1);
    }
  }

  /// Calls row(offsets, begin, end) over pieces of the innermost axis; offsets[k] is operand k's offset at inner index 0.
  template <size_t N, class F>
  void run(ThreadPool& pool, const F& row) const {
    const size_t inner_axis = extents.size() - 1;
    const int64_t inner = extents[inner_axis], outer = inner == 0 ? 0 : element_count(extents) / inner;
    auto offsets_of = [&](int64_t index, int64_t (&offset)[N]) {
      for (size_t k = 0; k < N; ++k) offset[k] = 0;
      for (size_t axis = inner_axis; axis-- > 0;) {
        const int64_t i = index % extents[axis];
        index /= extents[axis];
        for (size_t k = 0; k < N; ++k) offset[k] += i * strides[k][axis];
      }
    };
    constexpr int64_t grain = 1 << 14;
    if (outer == 1)
      return pool.parallel_for(inner, grain, [&](int64_t begin, int64_t end) {
        int64_t offset[N] = {};
        row(offset, begin, end);
      });
    pool.parallel_for(outer, grain / std::max<int64_t>(inner, 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t offset[N];
        offsets_of(i, offset);
        row(offset, 0, inner);
      }
    });
  }
};

/// Row-major strides of concrete extents.
inline std::vector<int64_t> dense_strides(std::span<const int64_t> shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/// dst[i…] = src[i…] over `shape`; strides in elements of `element_size` bytes; src and dst do not overlap.
inline void copy_strided(ThreadPool& pool, size_t element_size, std::span<const int64_t> shape,
                         const std::byte* src, std::span<const int64_t> src_strides, std::byte* dst,
                         std::span<const int64_t> dst_strides) {
  StridedLoop loop{{shape.begin(), shape.end()},
                   {{src_strides.begin(), src_strides.end()}, {dst_strides.begin(), dst_strides.end()}}};
  loop.merge_axes();
  loop.tile_for_reading();
  const int64_t from = loop.strides[0].back(), to = loop.strides[1].back();
  auto rows = [&]<class T>(T*) {
    const T* s = reinterpret_cast<const T*>(src);
    T* d = reinterpret_cast<T*>(dst);
    loop.run<2>(pool, [&](const int64_t (&offset)[2], int64_t begin, int64_t end) {
      if (from == 1 && to == 1)
        std::memcpy(d + offset[1] + begin, s + offset[0] + begin,
                    static_cast<size_t>(end - begin) * sizeof(T));
      else
        for (int64_t i = begin; i < end; ++i) d[offset[1] + i * to] = s[offset[0] + i * from];
    });
  };
  switch (element_size) {
    case 1: return rows(static_cast<uint8_t*>(nullptr));
    case 2: return rows(static_cast<uint16_t*>(nullptr));
    case 4: return rows(static_cast<uint32_t*>(nullptr));
    default: return rows(static_cast<uint64_t*>(nullptr));
  }
}

}  // namespace burnish
