#pragma once

#include "ir/gpu.h"
#include "ops/attention/attention.h"
#include "ops/kernel_axes.h"

namespace burnish {

/// How attention is cut up on a device: `AttentionTiles` in attention.cuh, `WarpgroupAttentionTiles` in
/// attention_warpgroup.cuh, or `SpecialisedAttentionTiles` in attention_specialised.cuh.
struct AttentionCut {
  enum class Form : uint8_t { warps, warpgroups, specialised };
  int64_t head_dim, value_dim;
  int warps, keys, stages;
  Form form = Form::warps;

  int queries() const { return 16 * warps; }
  int groups() const { return warps / 4; }
  int64_t span() const { return (std::max(head_dim, value_dim) + 15) / 16 * 16; }
  std::string name() const {
    return (form == Form::warps ? "mma " : "wgmma ") + std::to_string(queries()) + "x" +
           std::to_string(keys) + " s" + std::to_string(stages) + (form == Form::specialised ? " turns" : "");
  }
  std::string_view header() const {
    return form == Form::warps        ? "ops/attention/attention.cuh"
           : form == Form::warpgroups ? "ops/attention/attention_warpgroup.cuh"
                                      : "ops/attention/attention_specialised.cuh";
  }
  std::string type(DType dtype) const {
    std::string text = form == Form::warps        ? "AttentionTiles<"
                       : form == Form::warpgroups ? "WarpgroupAttentionTiles<"
                                                  : "SpecialisedAttentionTiles<";
    text += device_type(dtype);
    for (int64_t v : {head_dim, value_dim, int64_t{form == Form::warps ? warps : groups()}, int64_t{keys},
                      int64_t{stages}})
      text += ", " + std::to_string(v);
    return text + ">";
  }
  int threads() const { return 32 * warps + (form == Form::specialised ? 128 : 0); }
  /// Blocks of a multiprocessor that share its registers, 0: as many as may.
  int resident() const { return form != Form::specialised ? 0 : groups() == 1 ? 2 : 1; }
  int shared_bytes() const {
    if (form == Form::warps) return static_cast<int>((queries() + 2 * keys * stages) * (span() + 8) * 2);
    auto line = [](int64_t dim) { return (dim + 63) / 64 * 128; };
    const int64_t result_row = ((value_dim + 15) / 16 * 16 + 8) * 2;
    const int64_t tiles = stages * keys * (line(head_dim) + line(value_dim));
    if (form == Form::specialised)
      return static_cast<int>(1024 + queries() * (line(head_dim) + result_row) + tiles +
                              16 * (1 + 2 * stages));
    const int64_t query_bytes = (queries() * std::max(line(head_dim), result_row) + 1023) / 1024 * 1024;
    return static_cast<int>(1024 + query_bytes + tiles);
  }
};

/// What decides between cuts.
struct AttentionExtents {
  int64_t queries, keys, batches, most_keys;

  double cost(const AttentionCut& cut) const {
    const double keys_read = static_cast<double>((keys + cut.keys - 1) / cut.keys * cut.keys);
    const int64_t rows =
        (blocks(cut) + h200::multiprocessors - 1) / h200::multiprocessors * cut.queries();  // of the busiest
    return static_cast<double>(rows) * keys_read / speed(cut);
  }
  /// As many queries as give every multiprocessor work and leave few rows idle, for a block reads its keys once for all.
  int warp_count(bool narrow) const {
    auto tiles = [&](int warps) { return (queries + 16 * warps - 1) / (16 * warps); };
    for (int n : {8, 4})
      if ((n == 4 || narrow) && tiles(n) * batches >= n / 4 * h200::multiprocessors &&
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

  /// Of a thread of warpgroups: scores and exponentials, results and the rest, in the units they are given out in.
  static int registers(const AttentionCut& cut) {
    const bool specialised = cut.form == AttentionCut::Form::specialised;
    const int tile = specialised ? cut.keys * 3 / 4 + 28 : cut.keys * 3 / 5 + 36;
    return (tile + static_cast<int>(cut.span()) / 2 + 7) / 8 * 8;
  }
  static bool fits(const AttentionCut& cut) {
    if (cut.form != AttentionCut::Form::specialised)
      return registers(cut) <= (cut.groups() == 3 ? 168 : 255) && cut.shared_bytes() <= h200::shared_of_block;
    constexpr int most_registers[] = {208, 232, 160};  // as device text has them
    const int64_t blocks = cut.groups() == 1 ? 2 : 1,
                  shared = h200::shared_of_multiprocessor / blocks - h200::shared_beside_block;
    return registers(cut) <= most_registers[cut.groups() - 1] && cut.shared_bytes() <= shared;
  }

 private:
  int64_t blocks(const AttentionCut& cut) const {
    return (queries + cut.queries() - 1) / cut.queries() * batches;
  }
  // Relative to four warpgroups on a multiprocessor with 64 keys each; measured with tools/kernels/attention_tiles.py on an
  // H200, but for three specialised warpgroups with wide heads.
  double speed(const AttentionCut& cut) const {
    const double all_keys = keys <= cut.keys ? 1.15 : 1;  // nothing to wait for between tiles
    if (cut.form == AttentionCut::Form::warps) return (cut.span() <= 64 ? 0.75 : 0.55) * all_keys;
    const int64_t waves =
        std::max<int64_t>(1, (blocks(cut) + h200::multiprocessors - 1) / h200::multiprocessors);
    if (cut.form == AttentionCut::Form::specialised) {
      constexpr double narrow[] = {0.42, 1.05, 1.33}, wide[] = {0.42, 1.29, 1.29};  // by resident warpgroups
      const int64_t warpgroups = cut.groups() * std::min<int64_t>(cut.resident(), waves);
      const auto steps = static_cast<double>((keys + cut.keys - 1) / cut.keys *
                                             ((waves + cut.resident() - 1) / cut.resident()));
      return (cut.span() <= 64 ? narrow : wide)[warpgroups - 1] * (cut.resident() > 1 ? 0.9 : 1) *
             (1 + 0.2 * (std::min(cut.keys, 128) - 128) / 64) * steps / (steps + 1);
    }
    constexpr double by_warpgroups[] = {0.4, 0.65, 0.83, 1};  // as many hide each other's latencies
    const int64_t fit = std::max(1, 65536 / (registers(cut) * 32 * cut.warps));
    const int64_t resident = std::min(fit, waves) * cut.groups();
    return by_warpgroups[std::clamp<int64_t>(resident, 1, 4) - 1] * (1 + 0.2 * (cut.keys - 64) / 64) *
           all_keys;
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

/// Whether the copy engine can bring rows that asynchronous copies of 16 bytes can: its map has three axes for those that are
/// walked, no strides of 0 and no extents of 0.
inline Verdict mapped_verdict(const KernelCtx& ctx, const KernelAxes& axes) {
  if (axes.rank() > 3) return Verdict::no("more than three axes are walked");
  const auto walks = [&](Dim stride) { return ctx.dims.range(stride).lo > 0; };
  for (size_t i = 0; i < 3; ++i) {
    const std::span<const Dim> strides = ctx.in_strides(i), shape = ctx.in(i).shape;
    if (ctx.dims.range(shape[shape.size() - 2]).lo < 1) return Verdict::no("there may be no rows");
    if (!walks(strides[strides.size() - 2])) return Verdict::no("rows may lie on each other");
    for (Dim d : axes.strides[i])
      if (!walks(d) && !ctx.dims.is_constant(d, 0)) return Verdict::no("heads may lie on each other");
  }
  return Verdict::yes();
}

/// Operand i as device text `MappedRows` of its matrix `at`, in boxes of `rows`.
inline KernelText mapped_rows(KernelCtx& ctx, size_t i, const KernelAxes& axes, int rows) {
  const Dim one = ctx.dims.constant(1);
  const std::span<const Dim> shape = ctx.in(i).shape, strides = ctx.in_strides(i);
  const Dim row = strides[strides.size() - 2];
  TensorMap map{.pointer = ctx.in_pointer(i),
                .extents = {shape.back(), shape[shape.size() - 2]},
                .strides = {row},
                .box = {64, static_cast<uint32_t>(rows), 1, 1, 1}};
  std::string at;
  for (size_t a = 0; a < 3; ++a) {
    const bool walked = a < axes.rank() && !ctx.dims.is_constant(axes.strides[i][a], 0);
    map.extents.push_back(walked ? axes.extents[a] : one);
    map.strides.push_back(walked ? axes.strides[i][a] : row);
    at += (a ? ", " : "") + (walked ? "at.at[" + std::to_string(a) + "]" : std::string("0"));
  }
  KernelText text;
  return text << "MappedRows{" << std::move(map) << std::string_view(", {" + at + "}}, ");
}

/// Operand i as device text `AttentionRows` of its matrix `at`.
inline KernelText strided_rows(KernelCtx& ctx, size_t i, const KernelAxes& axes, int64_t bytes) {
  const std::span<const Dim> strides = ctx.in_strides(i);
  KernelText text;
  return text << "AttentionRows<" << device_type(ctx.in(i).dtype)
              << std::string_view(", " + std::to_string(bytes) + ">{") << ctx.in_pointer(i)
              << " + offset_of(at, " << dims_text(axes.strides[i]) << "), " << strides[strides.size() - 2]
              << ", " << strides.back() << "}, ";
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
inline AttentionCut choose_cut(KernelCtx& ctx, int64_t head_dim, int64_t value_dim, const KernelAxes& axes,
                               int64_t bytes) {
  const size_t rank = ctx.in(0).shape.size();
  const Dim all_keys = ctx.in(1).shape[ctx.in(1).shape.size() - 2];
  const AttentionExtents extents{ctx.usual(ctx.in(0).shape[rank - 2]), ctx.usual(all_keys),
                                 ctx.usual(ctx.dims.product(axes.extents)), ctx.dims.range(all_keys).hi};
  std::vector<AttentionCut> cuts;
  std::vector<Tactic> tactics;
  auto offer = [&](const AttentionCut& cut) {
    cuts.push_back(cut);
    tactics.push_back({cut.name(), extents.cost(cut)});
  };
  const bool narrow = std::max(head_dim, value_dim) <= 64;
  auto stages = [&](int keys) { return extents.most_keys <= keys ? 1 : 2; };
  const int key_tile = extents.key_tile(narrow);
  offer({head_dim, value_dim, extents.warp_count(narrow), key_tile, stages(key_tile)});
  const Verdict warpgroups = ctx.architecture() != "sm_90"
                                 ? Verdict::no("only sm_90 multiplies by warpgroups")
                             : bytes != 16 ? Verdict::no("rows cannot be copied 16 bytes at a time")
                                           : Verdict::yes();
  ctx.decline("wgmma", warpgroups);
  if (!warpgroups) return cuts[ctx.choose(std::move(tactics))];
  for (int groups : {1, 2, 3})
    for (int keys : {64, 80, 96, 112, 128}) {
      const AttentionCut cut{head_dim, value_dim,    4 * groups,
                             keys,     stages(keys), AttentionCut::Form::warpgroups};
      if (extents.fits(cut)) offer(cut);
    }
  const Verdict mapped = mapped_verdict(ctx, axes);
  ctx.decline("copy engine", mapped);
  if (!mapped) return cuts[ctx.choose(std::move(tactics))];
  for (int groups : {1, 2, 3})
    for (int keys : {80, 96, 112, 128, 160, 176}) {
      const AttentionCut cut{head_dim, value_dim, 4 * groups, keys, 2, AttentionCut::Form::specialised};
      if (!extents.fits(cut)) continue;
      offer(cut);
      if (extents.most_keys <= keys) break;  // larger tiles would be padding
    }
  return cuts[ctx.choose(std::move(tactics))];
}

/// The launch for a cut. `scores`: their shape.
inline KernelCall attention_call(KernelCtx& ctx, const AttentionCut& cut, const KernelAxes& axes,
                                 std::span<const Dim> scores, int64_t bytes) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> y = ctx.out_strides(0);
  const size_t rank = y.size();
  const Dim queries = scores[rank - 2], keys = scores[rank - 1];
  bool aligned =
      dims.is_constant(y.back(), 1) && ctx.out_alignment(0) % 8 == 0 && divisible(dims, y[rank - 2], 8);
  for (Dim d : axes.strides[4]) aligned = aligned && divisible(dims, d, 8);

  KernelCall call{.headers = {std::string(cut.header())}};
  KernelText& text = call.body;
  const bool specialised = cut.form == AttentionCut::Form::specialised;
  const Dim tiles = dims.ceil_div(queries, dims.constant(cut.queries()));
  const Dim blocks = dims.mul(tiles, dims.product(axes.extents));
  KernelText extent;  // that all tiles share
  extent << "(int)" << queries << ", (int)" << keys << ", (float)"
         << std::string_view(real_text(static_cast<double>(ctx.attrs<AttentionAttrs>().scale)));
  text << "using C = " << std::string_view(cut.type(ctx.in(0).dtype)) << ";\nconst int tiles = (int)" << tiles
       << ";\n";
  if (specialised) {
    text << "specialised_attention<C>((int)" << blocks << ", " << extent
         << ", [&](int tile, const auto& compute) {\n";
  } else {
    text << "const int tile = (int)blockIdx.x;\n";
  }
  text << "const auto at = decompose(tile / tiles, " << dims_text(axes.extents, "int") << ");\n"
       << (specialised                             ? "compute("
           : cut.form == AttentionCut::Form::warps ? "attention<C>("
                                                   : "warpgroup_attention<C>(")
       << "tile % tiles, ";
  for (size_t i = 0; i < 3; ++i)
    text << (specialised ? mapped_rows(ctx, i, axes, i == 0 ? cut.queries() : cut.keys)
                         : strided_rows(ctx, i, axes, bytes));
  text << mask_text(ctx, scores, axes.strides[3]) << ", " << ctx.out_pointer(0) << " + offset_of(at, "
       << dims_text(axes.strides[4]) << "), " << y[rank - 2] << ", " << y[rank - 1]
       << std::string_view(aligned ? ", true" : ", false");
  if (specialised) {
    text << ");\n});\n";
  } else {
    text << ", " << extent << ");\n";
  }
  const Dim most = dims.constant(h200::multiprocessors * std::max(cut.resident(), 1));
  call.grid = {specialised ? dims.min(blocks, most) : blocks, dims.constant(1), dims.constant(1)};
  call.block = {cut.threads(), 1, 1};
  call.resident = cut.resident();
  call.shared_bytes = cut.shared_bytes();
  return call;
}

}  // namespace attention_detail

/// The shape of the scores: [batch…, L, S].
inline std::vector<Dim> attention_scores(const KernelCtx& ctx) {
  std::vector<Dim> scores = ctx.out(0).shape;
  scores.back() = ctx.in(1).shape[ctx.in(1).shape.size() - 2];
  return scores;
}

/// The batch axes that are walked, with the strides of queries, keys, values, mask (0 without one) and result along them.
inline KernelAxes attention_axes(KernelCtx& ctx, std::span<const Dim> scores) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> batch = scores.first(scores.size() - 2), y = ctx.out_strides(0);
  std::vector<std::vector<Dim>> along;
  for (size_t i = 0; i < 3; ++i)
    along.push_back(broadcast_strides(dims, std::span(ctx.in(i).shape).first(ctx.in(i).shape.size() - 2),
                                      ctx.in_strides(i).first(ctx.in(i).shape.size() - 2), batch));
  along.push_back(ctx.has(3) ? broadcast_strides(dims, ctx.in(3).shape, ctx.in_strides(3), scores)
                             : std::vector<Dim>(scores.size(), dims.constant(0)));
  KernelAxes all(5);
  for (size_t a = 0; a < batch.size(); ++a)
    all.add(batch[a], {along[0][a], along[1][a], along[2][a], along[3][a], y[a]});
  return collapsed(dims, all);
}

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

  const std::vector<Dim> scores = attention_scores(ctx);
  const KernelAxes axes = attention_axes(ctx, scores);
  const int64_t bytes = copy_bytes(ctx, axes);
  const AttentionCut cut = choose_cut(ctx, *head_dim, *value_dim, axes, bytes);
  ctx.calls.push_back(attention_call(ctx, cut, axes, scores, bytes));
  return Verdict::yes();
}

}  // namespace burnish
