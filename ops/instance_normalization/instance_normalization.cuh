// InstanceNormalization and GroupNormalization.
#pragma once

#include "providers/nvrtc/device/normalize.cuh"

namespace burnish {

/// x and y are [batch, channels, spatial…] with any strides; each of `groups` groups of neighbouring channels
/// is normalised by itself (groups == channels: instance normalisation; groups divides channels). scale and
/// bias: one per channel with their strides, or null.
/// Launch geometry, team and cached: as `normalize_rows`; its rows are the batch * groups, their elements the
/// channels / groups * spatial ones.
template <int team, int cached, class Tx, class Ts, class Ty, int rank, class Index,
          class Epilogue = Unchanged>
BURNISH_DEVICE void instance_normalization(const Tx* x, const Ts* scale, const Ts* bias, Ty* y, i64 groups,
                                           const Dims<rank, Index>& extents, const Dims<rank>& x_strides,
                                           const Dims<rank>& y_strides, i64 scale_stride, i64 bias_stride,
                                           double epsilon, Epilogue epilogue = {}) {
  const i64 members = groups ? i64(extents.at[1]) / groups : 0;
  Dims<rank - 1, Index> inner{};
  Dims<rank - 1> x_inner{}, y_inner{}, scale_inner{}, bias_inner{};
#pragma unroll
  for (int axis = 0; axis < rank - 1; ++axis) {
    inner.at[axis] = extents.at[axis + 1];
    x_inner.at[axis] = x_strides.at[axis + 1];
    y_inner.at[axis] = y_strides.at[axis + 1];
  }
  inner.at[0] = Index(members);
  scale_inner.at[0] = scale_stride;
  bias_inner.at[0] = bias_stride;
  auto rows = [&](i64 batch_stride, i64 channel_stride) {
    return dims(batch_stride, channel_stride * members);
  };
  normalize_rows<true, team, cached>(
      x, scale, bias, y, static_cast<float*>(nullptr), static_cast<float*>(nullptr),
      dims<Index>(extents.at[0], groups), inner, row_strides(rows(x_strides.at[0], x_strides.at[1]), x_inner),
      row_strides(rows(0, scale_stride), scale_inner), row_strides(rows(0, bias_stride), bias_inner),
      row_strides(rows(y_strides.at[0], y_strides.at[1]), y_inner), epsilon, Unchanged{}, epilogue);
}

}  // namespace burnish
