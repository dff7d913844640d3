#pragma once

#include <algorithm>
#include <numeric>

#include "ir/device_text.h"
#include "ir/scalar.h"

/// What the device kernels of ops share: axes that operands walk together, and their spelling in kernel text.
namespace burnish {

/// Extents, and the strides of each operand along them.
struct KernelAxes {
  std::vector<Dim> extents;
  std::vector<std::vector<Dim>> strides;  // [operand][axis]
  std::vector<size_t> axes;               // of the tensor, where a kernel says so; none of collapsed ones

  explicit KernelAxes(size_t operands) : strides(operands) {}
  void add(Dim extent, std::initializer_list<Dim> along, size_t axis = 0) {
    extents.push_back(extent);
    axes.push_back(axis);
    for (size_t k = 0; k < strides.size(); ++k) strides[k].push_back(along.begin()[k]);
  }
  size_t rank() const { return extents.size(); }
};

/// The same positions with fewer axes: those of extent 1 go, and neighbours that every operand walks as one
/// are joined.
inline KernelAxes collapsed(DimTable& dims, const KernelAxes& axes) {
  KernelAxes out(axes.strides.size());
  for (size_t a = 0; a < axes.rank(); ++a) {
    if (dims.is_constant(axes.extents[a], 1)) continue;
    bool joins = out.rank() > 0;
    for (size_t k = 0; joins && k < out.strides.size(); ++k)
      joins = out.strides[k].back() == dims.mul(axes.strides[k][a], axes.extents[a]);
    if (joins) out.extents.back() = dims.mul(out.extents.back(), axes.extents[a]);
    else out.extents.push_back(axes.extents[a]);
    for (size_t k = 0; k < out.strides.size(); ++k)
      if (joins) out.strides[k].back() = axes.strides[k][a];
      else out.strides[k].push_back(axes.strides[k][a]);
  }
  return out;
}

/// For kernels to which the order of axes is all the same: the axis that operand k walks in the largest steps
/// comes first.
inline KernelAxes in_memory_order(const KernelCtx& ctx, const KernelAxes& axes, size_t k) {
  std::vector<size_t> order(axes.rank());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return ctx.usual(axes.strides[k][a]) > ctx.usual(axes.strides[k][b]);
  });
  KernelAxes out(axes.strides.size());
  for (size_t a : order) {
    out.extents.push_back(axes.extents[a]);
    out.axes.push_back(axes.axes[a]);
    for (size_t o = 0; o < out.strides.size(); ++o) out.strides[o].push_back(axes.strides[o][a]);
  }
  return out;
}

/// "int" where fewer than 2^31 elements are numbered, else "long long".
inline std::string index_type(const DimTable& dims, Dim count) {
  return dims.range(count).hi < (int64_t{1} << 31) ? "int" : "long long";
}

/// `dims(…)`: strides; with an index type `dims<int>(…)`: extents.
inline KernelText dims_text(std::span<const Dim> values, const std::string& index = {}) {
  KernelText text;
  text << "dims" << (index.empty() ? std::string() : "<" + index + ">") << "(";
  text.list(values) << ")";
  return text;
}
inline KernelText& operator<<(KernelText& to, const KernelText& from) {
  to.pieces.insert(to.pieces.end(), from.pieces.begin(), from.pieces.end());
  return to;
}

/// A double, exact.
inline std::string real_text(double value) { return "double" + Text(value).s.substr(1); }

/// One thread (or team) per item, `per_block` of them in a block. Kernels walk the rest of a grid that is cut
/// off.
inline void set_launch(DimTable& dims, KernelCall& call, Dim items, int64_t per_block, int threads) {
  const Dim blocks = dims.ceil_div(items, dims.constant(per_block)), most = dims.constant(INT32_MAX);
  call.grid = {dims.range(blocks).hi > INT32_MAX ? dims.min(blocks, most) : blocks, dims.constant(1),
               dims.constant(1)};
  call.block = {threads, 1, 1};
}

inline int64_t power_of_two_from(int64_t n) {
  int64_t p = 1;
  while (p < n) p *= 2;
  return p;
}

/// The pointwise work around a kernel that walks a tensor of `shape`, where m numbers the elements along the axes `rows` and n those
/// along `columns`, the slowest of them first. n is always a multiple of `column_step`.
inline EpilogueForm numbered_form(DimTable& dims, std::span<const Dim> shape, std::vector<size_t> rows,
                                  std::vector<size_t> columns, int column_step = 1) {
  EpilogueForm form{.coordinates = std::vector<KernelText>(shape.size()),
                    .column_axis = columns.empty() ? shape.size() - 1 : columns.back(),
                    .column_step = column_step};
  for (KernelText& coordinate : form.coordinates) coordinate << "0";
  for (const auto& [number, axes] : {std::pair("m", &rows), {"n", &columns}}) {
    Dim inside = dims.constant(1);
    for (size_t k = axes->size(); k-- > 0;) {
      const Dim extent = shape[(*axes)[k]];
      KernelText& at = form.coordinates[(*axes)[k]] = {};
      at << number;
      if (!dims.is_constant(inside, 1)) at << " / (int)" << inside;
      if (k > 0) at << " % (int)" << extent;
      inside = dims.mul(inside, extent);
    }
  }
  form.rows = std::move(rows);
  form.columns = std::move(columns);
  return form;
}

/// Adds to a call the pointwise nodes before the node, as `prologue` says, and those after it: the kernel's last arguments.
inline void add_pointwise(KernelCtx& ctx, KernelCall& call, const EpilogueForm& prologue,
                          const EpilogueForm& epilogue) {
  const bool before = has_prologue(ctx), after = has_epilogue(ctx);
  if (!before && !after) return;
  Functor functors[2];
  if (before) functors[0] = make_prologue(ctx, prologue);
  if (after) functors[1] = make_epilogue(ctx, epilogue);
  for (const Functor& functor : functors) {
    call.prelude += functor.prelude;
    call.body << ", ";
    if (functor.prelude.empty()) call.body << "Unchanged{}";
    else call.body << functor.construct;
  }
}

/// The pointer to a kernel's first operand; null where a prologue computes it.
inline KernelText source_text(const KernelCtx& ctx) {
  KernelText text;
  if (has_prologue(ctx)) text << "(const float*)nullptr";
  else text << ctx.in_pointer(0);
  return text;
}

/// The longest row whose threads keep all of it in registers.
inline constexpr int64_t most_of_row_in_registers = int64_t{32} * 512;

/// How many threads share a row of `length` elements, and how many of these each of them keeps in registers
/// (0: rows are
/// read again, any length). `apart`: elements of a row lie apart while neighbouring rows lie side by side.
struct RowTeam {
  int64_t team = 32, cached = 0;
  RowTeam(const KernelCtx& ctx, Dim length, bool apart) {
    constexpr int64_t elements = 8, most_cached = 32, most_threads = most_of_row_in_registers / most_cached;
    const int64_t most = ctx.dims.range(length).hi;
    const int64_t planned = most <= most_of_row_in_registers ? most : ctx.usual(length);
    team = apart
               ? 1
               : std::clamp<int64_t>(power_of_two_from((planned + elements - 1) / elements), 1, most_threads);
    if (const int64_t each = (most + team - 1) / team; each <= most_cached)
      cached = std::max<int64_t>(each, 1);
  }
  void set_rows(DimTable& dims, KernelCall& call, Dim rows) const {
    const int threads = static_cast<int>(std::max<int64_t>(team, 128));
    set_launch(dims, call, rows, team > 32 ? 1 : threads / team,
               team > 32 ? static_cast<int>(team) : threads);
  }
};

/// Bytes that one access may move along the last of `axes`, which all operands (of elements of `size` bytes,
/// at addresses
/// of `alignments` elements) walk: 16 at most.
inline int64_t access_bytes(const DimTable& dims, const KernelAxes& axes, int64_t size,
                            std::initializer_list<int64_t> alignments) {
  if (axes.rank() == 0) return size;
  const size_t last = axes.rank() - 1;
  auto allows = [&](int64_t n) {
    if (!divisible(dims, axes.extents[last], n)) return false;
    for (const std::vector<Dim>& strides : axes.strides) {
      if (!dims.is_constant(strides[last], 1)) return false;
      for (size_t a = 0; a < last; ++a)
        if (!divisible(dims, strides[a], n)) return false;
    }
    return std::all_of(alignments.begin(), alignments.end(),
                       [&](int64_t alignment) { return alignment % n == 0; });
  };
  int64_t n = 16 / size;
  while (n > 1 && !allows(n)) n /= 2;
  return n * size;
}

/// All in units of n elements of the last axis.
inline KernelAxes in_units(DimTable& dims, KernelAxes axes, int64_t n) {
  if (n == 1) return axes;
  const Dim unit = dims.constant(n);
  axes.extents.back() = dims.floor_div(axes.extents.back(), unit);
  for (std::vector<Dim>& strides : axes.strides)
    for (size_t a = 0; a + 1 < strides.size(); ++a) strides[a] = dims.floor_div(strides[a], unit);
  return axes;
}

/// The storage type of a word of that many bytes: for kernels that move elements without reading them.
inline std::string word_type(int64_t bytes) { return "WordOf<" + std::to_string(bytes) + ">::type"; }
inline KernelText word_pointer(OperandPointer pointer, int64_t bytes, bool constant) {
  KernelText text;
  text << (constant ? "(const " : "(") << word_type(bytes) << "*)(" << pointer << ")";
  return text;
}

}  // namespace burnish
