// LayerNormalization and RMSNormalization.
#pragma once

#include "providers/nvrtc/device/normalize.cuh"

namespace burnish {

/// Normalises over the trailing axes `extents`; the leading axes `row_extents` number the rows. x_rows: strides of x over those, or
/// PickedRows. scale and bias lie over the trailing axes with strides of their own (0 where they broadcast); both may be null.
/// means and inverses (1 / standard deviation): null, or one per row, dense. rms: no mean is subtracted.
/// Launch geometry, team, cached, prologue and epilogue: as `normalize_rows`.
template <bool rms, int team, int cached, class Tx, class Ts, class Ty, class Tm, class XRows, int outer,
          int inner, class Index, class Prologue = Unchanged, class Epilogue = Unchanged>
BURNISH_DEVICE void layer_normalization(const Tx* x, const Ts* scale, const Ts* bias, Ty* y, Tm* means,
                                        Tm* inverses, const Dims<outer, Index>& row_extents,
                                        const Dims<inner, Index>& extents, const XRows& x_rows,
                                        const Dims<inner>& x_strides, const Dims<inner>& scale_strides,
                                        const Dims<inner>& bias_strides, const Dims<outer>& y_row_strides,
                                        const Dims<inner>& y_strides, double epsilon, Prologue prologue = {},
                                        Epilogue epilogue = {}) {
  normalize_rows<!rms, team, cached>(
      x, scale, bias, y, means, inverses, row_extents, extents, row_strides(x_rows, x_strides),
      row_strides(Dims<outer>{}, scale_strides), row_strides(Dims<outer>{}, bias_strides),
      row_strides(y_row_strides, y_strides), epsilon, prologue, epilogue);
}

}  // namespace burnish
