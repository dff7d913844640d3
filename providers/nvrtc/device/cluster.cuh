// The instructions of sm_90 and later with which the blocks of a cluster share their memory.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// Waits for all threads of the cluster; what they wrote before is seen after.
BURNISH_DEVICE void synchronize_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

/// The address, in the cluster's memory, of what block `rank` has at this one's `address`.
BURNISH_DEVICE u32 address_in_block(u32 address, u32 rank) {
  u32 there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(address), "r"(rank));
  return there;
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
