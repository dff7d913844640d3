#pragma once

#include "ir/infer.h"
#include "ops/dims.h"

namespace burnish {

/// Appends nodes to `out` that give x the extents `to` (of as many elements), and returns their result: `result`, or without
/// one a new value.
inline Result<ValueId> append_reshape(Graph& g, std::vector<Node>& out, ValueId x, std::vector<Dim> to,
                                      const std::vector<std::string>& provenance, ValueId result = no_value) {
  std::vector<int64_t> known;
  for (Dim d : to)
    if (auto v = g.dims->value(d)) known.push_back(*v);
  ValueId extents = no_value;
  if (known.size() == to.size()) {
    extents = g.add_constant(Tensor::of<int64_t>(DType::i64, {std::ssize(known)}, known));
  } else {
    extents = g.add_value({});
    Node dims{.op = find_op("Dims"),
              .attrs = DimsAttrs{std::move(to)},
              .outputs = {extents},
              .provenance = provenance};
    TRY(infer(g, dims));
    out.push_back(std::move(dims));
  }
  if (result == no_value) result = g.add_value({});
  Node reshape{.op = find_op("Reshape"),
               .attrs = attrs_of("Reshape", {{"allowzero", true}}),
               .inputs = {x, extents},
               .outputs = {result},
               .provenance = provenance};
  TRY(infer(g, reshape));
  out.push_back(std::move(reshape));
  return result;
}

}  // namespace burnish
