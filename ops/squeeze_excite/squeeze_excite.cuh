// Squeeze and excitation: y = x * gate(w2 act(w1 mean(x) + b1) + b2), the mean being that of an image's positions.
//
// Several blocks share an image: each has some of its positions and some of its channels. What the hidden numbers are before
// `act` is linear in the sums of x, so the blocks exchange their parts of these few alone: through the memory of a cluster
// (`squeeze_excite`), or from one launch to the next (`squeeze`, `excite`). The order of additions is fixed.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/cluster.cuh"
#include "providers/nvrtc/device/dependent_launch.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/mma.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

namespace squeeze_function {
struct Relu {
  template <class A>
  BURNISH_DEVICE A operator()(A x) const {
    return prim::relu(x);
  }
};
struct Swish {
  template <class A>
  BURNISH_DEVICE A operator()(A x) const {
    return x * prim::sigmoid(x);
  }
};
struct Sigmoid {
  template <class A>
  BURNISH_DEVICE A operator()(A x) const {
    return prim::sigmoid(x);
  }
};
struct HardSigmoid {
  float alpha, beta;
  template <class A>
  BURNISH_DEVICE A operator()(A x) const {
    return prim::hard_sigmoid(x, A(alpha), A(beta));
  }
};
}  // namespace squeeze_function

/// Images of T (const T where they are read). Vectors: channels lie side by side, and rows of V of them are aligned.
template <class T, int Rank, bool Vectors>
struct SqueezedImages {
  static constexpr bool vectors = Vectors;
  T* at;
  i64 stride_image, stride_channel;
  Dims<Rank> strides;  // of the axes of a position

  BURNISH_DEVICE i64 step() const { return Vectors ? 1 : stride_channel; }
  BURNISH_DEVICE T* channels_from(int image, int channel) const {
    return at + image * stride_image + channel * step();
  }
};

/// Dense: inwards [hidden][channels], outwards [channels][hidden]. Biases may be null.
template <class T>
struct SqueezeWeights {
  const T *inwards, *inwards_bias, *outwards, *outwards_bias;
};

/// PositionShares * ChannelShares blocks of Threads threads share an image; a thread has V channels at a time. The first Held
/// vectors of each thread stay in shared memory, the others are read twice; Staged: the weights that the block needs lie there
/// as well. Either takes vectors of 16 bytes: Channels is a multiple of V, and everything is aligned to it. Clustered: the blocks
/// tell each other their shares of the hidden numbers.
template <class Type, int Vector, int Channels, int Hidden, int Threads, int PositionShares,
          int ChannelShares, int Held, bool Staged, bool Clustered>
struct SqueezeExcite {
  using T = Type;
  using A = compute<T>;
  static constexpr int V = Vector, channels = Channels, hidden = Hidden, threads = Threads,
                       position_shares = PositionShares, channel_shares = ChannelShares, held = Held,
                       blocks = PositionShares * ChannelShares;
  static constexpr bool staged = Staged, clustered = Clustered;
  static constexpr int parts = ceil_div(ceil_div(Channels, V), ChannelShares), own = parts * V,
                       width = least(parts, Threads), rows = Threads / width;
  static_assert(Threads % 32 == 0 && Channels % V == 0);
  static_assert((Held == 0 && !Staged) || V * sizeof(T) == 16);
  static_assert(Held == 0 || parts <= Threads);

  struct Memory {
    alignas(16) T image[greatest(Held * Threads * V, 1)];
    alignas(16) T inwards[Staged ? Hidden * own : 1];   // [hidden][own]
    alignas(16) T outwards[Staged ? own * Hidden : 1];  // [own][hidden]
    alignas(16) A of_rows[rows][own + 4];               // lines begin in different banks
    alignas(16) A sums[own];
    alignas(16) A shares[2][Clustered ? blocks : 1][Clustered ? Hidden : 1];  // of two images in turn
    alignas(16) A hidden_bias[Hidden];
    alignas(16) A hidden[Hidden];
    alignas(16) A gate_bias[own];
    alignas(16) A gates[own];
  };
};

/// What one block does. The dynamic shared memory of a kernel is one `Memory`.
template <class C, int Rank>
class SqueezeBlock {
  using T = typename C::T;
  using A = typename C::A;
  static constexpr int V = C::V, stages = 4, stage = ceil_div(C::held, stages);
  using Lanes = Team<8>;  // add up what leads to one number

 public:
  typename C::Memory& memory;
  const Dims<Rank, int>& extents;
  const SqueezeWeights<T>& weights;
  int positions, rank, row, lane, first, count, begin, end;

  BURNISH_DEVICE SqueezeBlock(u8* shared, const Dims<Rank, int>& extents, const SqueezeWeights<T>& weights)
      : memory(*reinterpret_cast<typename C::Memory*>(shared)),
        extents(extents),
        weights(weights),
        positions(count_of(extents)),
        rank(blockIdx.x % C::blocks),
        row(threadIdx.x / C::width),
        lane(threadIdx.x % C::width),
        first(rank % C::channel_shares * C::own),
        count(greatest(least(C::channels - first, C::own), 0)) {
    const int each = ceil_div(positions, C::position_shares);
    begin = least(rank / C::channel_shares * each, positions);
    end = least(begin + each, positions);
  }

  /// Starts to bring the weights; they are there after `squeeze`.
  BURNISH_DEVICE void fetch_weights() {
    if constexpr (C::staged) {
      for (int i = threadIdx.x; i < C::hidden * C::parts; i += C::threads) {
        const int k = i / C::parts, c = i % C::parts * V;
        if (c < count)
          copy_async<16>(shared_address(&memory.inwards[k * C::own + c]),
                         weights.inwards + i64(k) * C::channels + first + c, 16);
      }
      for (int i = threadIdx.x * V; i < count * C::hidden; i += C::threads * V)
        copy_async<16>(shared_address(&memory.outwards[i]), weights.outwards + i64(first) * C::hidden + i,
                       16);
      commit_copies();
    }
    for (int k = threadIdx.x; k < C::hidden; k += C::threads)
      memory.hidden_bias[k] = weights.inwards_bias ? load(weights.inwards_bias + k) : A(0);
    for (int c = threadIdx.x; c < count; c += C::threads)
      memory.gate_bias[c] = weights.outwards_bias ? load(weights.outwards_bias + first + c) : A(0);
  }

  /// Starts to bring what is held of an image.
  template <class Images>
  BURNISH_DEVICE void fetch(const Images& x, int image) const {
    each_part([&](int part) {
      const auto* from = x.channels_from(image, first + part * V);
      each_stage([&](int j) { refill(x, from, j); });
    });
  }

  /// Sums of the block's channels over its positions, of which those held are being fetched.
  template <class Images>
  BURNISH_DEVICE void squeeze(const Images& x, int image) {
    each_part([&](int part) {
      const auto* from = x.channels_from(image, first + part * V);
      A sum[V] = {};
      add_others(x, from, sum);
      add_held<0>(sum);
      add_held<1>(sum);
      add_held<2>(sum);
      add_held<3>(sum);
#pragma unroll
      for (int i = 0; i < V; ++i) memory.of_rows[row][part * V + i] = sum[i];
    });
    if constexpr (C::held > 0 || C::staged) wait_copies<0>();
    __syncthreads();
    each_of(count, [&](int c) {
      A sum = 0;
      for (int r = Lanes::lane(); r < C::rows; r += 8) sum += memory.of_rows[r][c];
      sum = together(sum);
      if (Lanes::lane() == 0) memory.sums[c] = sum;
    });
    __syncthreads();
  }

  /// f(k, share) by 8 lanes each: this block's share of hidden number k, before it is divided by the positions.
  template <class F>
  BURNISH_DEVICE void each_share(F f) const {
    const T* rows = C::staged ? memory.inwards : weights.inwards + first;
    constexpr i64 pitch = C::staged ? C::own : C::channels;
    each_of(C::hidden, [&](int k) {
      A share = 0;
      for (int c = Lanes::lane(); c < count; c += 8) share += load(rows + k * pitch + c) * memory.sums[c];
      f(k, together(share));
    });
  }

  /// share(block, k): what `each_share` gave in that block.
  template <class Activation, class Gate, class F>
  BURNISH_DEVICE void find_gates(const Activation& activation, const Gate& gate, F share) {
    for (int k = threadIdx.x; k < C::hidden; k += C::threads) {
      A sum = 0;
#pragma unroll
      for (int block = 0; block < C::blocks; ++block) sum += share(block, k);
      memory.hidden[k] = activation(sum / A(positions) + memory.hidden_bias[k]);
    }
    __syncthreads();
    const T* rows = C::staged ? memory.outwards : weights.outwards + i64(first) * C::hidden;
    each_of(count, [&](int c) {
      A sum = 0;
      for (int k = Lanes::lane(); k < C::hidden; k += 8)
        sum += load(rows + i64(c) * C::hidden + k) * memory.hidden[k];
      sum = together(sum);
      if (Lanes::lane() == 0) memory.gates[c] = gate(sum + memory.gate_bias[c]);
    });
    __syncthreads();
  }

  /// Where there is another image to come (next >= 0), starts to bring it.
  template <class From, class To>
  BURNISH_DEVICE void excite(const From& x, const To& y, int image, int next) const {
    each_part([&](int part) {
      const auto *from = x.channels_from(image, first + part * V),
                 *then = x.channels_from(greatest(next, 0), first + part * V);
      auto* to = y.channels_from(image, first + part * V);
      A gates[V];
#pragma unroll
      for (int i = 0; i < V; ++i) gates[i] = memory.gates[part * V + i];
      auto put = [&](const Row<T, V>& read, int p) {
        A v[V];
#pragma unroll
        for (int i = 0; i < V; ++i) v[i] = read[i] * gates[i];
        store_row<T, V>(to + offset_at(p, extents, y.strides), y.step(), V, To::vectors, v);
      };
      each_stage([&](int j) {
        if (position(j) < end) put(held(j), position(j));
        if (next >= 0) refill(x, then, j);
      });
      each_other(x, from, put);
    });
  }

 private:
  static BURNISH_DEVICE A together(A mine) {
    return Lanes::reduce(mine, [](A a, A b) { return a + b; });
  }
  /// f(n) by 8 lanes for each n < count.
  template <class F>
  static BURNISH_DEVICE void each_of(int count, F f) {
    for (int n = threadIdx.x / 8; n < count; n += C::threads / 8) f(n);
  }
  /// f(part) for the vectors of channels that this thread has: one, where they are no more than threads.
  template <class F>
  BURNISH_DEVICE void each_part(F f) const {
    if (row >= C::rows) return;
    for (int part = lane; part < C::parts; part += C::width)
      if (part * V < count) f(part);
  }
  BURNISH_DEVICE int position(int j) const { return begin + row + j * C::rows; }

  BURNISH_DEVICE T* slot(int j) const { return memory.image + (j * C::threads + int(threadIdx.x)) * V; }
  BURNISH_DEVICE Row<T, V> held(int j) const {
    Row<T, V> row;
    copy_vector<T, V>(&row, slot(j));
    return row;
  }
  /// f(j) for all that is held; the copies of a stage are one group.
  template <class F>
  static BURNISH_DEVICE void each_stage(F f) {
    if constexpr (C::held > 0)
#pragma unroll
      for (int s = 0; s < stages; ++s) {
#pragma unroll
        for (int j = s * stage; j < least(s * stage + stage, C::held); ++j) f(j);
        commit_copies();
      }
  }
  template <class Images, class From>
  BURNISH_DEVICE void refill(const Images& x, const From* from, int j) const {
    if (position(j) < end)
      copy_async<16>(shared_address(slot(j)), from + offset_at(position(j), extents, x.strides), 16);
  }
  static BURNISH_DEVICE void add(const Row<T, V>& read, A (&sum)[V]) {
#pragma unroll
    for (int i = 0; i < V; ++i) sum[i] += read[i];
  }
  template <int Stage>
  BURNISH_DEVICE void add_held(A (&sum)[V]) const {
    if constexpr (C::held > 0) {
      wait_copies<stages - 1 - Stage>();
#pragma unroll
      for (int j = Stage * stage; j < least(Stage * stage + stage, C::held); ++j)
        if (position(j) < end) add(held(j), sum);
    }
  }
  /// f(vector, position) for those that are not held, several being read at a time.
  template <class Images, class From, class F>
  BURNISH_DEVICE void each_other(const Images& x, const From* from, F f) const {
    constexpr int together = 4;
    for (int p = position(C::held); p < end; p += together * C::rows) {
      Row<T, V> read[together];
#pragma unroll
      for (int i = 0; i < together; ++i)
        if (p + i * C::rows < end)
          read[i] = read_row<T, V>(from + offset_at(p + i * C::rows, extents, x.strides), x.step(), V,
                                   Images::vectors);
#pragma unroll
      for (int i = 0; i < together; ++i)
        if (p + i * C::rows < end) f(read[i], p + i * C::rows);
    }
  }
  template <class Images, class From>
  BURNISH_DEVICE void add_others(const Images& x, const From* from, A (&sum)[V]) const {
    each_other(x, from, [&](const Row<T, V>& read, int) { add(read, sum); });
  }
};

/// Clusters of C::blocks (sm_90 and later), each of which has one image after the other; grid.x: any multiple of C::blocks.
/// Early: weights and biases are constants, and are fetched before earlier kernels are waited for.
template <class C, bool Early, int Rank, class From, class To, class Activation, class Gate>
BURNISH_DEVICE void squeeze_excite(const From& x, const To& y, const Dims<Rank, int>& extents, int images,
                                   const SqueezeWeights<typename C::T>& weights, Activation activation,
                                   Gate gate) {
  static_assert(C::clustered);
  extern __shared__ __align__(16) u8 squeeze_shared[];
  SqueezeBlock<C, Rank> block(squeeze_shared, extents, weights);
  arrive_in_cluster();
  block.fetch_weights();
  if constexpr (Early) wait_for_prerequisites();
  const int image_of_cluster = blockIdx.x / C::blocks, clusters = gridDim.x / C::blocks;
  if (image_of_cluster < images) block.fetch(x, image_of_cluster);
  wait_for_cluster();  // all have begun, so their memory may be written to
  int turn = 0;
  for (int image = image_of_cluster; image < images; image += clusters, turn ^= 1) {
    block.squeeze(x, image);
    auto& shares = block.memory.shares[turn];
    block.each_share([&](int k, typename C::A share) {
      for (int to = Team<8>::lane(); to < C::blocks; to += 8)
        store_in_block(shares[block.rank][k], to, share);
    });
    synchronize_cluster();
    block.find_gates(activation, gate, [&](int of, int k) { return shares[of][k]; });
    block.excite(x, y, image, image + clusters < images ? image + clusters : -1);
  }
}

/// The same as two launches on any GPU, C::held being 0; grid.x of both: any multiple of C::blocks.
/// shares: [image][block][hidden].
template <class C, int Rank, class From>
BURNISH_DEVICE void squeeze(const From& x, const Dims<Rank, int>& extents, int images,
                            const SqueezeWeights<typename C::T>& weights, typename C::A* shares) {
  extern __shared__ __align__(16) u8 squeeze_shared[];
  SqueezeBlock<C, Rank> block(squeeze_shared, extents, weights);
  for (int image = blockIdx.x / C::blocks; image < images; image += gridDim.x / C::blocks) {
    block.squeeze(x, image);
    block.each_share([&](int k, typename C::A share) {
      if (Team<8>::lane() == 0) shares[(i64(image) * C::blocks + block.rank) * C::hidden + k] = share;
    });
  }
}
template <class C, int Rank, class From, class To, class Activation, class Gate>
BURNISH_DEVICE void excite(const From& x, const To& y, const Dims<Rank, int>& extents, int images,
                           const SqueezeWeights<typename C::T>& weights, const typename C::A* shares,
                           Activation activation, Gate gate) {
  extern __shared__ __align__(16) u8 squeeze_shared[];
  SqueezeBlock<C, Rank> block(squeeze_shared, extents, weights);
  block.fetch_weights();
  __syncthreads();
  for (int image = blockIdx.x / C::blocks; image < images; image += gridDim.x / C::blocks) {
    block.find_gates(activation, gate,
                     [&](int of, int k) { return shares[(i64(image) * C::blocks + of) * C::hidden + k]; });
    block.excite(x, y, image, -1);
  }
}

}  // namespace burnish
