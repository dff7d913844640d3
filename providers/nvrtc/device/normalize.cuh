// Normalisation of rows to mean 0 and variance 1: the core of layer, instance and group normalisation.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/epilogue.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/prologue.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

/// Rows that a table picks along one axis: the axes that number them have strides in the table, the others in the operand.
template <class I, int outer>
struct PickedRows {
  Dims<outer> strides;
  const I* table;
  Dims<outer> table_strides;
  i64 step;  ///< of the axis that they are picked along
};
template <class I, int outer>
BURNISH_DEVICE PickedRows<I, outer> picked_rows(const Dims<outer>& strides, const I* table,
                                                const Dims<outer>& table_strides, i64 step) {
  return {strides, table, table_strides, step};
}
template <class I, int outer, class Index>
BURNISH_DEVICE i64 offset_of(const Dims<outer, Index>& at, const PickedRows<I, outer>& rows) {
  return offset_of(at, rows.strides) + i64(rows.table[offset_of(at, rows.table_strides)]) * rows.step;
}

/// Where an operand lies: strides over the axes that number the rows (or PickedRows) and over those within a row.
template <class Rows, int inner>
struct RowStrides {
  Rows rows;
  Dims<inner> within;
};
template <class Rows, int inner>
BURNISH_DEVICE constexpr RowStrides<Rows, inner> row_strides(const Rows& rows, const Dims<inner>& within) {
  return {rows, within};
}

/// y = (x - mean) * inverse * scale + bias, row by row, where inverse = 1 / sqrt(variance + epsilon). A
/// prologue (prologue.cuh) gives x instead, an epilogue (epilogue.cuh) stores: of m the row, n the element of the row. With centred = false (RMS normalisation) the mean counts as 0. Mean and variance
/// are taken in x's compute type, the variance from the differences to the mean.
/// Rows: `row_extents`; elements of a row: `extents`. scale and bias may be null and broadcast by zero
/// strides. means, inverses: null, or one number per row, dense.
/// team: threads per row, 1…32 lanes or a whole block of 64…1024 (then blockDim.x == team).
/// cached: elements per thread kept in registers; 0 reads x three times and takes any length, else elements
/// of a row <= team * cached.
/// Grid: any; rows / (blockDim.x / team) blocks give one row per team. No dynamic shared memory.
template <bool centred, int team, int cached, class Tx, class Ts, class Ty, class Tm, class XRows, int outer,
          int inner, class Index, class Prologue = Unchanged, class Epilogue = Unchanged>
BURNISH_DEVICE void normalize_rows(const Tx* x, const Ts* scale, const Ts* bias, Ty* y, Tm* means,
                                   Tm* inverses, const Dims<outer, Index>& row_extents,
                                   const Dims<inner, Index>& extents,
                                   const RowStrides<XRows, inner>& x_strides,
                                   const RowStrides<Dims<outer>, inner>& scale_strides,
                                   const RowStrides<Dims<outer>, inner>& bias_strides,
                                   const RowStrides<Dims<outer>, inner>& y_strides, double epsilon,
                                   Prologue prologue = {}, Epilogue epilogue = {}) {
  using A = compute<Tx>;
  using Threads = Team<team>;
  const i64 rows = count_of(row_extents), length = count_of(extents);
  auto plus = [](A a, A b) { return a + b; };
  for (i64 row = Threads::index(); row < rows; row += Threads::count()) {
    const Dims<outer, Index> at = decompose(Index(row), row_extents);
    const i64 from = offset_of(at, x_strides.rows), to = offset_of(at, y_strides.rows);
    const i64 scale_from = offset_of(at, scale_strides.rows), bias_from = offset_of(at, bias_strides.rows);
    A kept[cached ? cached : 1];
    auto read = [&](i64 i) {
      return read_element(prologue, x + from + offset_at(Index(i), extents, x_strides.within), int(row),
                          int(i));
    };
    // each(f): f(element, its coordinates or linear index) for this thread's elements.
    auto each = [&](auto f) {
      if constexpr (cached > 0) {
#pragma unroll
        for (int j = 0; j < cached; ++j)
          if (j * team + Threads::lane() < length) f(kept[j], Index(j * team + Threads::lane()));
      } else {
        for (i64 i = Threads::lane(); i < length; i += team) f(read(i), Index(i));
      }
    };
    if constexpr (cached > 0) {
#pragma unroll
      for (int j = 0; j < cached; ++j) {
        const i64 i = j * team + Threads::lane();
        kept[j] = i < length ? read(i) : A(0);
      }
    }
    A mean = 0, squares = 0;
    if constexpr (centred) {
      each([&](A value, Index) { mean += value; });
      mean = Threads::reduce(mean, plus) / A(length);
    }
    each([&](A value, Index) { squares += (value - mean) * (value - mean); });
    squares = Threads::reduce(squares, plus);
    const A inverse = A(1) / prim::sqrt(squares / A(length) + A(epsilon));
    each([&](A value, Index i) {
      const Dims<inner, Index> in_row = decompose(i, extents);
      A result = (value - mean) * inverse;
      if (scale) result *= A(load(scale + scale_from + offset_of(in_row, scale_strides.within)));
      if (bias) result += A(load(bias + bias_from + offset_of(in_row, bias_strides.within)));
      finish_element(epilogue, y + to + offset_of(in_row, y_strides.within), int(row), int(i), result);
    });
    if (Threads::lane() == 0) {
      if (means) store(means + row, compute<Tm>(mean));
      if (inverses) store(inverses + row, compute<Tm>(inverse));
    }
  }
}

}  // namespace burnish
