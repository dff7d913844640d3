#include "shape/substitute.h"

namespace burnish {

namespace {

Dim sum_of(DimTable& dims, const std::vector<DimTable::Term>& terms, const std::map<Dim, Dim>& by) {
  Dim sum = dims.constant(0);
  for (const DimTable::Term& term : terms) {
    Dim product = dims.constant(term.coefficient);
    for (uint32_t atom : term.atoms) product = dims.mul(product, substitute(dims, Dim{atom}, by));
    sum = dims.add(sum, product);
  }
  return sum;
}

}  // namespace

Dim substitute(DimTable& dims, Dim d, const std::map<Dim, Dim>& by) {
  const DimOp op = dims.op(d);
  if (op == DimOp::constant) return d;
  if (op == DimOp::sum) return sum_of(dims, dims.terms(d), by);
  if (op == DimOp::symbol) {
    const auto it = by.find(d);
    return it == by.end() ? d : it->second;
  }
  std::vector<Dim> parts(dims.operands(d).begin(), dims.operands(d).end());
  for (Dim& part : parts) part = substitute(dims, part, by);
  switch (op) {
    case DimOp::floor_div: return dims.floor_div(parts[0], parts[1]);
    case DimOp::min: return dims.min(parts[0], parts[1]);
    case DimOp::max: return dims.max(parts[0], parts[1]);
    case DimOp::equal: return dims.equal(parts[0], parts[1]);
    case DimOp::less: return dims.less(parts[0], parts[1]);
    default: return dims.select(parts[0], parts[1], parts[2]);
  }
}

}  // namespace burnish
