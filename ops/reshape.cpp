#include <numeric>

#include "ops/elements.h"

namespace burnish {

namespace {

/// An extent 0 in the operand copies the input's, unless `allowzero`.
struct ReshapeAttrs {
  bool allowzero = false;
  BURNISH_REFLECT(ReshapeAttrs, allowzero)
};

// What the elements of the shape operand ask for.
struct Request {
  std::vector<Dim> extents;          // after copies; where `rest` is, anything
  std::optional<size_t> rest;        // the -1
  bool decided_at_run_time = false;  // an element that may turn out -1 or 0
};

bool may_be(const DimTable& dims, Dim d, int64_t value) {
  const Range r = dims.range(d);
  const bool free = dims.op(d) == DimOp::symbol || dims.op(d) == DimOp::select;
  return !dims.value(d) && free && r.lo < 0 && r.lo <= value && value <= r.hi;
}

Result<Request> requested(InferCtx& c, const std::vector<Dim>& elements) {
  Request request;
  for (size_t i = 0; i < elements.size(); ++i) {
    Dim d = elements[i];
    if (c.dims.is_constant(d, -1)) {
      if (request.rest) return c.error("asks for more than one extent of -1");
      request.rest = i;
    } else if (auto known = c.dims.value(d); known && *known < -1) {
      return c.error("asks for an extent of " + std::to_string(*known));
    } else if (c.dims.is_constant(d, 0) && !c.attrs<ReshapeAttrs>().allowzero) {
      if (i >= c.shape(0).size())
        return c.error("copies extent " + std::to_string(i) + " of an input of rank " +
                       std::to_string(c.rank(0)));
      d = c.shape(0)[i];
    } else if (may_be(c.dims, d, -1)) {
      request.decided_at_run_time = true;
    }
    request.extents.push_back(d);
  }
  return request;
}

// Elements read at run time: -1 and 0 are told apart by selection.
void decide_at_run_time(InferCtx& c, Request& request) {
  const Dim one = c.dims.constant(1), minus_one = c.dims.constant(-1), zero = c.dims.constant(0);
  const bool copies = !c.attrs<ReshapeAttrs>().allowzero;
  Dim others = one;
  for (size_t i = 0; i < request.extents.size(); ++i) {
    Dim& d = request.extents[i];
    if (i == request.rest || !may_be(c.dims, d, -1)) {
      if (i != request.rest) others = c.dims.mul(others, d);
      continue;
    }
    if (copies && i < c.shape(0).size()) d = c.dims.select(c.dims.equal(d, zero), c.shape(0)[i], d);
    others = c.dims.mul(others, c.dims.select(c.dims.equal(d, minus_one), one, d));
  }
  const Dim rest = c.dims.floor_div(c.dims.product(c.shape(0)), others);
  for (size_t i = 0; i < request.extents.size(); ++i) {
    Dim& d = request.extents[i];
    if (i == request.rest) d = rest;
    else if (may_be(c.dims, d, -1)) d = c.dims.max(c.dims.select(c.dims.equal(d, minus_one), rest, d), zero);
  }
}

// Takes away from both what they share as whole factors, so that a forced extent stands alone.
void cancel(DimTable& dims, Dim& a, Dim& b, std::span<const Dim> factors) {
  for (Dim f : factors) {
    if (dims.value(f) || dims.range(f).lo <= 0) continue;
    const Dim x = dims.floor_div(a, f), y = dims.floor_div(b, f);
    if (dims.mul(x, f) == a && dims.mul(y, f) == b) a = x, b = y;
  }
  int64_t common = 0;
  for (Dim d : {a, b})
    for (const DimTable::Term& term : dims.terms(d)) common = std::gcd(common, term.coefficient);
  if (common > 1) {
    a = dims.floor_div(a, dims.constant(common));
    b = dims.floor_div(b, dims.constant(common));
  }
}

Result<> check_counts(InferCtx& c, const std::vector<Dim>& extents) {
  Dim before = c.dims.product(c.shape(0)), after = c.dims.product(extents);
  if (before == after) return {};
  const std::string what = "shape " + c.dims.text(c.shape(0)) + " cannot become " + c.dims.text(extents);
  if (c.dims.value(before) && c.dims.value(after))
    return c.error(what + ": " + c.dims.text(before) + " elements are not " + c.dims.text(after));
  cancel(c.dims, before, after, extents);
  return c.unify(before, after, what);
}

// The extent that -1 stands for. Equal extents are struck out first, for they may be 0.
Result<Dim> rest_of(InferCtx& c, const Request& request) {
  std::vector<Dim> in = c.shape(0);
  Dim others = c.dims.constant(1);
  for (size_t i = 0; i < request.extents.size(); ++i) {
    if (i == request.rest) continue;
    if (auto same = std::find(in.begin(), in.end(), request.extents[i]); same != in.end()) in.erase(same);
    else others = c.dims.mul(others, request.extents[i]);
  }
  const Dim total = c.dims.product(in), rest = c.dims.floor_div(total, others);
  const Dim covered = c.dims.mul(rest, others);
  if (covered != total)
    TRY(c.unify(total, covered,
                "the input's " + c.dims.text(total) + " elements must divide by " + c.dims.text(others) +
                    " without a rest"));
  return rest;
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const std::vector<Dim> elements = TRY(c.content_or_symbols(1, {-1, DimTable::unbounded}));
  Request request = TRY(requested(c, elements));
  if (request.decided_at_run_time) {
    decide_at_run_time(c, request);
  } else if (request.rest) {
    request.extents[*request.rest] = TRY(rest_of(c, request));
  } else {
    TRY(check_counts(c, request.extents));
  }
  c.out(0, c.in(0).dtype, request.extents);
  if (const auto* content = c.content(0)) c.out_content(0, *content);
  return {};
}

// Strides for axes [from, to) of the result, which split or join the axes [first, end) of the input.
bool view_group(ViewCtx& c, size_t first, size_t end, size_t from, size_t to) {
  Dim stride = c.dims.constant(1);
  std::optional<size_t> inner;
  for (size_t a = end; a-- > first;) {
    if (c.dims.is_constant(c.in_shape[a], 1)) continue;
    if (!inner) stride = c.in.strides[a];
    else if (c.in.strides[a] != c.dims.mul(c.in.strides[*inner], c.in_shape[*inner])) return false;
    inner = a;
  }
  for (size_t j = to; j-- > from;) {
    c.out[0].strides[j] = stride;
    stride = c.dims.mul(stride, c.out_shape(0)[j]);
  }
  return true;
}

bool view(ViewCtx& c) {
  const std::span<const Dim> in = c.in_shape, out = c.out_shape(0);
  c.out[0].offset = c.in.offset;
  c.out[0].strides.assign(out.size(), c.dims.constant(1));
  size_t i = 0, j = 0;
  while (i < in.size() || j < out.size()) {
    // The shortest runs of axes with the same number of elements.
    size_t end = i, to = j;
    bool found = false;
    Dim x = c.dims.constant(1);
    for (size_t a = i; a <= in.size() && !found; ++a) {
      if (a > i) x = c.dims.mul(x, in[a - 1]);
      Dim y = c.dims.constant(1);
      for (size_t b = j; b <= out.size() && !found; ++b) {
        if (b > j) y = c.dims.mul(y, out[b - 1]);
        if (x == y && (a > i || b > j) && (a > i || i == in.size()) && (b > j || j == out.size())) {
          found = true;
          end = a;
          to = b;
        }
      }
    }
    if (!found) {  // what is left is one run: only extents equal by a check at run time
      end = in.size();
      to = out.size();
    }
    if (!view_group(c, i, end, j, to)) return false;
    i = end;
    j = to;
  }
  return true;
}

}  // namespace

extern const OpDef op_reshape;
const OpDef op_reshape = {.name = "Reshape",
                          .attrs = &attr_schema<ReshapeAttrs>,
                          .infer = infer,
                          .eval = eval_copy,
                          .view = view,
                          .content_operands = 0b10};

}  // namespace burnish
