#include "ops/emit.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  std::vector<int64_t> axes;
  for (size_t i = 2; i < c.type(0).shape.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  c.bind(0, TRY(emit_op(c, "ReduceMax", {c.input(0)}, {{"axes", axes}, {"keepdims", true}})));
  return {};
}

}  // namespace

extern const OpDef op_global_max_pool;
const OpDef op_global_max_pool = {.name = "GlobalMaxPool", .import = import};

}  // namespace burnish
