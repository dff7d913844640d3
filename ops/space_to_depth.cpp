#include "ops/dims.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  const std::vector<Dim> x = c.type(0).shape;
  const int64_t block = TRY(c.integer("blocksize", {}));
  if (x.size() != 4)
    return c.error(Code::invalid_model, "takes a tensor of rank 4, got shape " + c.dims().text(x));
  if (block < 1) return c.error(Code::invalid_model, "blocksize is " + std::to_string(block));
  const Dim b = c.dims().constant(block), height = c.dims().floor_div(x[2], b),
            width = c.dims().floor_div(x[3], b);
  const ValueId apart = TRY(emit_reshape(c, c.input(0), {x[0], x[1], height, b, width, b}));
  const ValueId moved =
      TRY(emit_op(c, "Transpose", {apart}, {{"perm", std::vector<int64_t>{0, 3, 5, 1, 2, 4}}}));
  const Dim depth = c.dims().mul(x[1], c.dims().constant(block * block));
  c.bind(0, TRY(emit_reshape(c, moved, {x[0], depth, height, width})));
  return {};
}

}  // namespace

extern const OpDef op_space_to_depth;
const OpDef op_space_to_depth = {.name = "SpaceToDepth", .import = import};

}  // namespace burnish
