#pragma once

#include "ops/attention/attention.h"
#include "ops/kernel_axes.h"

namespace burnish {

/// How attention is cut up on a device: `AttentionTiles` in attention.cuh, or `WarpgroupAttentionTiles` in
/// attention_warpgroup.cuh.
struct AttentionCut {
  int64_t head_dim, value_dim;
  int warps, keys, stages;
  bool warpgroup = false;

  int queries() const { return 16 * warps; }
  int64_t span() const { return (std::max(head_dim, value_dim) + 15) / 16 * 16; }
  std::string name() const {
    return (warpgroup ? "wgmma " : "mma ") + std::to_string(queries()) + "x" + std::to_string(keys) + " s" +
           std::to_string(stages);
  }
  std::string type(DType dtype) const {
    std::string text =
        (warpgroup ? "WarpgroupAttentionTiles<" : "AttentionTiles<") + std::string(device_type(dtype));
    for (int64_t v :
         {head_dim, value_dim, int64_t{warpgroup ? warps / 4 : warps}, int64_t{keys}, int64_t{stages}})
      text += ", " + std::to_string(v);
    return text + ">";
  }
  int shared_bytes() const {
    if (!warpgroup) return static_cast<int>((queries() + 2 * keys * stages) * (span() + 8) * 2);
    auto line = [](int64_t dim) { return (dim + 63) / 64 * 128; };
    const int64_t result_row = ((value_dim + 15) / 16 * 16 + 8) * 2;
    const int64_t query_bytes = (queries() * std::max(line(head_dim), result_row) + 1023) / 1024 * 1024;
    return static_cast<int>(1024 + query_bytes + stages * keys * (line(head_dim) + line(value_dim)));
  }
};

/// What decides between cuts.
struct AttentionExtents {
  int64_t queries, keys, batches, most_keys;

  double cost(const AttentionCut& cut) const {
    const int64_t blocks = (queries + cut.queries() - 1) / cut.queries() * batches;
    const double keys_read = static_cast<double>((keys + cut.keys - 1) / cut.keys * cut.keys);
    return static_cast<double>(std::max(blocks, multiprocessors) * cut.queries()) * keys_read / speed(cut);
  }
  /// As many queries as give every multiprocessor work and leave few rows idle, for a block reads its keys once for all.
  int warp_count(bool narrow) const {
    auto tiles = [&](int warps) { return (queries + 16 * warps - 1) / (16 * warps); };
    for (int n : {8, 4})
      if ((n == 4 || narrow) && tiles(n) * batches >= n / 4 * multiprocessors &&
          tiles(n) * n * 4 <= tiles(2) * 2 * 5)
        return n;
    return 2;
  }
  /// The tile that pads the keys least; wide heads leave no registers for a larger one than 64.
  int key_tile(bool narrow) const {
    int best = 64;
    auto padded = [&](int tile) { return (keys + tile - 1) / tile * tile; };
    for (int tile : {80, 96, 112, 128})
      if (narrow && padded(tile) < padded(best)) best = tile;
    return best;
  }

 private:
  static constexpr int64_t multiprocessors = 132;

  // Relative to two warpgroups with 64 keys of narrow heads; measured with tools/kernels/attention_tiles.py on an H200.
  double speed(const AttentionCut& cut) const {
    const double all_keys = keys <= cut.keys ? 1.35 : 1;  // nothing to wait for between tiles
    if (!cut.warpgroup) return (cut.span() <= 64 ? 0.8 : 0.55) * all_keys;
    constexpr double by_resident[] = {0.3, 0.4, 0.7, 0.85, 1};  // warpgroups that hide each other's latencies
    const int resident = cut.warps / 4 * std::max(1, 65536 / (registers(cut) * 32 * cut.warps));
    return by_resident[std::min(resident, 4)] * (cut.warps == 4 ? 0.87 : 1) *
           (1 + 0.14 * (cut.keys - 64) / 64) * all_keys;
  }

 public:
  /// Of a thread: scores, exponentials packed in twos, results and the rest, in the units they are given out in.
  static int registers(const AttentionCut& cut) {
    return (cut.keys / 2 + cut.keys / 4 + static_cast<int>(cut.span()) / 2 + 30 + 7) / 8 * 8;
  }
};

namespace attention_detail {

/// Bytes of the asynchronous copies that q, k and v allow, 0 if none (see AttentionRows). `axes`: their batch axes.
inline int64_t copy_bytes(const KernelCtx& ctx, const KernelAxes& axes) {
  const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
  for (int64_t n = 16 / size; n * size >= 4; n /= 2) {
    bool all = true;
    for (size_t i = 0; i < 3; ++i) {
      const std::span<const Dim> strides = ctx.in_strides(i);
      all = all && ctx.dims.is_constant(strides.back(), 1) && ctx.in_alignment(i) % n == 0 &&
            divisible(ctx.dims, strides[strides.size() - 2], n);
      for (Dim d : axes.strides[i]) all = all && divisible(ctx.dims, d, n);
    }
    if (all) return n * size;
  }
  return 0;
}

inline KernelText mask_text(KernelCtx& ctx, std::span<const Dim> scores, std::span<const Dim> batch) {
  KernelText text;
  if (!ctx.has(3)) return text << "NoMask{}";
  const std::vector<Dim> along = broadcast_strides(ctx.dims, ctx.in(3).shape, ctx.in_strides(3), scores);
  const Dim query = along[along.size() - 2], key = along.back();
  bool pairs = ctx.dims.is_constant(key, 1) && ctx.in_alignment(3) % 2 == 0 &&
               divisible(ctx.dims, scores.back(), 2) && divisible(ctx.dims, query, 2);
  for (Dim d : batch) pairs = pairs && divisible(ctx.dims, d, 2);
  return text << "AttentionMask<" << device_type(ctx.in(3).dtype) << (pairs ? ", true>{" : ", false>{")
              << ctx.in_pointer(3) << " + offset_of(at, " << dims_text(batch) << "), " << query << ", " << key
              << "}";
}

/// The cuts that there are, of which the context chooses one. `bytes`: of asynchronous copies.
inline AttentionCut choose_cut(KernelCtx& ctx, int64_t head_dim, int64_t value_dim, Dim batches,
                               int64_t bytes) {
  const size_t rank = ctx.in(0).shape.size();
  const Dim all_keys = ctx.in(1).shape[ctx.in(1).shape.size() - 2];
  const AttentionExtents extents{ctx.usual(ctx.in(0).shape[rank - 2]), ctx.usual(all_keys),
                                 ctx.usual(batches), ctx.dims.range(all_keys).hi};
  std::vector<AttentionCut> cuts;
  std::vector<Tactic> tactics;
  auto offer = [&](int warps, int keys, bool warpgroup) {
    const AttentionCut cut{head_dim, value_dim, warps, keys, extents.most_keys <= keys ? 1 : 2, warpgroup};
    cuts.push_back(cut);
    tactics.push_back({cut.name(), extents.cost(cut)});
  };
  const bool narrow = std::max(head_dim, value_dim) <= 64;
  offer(extents.warp_count(narrow), extents.key_tile(narrow), false);
  if (ctx.architecture() == "sm_90" && bytes == 16)
    for (int keys : {64, 80, 96, 112, 128})
      for (int groups : {1, 2, 3}) {
        const AttentionCut cut{head_dim, value_dim, 4 * groups, keys, 2, true};
        const bool fits =
            AttentionExtents::registers(cut) <= (groups == 3 ? 168 : 255) && cut.shared_bytes() <= 227 * 1024;
        if (fits) offer(4 * groups, keys, true);
      }
  return cuts[ctx.choose(std::move(tactics))];
}

}  // namespace attention_detail

/// Attention on half or bfloat16 with tensor cores.
inline Verdict attention_kernel(KernelCtx& ctx) {
  using namespace attention_detail;
  DimTable& dims = ctx.dims;
  const DType dtype = ctx.in(0).dtype;
  if (dtype != DType::f16 && dtype != DType::bf16)
    return Verdict::no("no device kernel for attention on " + std::string(name_of(dtype)));
  const auto head_dim = dims.value(ctx.in(0).shape.back()), value_dim = dims.value(ctx.in(2).shape.back());
  if (!head_dim || !value_dim) return Verdict::no("the head dim is not known when the engine is built");
  if (std::max(*head_dim, *value_dim) > most_attention_head_dim)
    return Verdict::no("no device kernel for attention with heads of more than " +
                       std::to_string(most_attention_head_dim));

  const std::vector<Dim>& shape = ctx.out(0).shape;
  const size_t rank = shape.size();
  const std::span<const Dim> batch = std::span(shape).first(rank - 2), y = ctx.out_strides(0);
  const Dim queries = shape[rank - 2], keys = ctx.in(1).shape[ctx.in(1).shape.size() - 2];
  std::vector<Dim> scores(shape.begin(), shape.end());
  scores.back() = keys;
  std::vector<std::vector<Dim>> along;
  for (size_t i = 0; i < 3; ++i)
    along.push_back(broadcast_strides(dims, std::span(ctx.in(i).shape).first(ctx.in(i).shape.size() - 2),
                                      ctx.in_strides(i).first(ctx.in(i).shape.size() - 2), batch));
  along.push_back(ctx.has(3) ? broadcast_strides(dims, ctx.in(3).shape, ctx.in_strides(3), scores)
                             : std::vector<Dim>(rank, dims.constant(0)));
  KernelAxes all(5);
  for (size_t a = 0; a + 2 < rank; ++a)
    all.add(shape[a], {along[0][a], along[1][a], along[2][a], along[3][a], y[a]});
  const KernelAxes axes = collapsed(dims, all);

  const int64_t bytes = copy_bytes(ctx, axes);
  const AttentionCut cut = choose_cut(ctx, *head_dim, *value_dim, dims.product(batch), bytes);
  bool aligned =
      dims.is_constant(y.back(), 1) && ctx.out_alignment(0) % 8 == 0 && divisible(dims, y[rank - 2], 8);
  for (Dim d : axes.strides[4]) aligned = aligned && divisible(dims, d, 8);

  KernelCall call{
      .headers = {cut.warpgroup ? "ops/attention/attention_warpgroup.cuh" : "ops/attention/attention.cuh"}};
  KernelText& text = call.body;
  const Dim tiles = dims.ceil_div(queries, dims.constant(cut.queries()));
  text << "using C = " << std::string_view(cut.type(dtype)) << ";\nconst int tiles = (int)" << tiles
       << ";\nconst auto at = decompose((int)blockIdx.x / tiles, " << dims_text(axes.extents, "int")
       << (cut.warpgroup ? ");\nwarpgroup_attention<C>(" : ");\nattention<C>(")
       << "(int)blockIdx.x % tiles, ";
  for (size_t i = 0; i < 3; ++i) {
    const std::span<const Dim> strides = ctx.in_strides(i);
    text << "AttentionRows<" << device_type(dtype) << std::string_view(", " + std::to_string(bytes) + ">{")
         << ctx.in_pointer(i) << " + offset_of(at, " << dims_text(axes.strides[i]) << "), "
         << strides[strides.size() - 2] << ", " << strides.back() << "}, ";
  }
  text << mask_text(ctx, scores, axes.strides[3]) << ", " << ctx.out_pointer(0) << " + offset_of(at, "
       << dims_text(axes.strides[4]) << "), " << y[rank - 2] << ", " << y[rank - 1]
       << std::string_view(aligned ? ", true, (int)" : ", false, (int)") << queries << ", (int)" << keys
       << ", (float)" << std::string_view(real_text(static_cast<double>(ctx.attrs<AttentionAttrs>().scale)))
       << ");\n";
  call.grid = {dims.mul(tiles, dims.product(axes.extents)), dims.constant(1), dims.constant(1)};
  call.block = {32 * cut.warps, 1, 1};
  call.shared_bytes = cut.shared_bytes();
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
