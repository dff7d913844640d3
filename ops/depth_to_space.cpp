#include "ops/dims.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  const std::vector<Dim> x = c.type(0).shape;
  const int64_t block = TRY(c.integer("blocksize", {}));
  const std::string mode = TRY(c.string("mode", "DCR"));
  if (x.size() != 4)
    return c.error(Code::invalid_model, "takes a tensor of rank 4, got shape " + c.dims().text(x));
  if (block < 1) return c.error(Code::invalid_model, "blocksize is " + std::to_string(block));
  if (mode != "DCR" && mode != "CRD")
    return c.error(Code::invalid_model, "mode '" + mode + "' is none of DCR, CRD");
  const Dim b = c.dims().constant(block), depth = c.dims().floor_div(x[1], c.dims().constant(block * block));
  const bool depth_last = mode == "DCR";
  const std::vector<Dim> split = depth_last ? std::vector<Dim>{x[0], b, b, depth, x[2], x[3]}
                                            : std::vector<Dim>{x[0], depth, b, b, x[2], x[3]};
  const std::vector<int64_t> order =
      depth_last ? std::vector<int64_t>{0, 3, 4, 1, 5, 2} : std::vector<int64_t>{0, 1, 4, 2, 5, 3};
  const ValueId apart = TRY(emit_reshape(c, c.input(0), split));
  const ValueId moved = TRY(emit_op(c, "Transpose", {apart}, {{"perm", order}}));
  c.bind(0, TRY(emit_reshape(c, moved, {x[0], depth, c.dims().mul(x[2], b), c.dims().mul(x[3], b)})));
  return {};
}

}  // namespace

extern const OpDef op_depth_to_space;
const OpDef op_depth_to_space = {.name = "DepthToSpace", .import = import};

}  // namespace burnish
