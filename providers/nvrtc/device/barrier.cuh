// Barriers in shared memory (sm_90 and later): threads wait for a phase to end, others arrive and go on.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// 8 bytes at `barrier`: each phase ends when `count` threads have arrived. One thread does it, before a __syncthreads.
BURNISH_DEVICE void make_barrier(u32 barrier, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count) : "memory");
}
/// Lets the copy engine know barriers that this thread has made; other threads do after the next __syncthreads. sm_90 and newer.
BURNISH_DEVICE void publish_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
BURNISH_DEVICE void arrive(u32 barrier) {
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
/// Arrives when the asynchronous copies that this thread has started have landed; does not wait.
BURNISH_DEVICE void arrive_when_copied(u32 barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(barrier) : "memory");
}
/// Waits until the phase of this parity has ended: phases count from 0, and the one before the first has parity 1.
BURNISH_DEVICE void wait_phase(u32 barrier, u32 parity) {
  asm volatile(
      "{\n.reg .pred ended;\nretry:\nmbarrier.try_wait.parity.acquire.cta.shared::cta.b64 ended, [%0], %1;\n"
      "@!ended bra retry;\n}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

}  // namespace burnish
