#include <numeric>

#include "ops/elements.h"

namespace burnish {

namespace {

struct TopKAttrs {
  int64_t axis = -1;
  bool largest = true, sorted = true;
  BURNISH_REFLECT(TopKAttrs, axis, largest, sorted)
};

// k is an attribute before opset 10.
Result<> import(ImportCtx& c) {
  const TopKAttrs attrs{TRY(c.integer("axis", -1)), TRY(c.integer("largest", 1)) != 0,
                        TRY(c.integer("sorted", 1)) != 0};
  const ValueId k = c.opset() < 10 ? c.constant_integers({TRY(c.integer("k", {}))}) : c.input(1);
  const std::vector<ValueId> made = TRY(c.emit("TopK", attrs, {c.input(0), k}, 2));
  for (size_t i = 0; i < 2; ++i) c.bind(i, made[i]);
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const auto& attrs = c.attrs<TopKAttrs>();
  const int64_t axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (axis != attrs.axis) c.node.attrs = TopKAttrs{axis, attrs.largest, attrs.sorted};
  const std::vector<Dim> k = TRY(c.content_or_symbols(1));
  if (k.size() != 1) return c.error("k must be one integer");
  std::vector<Dim> shape = c.shape(0);
  Dim& extent = shape[static_cast<size_t>(axis)];
  if (c.dims.range(k[0]).hi < 0 || c.dims.range(c.dims.sub(extent, k[0])).hi < 0)
    return c.error("k is " + c.dims.text(k[0]) + ", axis " + std::to_string(axis) + " has extent " + c.dims.text(extent));
  extent = k[0];
  c.out(0, c.in(0).dtype, shape);
  c.out(1, DType::i64, shape);
  return {};
}

// a before b. NaN counts as greater than every number; of equals the first comes first.
template <class T>
bool before(T a, T b, int64_t i, int64_t j, bool largest) {
  const bool a_nan = a != a, b_nan = b != b;
  const bool greater = a_nan ? !b_nan : !b_nan && a > b, less = b_nan ? !a_nan : !a_nan && a < b;
  if (greater || less) return largest ? greater : less;
  return i < j;
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const auto& attrs = c.attrs<TopKAttrs>();
  const Around around(x.shape, attrs.axis);
  const int64_t k = integer_element(c.in(1).dtype, c.in(1).bytes, 0);
  if (k < 0 || k > around.extent)
    return c.error("k is " + std::to_string(k) + ", the axis has extent " + std::to_string(around.extent));
  return visit_arithmetic(x.dtype, [&]<class T>(T*) {
    c.pool.parallel_for(around.outer * around.inner, 4096 / (around.extent + 1) + 1, [&](int64_t begin, int64_t end) {
      std::vector<int64_t> order(static_cast<size_t>(around.extent));
      for (int64_t line = begin; line < end; ++line) {
        const int64_t outer = line / around.inner, inner = line % around.inner;
        const T* from = x.data<T>() + outer * around.extent * around.inner + inner;
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t i, int64_t j) {
          return before(from[i * around.inner], from[j * around.inner], i, j, attrs.largest);
        });
        for (int64_t i = 0; i < k; ++i) {
          const int64_t to = (outer * k + i) * around.inner + inner, index = order[static_cast<size_t>(i)];
          if (c.wants(0)) c.out(0).template data<T>()[to] = from[index * around.inner];
          if (c.wants(1)) c.out(1).template data<int64_t>()[to] = index;
        }
      }
    });
  });
}

}  // namespace

extern const OpDef op_top_k;
const OpDef op_top_k = {.name = "TopK",
                        .attrs = &attr_schema<TopKAttrs>,
                        .import = import,
                        .infer = infer,
                        .eval = eval,
                        .content_operands = 0b10};

}  // namespace burnish
