#include "ir/op_table_test.h"

#include "ir/op.h"

namespace burnish {

namespace {

using testing::EverythingAttrs;

Result<> as_first(InferCtx& c) {
  TRY(c.expect_inputs(1, 3));
  for (size_t i = 0; i < c.output_count(); ++i) c.out(i, c.in(0));
  return {};
}
Result<> sum(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  c.out(0, c.in(0).dtype, TRY(c.broadcast(c.shape(0), c.shape(1))));
  return {};
}
Result<> some(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  c.out(0, DType::i64, {c.extent_symbol(0, 0, {0, DimTable::unbounded})});
  return {};
}
Result<> choice(InferCtx& c) {
  const Graph& body = c.node.regions[0];
  c.out(0, body.values[body.outputs[0]].type);
  return {};
}

const OpDef everything = {.name = "Everything", .attrs = &attr_schema<EverythingAttrs>, .infer = as_first};
const OpDef add = {.name = "Add", .infer = sum};
const OpDef nonzero = {.name = "NonZero", .infer = some};
const OpDef if_op = {.name = "If", .infer = choice};
const OpDef decomposed = {.name = "Mean"};
const OpDef* const table[] = {&everything, &add, &nonzero, &if_op, &decomposed};

}  // namespace

// The tests of ir/ have a few operators of their own.
std::span<const OpDef* const> all_ops() { return table; }

}  // namespace burnish
