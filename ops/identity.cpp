#include "ir/op.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  c.out(0, c.in(0));
  if (const auto* content = c.content(0)) c.out_content(0, *content);
  return {};
}

bool view(ViewCtx& c) {
  c.out[0] = c.in;
  return true;
}

}  // namespace

extern const OpDef op_identity;
const OpDef op_identity = {.name = "Identity", .infer = infer, .view = view, .keeps_order = true};

}  // namespace burnish
