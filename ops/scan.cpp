#include "ops/body_eval.h"
#include "ops/iterated_types.h"

namespace burnish {

namespace {

/// `carried`: how many states go from iteration to iteration. Directions: 0 forward, 1 backward.
struct ScanAttrs {
  int64_t carried = 0, num_scan_inputs = 0;
  std::vector<int64_t> scan_input_axes, scan_output_axes, scan_input_directions, scan_output_directions;
  BURNISH_REFLECT(ScanAttrs, carried, num_scan_inputs, scan_input_axes, scan_output_axes,
                  scan_input_directions, scan_output_directions)
};

// Element k of a list that may be left out.
int64_t given(const std::vector<int64_t>& list, size_t k) { return k < list.size() ? list[k] : 0; }

// The states, then the scanned tensors: the body sees these without the axis that is walked, whose extent this returns.
Result<Dim> hand_in_all(InferCtx& c, IteratedBody& types, Graph& body) {
  const auto& attrs = c.attrs<ScanAttrs>();
  const auto first = static_cast<size_t>(attrs.carried),
             end = first + static_cast<size_t>(attrs.num_scan_inputs);
  std::optional<Dim> steps;
  for (size_t k = 0; k < c.input_count(); ++k) {
    Value value = c.graph.values[c.node.inputs[k]];
    if (k >= first && k < end) {
      const int64_t axis = TRY(c.axis(given(attrs.scan_input_axes, k - first), c.rank(k)));
      const Dim extent = value.type.shape[static_cast<size_t>(axis)];
      value.type.shape.erase(value.type.shape.begin() + axis);
      value.content.reset();
      if (steps) TRY(c.unify(*steps, extent, "all scanned tensors must have as many slices"));
      else steps = extent;
    }
    types.hand_in(body, k, value);
  }
  return *steps;
}

// Inputs: states, scanned tensors, captures; the region takes the same, of the scanned tensors one slice each. It gives the
// states and slices of the scan outputs.
Result<> infer(InferCtx& c) {
  const auto& attrs = c.attrs<ScanAttrs>();
  const auto carried = static_cast<size_t>(attrs.carried);
  if (c.node.regions.size() != 1 || attrs.num_scan_inputs <= 0 || attrs.carried < 0 ||
      c.input_count() < carried + static_cast<size_t>(attrs.num_scan_inputs) || c.output_count() < carried)
    return c.error("its operands do not fit its body");
  Graph& body = c.node.regions[0];
  TRY(check_arity(c, body, c.input_count(), c.output_count()));
  Dim steps;
  const IteratedBody types = TRY(infer_iterated(
      c, body, {.first_input = 0, .first_output = 0, .count = carried}, [&](IteratedBody& fresh) -> Result<> {
        steps = TRY(hand_in_all(c, fresh, body));
        return {};
      }));
  for (uint32_t i = 0; i < c.output_count(); ++i) {
    TensorType out = body.values[body.outputs[i]].type;
    if (i < carried) {
      c.out(i, carried_type(c, types, i, c.in(i)));
      continue;
    }
    const auto rank = static_cast<int64_t>(out.shape.size()) + 1;
    const auto axis = static_cast<uint32_t>(TRY(c.axis(given(attrs.scan_output_axes, i - carried), rank)));
    for (uint32_t a = 0; a < out.shape.size(); ++a)
      out.shape[a] = outside_or_found(c, types, body, out.shape[a], i, a < axis ? a : a + 1);
    out.shape.insert(out.shape.begin() + axis, steps);
    c.out(i, std::move(out));
  }
  return {};
}

// A scanned tensor, and its slices in the order in which they are taken.
class Scanned {
 public:
  Scanned(const Tensor& x, int64_t axis, bool backward)
      : x_(x), around_(x.shape(), axis), backward_(backward), slice_(x.shape()) {
    slice_.erase(slice_.begin() + (axis < 0 ? axis + static_cast<int64_t>(slice_.size()) : axis));
  }
  int64_t count() const { return around_.extent; }
  const Shape& slice_shape() const { return slice_; }

  Tensor slice(int64_t k) const {
    Tensor y = Tensor::zeros(x_.dtype(), slice_);
    const int64_t row = around_.inner * static_cast<int64_t>(size_of(x_.dtype()));
    const int64_t at = backward_ ? around_.extent - 1 - k : k;
    for (int64_t o = 0; row > 0 && o < around_.outer; ++o)
      std::memcpy(y.writable() + o * row, x_.bytes() + (o * around_.extent + at) * row,
                  static_cast<size_t>(row));
    return y;
  }

 private:
  Tensor x_;
  Around around_;
  bool backward_;
  Shape slice_;
};

Result<> eval(EvalCtx& c) {
  const Graph& body = c.node.regions[0];
  const auto& attrs = c.attrs<ScanAttrs>();
  const auto carried = static_cast<size_t>(attrs.carried);
  std::vector<Tensor> in = borrowed_operands(c);
  std::vector<Shape> shapes;
  for (const Tensor& x : in) shapes.push_back(x.shape());
  std::vector<Scanned> scanned;
  for (size_t k = 0; k < static_cast<size_t>(attrs.num_scan_inputs); ++k) {
    scanned.emplace_back(in[carried + k], given(attrs.scan_input_axes, k),
                         given(attrs.scan_input_directions, k) != 0);
    shapes[carried + k] = scanned.back().slice_shape();
    if (scanned[k].count() != scanned[0].count())
      return c.error("scanned tensor " + std::to_string(k) + " has " + std::to_string(scanned[k].count()) +
                     " slices, the first has " + std::to_string(scanned[0].count()));
  }
  std::vector<std::vector<Tensor>> slices(c.output_count());
  for (int64_t t = 0; t < scanned[0].count(); ++t) {
    for (size_t k = 0; k < scanned.size(); ++k) in[carried + k] = scanned[k].slice(t);
    std::vector<Tensor> out = TRY(iterate(c, in, t));
    for (size_t i = 0; i < out.size(); ++i)
      if (i < carried) in[i] = std::move(out[i]);
      else if (c.wants(i)) slices[i].push_back(std::move(out[i]));
  }
  for (size_t i = 0; i < c.output_count(); ++i)
    if (i < carried) TRY(give(c, i, in[i]));
    else
      TRY(stack(c, i, slices[i],
                {.if_none = likely_shape(body, body.outputs[i], in, shapes),
                 .axis = given(attrs.scan_output_axes, i - carried),
                 .backward = given(attrs.scan_output_directions, i - carried) != 0}));
  return {};
}

}  // namespace

extern const OpDef op_scan;
const OpDef op_scan = {.name = "Scan", .attrs = &attr_schema<ScanAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
