// The end of a kernel whose numbers are not stored as they are: V columns of a row at a time, of which `count` exist. An
// epilogue has
//   Operands fetch<V>(int m, int n, int count) const               reads what the results need beside the numbers,
//   Row<T, V> results(float (&v)[V], const Operands&) const         computes them, and
//   void put(int m, int n, const Row<T, V>&, int count) const       writes them.
#pragma once

#include "providers/nvrtc/device/team.cuh"

namespace burnish {

template <int V, class Epilogue, class Number>
BURNISH_DEVICE void finish_row(const Epilogue& epilogue, int m, int n, Number (&v)[V], int count) {
  epilogue.put(m, n, epilogue.results(v, epilogue.template fetch<V>(m, n, count)), count);
}

/// One result of a row, stored `at` its place where no work follows.
template <class Epilogue, class T, class Number>
BURNISH_DEVICE void finish_element(const Epilogue& epilogue, T* at, int m, int n, Number value) {
  if constexpr (is_same<Epilogue, Unchanged>) {
    store(at, compute<T>(value));
  } else {
    float v[1] = {float(value)};
    finish_row(epilogue, m, n, v, 1);
  }
}

}  // namespace burnish
