#pragma once

#include "ops/kernel_axes.h"

namespace burnish {

/// Copies from operand to result 0, many in one launch.
class CopyLaunches {
 public:
  explicit CopyLaunches(KernelCtx& ctx) : ctx_(ctx) {}

  /// Copies operand i along `axes` (its strides, then the result's) to the result's memory from `offset`
  /// elements on.
  void add(size_t i, const KernelAxes& axes, Dim offset) {
    DimTable& dims = ctx_.dims;
    const KernelAxes joined = collapsed(dims, in_memory_order(ctx_, axes, 1));
    if (dims.is_constant(dims.product(joined.extents), 0)) return;
    if (parts_ == most_parts) finish();
    const auto size = static_cast<int64_t>(size_of(ctx_.in(i).dtype));
    int64_t bytes = access_bytes(dims, joined, size, {ctx_.in_alignment(i), ctx_.out_alignment(0)});
    while (bytes > size && !divisible(dims, offset, bytes / size)) bytes /= 2;
    const KernelAxes words = in_units(dims, joined, bytes / size);
    const Dim blocks = dims.ceil_div(dims.product(words.extents), dims.constant(threads));
    body_ << "if (block < " << blocks << ") {\ncopy_view(" << word_pointer(ctx_.in_pointer(i), bytes, true)
          << ", " << word_pointer(ctx_.out_pointer(0), bytes, false) << " + "
          << dims.floor_div(offset, dims.constant(bytes / size)) << ", block, "
          << dims_text(words.extents, index_type(dims, dims.product(words.extents))) << ", "
          << dims_text(words.strides[0]) << ", " << dims_text(words.strides[1])
          << ");\nreturn;\n}\nblock -= " << blocks << ";\n";
    blocks_ = parts_++ == 0 ? blocks : dims.add(blocks_, blocks);
  }

  /// Adds the launch of the copies so far.
  void finish() {
    if (parts_ == 0) return;
    const Dim one = ctx_.dims.constant(1);
    KernelCall call{.headers = {"providers/nvrtc/device/copy.cuh"},
                    .grid = {blocks_, one, one},
                    .block = {threads, 1, 1}};
    call.body << "long long block = blockIdx.x;\n" << body_;
    ctx_.calls.push_back(std::move(call));
    body_ = {};
    parts_ = 0;
  }

 private:
  static constexpr int threads = 256, most_parts = 16;
  KernelCtx& ctx_;
  KernelText body_;
  Dim blocks_;
  int parts_ = 0;
};

}  // namespace burnish
