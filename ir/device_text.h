#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/op.h"

namespace burnish {

/// The device spelling of a storage type ("half", "float", "long long", …) and of the type arithmetic on it happens in.
std::string_view device_type(DType t);
std::string_view compute_type(DType t);

/// True if every term of d is a multiple of k.
bool divisible(const DimTable& dims, Dim d, int64_t k);

/// Text that needs extents but is no kernel: struct members. Known extents are written as literals, others become members
/// `d0`, `d1`, … to be filled by `construct`.
class MemberDims {
 public:
  explicit MemberDims(const DimTable& dims) : dims_(dims) {}
  /// "768LL" or "d3".
  std::string operator()(Dim d);
  const std::vector<Dim>& members() const { return members_; }

 private:
  const DimTable& dims_;
  std::vector<Dim> members_;
};

/// Pointwise work around a kernel's own, as device text.
struct Functor {
  std::string prelude;   // `struct Epilogue {…};`
  KernelText construct;  // `Epilogue{…}`: an expression inside the kernel
};
/// The end of a kernel: turns V numbers of row m, columns n … n+V-1 into results (epilogue.cuh says how). In a fused node it does the
/// work of the nodes after the anchor too, reading their operands where they lie.
using Epilogue = Functor;
/// The beginning of a kernel: gives V elements of its first operand, which the nodes before the anchor compute (prologue.cuh).
using Prologue = Functor;
/// Before that each accumulator becomes alpha * v plus the addends.
/// `coordinates[a]` is the C++ expression (of type long long) of output axis a in terms of `m`, `n` and the kernel's own
/// names listed in `captures`, which become members of the functor. Columns run along `column_axis`. `column_step`: n is
/// always a multiple of it. `rows`, `columns`: the axes that m and n number, the slowest first, for operands in which they lie as
/// one; where n numbers `column_axis` alone, nothing has to be said.
struct Addend {
  size_t operand;            // of ctx.node
  std::vector<Dim> strides;  // along the axes of the result; 0 where it is broadcast
  float scale = 1;
};
/// Rows of A that are normalised as they are multiplied (contraction_rows.cuh): `shifts`, a number a column, are added to their sums.
struct NormalizedRows {
  bool rms;
  float epsilon;
  OperandPointer factor;
  std::optional<OperandPointer> shifts;
  DType dtype;
};
struct EpilogueForm {
  std::vector<KernelText> coordinates;
  size_t column_axis;
  int column_step;
  std::vector<std::string> captures;
  std::vector<size_t> rows, columns;
  float alpha = 1;
  std::vector<Addend> addends;
  std::optional<NormalizedRows> normalized = {};  // first of all
};
Epilogue make_epilogue(KernelCtx& ctx, const EpilogueForm& form);
/// Coordinates are those of the anchor's first operand; alpha and addends mean nothing.
Prologue make_prologue(KernelCtx& ctx, const EpilogueForm& form);
/// Whether a Fused node has nodes before or after its anchor.
bool has_prologue(const KernelCtx& ctx);
bool has_epilogue(const KernelCtx& ctx);
/// Whether the nodes that follow take halves of the columns: then the kernel's columns 2j and 2j + 1 must be column j of the first half
/// and of the second one.
bool pairs_columns(const KernelCtx& ctx);
/// Strides of an operand of that shape along the axes of `result`: 0 where it is broadcast.
std::vector<Dim> broadcast_strides(DimTable& dims, std::span<const Dim> shape, std::span<const Dim> strides,
                                   std::span<const Dim> result);

/// A kernel for a node that is pointwise, a Fused one of such nodes, or a copy (Identity): one thread per few elements.
KernelCall pointwise_call(KernelCtx& ctx);

}  // namespace burnish
