#pragma once

#include <cmath>

#include "ops/emit.h"

namespace burnish {

/// Checks that operand i has the input's type and one axis of `extent` elements.
inline Result<> expect_vector(InferCtx& c, size_t i, Dim extent, std::string_view what) {
  if (!c.has(i)) return {};
  if (c.in(i).dtype != c.in(0).dtype)
    return c.error("the " + std::string(what) + " is " + std::string(name_of(c.in(i).dtype)) +
                   ", the input " + std::string(name_of(c.in(0).dtype)));
  if (c.rank(i) != 1)
    return c.error("the " + std::string(what) + " must have one axis, got shape " + c.dims.text(c.shape(i)));
  return c.unify(c.shape(i)[0], extent, "the " + std::string(what) + " must have one element per channel");
}

/// Mean and biased variance of count elements, in double and two passes: no cancellation.
struct Moments {
  double mean = 0, variance = 0;
};
template <class T>
Moments moments_of(const T* x, int64_t count) {
  Moments m;
  for (int64_t i = 0; i < count; ++i) m.mean += x[i];
  m.mean /= static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i) m.variance += (x[i] - m.mean) * (x[i] - m.mean);
  m.variance /= static_cast<double>(count);
  return m;
}

/// Calls run with a null pointer of the float type that operand 0 has.
template <class F>
void visit_float(DType dtype, const F& run) {
  if (dtype == DType::f64) run(static_cast<double*>(nullptr));
  else run(static_cast<float*>(nullptr));
}

inline Result<> expect_float(InferCtx& c) {
  if (is_float(c.in(0).dtype)) return {};
  return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
}

}  // namespace burnish
