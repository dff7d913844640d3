// Rows of A that are normalised as they are multiplied (LayerNormalization, RMSNormalization). Each row's (x - mean) / deviation * scale +
// bias, times B, is x B' / deviation + bias * B, where B' is scale * B and, as x - mean adds up to 0, so does each of its columns. So A
// is multiplied as it lies, and a warp finds its rows' deviations in the tiles of A that pass through shared memory.
#pragma once

#include "providers/nvrtc/device/cluster.cuh"
#include "providers/nvrtc/device/contraction_tile.cuh"

namespace burnish {

/// How rows of A are normalised: not at all, by mean and standard deviation, or by their root mean square.
enum class RowNorm { none, layer, rms };

/// B' is that many times smaller, a power of two, so that it fits its type.
struct RowScale {
  float epsilon;
  float factor;
};

/// Number, mean and squared distances from it of some elements of a row.
struct Moments {
  float count, mean, squares;

  /// Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
  BURNISH_DEVICE void add(const Moments& more) {
    const float both = count + more.count, distance = more.mean - mean;
    const float share = both > 0 ? 1 / both : 0;
    squares += more.squares + distance * distance * (count * more.count * share);
    mean = (count * mean + more.count * more.mean) * share;
    count = both;
  }
  /// Those of the lane whose number differs in that bit as well.
  BURNISH_DEVICE void add_from_lane(int bit) {
    add({__shfl_xor_sync(~0u, count, bit), __shfl_xor_sync(~0u, mean, bit),
         __shfl_xor_sync(~0u, squares, bit)});
  }
  /// What sums are multiplied by.
  template <RowNorm By>
  BURNISH_DEVICE float scale(RowScale by) const {
    const float spread = By == RowNorm::rms ? squares + count * mean * mean : squares;
    return by.factor * rsqrtf(spread / count + by.epsilon);
  }
};

/// The same while elements come, as distances from the first of them.
struct RunningMoments {
  float origin = 0, sum[2] = {}, squares[2] = {};
  int count = 0;

  /// Adds 16 bytes of a row. First: the row begins.
  template <class T>
  BURNISH_DEVICE void add(const uint4& bytes, bool first) {
    constexpr int elements = 16 / sizeof(T);
    Vec<T, elements> x;
    copy_vector<T, elements>(&x, &bytes);
    if (first) *this = {widen(x.at[0])};
#pragma unroll
    for (int e = 0; e < elements; ++e) {
      const float distance = widen(x.at[e]) - origin;
      sum[e % 2] += distance, squares[e % 2] += distance * distance;
    }
    count += elements;
  }
  BURNISH_DEVICE Moments moments() const {
    const float n = count, all = sum[0] + sum[1], mean = count > 0 ? all / n : 0;
    return {n, origin + mean, greatest(squares[0] + squares[1] - all * mean, 0.f)};
  }
};

/// What sums of a tile's rows, a power of two of them, are multiplied by, in shared memory.
struct RowScales {
  u32 shared;
  int mask;

  BURNISH_DEVICE void set(int m, float v) const {
    store_shared_word(shared + (m & mask) * 4, __float_as_uint(v));
  }
  BURNISH_DEVICE float operator[](int m) const {
    return __uint_as_float(load_shared_word(shared + (m & mask) * 4));
  }
};

/// Adds up a warp's rows of the tile: C::slab of them from `first` on, and as many every C::slab_step rows.
template <class C, class TileA>
struct WarpRows {
  using T = typename TileA::T;
  static constexpr int lanes = C::warp_m < 32 ? 32 / C::warp_m : 1;  ///< that share a row
  static constexpr int count = C::warp_m > 32 ? C::warp_m / 32 : 1;  ///< rows of a lane
  static constexpr int chunks = TileA::line_chunks / lanes;
  static_assert(TileA::major == Major::k && sizeof(T) == 2);

  int first, k;
  RunningMoments row[count];

  BURNISH_DEVICE WarpRows(int first, int k) : first(first), k(k) {}

  /// Of a step whose tile of A, from k0 on, lies at `tile`.
  BURNISH_DEVICE void add(u32 tile, int k0, bool begins) {
    const int part = int(threadIdx.x) % lanes * chunks;
#pragma unroll
    for (int i = 0; i < count; ++i) {
      uint4 bytes[chunks];  // all on their way together
#pragma unroll
      for (int c = 0; c < chunks; ++c) bytes[c] = load_shared(tile + TileA::offset(index(i), part + c));
#pragma unroll
      for (int c = 0; c < chunks; ++c)
        if ((C::slices == 1 && k % C::block_k == 0) || k0 + (part + c) * TileA::chunk < k)
          row[i].template add<T>(bytes[c], begins && c == 0);
    }
    __syncwarp();  // a lane tells for all of them that the tile is read
  }
  /// Stores what the epilogue needs of the warp's rows.
  BURNISH_DEVICE void end(const RowScales& to, RowScale by) const {
    __syncwarp();  // nobody reads those of the tile before
#pragma unroll
    for (int i = 0; i < count; ++i) to.set(index(i), moments(i).template scale<C::norm>(by));
    __syncwarp();
  }
  /// Leaves what was added up, for `join_rows`.
  BURNISH_DEVICE void leave(u32 parts) const {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const Moments m = moments(i);
      store_shared(parts + index(i) * 16,
                   {__float_as_uint(m.count), __float_as_uint(m.mean), __float_as_uint(m.squares), 0});
    }
  }

 private:
  BURNISH_DEVICE int index(int i) const {
    const int r = int(threadIdx.x) % 32 / lanes + i * 32;
    return first + r / C::slab * C::slab_step + r % C::slab;
  }
  BURNISH_DEVICE Moments moments(int i) const {
    Moments m = row[i].moments();
#pragma unroll
    for (int bit = 1; bit < lanes; bit *= 2) m.add_from_lane(bit);
    return m;
  }
};

/// Where rows are multiplied as they are.
struct PlainRows {
  BURNISH_DEVICE PlainRows(int, int) {}
  BURNISH_DEVICE void add(u32, int, bool) {}
  BURNISH_DEVICE void end(const RowScales&, RowScale) const {}
  BURNISH_DEVICE void leave(u32) const {}
};

template <class C, class TileA>
using RowsOf = Choose<C::norm == RowNorm::none, PlainRows, WarpRows<C, TileA>>;

/// Puts together what the warps of all of a cluster's blocks have left of the tile's rows, `Teams` times in each.
template <class C, int Teams>
BURNISH_DEVICE void join_rows(u32 parts, const RowScales& to, RowScale by, int thread, int threads) {
  for (int row = thread; row < C::block_m; row += threads) {
    Moments all{};
    for (u32 block = 0; block < C::slices; ++block)
#pragma unroll
      for (int team = 0; team < Teams; ++team) {
        const float4 part = load_cluster(address_in_block(parts + (team * C::block_m + row) * 16, block));
        all.add({part.x, part.y, part.z});
      }
    to.set(row, all.template scale<C::norm>(by));
  }
}

}  // namespace burnish
