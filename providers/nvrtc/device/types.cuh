// Storage types of tensors and how device code reads and writes them.
//
// Arithmetic happens in the compute type of a storage type: float for half, bfloat16 and float; double for double; bool
// for bool; unsigned long long for itself; long long for every other integer. Conversion to a narrower float rounds to
// nearest even, overflows to infinity and keeps NaN.
#pragma once

#define BURNISH_DEVICE __device__ __forceinline__

namespace burnish {

using i8 = signed char;
using i16 = short;
using i32 = int;
using i64 = long long;
using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;

template <class A, class B>
inline constexpr bool is_same = false;
template <class A>
inline constexpr bool is_same<A, A> = true;

/// IEEE 754 binary16; only stores.
struct half {
  u16 bits;
};
/// The upper half of a binary32; only stores.
struct bfloat16 {
  u16 bits;
};

// ---- conversions

BURNISH_DEVICE float to_float(half x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
BURNISH_DEVICE float to_float(bfloat16 x) { return __uint_as_float(u32(x.bits) << 16); }
BURNISH_DEVICE half to_half(float x) {
  half y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}
BURNISH_DEVICE bfloat16 to_bfloat16(float x) {
  bfloat16 y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}

// ---- compute types

template <class T>
struct ComputeOf {
  using type = long long;
};
template <>
struct ComputeOf<half> {
  using type = float;
};
template <>
struct ComputeOf<bfloat16> {
  using type = float;
};
template <>
struct ComputeOf<float> {
  using type = float;
};
template <>
struct ComputeOf<double> {
  using type = double;
};
template <>
struct ComputeOf<bool> {
  using type = bool;
};
template <>
struct ComputeOf<unsigned long long> {
  using type = unsigned long long;
};

/// The type in which arithmetic on a T happens.
template <class T>
using compute = typename ComputeOf<T>::type;

/// Exact.
template <class T>
BURNISH_DEVICE compute<T> widen(T x) {
  if constexpr (is_same<T, half> || is_same<T, bfloat16>) return to_float(x);
  else return x;
}
/// Rounds floats to nearest even; integers wrap.
template <class T>
BURNISH_DEVICE T narrow(compute<T> x) {
  if constexpr (is_same<T, half>) return to_half(x);
  else if constexpr (is_same<T, bfloat16>) return to_bfloat16(x);
  else return T(x);
}

template <class T>
BURNISH_DEVICE compute<T> load(const T* p) {
  return widen(*p);
}
template <class T>
BURNISH_DEVICE void store(T* p, compute<T> x) {
  *p = narrow<T>(x);
}

// ---- vectors: N elements that lie together, moved 16 bytes at a time

/// N elements, aligned to their whole size up to 16 bytes.
template <class T, int N>
struct alignas(N * sizeof(T) >= 16 ? 16 : N * sizeof(T)) Vec {
  static_assert((N & (N - 1)) == 0, "a power of two");
  T at[N];
};

/// One of `Vec`'s machine words.
template <int Bytes>
struct WordOf;
template <>
struct WordOf<1> {
  using type = u8;
};
template <>
struct WordOf<2> {
  using type = u16;
};
template <>
struct WordOf<4> {
  using type = u32;
};
template <>
struct WordOf<8> {
  using type = uint2;
};
template <>
struct WordOf<16> {
  using type = uint4;
};

/// Copies N elements; both ends must be aligned to min(16, N * sizeof(T)) bytes. One instruction per 16 bytes.
template <class T, int N>
BURNISH_DEVICE void copy_vector(void* to, const void* from) {
  constexpr int bytes = N * sizeof(T), word = bytes >= 16 ? 16 : bytes;
  using Word = typename WordOf<word>::type;
#pragma unroll
  for (int i = 0; i < bytes / word; ++i) static_cast<Word*>(to)[i] = static_cast<const Word*>(from)[i];
}
/// Writes a machine word to global memory. Of registers the compiler would store the parts of a wide one, each by itself.
template <class Word>
BURNISH_DEVICE void store_word(Word* to, const Word& x) {
  *to = x;
}
BURNISH_DEVICE void store_word(uint2* to, const uint2& x) {
  asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(to), "r"(x.x), "r"(x.y) : "memory");
}
BURNISH_DEVICE void store_word(uint4* to, const uint4& x) {
  asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(x.x), "r"(x.y), "r"(x.z), "r"(x.w)
               : "memory");
}
/// As copy_vector, from registers to global memory.
template <class T, int N>
BURNISH_DEVICE void write_vector(T* to, const Vec<T, N>& from) {
  constexpr int bytes = N * sizeof(T), word = bytes >= 16 ? 16 : bytes;
  using Word = typename WordOf<word>::type;
  Word words[bytes / word];
  copy_vector<T, N>(words, &from);
#pragma unroll
  for (int i = 0; i < bytes / word; ++i) store_word(reinterpret_cast<Word*>(to) + i, words[i]);
}
template <class T, int N>
BURNISH_DEVICE void load_vector(const T* p, compute<T> (&out)[N]) {
  Vec<T, N> v;
  copy_vector<T, N>(&v, p);
#pragma unroll
  for (int i = 0; i < N; ++i) out[i] = widen(v.at[i]);
}
template <class T, int N>
BURNISH_DEVICE void store_vector(T* p, const compute<T> (&in)[N]) {
  Vec<T, N> v;
#pragma unroll
  for (int i = 0; i < N; ++i) v.at[i] = narrow<T>(in[i]);
  write_vector<T, N>(p, v);
}

// ---- rows: the first `count` of V elements, `stride` apart. `aligned` says that p is aligned to min(16, V * sizeof(T))
// bytes; with a literal there and a literal stride 1 a full row is one vector.

/// Elements from `count` on read as 0.
template <class T, int V>
BURNISH_DEVICE void load_row(const T* p, i64 stride, int count, bool aligned, compute<T> (&out)[V]) {
  if (aligned && stride == 1 && count >= V) return load_vector<T, V>(p, out);
#pragma unroll
  for (int i = 0; i < V; ++i) out[i] = i < count ? load(p + i * stride) : compute<T>(0);
}
template <class T, int V>
BURNISH_DEVICE void store_row(T* p, i64 stride, int count, bool aligned, const compute<T> (&in)[V]) {
  if (aligned && stride == 1 && count >= V) return store_vector<T, V>(p, in);
#pragma unroll
  for (int i = 0; i < V; ++i)
    if (i < count) store(p + i * stride, in[i]);
}

/// A row as it lies in memory, for reads that are under way together and for results.
template <class T, int V>
struct Row {
  Vec<T, V> elements;
  BURNISH_DEVICE compute<T> operator[](int i) const { return widen(elements.at[i]); }
  BURNISH_DEVICE void set(int i, compute<T> x) { elements.at[i] = narrow<T>(x); }
};
template <class T, int V>
BURNISH_DEVICE Row<T, V> read_row(const T* p, i64 stride, int count, bool aligned) {
  Row<T, V> row;
  if (aligned && stride == 1 && count >= V) {
    copy_vector<T, V>(&row, p);
    return row;
  }
#pragma unroll
  for (int i = 0; i < V; ++i) row.elements.at[i] = i < count ? p[i * stride] : T{};
  return row;
}
template <class T, int V>
BURNISH_DEVICE void write_row(T* p, i64 stride, int count, bool aligned, const Row<T, V>& row) {
  if (aligned && stride == 1 && count >= V) return write_vector<T, V>(p, row.elements);
#pragma unroll
  for (int i = 0; i < V; ++i)
    if (i < count) p[i * stride] = row.elements.at[i];
}

// ---- small arithmetic

template <class T>
BURNISH_DEVICE constexpr T ceil_div(T a, T b) {
  return (a + b - 1) / b;
}
template <class T>
BURNISH_DEVICE constexpr T least(T a, T b) {
  return b < a ? b : a;
}
template <class T>
BURNISH_DEVICE constexpr T greatest(T a, T b) {
  return a < b ? b : a;
}

}  // namespace burnish
