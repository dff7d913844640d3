// The instructions of sm_80 and later that tensor contractions are made of, one function each.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// Address of shared memory as the instructions below take it.
BURNISH_DEVICE u32 shared_address(const void* p) { return u32(__cvta_generic_to_shared(p)); }

// ---- asynchronous copies, global to shared memory

/// Copies the first `valid` (0 … Bytes) of Bytes bytes and fills the rest with zeros; reads nothing beyond them.
/// Bytes is 4, 8 or 16; both addresses are aligned to it.
template <int Bytes>
BURNISH_DEVICE void copy_async(u32 to, const void* from, int valid) {
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(valid)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(from), "n"(Bytes), "r"(valid)
                 : "memory");
}
/// Copies Bytes bytes or fills with as many zeros, reading nothing; fewer instructions than a partial copy.
template <int Bytes>
BURNISH_DEVICE void copy_async_if(u32 to, const void* from, bool inside) {
  if constexpr (Bytes == 16)
    asm volatile(
        "{\n.reg .pred outside;\nsetp.eq.b32 outside, %2, 0;\n"
        "cp.async.cg.shared.global.L2::128B [%0], [%1], 16, outside;\n}" ::"r"(to),
        "l"(from), "r"(int(inside))
        : "memory");
  else copy_async<Bytes>(to, from, inside ? Bytes : 0);
}
/// Closes the group of this thread's copies since the last commit.
BURNISH_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most Pending of this thread's newest groups are under way.
template <int Pending>
BURNISH_DEVICE void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

// ---- shared memory

BURNISH_DEVICE void store_shared(u32 to, uint4 v) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w)
               : "memory");
}
BURNISH_DEVICE void store_shared_word(u32 to, u32 v) {
  asm volatile("st.shared.b32 [%0], %1;" ::"r"(to), "r"(v) : "memory");
}
BURNISH_DEVICE uint4 load_shared(u32 from) {
  uint4 v;
  asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "r"(from)
               : "memory");
  return v;
}
BURNISH_DEVICE u32 load_shared_word(u32 from) {
  u32 v;
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(v) : "r"(from) : "memory");
  return v;
}

/// Four 8x8 matrices of 16-bit elements; lane 8i+r names row r (16 bytes) of matrix i. A lane gets elements 2q, 2q+1 of
/// row g of matrix i in v[i], with g = lane / 4, q = lane % 4. 32-bit elements: element q of the row's four.
BURNISH_DEVICE void load_matrices(u32 (&v)[4], u32 from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3])
               : "r"(from)
               : "memory");
}
/// Two of them; lanes from 16 on name nothing.
BURNISH_DEVICE void load_matrices(u32 (&v)[2], u32 from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(v[0]), "=r"(v[1])
               : "r"(from)
               : "memory");
}
/// Four, each matrix transposed (16-bit elements only).
BURNISH_DEVICE void load_matrices_transposed(u32 (&v)[4], u32 from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(v[0]), "=r"(v[1]), "=r"(v[2]), "=r"(v[3])
               : "r"(from)
               : "memory");
}

// ---- matrix products of a warp, d += a * b with float accumulators.
// d: rows g, g, g+8, g+8, columns 2q, 2q+1, 2q, 2q+1. a: rows g, g+8, g, g+8; b: column g. The 32-byte k extent of an
// instruction lies in two halves: a[0], a[1], b0 hold the first, a[2], a[3], b1 the second.

#define BURNISH_MMA(shape_and_types)                                              \
  asm volatile("mma.sync.aligned." shape_and_types                                \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                   \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))

/// T is half or bfloat16 (m16n8k16), or float holding TF32 values (m16n8k8).
template <class T>
BURNISH_DEVICE void multiply_matrices(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  if constexpr (is_same<T, half>) BURNISH_MMA("m16n8k16.row.col.f32.f16.f16.f32");
  else if constexpr (is_same<T, bfloat16>) BURNISH_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
  else BURNISH_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
}
#undef BURNISH_MMA
/// Half of it along k (m16n8k8), for half and bfloat16.
template <class T>
BURNISH_DEVICE void multiply_matrices(float (&d)[4], const u32 (&a)[2], u32 b) {
#define BURNISH_MMA(types)                                            \
  asm volatile("mma.sync.aligned.m16n8k8.row.col." types              \
               " {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};" \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])       \
               : "r"(a[0]), "r"(a[1]), "r"(b))
  if constexpr (is_same<T, half>) BURNISH_MMA("f32.f16.f16.f32");
  else BURNISH_MMA("f32.bf16.bf16.f32");
}
#undef BURNISH_MMA

/// A binary32 rounded to TF32's 10 bits of mantissa, halves away from zero; the matrix instruction alone would cut off.
BURNISH_DEVICE u32 round_to_tf32(u32 x) {
  u32 y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "r"(x));
  return y;
}

}  // namespace burnish
