#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/op.h"

namespace burnish {

/// Attributes of the IR op `op`, all at their defaults but those named: `attrs_of("Transpose", {{"perm", perm}})`.
/// For decompositions, which write ops whose attribute structs live in other files. Names and types must be the struct's.
using NamedAttribute =
    std::pair<std::string_view, std::variant<int64_t, float, bool, std::string, DType, std::vector<int64_t>,
                                             std::vector<float>, std::vector<std::string>>>;
inline Attrs attrs_of(std::string_view op, const std::vector<NamedAttribute>& given = {}) {
  const OpDef* def = find_op(op);
  Attrs attrs(def ? def->attrs : nullptr);
  if (!attrs.schema()) return attrs;
  for (const auto& [name, value] : given)
    for (const Field& field : attrs.schema()->fields())
      if (field.name == name)
        std::visit(
            [&]<class T>(const T& v) {
              void* at = attrs.field_for_writing(field);
              if (field.kind == field_kind<T>()) *static_cast<T*>(at) = v;
              else if constexpr (std::is_same_v<T, int64_t>) {
                if (field.kind == Field::Kind::boolean) *static_cast<bool*>(at) = v != 0;
              } else if constexpr (std::is_same_v<T, bool>) {
                if (field.kind == Field::Kind::integer) *static_cast<int64_t*>(at) = v;
              }
            },
            value);
  return attrs;
}

/// Emits `op` with the attributes named, giving its one result.
inline Result<ValueId> emit_op(ImportCtx& c, std::string_view op, std::vector<ValueId> inputs,
                               const std::vector<NamedAttribute>& given = {}) {
  return c.emit(op, attrs_of(op, given), std::move(inputs));
}

/// Elements of operand i, which must be constants: opset-dependent operands that the IR keeps as attributes.
inline Result<std::vector<int64_t>> constant_operand(ImportCtx& c, size_t i, std::string_view what) {
  const std::vector<Dim>*content = c.graph().content(c.input(i)), &shape = c.type(i).shape;
  std::vector<int64_t> all;
  if (shape.size() == 1 && c.dims().is_constant(shape[0], 0)) return all;
  for (size_t k = 0; content && k < content->size(); ++k)
    if (auto v = c.dims().value((*content)[k])) all.push_back(*v);
  if (!content || all.size() != content->size())
    return c.error(Code::unsupported, std::string(what) + " must be known when the engine is built")
        .remedy("make it a constant in the model, or fix the extents it is computed from with --shapes");
  return all;
}

}  // namespace burnish
