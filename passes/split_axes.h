#pragma once

#include <optional>
#include <vector>

#include "shape/dim.h"

namespace burnish {

/// For each axis of `whole` the extents of `parts` that it is split into; nullopt if `parts` joins axes or cuts across them.
inline std::optional<std::vector<std::vector<Dim>>> split_axes(DimTable& dims, const std::vector<Dim>& whole,
                                                               const std::vector<Dim>& parts) {
  std::vector<std::vector<Dim>> split;
  size_t k = 0;
  for (Dim extent : whole) {
    std::vector<Dim>& part = split.emplace_back();
    Dim product = dims.constant(1);
    while (k < parts.size() && (part.empty() || product != extent)) {
      product = dims.mul(product, parts[k]);
      part.push_back(parts[k++]);
    }
    if (part.empty() || product != extent) return std::nullopt;
  }
  if (k != parts.size()) return std::nullopt;
  return split;
}

/// The extents of what broadcasts to `whole`, of extents `shape`, once the axes of `whole` are split; nullopt if an axis may be either.
inline std::optional<std::vector<Dim>> split_broadcast(const DimTable& dims, const std::vector<Dim>& shape,
                                                       const std::vector<Dim>& whole,
                                                       const std::vector<std::vector<Dim>>& split) {
  std::vector<Dim> apart;
  for (size_t k = 0; k < shape.size(); ++k) {
    const size_t axis = whole.size() - shape.size() + k;
    const std::vector<Dim>& parts = split[axis];
    if (shape[k] == whole[axis]) apart.insert(apart.end(), parts.begin(), parts.end());
    else if (dims.is_constant(shape[k], 1)) apart.insert(apart.end(), parts.size(), shape[k]);
    else return std::nullopt;
  }
  return apart;
}

}  // namespace burnish
