#pragma once

#include <array>

#include "base/deferred_tensor.h"
#include "base/strided.h"
#include "ir/contraction_text.h"
#include "ir/element.h"
#include "ops/layer_normalization/layer_normalization.h"
#include "ops/normalized_weights.h"

namespace burnish {

/// Element types that a product is computed in on a device.
inline Verdict product_type_verdict(DType t) {
  if (t == DType::f32 || t == DType::f16 || t == DType::bf16) return Verdict::yes();
  return Verdict::no("no device kernel for products of " + std::string(name_of(t)));
}

/// Operand `i` as a matrix per batch: its last two axes are (rows, columns), those before are batch axes that broadcast to
/// `batch` (four, leading ones 1). `mn_axis` of the two is the one the product keeps.
inline MatrixView matrix_view(KernelCtx& ctx, size_t i, bool keeps_rows, std::span<const Dim> batch) {
  DimTable& dims = ctx.dims;
  const TensorType& type = ctx.in(i);
  const size_t rank = type.shape.size();
  const std::span<const Dim> strides = ctx.in_strides(i);
  MatrixView v{ctx.in_pointer(i), type.dtype, dims.constant(0), dims.constant(0), {}, ctx.in_alignment(i)};
  v.batch.fill(dims.constant(0));
  if (rank == 1) {
    v.stride_k = strides[0];
    return v;
  }
  v.stride_mn = strides[keeps_rows ? rank - 2 : rank - 1];
  v.stride_k = strides[keeps_rows ? rank - 1 : rank - 2];
  const std::vector<Dim> spread =
      broadcast_strides(dims, std::span(type.shape).first(rank - 2), strides.first(rank - 2), batch);
  for (size_t k = 0; k < batch.size(); ++k) v.batch[4 - batch.size() + k] = spread[k];
  return v;
}

/// How a constant matrix is stored again: k contiguous, rows padded to 16 bytes; paired: columns of the first half and of the second
/// one in turn.
struct Packing {
  bool rows_are_k, paired;
  int64_t mn, k, pitch;
};

/// Whether the rows of a stored matrix number k, not mn. Extents say it; of a square one strides do, which of a single row or column are 1
/// both.
inline bool rows_number_k(const DimTable& dims, const Tensor& t, const MatrixView& v, Dim mn) {
  if (t.shape()[0] != t.shape()[1]) return dims.is_constant(mn, t.shape()[1]);
  return *dims.value(v.stride_k) > *dims.value(v.stride_mn);
}

/// A constant matrix whose rows are no multiple of 16 bytes, or that warpgroups multiply, is stored again, once. One whose columns are
/// to be paired is in any case. The view gets the strides of that.
inline Verdict plan_packing(KernelCtx& ctx, size_t i, Dim mn_extent, MatrixView& v,
                            std::optional<Packing>& packing) {
  const Tensor* t = ctx.constant_operand(i);
  DimTable& dims = ctx.dims;
  const bool paired = pairs_columns(ctx);
  const auto mn_stride = dims.value(v.stride_mn), k_stride = dims.value(v.stride_k);
  if (!t || t->shape().size() != 2 || !mn_stride || !k_stride)
    return paired ? Verdict::no("its columns cannot be paired") : Verdict::yes();
  const bool along_k = ctx.architecture() == "sm_90" && size_of(t->dtype()) == 2;
  if (!paired && copy_bytes(dims, v) == 16 && (!along_k || *k_stride == 1)) return Verdict::yes();
  const bool rows_are_k = rows_number_k(dims, *t, v, mn_extent);
  const int64_t mn = t->shape()[rows_are_k ? 1 : 0], k = t->shape()[rows_are_k ? 0 : 1];
  const int64_t chunk = 16 / static_cast<int64_t>(size_of(t->dtype()));
  packing = {rows_are_k, paired, mn, k, (k + chunk - 1) / chunk * chunk};
  v.stride_mn = dims.constant(packing->pitch);
  v.stride_k = dims.constant(1);
  v.alignment = 64;
  return Verdict::yes();
}

inline OperandPointer pack_constant(KernelCtx& ctx, size_t i, const Packing& p) {
  const Tensor* t = ctx.constant_operand(i);
  const std::string form = std::string(p.paired ? "paired " : "") + (p.rows_are_k ? "columns" : "rows");
  return ctx.constant_from(i, form, [&] {
    return deferred_tensor(t->dtype(), {p.mn, p.pitch}, [p, w = *t](std::byte* to, ThreadPool& pool) {
      const size_t size = size_of(w.dtype());
      const int64_t parts = p.paired ? 2 : 1, columns = p.mn / parts;
      if (p.pitch != p.k) std::memset(to, 0, static_cast<size_t>(p.mn * p.pitch) * size);
      const int64_t from_mn = p.rows_are_k ? 1 : p.k, from_k = p.rows_are_k ? p.mn : 1;
      copy_strided(pool, size, std::array{columns, parts, p.k}, w.bytes(pool),
                   std::array{from_mn, columns * from_mn, from_k}, to,
                   std::array{parts * p.pitch, p.pitch, int64_t{1}});
    });
  });
}

/// Whether rows of operand 0 can be multiplied as they lie: they are copied 16 bytes at a time. The kernel is to be `normalize_first`'s
/// otherwise.
inline bool copies_rows(const KernelCtx& ctx) {
  const std::span<const Dim> strides = ctx.in_strides(0);
  const int64_t chunk = 16 / static_cast<int64_t>(size_of(ctx.in(0).dtype));
  return ctx.dims.is_constant(strides.back(), 1) && ctx.in_alignment(0) % chunk == 0 &&
         divisible(ctx.dims, ctx.in(0).shape.back(), chunk) &&
         std::all_of(strides.begin(), strides.end() - 1,
                     [&](Dim d) { return divisible(ctx.dims, d, chunk); });
}

/// Has B scaled and summed up for rows of A that are normalised as they are multiplied; `right` becomes what they are multiplied by.
inline NormalizedRows normalize_rows(KernelCtx& ctx, Dim columns, MatrixView& right) {
  const Tensor &w = *ctx.constant_operand(1), &scale = *ctx.normalization_operand(1);
  const Tensor* bias = ctx.normalization_operand(2);
  DimTable& dims = ctx.dims;
  const bool rows_are_k = rows_number_k(dims, w, right, columns), paired = pairs_columns(ctx);
  const int64_t k = w.shape()[rows_are_k ? 0 : 1], n = w.shape()[rows_are_k ? 1 : 0], pitch = (k + 7) / 8 * 8;
  const bool rms = ctx.normalization->op->name == "RMSNormalization";
  const NormalizedWeights weights({w, k, n, rows_are_k ? n : 1, rows_are_k ? 1 : k}, scale, !rms);
  right.pointer =
      ctx.constant_from({w, scale}, std::string(rms ? "scaled" : "centred") + (paired ? " pairs" : ""),
                        [&] { return weights.matrix(pitch, paired); });
  right.stride_mn = dims.constant(pitch);
  right.stride_k = dims.constant(1);
  right.alignment = 64;
  const auto& attrs = ctx.normalization->attrs.as<LayerNormalizationAttrs>();
  NormalizedRows rows{.rms = rms,
                      .epsilon = attrs.epsilon,
                      .factor = ctx.constant_from({scale}, "factor", [&] { return weights.factor(); }),
                      .shifts = {},
                      .dtype = w.dtype()};
  if (bias) rows.shifts = ctx.constant_from({w, *bias}, "shifts", [&] { return weights.shifts(*bias); });
  return rows;
}

/// The contraction `problem`, whose operands are those two matrices of operands 0 and 1. What they say of it is filled in here.
inline Verdict contract_matrices(KernelCtx& ctx, ContractionProblem problem, MatrixView left,
                                 MatrixView right, EpilogueForm end) {
  DimTable& dims = ctx.dims;
  const DType dtype = ctx.in(0).dtype;
  std::optional<Packing> packing;
  MatrixView packed = right;
  if (Verdict v = plan_packing(ctx, 1, problem.n, packed, packing); !v) return v;
  problem.copy_bytes = std::min(copy_bytes(dims, left), copy_bytes(dims, packed));
  problem.a_along_k = dims.is_constant(left.stride_k, 1);
  problem.b_along_k = dims.is_constant(packed.stride_k, 1);
  problem.constant_b = ctx.is_constant(right.pointer);
  problem.normalizes = ctx.normalization != nullptr;
  const TileChoice choice = choose_tile(ctx, problem, dtype, {});
  if (choice.rows_first) {
    if (Verdict v = ctx.normalize_first(); !v) return v;
    left.pointer = ctx.in_pointer(0);
    left.stride_mn = problem.k;
    problem.normalizes = false;
  }
  if (problem.normalizes) {
    end.normalized = normalize_rows(ctx, problem.n, right);
  } else {
    right = packed;
    if (packing) right.pointer = pack_constant(ctx, 1, *packing);
  }
  KernelText operands;
  define_a(operands, dims, left, problem, choice.tile);
  define_b(operands, dims, right, problem, choice.tile);
  add_contraction(ctx, problem, choice.tile, dtype, operands, end,
                  "providers/nvrtc/device/contraction_matrix.cuh");
  return Verdict::yes();
}

}  // namespace burnish
