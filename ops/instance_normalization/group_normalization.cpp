#include "ops/instance_normalization/group_normalization.h"

#include "ops/instance_normalization/instance_normalization_kernel.h"
#include "ops/normalize.h"

namespace burnish {

namespace {

// Opset 18 has one scale and bias per group: each is repeated for the group's channels.
Result<ValueId> per_channel(ImportCtx& c, ValueId x, int64_t groups) {
  const auto channels = c.type(0).shape.size() > 1 ? c.dims().value(c.type(0).shape[1]) : std::nullopt;
  if (!channels || groups < 1)
    return c.error(Code::unsupported, "the number of channels must be known when the engine is built")
        .remedy("fix it with --shapes");
  const ValueId column = TRY(emit_op(c, "Reshape", {x, c.constant_integers({groups, 1})}));
  const ValueId table =
      TRY(emit_op(c, "Expand", {column, c.constant_integers({groups, *channels / groups})}));
  return emit_op(c, "Reshape", {table, c.constant_integers({*channels})});
}

Result<> import(ImportCtx& c) {
  const GroupNormalizationAttrs attrs{TRY(c.real("epsilon", 1e-5f)), TRY(c.integer("num_groups", {}))};
  ValueId scale = c.input(1), bias = c.input(2);
  if (c.opset() < 21) {
    scale = TRY(per_channel(c, scale, attrs.num_groups));
    bias = TRY(per_channel(c, bias, attrs.num_groups));
  }
  c.bind(0, TRY(c.emit("GroupNormalization", attrs, {c.input(0), scale, bias})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  TRY(expect_float(c));
  if (c.rank(0) < 2)
    return c.error("the input must have a batch and a channel axis, got shape " + c.dims.text(c.shape(0)));
  const int64_t groups = c.attrs<GroupNormalizationAttrs>().num_groups;
  const auto channels = c.dims.value(c.shape(0)[1]);
  if (groups < 1 || (channels && *channels % groups != 0))
    return c.error(c.dims.text(c.shape(0)[1]) + " channels do not split into " + std::to_string(groups) +
                   " groups");
  TRY(expect_vector(c, 1, c.shape(0)[1], "scale"));
  TRY(expect_vector(c, 2, c.shape(0)[1], "bias"));
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const GroupNormalizationAttrs& attrs = c.attrs<GroupNormalizationAttrs>();
  const int64_t channels = x.shape[1] / attrs.num_groups, groups = x.shape[0] * attrs.num_groups;
  const int64_t count = groups == 0 ? 0 : x.count() / groups, inner = channels == 0 ? 0 : count / channels;
  visit_float(x.dtype, [&]<class T>(T*) {
    c.pool.parallel_for(groups, (1 << 13) / (count + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; ++group) {
        const T* from = x.data<T>() + group * count;
        T* to = c.out(0).template data<T>() + group * count;
        const Moments m = moments_of(from, count);
        const double root = std::sqrt(m.variance + static_cast<double>(attrs.epsilon));
        for (int64_t k = 0; k < channels; ++k) {
          const int64_t channel = group % attrs.num_groups * channels + k;
          const double scale = c.in(1).template data<T>()[channel] / root,
                       bias = c.in(2).template data<T>()[channel];
          for (int64_t i = k * inner; i < (k + 1) * inner; ++i)
            to[i] = static_cast<T>((from[i] - m.mean) * scale + bias);
        }
      }
    });
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  const GroupNormalizationAttrs& attrs = ctx.attrs<GroupNormalizationAttrs>();
  return InstanceNormalizationKernel(ctx, ctx.dims.constant(attrs.num_groups), attrs.epsilon).run();
}

}  // namespace

extern const OpDef op_group_normalization;
const OpDef op_group_normalization = {.name = "GroupNormalization",
                                      .attrs = &attr_schema<GroupNormalizationAttrs>,
                                      .import = import,
                                      .infer = infer,
                                      .eval = eval,
                                      .kernel = kernel,
                                      .keeps_order = true,
                                      .epilogue = true};

}  // namespace burnish
