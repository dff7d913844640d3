#include "ops/elements.h"

namespace burnish {

namespace {

/// Boxes are corners (y1, x1, y2, x2 in any order of corners), or with center_point_box (x, y, width, height).
struct NonMaxSuppressionAttrs {
  int64_t center_point_box = 0;
  BURNISH_REFLECT(NonMaxSuppressionAttrs, center_point_box)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 5));
  if (c.rank(0) != 3 || c.rank(1) != 3)
    return c.error("boxes must be [batch, boxes, 4] and scores [batch, classes, boxes], got " +
                   c.dims.text(c.shape(0)) + " and " + c.dims.text(c.shape(1)));
  TRY(c.unify(c.shape(0)[2], c.dims.constant(4), "the last extent of the boxes must be 4"));
  TRY(c.unify(c.shape(0)[0], c.shape(1)[0], "boxes and scores must have one batch"));
  TRY(c.unify(c.shape(0)[1], c.shape(1)[2], "there must be as many boxes as scores"));
  Dim per_class = c.shape(0)[1];
  if (const auto* most = c.content(2); most && most->size() == 1)
    per_class = c.dims.min(per_class, most->front());
  const Dim most = c.dims.mul(c.dims.mul(c.shape(1)[0], c.shape(1)[1]), per_class);
  const Range range{0, std::max<int64_t>(0, c.dims.range(most).hi)};
  c.out(0, DType::i64, {c.extent_symbol(0, 0, range), c.dims.constant(3)});
  return {};
}

struct Box {
  float y1, x1, y2, x2;
  float area() const { return (y2 - y1) * (x2 - x1); }
};

Box box_at(const float* p, bool center) {
  if (center) return {p[1] - p[3] / 2, p[0] - p[2] / 2, p[1] + p[3] / 2, p[0] + p[2] / 2};
  return {std::min(p[0], p[2]), std::min(p[1], p[3]), std::max(p[0], p[2]), std::max(p[1], p[3])};
}

bool overlaps(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1),
              width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0 || a.area() <= 0 || b.area() <= 0) return false;
  const float both = height * width;
  return both / (a.area() + b.area() - both) > threshold;
}

struct Limits {
  int64_t most = 0;
  float iou = 0;
  std::optional<float> score;
};

// Indices of the boxes that one class keeps, best first.
std::vector<int64_t> keep(std::span<const Box> boxes, const float* scores, const Limits& limits) {
  std::vector<int64_t> order, kept;
  for (int64_t i = 0; i < static_cast<int64_t>(boxes.size()); ++i)
    if (!limits.score || scores[i] > *limits.score) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return scores[i] > scores[j]; });
  for (int64_t i : order) {
    if (static_cast<int64_t>(kept.size()) >= limits.most) break;
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](int64_t j) {
      return overlaps(boxes[static_cast<size_t>(i)], boxes[static_cast<size_t>(j)], limits.iou);
    });
    if (!suppressed) kept.push_back(i);
  }
  return kept;
}

Result<> eval(EvalCtx& c) {
  const Shape& scores = c.in(1).shape;
  const int64_t batches = scores[0], classes = scores[1], count = scores[2];
  auto real = [&](size_t i) {
    return c.has(i) && c.in(i).count() ? std::optional(*c.in(i).data<float>()) : std::nullopt;
  };
  Limits limits{.iou = real(3).value_or(0.0f), .score = real(4)};
  if (c.has(2) && c.in(2).count()) limits.most = integer_element(c.in(2).dtype, c.in(2).bytes, 0);

  std::vector<std::vector<int64_t>> kept(static_cast<size_t>(batches * classes));
  c.pool.parallel_for(batches * classes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      std::vector<Box> boxes;
      for (int64_t i = 0; i < count; ++i)
        boxes.push_back(box_at(c.in(0).data<float>() + (k / classes * count + i) * 4,
                               c.attrs<NonMaxSuppressionAttrs>().center_point_box != 0));
      kept[static_cast<size_t>(k)] = keep(boxes, c.in(1).data<float>() + k * count, limits);
    }
  });
  int64_t total = 0;
  for (const auto& list : kept) total += static_cast<int64_t>(list.size());
  const TensorView y = TRY(found_extents(c, 0, {total, 3}));
  int64_t* to = y.data<int64_t>();
  for (int64_t k = 0; k < batches * classes; ++k)
    for (int64_t i : kept[static_cast<size_t>(k)]) {
      *to++ = k / classes;
      *to++ = k % classes;
      *to++ = i;
    }
  return {};
}

}  // namespace

extern const OpDef op_non_max_suppression;
const OpDef op_non_max_suppression = {
    .name = "NonMaxSuppression", .attrs = &attr_schema<NonMaxSuppressionAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
