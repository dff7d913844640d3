// The end of a contraction: sums become results. What results need beside the sums is read before the products are done, where a
// thread has the registers to hold it.
#pragma once

#include "providers/nvrtc/device/cluster.cuh"
#include "providers/nvrtc/device/contraction_config.cuh"
#include "providers/nvrtc/device/epilogue.cuh"

namespace burnish {

/// What an epilogue reads for 8 columns of a row.
template <class Epilogue>
using OperandsOf = decltype(static_cast<const Epilogue*>(nullptr)->template fetch<8>(0, 0, 8));

/// What it makes of their sums.
template <class Epilogue>
using ResultsOf = decltype(static_cast<const Epilogue*>(nullptr)->results(
    *static_cast<float (*)[8]>(nullptr), *static_cast<const OperandsOf<Epilogue>*>(nullptr)));

/// How many of a row's 8 columns from n on exist: a literal where `extent` is one.
BURNISH_DEVICE int columns_from(int n, int extent) { return extent % 8 == 0 ? 8 : least(extent - n, 8); }

/// Registers that a thread has for what an epilogue reads while products are under way, beside the sums and what it takes to get
/// them: warps that hold parts of the operands as well have none, unless their sums are few.
template <class C>
constexpr int held_registers() {
  constexpr int sums = C::warp_m * C::warp_n / 32;
  if (C::teams > 0) return greatest(0, least(64, 168 - 60 - sums));
  return C::math == Math::warpgroup || sums <= 32 ? 32 : 0;
}

/// How many times 8 columns, of `count` that come `together` at a time, they are enough for.
template <class Epilogue>
constexpr int can_hold(int registers, int count, int together) {
  return least(count, registers * 4 / int(sizeof(OperandsOf<Epilogue>))) / together * together;
}

/// The rows and columns of the result that exist, from a warp's or a block's first ones on.
struct ResultWindow {
  int m0, n0, m, n;
};

/// Gives the functor the sums, 8 columns of a row at a time, through shared memory that the pipeline no longer needs. What it
/// reads for some rows is under way together.
template <class C, class Epilogue>
struct SlabFinish {
  static constexpr int width = 8, row_parts = C::warp_n / width, items = C::slab * row_parts / 32,
                       slabs = C::warp_m / C::slab,
                       together = items % 4 == 0   ? 4
                                  : items % 2 == 0 ? 2
                                                   : 1;
  static constexpr int held = can_hold<Epilogue>(held_registers<C>(), slabs* items, together);

  ResultWindow window;  ///< of the warp
  const Epilogue& epilogue;
  OperandsOf<Epilogue> read[greatest(held, together)];

  BURNISH_DEVICE SlabFinish(ResultWindow window, const Epilogue& epilogue)
      : window(window), epilogue(epilogue) {}

  /// While products are under way; after earlier kernels have been waited for.
  BURNISH_DEVICE void begin() {
#pragma unroll
    for (int i = 0; i < held; ++i) fetch(read[i], i / items, i % items);
  }
  template <class WarpMath>
  BURNISH_DEVICE void end(const WarpMath& math, void* shared) {
    using Sum = typename C::Sum;
    static_assert(WarpMath::slab == C::slab);
    Sum* rows = static_cast<Sum*>(shared) + threadIdx.x / 32 * (C::slab * C::pitch);
#pragma unroll
    for (int s = 0; s < slabs; ++s) {
      __syncwarp();
      math.put(rows, C::pitch, s);
      __syncwarp();
#pragma unroll
      for (int first = 0; first < items; first += together) {
        const int slot = s * items + first < held ? s * items + first : 0;
        if (s * items + first >= held)
#pragma unroll
          for (int i = 0; i < together; ++i) fetch(read[i], s, first + i);
#pragma unroll
        for (int i = 0; i < together; ++i) put(rows, read[slot + i], s, first + i);
      }
    }
  }

 private:
  static BURNISH_DEVICE int row(int i) { return (int(threadIdx.x) % 32 + i * 32) / row_parts; }
  static BURNISH_DEVICE int column(int i) { return (int(threadIdx.x) % 32 + i * 32) % row_parts * width; }
  template <class Work>
  BURNISH_DEVICE void where_it_exists(int s, int i, const Work& work) const {
    const int m = window.m0 + s * C::slab_step + row(i), n = window.n0 + column(i);
    if (m < window.m && n < window.n) work(m, n, columns_from(n, window.n));
  }
  BURNISH_DEVICE void fetch(OperandsOf<Epilogue>& to, int s, int i) const {
    where_it_exists(s, i, [&](int m, int n, int count) { to = epilogue.template fetch<width>(m, n, count); });
  }
  BURNISH_DEVICE void put(const typename C::Sum* rows, const OperandsOf<Epilogue>& operands, int s,
                          int i) const {
    where_it_exists(s, i, [&](int m, int n, int count) {
      typename C::Sum v[width];
      load_vector<typename C::Sum, width>(rows + row(i) * C::pitch + column(i), v);
      epilogue.put(m, n, epilogue.results(v, operands), count);
    });
  }
};

/// The same from where the sums are, for warpgroups whose B tiles are spread: a thread has 8 columns of its rows.
/// Results of rows that do not exist are computed beside the others and not put.
template <class WarpgroupMath, class Epilogue, int HeldRegisters>
struct InPlaceFinish {
  static constexpr int rows = WarpgroupMath::rows / 32;  // of a thread, alternately 8 and 56 apart
  static constexpr int blocks = WarpgroupMath::columns / 32;
  static constexpr int most =
      (rows * blocks > 8 ? 4 : 8) / rows;  // the more sums, the fewer registers are left
  static constexpr int together = blocks % most == 0 ? most : 1;
  static constexpr int held = can_hold<Epilogue>(HeldRegisters, rows* blocks, rows* together) / rows;

  ResultWindow window;  ///< of the warp
  const Epilogue& epilogue;
  OperandsOf<Epilogue> read[greatest(held, together)][rows];

  BURNISH_DEVICE InPlaceFinish(ResultWindow window, const Epilogue& epilogue)
      : window(window), epilogue(epilogue) {
    const int lane = threadIdx.x % 32;
    this->window.m0 += lane / 4, this->window.n0 += lane % 4 * 8;
  }

  /// While products are under way; after earlier kernels have been waited for.
  BURNISH_DEVICE void begin() {
#pragma unroll
    for (int block = 0; block < held; ++block) fetch(read[block], block);
  }
  BURNISH_DEVICE void end(const WarpgroupMath& math) {
#pragma unroll
    for (int first = 0; first < blocks; first += together) {
      const int slot = first < held ? first : 0;
      if (first >= held)
#pragma unroll
        for (int j = 0; j < together; ++j) fetch(read[j], first + j);
      ResultsOf<Epilogue> results[together * rows];
#pragma unroll
      for (int j = 0; j < together; ++j)
#pragma unroll
        for (int row = 0; row < rows; ++row) {
          float v[8];
#pragma unroll
          for (int e = 0; e < 8; ++e) v[e] = math.sum[row / 2][(first + j) * 4 + e / 2][row % 2 * 2 + e % 2];
          results[j * rows + row] = epilogue.results(v, read[slot + j][row]);
        }
#pragma unroll
      for (int j = 0; j < together; ++j)
#pragma unroll
        for (int row = 0; row < rows; ++row)
          where_it_exists(first + j, row, [&](int m, int n, int count) {
            epilogue.put(m, n, results[j * rows + row], count);
          });
    }
  }

 private:
  template <class Work>
  BURNISH_DEVICE void where_it_exists(int block, int row, const Work& work) const {
    const int m = window.m0 + row / 2 * 64 + row % 2 * 8, n = window.n0 + block * 32;
    if (m < window.m && n < window.n) work(m, n, columns_from(n, window.n));
  }
  BURNISH_DEVICE void fetch(OperandsOf<Epilogue> (&to)[rows], int block) const {
#pragma unroll
    for (int row = 0; row < rows; ++row)
      where_it_exists(block, row,
                      [&](int m, int n, int count) { to[row] = epilogue.template fetch<8>(m, n, count); });
  }
};

/// All of it at once.
template <class WarpgroupMath, class Epilogue>
BURNISH_DEVICE void finish_in_place(const WarpgroupMath& math, ResultWindow window,
                                    const Epilogue& epilogue) {
  InPlaceFinish<WarpgroupMath, Epilogue, 0>(window, epilogue).end(math);
}

/// The same for blocks that share a tile: each sums up its part of the tile out of their memory, beginning with its own so that
/// they do not all read the same block's. `thread`: of Threads that end the tile; those that hold no sums give none.
template <class C, int Threads, class Epilogue>
struct JointFinish {
  static constexpr int width = 8, row_parts = C::block_n / width, share = C::block_m * row_parts / C::slices;
  static constexpr int items = (share + Threads - 1) / Threads;
  static constexpr int registers = C::teams > 0 ? held_registers<C>() : 32;  // blocks are few
  static constexpr bool holds = items <= 4 && can_hold<Epilogue>(registers, items, 1) == items;

  ResultWindow window;  ///< of the block
  const Epilogue& epilogue;
  int thread;
  u32 own = blockIdx.x % C::slices;
  OperandsOf<Epilogue> read[holds ? items : 1];

  BURNISH_DEVICE JointFinish(ResultWindow window, const Epilogue& epilogue, int thread)
      : window(window), epilogue(epilogue), thread(thread) {}

  /// While products are under way; after earlier kernels have been waited for.
  BURNISH_DEVICE void begin() {
    if constexpr (holds)
#pragma unroll
      for (int i = 0; i < items; ++i)
        where_it_exists(
            i, [&](int m, int n, int count) { read[i] = epilogue.template fetch<width>(m, n, count); });
  }
  /// `joined` is called when all blocks have given what they have.
  template <class WarpMath, class Joined>
  BURNISH_DEVICE void end(const WarpMath& math, bool gives, float* shared, int row0, int column0,
                          const Joined& joined) const {
    if (gives)
#pragma unroll
      for (int s = 0; s < C::warp_m / C::slab; ++s)
        math.put(shared + (row0 + s * C::slab_step) * C::tile_pitch + column0, C::tile_pitch, s);
    synchronize_cluster();
    joined();
    if constexpr (holds) {
      float v[items][width];
#pragma unroll
      for (int i = 0; i < items; ++i)
        if (exists(i)) add_up(v[i], shared, i);
      arrive_in_cluster();  // this thread reads nobody's memory any more
#pragma unroll
      for (int i = 0; i < items; ++i)
        where_it_exists(
            i, [&](int m, int n, int count) { epilogue.put(m, n, epilogue.results(v[i], read[i]), count); });
      wait_for_cluster();  // nobody leaves while its memory is read
    } else {
      for (int i = 0; i < items; ++i)
        if (exists(i)) {
          float v[width];
          add_up(v, shared, i);
          where_it_exists(i, [&](int m, int n, int count) { finish_row(epilogue, m, n, v, count); });
        }
      synchronize_cluster();
    }
  }

 private:
  BURNISH_DEVICE bool exists(int i) const { return share % Threads == 0 || thread + i * Threads < share; }
  BURNISH_DEVICE int part(int i) const { return own * share + thread + i * Threads; }
  BURNISH_DEVICE void add_up(float (&v)[width], float* shared, int i) const {
    const u32 here =
        shared_address(shared + part(i) / row_parts * C::tile_pitch + part(i) % row_parts * width);
#pragma unroll
    for (int e = 0; e < width; ++e) v[e] = 0;
#pragma unroll
    for (int k = 0; k < C::slices; ++k) {
      const u32 there = address_in_block(here, (own + k) % C::slices);
      const float4 low = load_cluster(there), high = load_cluster(there + 16);
      v[0] += low.x, v[1] += low.y, v[2] += low.z, v[3] += low.w;
      v[4] += high.x, v[5] += high.y, v[6] += high.z, v[7] += high.w;
    }
  }
  template <class Work>
  BURNISH_DEVICE void where_it_exists(int i, const Work& work) const {
    const int m = window.m0 + part(i) / row_parts, n = window.n0 + part(i) % row_parts * width;
    if (exists(i) && m < window.m && n < window.n) work(m, n, columns_from(n, window.n));
  }
};

}  // namespace burnish
