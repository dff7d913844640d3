// The copy engine of sm_90 and later (TMA): one thread has a box of a tensor copied into shared memory, and a barrier told.
// PTX ISA, "cp.async.bulk.tensor".
#pragma once

#include "providers/nvrtc/device/barrier.cuh"

namespace burnish {

/// How the engine sees a tensor, innermost axis first; made by the driver, a parameter of the kernel.
struct alignas(64) TensorMap {
  u64 words[16];
};

/// Arrives at a barrier, whose phase then also waits for so many bytes that the engine copies.
BURNISH_DEVICE void arrive_expecting(u32 barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

/// Starts copying the box whose first element has these coordinates to shared memory at `to`, a multiple of 1024. What lies
/// outside the tensor is 0, and counts among the bytes. Chunks of 16 bytes are permuted as `describe_matrix` wants them.
BURNISH_DEVICE void copy_box(u32 to, const TensorMap& map, u32 barrier, int c0, int c1) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4}], [%2];" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(c0), "r"(c1)
      : "memory");
}
BURNISH_DEVICE void copy_box(u32 to, const TensorMap& map, u32 barrier, int c0, int c1, int c2, int c3,
                             int c4) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, "
      "%5, %6, "
      "%7}], [%2];" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(c4)
      : "memory");
}

/// As copy_box, of images by a map with windows: channels from `channel` on of one element of the window, `down` and `right` of
/// its beginning, for as many windows in their order as the map says. The first begins at `row` and `column` of an image. PTX ISA,
/// "im2col mode".
BURNISH_DEVICE void copy_windows(u32 to, const TensorMap& map, u32 barrier, int channel, int column, int row,
                                 int image, int right, int down) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4, %5, %6}], [%2], {%7, %8};" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(channel), "r"(column), "r"(row), "r"(image), "h"(u16(right)),
      "h"(u16(down))
      : "memory");
}

}  // namespace burnish
