// Programmatic dependent launch (sm_90 and later): a kernel starts while those that it waits for still run, and waits on the
// GPU. PTX ISA, "griddepcontrol".
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// Kernels that wait for this one may start when each of its blocks has said so or ended.
BURNISH_DEVICE void release_dependents() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/// Waits until what earlier kernels wrote can be read, and what they read can be written. Before it only constants may be
/// touched, and every kernel comes to it: who waits for a kernel need not wait for those before.
BURNISH_DEVICE void wait_for_prerequisites() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

}  // namespace burnish
