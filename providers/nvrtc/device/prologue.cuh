// The beginning of a kernel whose operand is computed as it is read: V columns of a row at a time. A prologue has
//   Operands fetch<V>(int m, int n, int count) const               reads what the elements are made of, and
//   void values(const Operands&, float (&v)[V]) const               computes them.
#pragma once

#include "providers/nvrtc/device/team.cuh"

namespace burnish {

/// V elements that are under way, to be asked for by `values_of`: of a row m from column n on, which lie `at` their place where
/// nothing is to be computed.
template <int V, class Prologue, class T>
BURNISH_DEVICE auto fetch_elements(const Prologue& prologue, const T* at, int m, int n) {
  if constexpr (is_same<Prologue, Unchanged>) {
    Vec<T, V> elements;
    copy_vector<T, V>(&elements, at);
    return elements;
  } else {
    return prologue.template fetch<V>(m, n, V);
  }
}
template <int V, class Prologue, class Elements, class Number>
BURNISH_DEVICE void values_of(const Prologue& prologue, const Elements& fetched, Number (&v)[V]) {
  if constexpr (is_same<Prologue, Unchanged>) {
#pragma unroll
    for (int i = 0; i < V; ++i) v[i] = widen(fetched.at[i]);
  } else {
    prologue.values(fetched, v);
  }
}

/// One element.
template <class Prologue, class T>
BURNISH_DEVICE compute<T> read_element(const Prologue& prologue, const T* at, int m, int n) {
  compute<T> v[1];
  values_of<1>(prologue, fetch_elements<1>(prologue, at, m, n), v);
  return v[0];
}

}  // namespace burnish
