#include "providers/cudnn/attention_graph.h"

#include <array>

#include "base/strided.h"
#include "ops/attention/attention_kernel.h"
#include "providers/cudnn/graph_reader.h"

namespace burnish::cudnn {

namespace {

/// Of four axes: two of the batch (heads the second of them), rows and columns.
class AttentionReader : GraphReader {
 public:
  AttentionReader(KernelCtx& ctx, NodeGraph& out)
      : GraphReader(ctx, out), scores_(attention_scores(ctx)), axes_(attention_axes(ctx, scores_)) {}

  Verdict read() {
    if (const DType t = ctx_.in(0).dtype; t != DType::f16 && t != DType::bf16)
      return Verdict::no("the library has no attention on " + std::string(name_of(t)));
    if (Verdict v = fixed_extents(); !v) return v;
    if (axes_.rank() > 2) return Verdict::no("more than two batch axes are walked");
    for (size_t i = 0; i < 3; ++i)
      if (value(ctx_.in_strides(i).back()) != 1) return Verdict::no("its rows do not lie densely");
    if (value(ctx_.out_strides(0).back()) != 1) return Verdict::no("its result's rows do not lie densely");
    attend();
    return Verdict::yes();
  }

 private:
  void attend() {
    const size_t q = matrices(0), k = matrices(1, true), v = matrices(2);
    size_t scores = dense({batch(0), batch(1), queries(), keys()});
    add(OperationGraph::Matmul{q, k, scores});
    const float scale = ctx_.attrs<AttentionAttrs>().scale;
    const size_t number = in_memory(ctx_.constant(Tensor::of(DType::f32, {1}, std::span(&scale, 1))),
                                    DType::f32, {1, 1, 1, 1}, {1, 1, 1, 1}, 16);
    scores = pointwise(pointwise_multiply, scores, number);
    if (ctx_.has(3)) scores = pointwise(pointwise_add, scores, mask());
    const size_t weights = softmax(scores);
    add(OperationGraph::Matmul{weights, v, matrices(of_result)});
  }

  size_t softmax(size_t x) {
    const size_t most = over_keys(reduction_max, x);
    const size_t power = pointwise(pointwise_exp, pointwise(pointwise_subtract, x, most));
    const size_t sum = over_keys(reduction_sum, power);
    pointwise(pointwise_add, most, pointwise(pointwise_log, sum));
    return pointwise(pointwise_divide, power, sum, ctx_.in(0).dtype);
  }

  size_t pointwise(PointwiseMode mode, size_t x, std::optional<size_t> b = {}, DType dtype = DType::f32) {
    const size_t y = like(x, dtype);
    add(OperationGraph::Pointwise{mode, x, b, y});
    return y;
  }
  size_t over_keys(ReductionMode mode, size_t x) {
    const size_t y = dense({batch(0), batch(1), queries(), 1});
    add(OperationGraph::Reduction{mode, x, y});
    return y;
  }
  size_t dense(std::vector<int64_t> extents) {
    std::vector<int64_t> strides = dense_strides(std::span<const int64_t>(extents));
    return between(std::move(extents), std::move(strides));
  }

  int64_t queries() const { return value(scores_[scores_.size() - 2]); }
  int64_t keys() const { return value(scores_.back()); }
  /// The batch's axis 0 or 1; heads come last, and there may be fewer.
  int64_t batch(size_t axis) const {
    return axis + axes_.rank() < 2 ? 1 : value(axes_.extents[axis + axes_.rank() - 2]);
  }
  int64_t batch_stride(size_t operand, size_t axis) const {
    return axis + axes_.rank() < 2 ? 0 : value(axes_.strides[operand][axis + axes_.rank() - 2]);
  }

  /// An operand of attention_axes with its rows and columns: extents of 1 where it broadcasts.
  size_t operand(size_t i, OperandPointer pointer, const std::array<int64_t, 2>& extents,
                 const std::array<int64_t, 2>& strides, int64_t alignment) {
    std::vector<int64_t> all, steps;
    for (size_t axis = 0; axis < 2; ++axis) {
      steps.push_back(batch_stride(i, axis));
      all.push_back(steps.back() == 0 ? 1 : batch(axis));
    }
    all.insert(all.end(), extents.begin(), extents.end());
    steps.insert(steps.end(), strides.begin(), strides.end());
    for (size_t axis : {1, 0})  // where there is but one, the next would be after all that is in it
      for (size_t inner = axis + 1; all[axis] == 1 && inner < 4; ++inner)
        steps[axis] = std::max(steps[axis], all[inner] * steps[inner]);
    return in_memory(pointer, ctx_.in(0).dtype, std::move(all), std::move(steps), alignment);
  }
  /// Matrices of queries, keys, values or, `of_result`, of results; transposed where rows are to be columns.
  size_t matrices(size_t i, bool transposed = false) {
    const bool is_result = i == of_result;
    const std::vector<int64_t> shape = values(is_result ? ctx_.out(0).shape : ctx_.in(i).shape),
                               strides = values(is_result ? ctx_.out_strides(0) : ctx_.in_strides(i));
    std::array extents{shape[shape.size() - 2], shape.back()}, steps{strides[shape.size() - 2], int64_t{1}};
    if (transposed) std::swap(extents[0], extents[1]), std::swap(steps[0], steps[1]);
    return operand(i, is_result ? ctx_.out_pointer(0) : ctx_.in_pointer(i), extents, steps,
                   is_result ? ctx_.out_alignment(0) : ctx_.in_alignment(i));
  }
  size_t mask() {
    const std::vector<int64_t> along =
        values(broadcast_strides(ctx_.dims, ctx_.in(3).shape, ctx_.in_strides(3), scores_));
    const int64_t row = along[along.size() - 2], column = along.back();
    const int64_t rows = row == 0 ? 1 : queries(), columns = column == 0 ? 1 : keys();
    return operand(3, ctx_.in_pointer(3), {rows, columns},
                   {row == 0 ? columns : row, column == 0 ? 1 : column}, ctx_.in_alignment(3));
  }

  static constexpr size_t of_result = 4;  // among the operands of attention_axes
  const std::vector<Dim> scores_;         // their shape
  const KernelAxes axes_;
};

}  // namespace

Verdict attention_graph(KernelCtx& ctx, NodeGraph& out) { return AttentionReader(ctx, out).read(); }

}  // namespace burnish::cudnn
