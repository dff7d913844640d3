#pragma once

#include <optional>

#include "ir/device_text.h"

namespace burnish {

/// A matrix that a contraction reads: element (mn, k) of batch (b0 … b3) lies at Σ b_i * batch[i] + mn * stride_mn + k * stride_k.
struct MatrixView {
  OperandPointer pointer;
  DType dtype = DType::f32;
  Dim stride_mn, stride_k;
  std::array<Dim, 4> batch;
  int64_t alignment = 1;  // of the address, in elements
};

/// What multiplies tiles: device text `Math`. Or B stays in shared memory while rows of A stream past it: device text `Stationary`.
enum class TileMath { tensor, warpgroup, plain, stationary };

/// How a contraction is cut into tiles: device text `Contraction<…>`, or `Stationary<…>`: m rows of a warp by n columns at a time,
/// k all of it.
struct TileShape {
  TileMath math;
  int m, n, k, warps_m, warps_n, stages;
  int slices = 1;  // of k, each a block of a cluster
  int teams = 0;   // of warpgroups that multiply while another one copies
  int mapped = 0;  // operands that the copy engine brings: B, or both
};

/// C[b][m][n] = Σ_k A(m, k) B(k, n) with everything after it in the epilogue.
struct ContractionProblem {
  Dim m, n, k;
  std::array<Dim, 4> batch;  // extents, the last one fastest; 1 where there are fewer
  int copy_bytes = 0;        // of the operand that is copied in the smaller pieces; 0: one is gathered
  bool b_along_k = false;    // B's elements of one column lie together
  bool a_along_k = false;    // A is a matrix, and its elements of one row lie together
  Verdict a_mapped =
      Verdict::no("A is no matrix whose k lies together");  // whether the copy engine can bring A
  bool constant_b = false;                                  // nothing ever writes B
  bool normalizes =
      false;  // rows of A, which lie along k and are copied 16 bytes at a time, as they are multiplied
  double before = 0;  // microseconds of launches that only a contraction needs
};

/// Bytes that asynchronous copies of a matrix take at a time: 16, 8 or 4; 0 where it must be gathered.
int copy_bytes(const DimTable& dims, const MatrixView& view);

/// "MatrixOperand<half, Major::k, 16>" and so on for operands of type `dtype`.
std::string matrix_operand_type(const DimTable& dims, const MatrixView& view);

/// What was chosen for a problem: a tile, or one of the ways to do without a contraction. rows_first: rows are normalised by a kernel
/// of their own.
struct TileChoice {
  TileShape tile;
  std::optional<size_t> other;
  bool rows_first = false;
};

/// The tactics are the tiles that the problem may have, those with its rows normalised first, and `others`, whose costs are
/// microseconds on an H200.
TileChoice choose_tile(KernelCtx& ctx, const ContractionProblem& problem, DType dtype,
                       std::span<const Tactic> others);

/// Adds the launch for a tile. `operands` are statements that define `a` and `b` (they may use `batch`, a BatchIndex); the
/// epilogue may capture b0 … b3.
void add_contraction(KernelCtx& ctx, const ContractionProblem& problem, const TileShape& tile, DType dtype,
                     const KernelText& operands, const EpilogueForm& form, std::string_view header);
/// Statement that defines matrix operand `name`.
void define_matrix(KernelText& text, const DimTable& dims, std::string_view name, const MatrixView& view);
/// The same as the tile wants it: A, or B.
void define_a(KernelText& text, DimTable& dims, const MatrixView& view, const ContractionProblem& problem,
              const TileShape& tile);
void define_b(KernelText& text, DimTable& dims, const MatrixView& view, const ContractionProblem& problem,
              const TileShape& tile);

}  // namespace burnish
