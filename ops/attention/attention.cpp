#include "ops/attention/attention.h"

#include "base/strided.h"
#include "ops/attention/attention_import.h"
#include "ops/attention/attention_kernel.h"
#include "ops/normalize.h"
#include "ops/product.h"
#include "ops/softmax/softmax_line.h"

namespace burnish {

namespace {

constexpr std::string_view names[] = {"queries are", "keys are", "values are", "mask is"};

Result<> check_types(InferCtx& c) {
  for (size_t i = 0; i < c.input_count(); ++i) {
    if (!c.has(i)) continue;
    if (c.in(i).dtype != c.in(0).dtype)
      return c.error("the " + std::string(names[i]) + " " + std::string(name_of(c.in(i).dtype)) +
                     ", the queries " + std::string(name_of(c.in(0).dtype)));
    if (i < 3 && c.rank(i) < 2)
      return c.error("the " + std::string(names[i]) + " of shape " + c.dims.text(c.shape(i)) +
                     ", not matrices");
  }
  const float scale = c.attrs<AttentionAttrs>().scale;
  if (!(scale > 0) || std::isinf(scale))
    return c.error("the scale must be positive, not " + std::to_string(scale));
  return {};
}

Result<> check_mask(InferCtx& c, const std::vector<Dim>& scores) {
  const std::vector<Dim>& mask = c.shape(3);
  if (mask.size() > scores.size())
    return c.error("the mask of shape " + c.dims.text(mask) + " does not broadcast to " +
                   c.dims.text(scores));
  for (size_t k = 1; k <= mask.size(); ++k)
    if (const Dim extent = mask[mask.size() - k]; !c.dims.is_constant(extent, 1))
      TRY(c.unify(extent, scores[scores.size() - k], "the mask must broadcast to the scores"));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 4));
  TRY(expect_float(c));
  TRY(check_types(c));
  std::vector<Dim> q = c.shape(0), k = c.shape(1), v = c.shape(2);
  TRY(c.unify(q.back(), k.back(), "queries and keys must have the same head dim"));
  TRY(c.unify(k[k.size() - 2], v[v.size() - 2], "there must be as many values as keys"));
  const Dim queries = q[q.size() - 2], keys = k[k.size() - 2], columns = v.back();
  for (std::vector<Dim>* shape : {&q, &k, &v}) shape->resize(shape->size() - 2);
  const std::vector<Dim> shared = TRY(c.broadcast(q, k));
  std::vector<Dim> shape = TRY(c.broadcast(shared, v));
  shape.insert(shape.end(), {queries, keys});
  if (c.has(3)) TRY(check_mask(c, shape));
  shape.back() = columns;
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

/// Where the matrices of an operand begin, along the batch axes of the result: strides are 0 where it broadcasts.
std::vector<int64_t> batch_strides(const TensorView& x, std::span<const int64_t> batch, size_t tail) {
  const std::vector<int64_t> dense = dense_strides(std::span<const int64_t>(x.shape));
  std::vector<int64_t> strides(batch.size());
  for (size_t k = 0; k + tail < x.shape.size(); ++k) {
    const size_t axis = x.shape.size() - tail - 1 - k;
    strides[batch.size() - 1 - k] = x.shape[axis] == 1 ? 0 : dense[axis];
  }
  return strides;
}

int64_t offset_of(int64_t index, std::span<const int64_t> batch, const std::vector<int64_t>& strides) {
  int64_t offset = 0;
  for (size_t axis = batch.size(); axis-- > 0; index /= batch[axis])
    offset += index % batch[axis] * strides[axis];
  return offset;
}

template <class T>
class Evaluation {
 public:
  explicit Evaluation(EvalCtx& c)
      : c_(c), shape_(c.out(0).shape), batch_(std::span<const int64_t>(shape_).first(shape_.size() - 2)) {
    for (size_t i = 0; i < 3; ++i) strides_[i] = batch_strides(c.in(i), batch_, 2);
    if (!c.has(3)) return;
    const Shape& mask = c.in(3).shape;
    const std::vector<int64_t> dense = dense_strides(std::span<const int64_t>(mask));
    auto stride = [&](size_t from_end) {
      return mask.size() < from_end || mask[mask.size() - from_end] == 1 ? 0 : dense[mask.size() - from_end];
    };
    mask_query_ = stride(2);
    mask_key_ = stride(1);
    strides_[3] = batch_strides(c.in(3), batch_, 2);
  }

  void run() {
    const int64_t count = element_count(batch_);
    auto all = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) one(i);
    };
    if (count >= 2 * c_.pool.size()) c_.pool.parallel_for(count, 1, all);
    else all(0, count);
  }

 private:
  const T* matrix(size_t i, int64_t index) const {
    return c_.in(i).data<T>() + offset_of(index, batch_, strides_[i]);
  }

  // One head, some queries at a time: their scores against all keys are in memory.
  void one(int64_t index) {
    constexpr int64_t most = 256;
    const int64_t queries = shape_[shape_.size() - 2], columns = shape_.back();
    const int64_t dim = c_.in(0).shape.back(), keys = c_.in(1).shape[c_.in(1).shape.size() - 2];
    const T *q = matrix(0, index), *k = matrix(1, index), *v = matrix(2, index);
    T* y = c_.out(0).data<T>() + index * queries * columns;
    std::vector<T> scores(static_cast<size_t>(std::min(most, queries) * keys));
    for (int64_t first = 0; first < queries; first += most) {
      const int64_t count = std::min(most, queries - first);
      product<T>(c_.pool, count, keys, dim, {q + first * dim, dim, 1}, {k, 1, dim}, scores.data(), keys);
      for (int64_t i = 0; i < count; ++i) weigh(scores.data() + i * keys, keys, index, first + i);
      product<T>(c_.pool, count, columns, keys, {scores.data(), keys, 1}, {v, columns, 1},
                 y + first * columns, columns);
    }
  }

  void weigh(T* scores, int64_t keys, int64_t index, int64_t query) const {
    const T scale = static_cast<T>(c_.attrs<AttentionAttrs>().scale);
    for (int64_t j = 0; j < keys; ++j) scores[j] *= scale;
    if (c_.has(3)) {
      const T* mask = matrix(3, index) + query * mask_query_;
      for (int64_t j = 0; j < keys; ++j) scores[j] += mask[j * mask_key_];
    }
    softmax_line(scores, scores, keys, 1);
  }

  EvalCtx& c_;
  const Shape& shape_;
  std::span<const int64_t> batch_;
  std::vector<int64_t> strides_[4];
  int64_t mask_query_ = 0, mask_key_ = 0;
};

Result<> eval(EvalCtx& c) {
  visit_float(c.in(0).dtype, [&]<class T>(T*) { Evaluation<T>(c).run(); });
  return {};
}

}  // namespace

extern const OpDef op_attention;
const OpDef op_attention = {.name = "Attention",
                            .attrs = &attr_schema<AttentionAttrs>,
                            .import = import_attention,
                            .infer = infer,
                            .eval = eval,
                            .kernel = attention_kernel};

}  // namespace burnish
