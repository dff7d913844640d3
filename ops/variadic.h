#pragma once

#include "ops/emit.h"

namespace burnish {

/// The inputs of an ONNX node combined from left to right by the binary IR op `op`; a single one is that itself.
inline Result<ValueId> emit_chain(ImportCtx& c, std::string_view op) {
  if (c.input_count() == 0) return c.error(Code::invalid_model, "has no inputs");
  ValueId all = c.input(0);
  for (size_t i = 0; i < c.input_count(); ++i) {
    if (!c.has_input(i)) return c.error(Code::invalid_model, "operand " + std::to_string(i) + " is missing");
    if (i > 0) all = TRY(c.emit(op, {}, {all, c.input(i)}));
  }
  return c.input_count() == 1 ? c.emit("Identity", {}, {all}) : Result<ValueId>(all);
}

}  // namespace burnish
