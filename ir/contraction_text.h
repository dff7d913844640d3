#pragma once

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

/// How a contraction is cut into tiles: device text `Contraction<…>`.
struct TileShape {
  int m, n, k, warps_m, warps_n, stages;
};

/// C[b][m][n] = Σ_k A(m, k) B(k, n) with everything after it in the epilogue.
struct ContractionProblem {
  Dim m, n, k;
  std::array<Dim, 4> batch;  // extents, the last one fastest; 1 where there are fewer
};

/// "MatrixOperand<half, Major::k, 16>" and so on for operands of type `dtype`.
std::string matrix_operand_type(const DimTable& dims, const MatrixView& view);

/// Adds the launch; the tiles are its tactics. `a_text` and `b_text` are statements that define `a` and `b` (they may use `batch`, a BatchIndex);
/// the epilogue may capture b0 … b3.
void add_contraction(KernelCtx& ctx, const ContractionProblem& problem, DType dtype,
                     const KernelText& operands, const EpilogueForm& form, std::string_view header);
/// Statement that defines matrix operand `name`.
void define_matrix(KernelText& text, const DimTable& dims, std::string_view name, const MatrixView& view);

}  // namespace burnish
