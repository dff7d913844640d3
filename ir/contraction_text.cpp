#include "ir/contraction_text.h"

#include <algorithm>

namespace burnish {

namespace {

// What a tile takes on an H200, in microseconds: for 64 of k, and to begin and end.
struct TileTactic {
  TileShape tile;
  double step, end;
};

using enum TileMath;

// 16-bit elements and TF32 on tensor cores, ordinary multiply-adds. All fit into the 99 KB of shared memory that every
// target has. Measured on an H200: see bench/results.
constexpr TileTactic tensor_tiles[] = {
    {{tensor, 128, 256, 32, 2, 4, 4}, 1.25, 4.5}, {{tensor, 128, 128, 32, 2, 2, 4}, 0.7, 2.2},
    {{tensor, 128, 64, 64, 4, 1, 3}, 0.42, 1.1},  {{tensor, 64, 128, 64, 2, 2, 3}, 0.44, 1.3},
    {{tensor, 64, 64, 64, 2, 2, 4}, 0.22, 1.2},   {{tensor, 32, 64, 64, 2, 2, 4}, 0.21, 0.2},
    {{tensor, 64, 32, 64, 2, 2, 4}, 0.22, 0.2},   {{tensor, 32, 32, 128, 2, 2, 5}, 0.18, 0.2},
};
// 16-bit elements on sm_90, within its 227 KB. Fitted to what tools/kernels/tiles.py measures on an H200: the tile they choose
// takes 2 % longer than the best one, on average over its problems.
constexpr TileTactic warpgroup_tiles[] = {
    {{warpgroup, 128, 256, 64, 8, 1, 4}, 0.61, 4.6}, {{warpgroup, 256, 128, 64, 8, 1, 4}, 0.8, 4.6},
    {{warpgroup, 128, 128, 64, 8, 1, 3}, 0.52, 2.2}, {{warpgroup, 64, 256, 64, 4, 2, 4}, 0.52, 3.0},
    {{warpgroup, 128, 64, 64, 8, 1, 4}, 0.31, 1.1},  {{warpgroup, 64, 128, 64, 4, 1, 4}, 0.19, 2.8},
    {{warpgroup, 64, 64, 64, 4, 1, 4}, 0.19, 1.3},
};
// Those of which one warpgroup copies and two multiply, one tile together or one each.
constexpr TileTactic specialised_tiles[] = {
    {{warpgroup, 128, 256, 64, 8, 1, 4, 1, 1}, 0.56, 4.1},
    {{warpgroup, 256, 128, 64, 8, 1, 4, 1, 1}, 0.8, 4.0},
    {{warpgroup, 128, 192, 64, 8, 1, 5, 1, 1}, 0.5, 3.0},
    {{warpgroup, 128, 128, 64, 4, 1, 6, 1, 2}, 0.36, 2.0},
    {{warpgroup, 64, 256, 64, 4, 1, 5, 1, 2}, 0.38, 1.9},
    {{warpgroup, 128, 96, 64, 4, 1, 7, 1, 2}, 0.33, 1.4},
    {{warpgroup, 64, 128, 64, 4, 1, 8, 1, 2}, 0.235, 0.8},
    {{warpgroup, 128, 64, 64, 4, 1, 8, 1, 2}, 0.26, 0.9},
};
// A step is so much shorter when the copy engine brings B, or both operands.
constexpr double mapped_step[] = {1, 0.9, 0.75};
constexpr TileTactic plain_tiles[] = {
    {{plain, 128, 64, 16, 2, 2, 4}, 3.1, 1.1},
    {{plain, 64, 64, 16, 2, 2, 4}, 1.95, 0.6},
    {{plain, 32, 64, 16, 1, 2, 4}, 1.55, 0.4},
};

Verdict warpgroup_verdict(const KernelCtx& ctx, const ContractionProblem& p, DType dtype) {
  if (ctx.architecture() != "sm_90") return Verdict::no("only sm_90 multiplies by warpgroups");
  if (size_of(dtype) != 2) return Verdict::no("warpgroups multiply elements of 16 bits");
  if (p.copy_bytes != 16) return Verdict::no("operands cannot be copied 16 bytes at a time");
  if (ctx.usual(p.k) < 64) return Verdict::no("k is shorter than a step");
  return Verdict::yes();
}

// How many operands the copy engine can bring: it takes a matrix, not a batch of them, and B's columns 32 at a time.
int mappable(const DimTable& dims, const ContractionProblem& p) {
  for (Dim d : p.batch)
    if (!dims.is_constant(d, 1)) return 0;
  if (!p.b_along_k || !divisible(dims, p.n, 32) || dims.range(p.k).lo < 1) return 0;
  return p.a_along_k ? 2 : 1;
}

std::string_view device_name(TileMath math) {
  return math == tensor ? "Math::tensor" : math == warpgroup ? "Math::warpgroup" : "Math::plain";
}

int shared_bytes(const TileShape& t, DType dtype) {
  const int size = static_cast<int>(size_of(dtype)), warp_m = t.m / t.warps_m, warp_n = t.n / t.warps_n;
  const int ring = (t.m + t.n) * t.k * size * t.stages;
  const int slab = t.math == plain ? (warp_m >= warp_n ? 8 : 4) * (16 / size) : 16;
  const int alignment = t.math == warpgroup ? 1024 : 128;
  if (t.teams > 0) return ring + 16 * t.stages + 8 * t.teams + alignment - 128;
  const int sums = t.slices > 1 ? t.m * (t.n + 8) : slab * (warp_n + 8) * t.warps_m * t.warps_n;
  return std::max(ring, sums * 4) + alignment - 128;
}

std::string name_of(const TileShape& t) {
  auto extents = [](std::initializer_list<int> list) {
    std::string text;
    for (int v : list) text += (text.empty() ? "" : "x") + std::to_string(v);
    return text;
  };
  std::string name = t.math == tensor ? "mma" : t.math == warpgroup ? "wgmma" : "fma";
  name += " " + extents({t.m, t.n, t.k}) + " " + extents({t.warps_m, t.warps_n});
  name += " s" + std::to_string(t.stages);
  if (t.slices > 1) name += " k/" + std::to_string(t.slices);
  if (t.teams > 0) name += " t" + std::to_string(t.teams);
  if (t.mapped > 0) name += t.mapped > 1 ? " ab" : " b";
  return name;
}

/// The extents that a problem usually has.
struct UsualExtents {
  int64_t m, n, k, batches = 1;
  UsualExtents(const KernelCtx& ctx, const ContractionProblem& p)
      : m(ctx.usual(p.m)), n(ctx.usual(p.n)), k(ctx.usual(p.k)) {
    for (Dim d : p.batch) batches *= std::max<int64_t>(ctx.usual(d), 1);
  }
  int64_t tiles(const TileShape& t) const { return ((m + t.m - 1) / t.m) * ((n + t.n - 1) / t.n) * batches; }
};

constexpr int64_t multiprocessors = 132;

// Into how many slices k is cut so that a problem of few tiles occupies the GPU: each keeps two steps at least.
int slices_of(const TileShape& t, const UsualExtents& usual) {
  int slices = 1;
  while (slices < 8 && usual.tiles(t) * slices * 2 <= multiprocessors && usual.k >= int64_t{t.k} * slices * 4)
    slices *= 2;
  return slices;
}

// Waves of blocks, each of which takes all steps of its slice. Slices are put together at the end.
double cost_of(const TileTactic& tactic, const UsualExtents& usual) {
  const TileShape& t = tactic.tile;
  const int64_t waves = (usual.tiles(t) * t.slices + multiprocessors - 1) / multiprocessors;
  const int64_t steps = (usual.k + t.k - 1) / t.k, most = (steps + t.slices - 1) / t.slices;
  constexpr double start = 2;
  const double join = t.teams > 0 ? 0.8 * t.slices : 1.2;
  return start +
         static_cast<double>(waves) * (static_cast<double>(most * t.k) / 64 * tactic.step + tactic.end) +
         (t.slices > 1 ? join : 0);
}

}  // namespace

int copy_bytes(const DimTable& dims, const MatrixView& v) {
  const auto size = static_cast<int64_t>(size_of(v.dtype));
  const bool by_k = dims.is_constant(v.stride_k, 1), by_mn = dims.is_constant(v.stride_mn, 1);
  if (!by_k && !by_mn) return 0;
  for (int64_t bytes = 16; bytes >= std::max<int64_t>(size, 4); bytes /= 2) {
    const int64_t elements = bytes / size;
    bool fits = v.alignment % elements == 0 && divisible(dims, by_k ? v.stride_mn : v.stride_k, elements);
    for (Dim d : v.batch) fits = fits && divisible(dims, d, elements);
    if (fits) return static_cast<int>(bytes);
  }
  return 0;
}

std::string matrix_operand_type(const DimTable& dims, const MatrixView& v) {
  const int bytes = copy_bytes(dims, v);
  const bool along_mn =
      bytes ? !dims.is_constant(v.stride_k, 1) : dims.range(v.stride_mn).hi < dims.range(v.stride_k).hi;
  return "MatrixOperand<" + std::string(device_type(v.dtype)) + ", Major::" + (along_mn ? "mn" : "k") + ", " +
         std::to_string(bytes) + ">";
}

void define_matrix(KernelText& text, const DimTable& dims, std::string_view name, const MatrixView& v) {
  text << std::string_view("const " + matrix_operand_type(dims, v) + " ") << name << "{" << v.pointer
       << " + batch.offset(";
  text.list(v.batch) << "), " << v.stride_mn << ", " << v.stride_k << "};\n";
}

namespace {

/// Boxes of 64 k (128 bytes) and `rows` of mn. Spread: see device text `MappedOperand`.
void define_mapped(KernelText& text, DimTable& dims, std::string_view name, const MatrixView& v, Dim mn,
                   Dim k, int rows, bool spread) {
  TensorMap map{.pointer = v.pointer, .extents = {k, mn}, .strides = {v.stride_mn}, .box = {64, 0}};
  map.box[1] = static_cast<uint32_t>(rows);
  if (spread) {
    const auto columns = [&](int64_t count) { return dims.mul(v.stride_mn, dims.constant(count)); };
    map.extents = {k, dims.constant(2), dims.constant(4), dims.constant(4),
                   dims.ceil_div(mn, dims.constant(32))};
    map.strides = {v.stride_mn, columns(8), columns(2), columns(32)};
    map.box = {64, 2, 4, 4, static_cast<uint32_t>(rows / 32)};
  }
  text << std::string_view("const MappedOperand<" + std::string(device_type(v.dtype)) + "> ") << name << "{"
       << std::move(map) << "};\n";
}

}  // namespace

void define_a(KernelText& text, DimTable& dims, const MatrixView& v, const ContractionProblem& p,
              const TileShape& t) {
  if (t.mapped > 1) define_mapped(text, dims, "a", v, p.m, p.k, t.m, false);
  else define_matrix(text, dims, "a", v);
}

void define_b(KernelText& text, DimTable& dims, const MatrixView& v, const ContractionProblem& p,
              const TileShape& t) {
  if (t.mapped > 0) define_mapped(text, dims, "b", v, p.n, p.k, t.n, true);
  else define_matrix(text, dims, "b", v);
}

TileChoice choose_tile(KernelCtx& ctx, const ContractionProblem& p, DType dtype,
                       std::span<const Tactic> others) {
  const UsualExtents usual(ctx, p);
  std::vector<TileShape> tiles;
  std::vector<Tactic> tactics;
  auto offer = [&](const TileTactic& tactic) {
    tiles.push_back(tactic.tile);
    tactics.push_back({name_of(tactic.tile), cost_of(tactic, usual) + p.before});
  };
  auto offer_all = [&](std::span<const TileTactic> table) {
    for (TileTactic tactic : table) {
      TileShape& tile = tactic.tile;
      if (tile.math == tensor && dtype == DType::f32) tile.k /= 2;
      offer(tactic);
      if (tile.teams > 0) tile.mapped = mappable(ctx.dims, p);
      tactic.step *= mapped_step[tile.mapped];
      if (tile.mapped > 0) offer(tactic);
      tile.slices = ctx.architecture() == "sm_90" ? slices_of(tile, usual) : 1;
      tactic.step /= std::max(tile.teams, 1);  // which take steps in turn
      if (tile.slices > 1) offer(tactic);
    }
  };
  offer_all(dtype == DType::f32 && !ctx.tf32() ? std::span<const TileTactic>(plain_tiles) : tensor_tiles);
  if (warpgroup_verdict(ctx, p, dtype)) {
    offer_all(warpgroup_tiles);
    if (p.b_along_k) offer_all(specialised_tiles);
  }
  tactics.insert(tactics.end(), others.begin(), others.end());
  const size_t chosen = ctx.choose(std::move(tactics));
  if (chosen >= tiles.size()) return {.other = chosen - tiles.size()};
  return {.tile = tiles[chosen]};
}

void add_contraction(KernelCtx& ctx, const ContractionProblem& p, const TileShape& t, DType dtype,
                     const KernelText& operands, const EpilogueForm& form, std::string_view header) {
  DimTable& dims = ctx.dims;
  const Epilogue epilogue = make_epilogue(ctx, form);
  KernelCall call{.headers = {"providers/nvrtc/device/contraction.cuh", std::string(header)},
                  .prelude = epilogue.prelude};
  std::string config =
      "using C = Contraction<" + std::string(device_type(dtype)) + ", " + std::string(device_name(t.math));
  for (int v : {t.m, t.n, t.k, t.warps_m, t.warps_n, t.stages}) config += ", " + std::to_string(v);
  call.waits = p.constant_b && ctx.starts_early();
  config += ", true";
  for (int v : {t.slices, t.teams, t.mapped}) config += ", " + std::to_string(v);
  if (call.waits) config += ", true";
  Dim batches = p.batch[0];
  for (size_t i = 1; i < p.batch.size(); ++i) batches = dims.mul(batches, p.batch[i]);
  KernelText& text = call.body;
  text << std::string_view(config + ">;\ncontract<C>((int)") << p.m << ", (int)" << p.n << ", (int)" << p.k
       << ", (int)" << batches << ", [&](Place place, const auto& compute) {\n";
  text << "const BatchIndex batch(place.batch, (int)" << p.batch[1] << ", (int)" << p.batch[2] << ", (int)"
       << p.batch[3] << ");\n";
  for (int i = 0; i < 4; ++i)
    text << std::string_view("[[maybe_unused]] const long long b" + std::to_string(i) + " = batch.at[" +
                             std::to_string(i) + "];\n");
  text.pieces.insert(text.pieces.end(), operands.pieces.begin(), operands.pieces.end());
  text << "compute(a, b, ";
  text.pieces.insert(text.pieces.end(), epilogue.construct.pieces.begin(), epilogue.construct.pieces.end());
  text << ");\n});\n";
  const Dim tiles = dims.mul(
      dims.mul(dims.ceil_div(p.m, dims.constant(t.m)), dims.ceil_div(p.n, dims.constant(t.n))), batches);
  const bool shares_out = t.teams > 0 && t.slices == 1;
  const Dim blocks =
      shares_out ? dims.min(tiles, dims.constant(multiprocessors)) : dims.mul(tiles, dims.constant(t.slices));
  call.grid = {blocks, dims.constant(1), dims.constant(1)};
  call.cluster = t.slices;
  call.resident =
      t.teams > 0 ? 1 : 0;  // its warpgroups hand registers over, which needs their number to be known
  call.block = {32 * t.warps_m * t.warps_n * std::max(t.teams, 1) + (t.teams > 0 ? 128 : 0), 1, 1};
  call.shared_bytes = shared_bytes(t, dtype);
  ctx.calls.push_back(std::move(call));
}

}  // namespace burnish
