#include "base/strided.h"
#include "ops/elements.h"

namespace burnish {

namespace {

/// Reverses the first sequence_lens[b] elements along the time axis, for each b of the batch axis; one is 0, the other 1.
struct ReverseSequenceAttrs {
  int64_t batch_axis = 1, time_axis = 0;
  BURNISH_REFLECT(ReverseSequenceAttrs, batch_axis, time_axis)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const auto& attrs = c.attrs<ReverseSequenceAttrs>();
  if (c.rank(0) < 2) return c.error("takes a tensor of rank 2 or more, got shape " + c.dims.text(c.shape(0)));
  if (attrs.batch_axis + attrs.time_axis != 1 || attrs.batch_axis * attrs.time_axis != 0)
    return c.error("batch_axis and time_axis must be 0 and 1, they are " + std::to_string(attrs.batch_axis) +
                   " and " + std::to_string(attrs.time_axis));
  if (c.rank(1) != 1) return c.error("sequence_lens must be a vector, got shape " + c.dims.text(c.shape(1)));
  TRY(c.unify(c.shape(0)[static_cast<size_t>(attrs.batch_axis)], c.shape(1)[0],
              "there must be one length for each sequence of the batch"));
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const auto& attrs = c.attrs<ReverseSequenceAttrs>();
  const TensorView& x = c.in(0);
  const std::vector<int64_t> lengths = integers_of(c.in(1)), strides = dense_strides(x.shape);
  const auto batch = static_cast<size_t>(attrs.batch_axis), time = static_cast<size_t>(attrs.time_axis);
  const auto size = static_cast<int64_t>(size_of(x.dtype));
  const int64_t row = x.shape[0] * x.shape[1] == 0 ? 0 : x.count() / (x.shape[0] * x.shape[1]) * size;
  for (int64_t b = 0; b < x.shape[batch]; ++b) {
    const int64_t length = lengths[static_cast<size_t>(b)];
    if (length < 0 || length > x.shape[time])
      return c.error("sequence " + std::to_string(b) + " has length " + std::to_string(length) + " of " +
                     std::to_string(x.shape[time]));
    for (int64_t t = 0; t < x.shape[time]; ++t) {
      const int64_t from = t < length ? length - 1 - t : t;
      auto offset = [&](int64_t at) { return (b * strides[batch] + at * strides[time]) * size; };
      std::copy_n(x.bytes + offset(from), row, c.out(0).bytes + offset(t));
    }
  }
  return {};
}

}  // namespace

extern const OpDef op_reverse_sequence;
const OpDef op_reverse_sequence = {
    .name = "ReverseSequence", .attrs = &attr_schema<ReverseSequenceAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
