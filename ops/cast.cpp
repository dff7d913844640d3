#include "ir/device_text.h"
#include "ir/element.h"
#include "ir/scalar.h"

namespace burnish {

namespace {

struct CastAttrs {
  DType to = DType::f32;
  BURNISH_REFLECT(CastAttrs, to)
};

// `saturate` and `round_mode` speak of 8-bit floats only.
Result<> import(ImportCtx& c) {
  static constexpr std::string_view ignored[] = {"saturate", "round_mode"};
  if (!c.has_attribute("to")) return c.error(Code::invalid_model, "attribute 'to' is missing");
  c.bind(0, TRY(c.emit("Cast", TRY(c.attributes(&attr_schema<CastAttrs>, ignored)), {c.input(0)})));
  return {};
}

// The ends of an integer type (of 63 bits where it has 64).
Range range_of(DType t) {
  const int bits = static_cast<int>(8 * size_of(t)) - is_signed_integer(t);
  const int64_t most = bits >= 63 ? std::numeric_limits<int64_t>::max() : (int64_t{1} << bits) - 1;
  return {is_signed_integer(t) ? -most - 1 : 0, most};
}

// A known integer stays known where it fits; extents count as numbers that fit 32 bits, as models do.
std::optional<Dim> converted(DimTable& dims, Dim x, DType to) {
  if (to == DType::boolean) return dims.sub(dims.constant(1), dims.equal(x, dims.constant(0)));
  if (!is_integer(to)) return std::nullopt;
  const Range have = dims.range(x), fits = range_of(to);
  const bool extent = to == DType::i32 && !dims.value(x);
  if (!extent && (have.lo < fits.lo || have.hi > fits.hi)) return std::nullopt;
  return x;
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  const DType to = c.attrs<CastAttrs>().to;
  c.out(0, to, c.shape(0));
  const auto* content = c.content(0);
  if (!content) return {};
  std::vector<Dim> all;
  for (Dim x : *content)
    if (const auto y = converted(c.dims, x, to)) all.push_back(*y);
  if (all.size() == content->size()) c.out_content(0, std::move(all));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  visit_storage(x.dtype, [&]<class From>(From*) {
    visit_storage(y.dtype, [&]<class To>(To*) {
      if constexpr (std::is_arithmetic_v<From> && std::is_arithmetic_v<To>) {
        const From* from = x.data<From>();
        To* to = y.data<To>();
        c.pool.parallel_for(y.count(), 1 << 15, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) to[i] = prim::cast<To>(from[i]);
        });
      }
    });
  });
  return {};
}

std::string scalar(const Attrs& attrs, std::span<const std::string> operands) {
  return "prim::cast<" + std::string(device_type(attrs.as<CastAttrs>().to)) + ">(" + operands[0] + ")";
}

}  // namespace

extern const OpDef op_cast;
const OpDef op_cast = {.name = "Cast",
                       .attrs = &attr_schema<CastAttrs>,
                       .import = import,
                       .infer = infer,
                       .eval = eval,
                       .scalar = scalar,
                       .keeps_order = true};

}  // namespace burnish
