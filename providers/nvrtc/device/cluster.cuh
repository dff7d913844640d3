// The instructions of sm_90 and later with which the blocks of a cluster share their memory.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// Tells the cluster that this thread has come so far; it waits for the others, once for each time, later.
BURNISH_DEVICE void arrive_in_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
BURNISH_DEVICE void wait_for_cluster() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

/// Waits for all threads of the cluster; what they wrote before is seen after.
BURNISH_DEVICE void synchronize_cluster() {
  arrive_in_cluster();
  wait_for_cluster();
}

/// The address, in the cluster's memory, of what block `rank` has at this one's `address`.
BURNISH_DEVICE u32 address_in_block(u32 address, u32 rank) {
  u32 there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(address), "r"(rank));
  return there;
}
/// What block `rank` of the cluster has in its shared memory where this one has `here`.
template <class S>
BURNISH_DEVICE S of_other_block(const S& here, u32 rank) {
  static_assert(sizeof(S) % 4 == 0);
  struct Words {
    u32 at[sizeof(S) / 4];
  } words;
  const u32 there = address_in_block(u32(__cvta_generic_to_shared(&here)), rank);
#pragma unroll
  for (int i = 0; i < int(sizeof(S) / 4); ++i)
    asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(words.at[i]) : "r"(there + 4 * i) : "memory");
  return __builtin_bit_cast(S, words);
}
/// Writes v to where block `rank` of the cluster has `here`.
template <class S>
BURNISH_DEVICE void store_in_block(const S& here, u32 rank, const S& v) {
  static_assert(sizeof(S) % 4 == 0);
  struct Words {
    u32 at[sizeof(S) / 4];
  };
  const Words words = __builtin_bit_cast(Words, v);
  const u32 there = address_in_block(u32(__cvta_generic_to_shared(&here)), rank);
#pragma unroll
  for (int i = 0; i < int(sizeof(S) / 4); ++i)
    asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(there + 4 * i), "r"(words.at[i]) : "memory");
}
BURNISH_DEVICE float4 load_cluster(u32 from) {
  float4 v;
  asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
               : "r"(from)
               : "memory");
  return v;
}

}  // namespace burnish
