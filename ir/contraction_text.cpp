#include "ir/contraction_text.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "ir/gpu.h"
#include "ir/scalar.h"

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
/// What is left of a step when the copy engine brings B while threads copy A, and when it brings both operands. A narrow B is no
/// work for threads to be spared.
double mapped_step(const TileShape& t) {
  return t.mapped == 2 ? 0.75 : t.mapped == 0 ? 1 : t.n > 64 ? 0.9 : 1.1;
}
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

Verdict specialised_verdict(const ContractionProblem& p) {
  return p.b_along_k ? Verdict::yes() : Verdict::no("k of B does not lie together");
}

/// Whether the copy engine can bring B: it takes a matrix, not a batch of them, and columns 32 at a time.
Verdict mapped_b_verdict(const DimTable& dims, const ContractionProblem& p) {
  for (Dim d : p.batch)
    if (!dims.is_constant(d, 1)) return Verdict::no("there are several B");
  if (!divisible(dims, p.n, 32)) return Verdict::no("the columns of B are no multiple of 32");
  if (dims.range(p.k).lo < 1) return Verdict::no("k may be 0");
  return Verdict::yes();
}

std::string_view device_name(TileMath math) {
  return math == tensor ? "Math::tensor" : math == warpgroup ? "Math::warpgroup" : "Math::plain";
}

int shared_bytes(const TileShape& t, DType dtype, bool normalized) {
  const int size = static_cast<int>(size_of(dtype)), warp_m = t.m / t.warps_m, warp_n = t.n / t.warps_n;
  const int ring = (t.m + t.n) * t.k * size * t.stages;
  const int slab = t.math == plain ? (warp_m >= warp_n ? 8 : 4) * (16 / size) : 16;
  const int alignment = t.math == warpgroup ? 1024 : 128;
  const int sums = t.slices > 1 ? t.m * (t.n + 8) : slab * (warp_n + 8) * t.warps_m * t.warps_n;
  const int all = t.teams > 0 ? ring + 16 * t.stages + 8 * t.teams : std::max(ring, sums * 4);
  const int rows = t.m * ((t.slices > 1 ? 16 * std::max(t.teams, 1) : 0) + 4 * std::max(t.teams, 1));
  return (normalized ? (all + 15) / 16 * 16 + rows : all) + alignment - 128;
}

std::string name_of(const TileShape& t) {
  if (t.math == stationary)
    return "stationary " + std::to_string(t.m) + "x" + std::to_string(t.n) + " w" + std::to_string(t.warps_m);
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

using h200::multiprocessors;

// Into how many slices k is cut so that a problem of few tiles occupies the GPU: each keeps two steps at least.
int slices_of(const TileShape& t, const UsualExtents& usual) {
  int slices = 1;
  while (slices < 8 && usual.tiles(t) * slices * 2 <= multiprocessors && usual.k >= int64_t{t.k} * slices * 4)
    slices *= 2;
  return slices;
}

/// Bytes of a node's operands and of its results.
struct Traffic {
  double reads = 0, writes = 0;
  explicit Traffic(const KernelCtx& ctx) {
    const KernelCtx& whole = ctx.fused ? *ctx.fused : ctx;
    auto bytes = [&](const TensorType& type) {
      auto size = static_cast<double>(size_of(type.dtype));
      for (Dim d : type.shape) size *= static_cast<double>(ctx.usual(d));
      return size;
    };
    for (size_t i = 0; i < whole.node.inputs.size(); ++i)
      if (whole.has(i)) reads += bytes(whole.in(i));
    for (size_t i = 0; i < whole.node.outputs.size(); ++i)
      if (whole.wants(i)) writes += bytes(whole.out(i));
  }
  /// Microseconds; fitted to what tools/kernels/tiles.py --memory measures.
  double cost() const { return reads / 4.4e6 + writes / 3.5e6; }
  /// The work beside it is hidden behind it, or the other way round, but for a part of the shorter one.
  double beside(double work, double part) const {
    return std::max(cost(), work) + part * std::min(cost(), work);
  }
};

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

// ---- B stays in shared memory

Verdict stationary_verdict(const KernelCtx& ctx, const ContractionProblem& p, DType dtype) {
  if (size_of(dtype) != 2) return Verdict::no("elements are not of 16 bits");
  if (p.copy_bytes != 16 || !p.a_along_k || !p.b_along_k)
    return Verdict::no("rows of A and columns of B cannot be read 16 bytes at a time");
  for (Dim d : p.batch)
    if (!ctx.dims.is_constant(d, 1)) return Verdict::no("there are several B");
  const auto k = ctx.dims.value(p.k), n = ctx.dims.value(p.n);
  if (!k || !n || *k < 8 || *n < 8 || *k % 8 != 0 || *n % 8 != 0)
    return Verdict::no("B's extents are not known, or no multiples of 8");
  return Verdict::yes();
}

/// Extents and tile in the terms of device text `Stationary`.
struct StationaryForm {
  int64_t rows, columns, at_a_time, chunks, turns, held;
  StationaryForm(const TileShape& t, int64_t n, int64_t k)
      : rows(t.m), columns(whole_columns(n)), at_a_time(t.n), chunks((k + 31) / 32) {
    const int64_t most = rows <= 16 ? 6 : 3;
    turns = at_a_time < n ? 1 : (chunks + most - 1) / most;
    held = (chunks + turns - 1) / turns;
  }
  static int64_t whole_columns(int64_t n) { return n % 64 > 32 ? n - n % 64 + 64 : (n + 31) / 32 * 32; }
  /// Of B, then of rows that are normalised.
  int64_t shared_bytes(int warps, bool normalized) const {
    return columns * chunks * 64 + (normalized ? warps * rows * 4 : 0);
  }
  /// Sums, A, B, what the epilogue reads, the bias and `residuals` like the result; the rest is what else NVRTC uses.
  int64_t registers(int64_t residuals, bool normalized) const {
    const int64_t rest = rows / 8 + chunks / 4 + (turns > 1 ? 22 : 18);
    const int64_t normalizing = normalized ? rows / 8 * 7 : 0;
    return rows * at_a_time / 32 + held * rows / 2 + 8 + at_a_time * (rows * residuals + 4) / 64 + rest +
           normalizing;
  }
};

/// As many warps as have so many registers: multiples of 4, for a quarter of a multiprocessor has its own.
int stationary_warps(int64_t registers) {
  int warps = 24;
  while (warps > 8 && 2048 / warps / 8 * 8 < registers) warps -= 4;
  return warps;
}

/// Those with enough registers whose B fits.
std::vector<TileShape> stationary_tiles(const KernelCtx& ctx, int64_t n, int64_t k, int64_t residuals,
                                        bool normalized) {
  const int64_t shared = ctx.architecture() == "sm_90" ? h200::shared_of_block : shared_of_any_block;
  const int64_t whole = StationaryForm::whole_columns(n);
  std::vector<TileShape> tiles;
  for (const int rows : {16, 32})
    for (const int64_t at_a_time : whole == 64 ? std::vector{whole} : std::vector{int64_t{64}, whole}) {
      if (at_a_time > (at_a_time == whole ? 128 : whole)) continue;
      TileShape t{stationary, rows, static_cast<int>(at_a_time), static_cast<int>(k), 1, 1, 1};
      const StationaryForm form(t, n, k);
      const int64_t registers = form.registers(residuals, normalized);
      t.warps_m = stationary_warps(registers);
      if (form.shared_bytes(t.warps_m, normalized) > shared || registers > 248) continue;
      tiles.push_back(t);
    }
  return tiles;
}

// B arrives; then memory bounds it, or the instructions, or how long a warp waits: for A, and in each pass for residuals.
// Fitted to what tools/kernels/tiles.py --memory measures on an H200.
double stationary_cost(const TileShape& t, const UsualExtents& usual, const Traffic& traffic,
                       int64_t residuals) {
  constexpr double start = 3, bytes_per_microsecond = 5e6, instructions_per_microsecond = 693e3;
  const StationaryForm form(t, usual.n, usual.k);
  const int64_t warps = int64_t{multiprocessors} * t.warps_m, tiles = (usual.m + t.m - 1) / t.m;
  const auto rounds = static_cast<double>((tiles + warps - 1) / warps);
  const auto parts = static_cast<double>(form.columns) / 64, chunks = static_cast<double>(form.chunks),
             sixteens = static_cast<double>(t.m) / 16;
  const double each =
      sixteens * (20 + 16 * chunks + 32 * (6 + 2 * static_cast<double>(residuals))) + 8 * chunks;
  const double instructions = static_cast<double>(tiles) * parts * each / instructions_per_microsecond;
  const double passes = form.at_a_time < form.columns ? std::ceil(parts) : 1;
  const double latency = rounds * ((form.turns > 1 ? 2.0 * static_cast<double>(form.turns) : 1.5) +
                                   0.25 * parts * sixteens + (residuals > 0 ? 1.5 * passes : 0));
  const double crowded = t.m > 16 ? 1.03 : 1;  // fewer warps have more under way each
  return start +
         static_cast<double>(form.shared_bytes(t.warps_m, false)) * multiprocessors / bytes_per_microsecond +
         crowded * traffic.beside(std::max(instructions, latency), 0.1);
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

namespace {

struct Offers {
  std::vector<TileShape> tiles;
  std::vector<Tactic> tactics;
};

/// Microseconds that finding what 64 of k add up to takes in each step: a warp does it for its own rows.
double normalizing_step(const TileShape& t) { return 0.25 * std::max(1.0, t.m / t.warps_m / 16.0); }

/// Microseconds of a kernel that normalises the rows and does nothing else.
double normalizing_first(const UsualExtents& usual, DType dtype) {
  return 2 + 2 * static_cast<double>(usual.m * usual.k) * static_cast<double>(size_of(dtype)) / 3.5e6;
}

/// The tiles that a problem may have. `declined` is told what kinds it may not, and why.
Offers tiles_for(const KernelCtx& ctx, const ContractionProblem& p, DType dtype,
                 const std::function<void(const char* kind, const Verdict&)>& declined) {
  const UsualExtents usual(ctx, p);
  const Traffic traffic(ctx);
  Offers offers;
  auto offer = [&](TileTactic tactic) {
    if (p.normalizes) tactic.step += normalizing_step(tactic.tile);
    offers.tiles.push_back(tactic.tile);
    offers.tactics.push_back({name_of(tactic.tile), traffic.beside(cost_of(tactic, usual), 0.15) + p.before});
  };
  int mapped = 0;  // operands that the copy engine can bring
  auto offer_all = [&](std::span<const TileTactic> table) {
    for (TileTactic tactic : table) {
      TileShape& tile = tactic.tile;
      if (tile.math == tensor && dtype == DType::f32) tile.k /= 2;
      offer(tactic);
      if (tile.teams > 0) tile.mapped = mapped;
      tactic.step *= mapped_step(tile);
      if (tile.mapped > 0) offer(tactic);
      tile.slices = ctx.architecture() == "sm_90" ? slices_of(tile, usual) : 1;
      tactic.step /= std::max(tile.teams, 1);  // which take steps in turn
      if (tile.slices > 1) offer(tactic);
    }
  };
  offer_all(dtype == DType::f32 && !ctx.tf32() ? std::span<const TileTactic>(plain_tiles) : tensor_tiles);
  const auto accepts = [&](const char* kind, const Verdict& verdict) {
    declined(kind, verdict);
    return bool(verdict);
  };
  if (accepts("wgmma", warpgroup_verdict(ctx, p, dtype))) {
    offer_all(warpgroup_tiles);
    if (accepts("wgmma in teams", specialised_verdict(p))) {
      if (accepts("copy engine", mapped_b_verdict(ctx.dims, p)))
        mapped = accepts("copy engine for both", p.a_along_k ? Verdict::yes() : p.a_mapped) ? 2 : 1;
      offer_all(specialised_tiles);
    }
  }
  if (accepts("stationary", stationary_verdict(ctx, p, dtype))) {
    const auto size = static_cast<double>(size_of(dtype)), m = static_cast<double>(usual.m),
               n = static_cast<double>(usual.n), k = static_cast<double>(usual.k);
    const double results = m * n / (pairs_columns(ctx) ? 2 : 1);
    const auto residuals = static_cast<int64_t>(
        ((traffic.reads + traffic.writes) / size - m * k - n * k - results) / results + 0.5);
    for (const TileShape& t : stationary_tiles(ctx, usual.n, usual.k, residuals, p.normalizes)) {
      offers.tiles.push_back(t);
      offers.tactics.push_back({name_of(t), stationary_cost(t, usual, traffic, residuals) + p.before});
    }
  }
  return offers;
}

}  // namespace

TileChoice choose_tile(KernelCtx& ctx, const ContractionProblem& p, DType dtype,
                       std::span<const Tactic> others) {
  Offers offers = tiles_for(ctx, p, dtype, [&](const char* kind, const Verdict& v) { ctx.decline(kind, v); });
  const size_t at_once = offers.tiles.size();
  if (p.normalizes) {
    ContractionProblem after = p;
    after.normalizes = false;
    after.before += normalizing_first(UsualExtents(ctx, p), dtype);
    const Offers more = tiles_for(ctx, after, dtype, [](const char*, const Verdict&) {});
    offers.tiles.insert(offers.tiles.end(), more.tiles.begin(), more.tiles.end());
    for (const Tactic& t : more.tactics) offers.tactics.push_back({"rows first, " + t.name, t.cost});
  }
  offers.tactics.insert(offers.tactics.end(), others.begin(), others.end());
  const size_t chosen = ctx.choose(std::move(offers.tactics));
  if (chosen >= offers.tiles.size()) return {.other = chosen - offers.tiles.size()};
  return {.tile = offers.tiles[chosen], .rows_first = chosen >= at_once};
}

namespace {

/// How the kernel's text begins, up to the statements of a tile's operands.
KernelText contraction_start(const ContractionProblem& p, const TileShape& t, DType dtype, Dim batches,
                             bool waits, const std::optional<NormalizedRows>& normalized) {
  KernelText text;
  std::string options;
  if (waits || normalized) options = waits ? ", true" : ", false";
  if (normalized) options += normalized->rms ? ", RowNorm::rms" : ", RowNorm::layer";
  if (t.math == stationary)
    return text << "using C = Stationary<" + std::string(device_type(dtype)) << ", " << p.k << ", " << p.n
                << std::string_view(", " + std::to_string(t.m) + ", " + std::to_string(t.n) + ", " +
                                    std::to_string(t.warps_m) + options + ">;\ncontract_stationary<C>((int)")
                << p.m;
  std::string config =
      "using C = Contraction<" + std::string(device_type(dtype)) + ", " + std::string(device_name(t.math));
  for (int v : {t.m, t.n, t.k, t.warps_m, t.warps_n, t.stages}) config += ", " + std::to_string(v);
  config += ", true";
  for (int v : {t.slices, t.teams, t.mapped}) config += ", " + std::to_string(v);
  config += options;
  return text << std::string_view(config + ">;\ncontract<C>((int)") << p.m << ", (int)" << p.n << ", (int)"
              << p.k << ", (int)" << batches;
}

/// Blocks, how many of a multiprocessor have its registers, threads and shared memory.
void launch_contraction(KernelCtx& ctx, const ContractionProblem& p, const TileShape& t, DType dtype,
                        Dim batches, KernelCall& call) {
  DimTable& dims = ctx.dims;
  if (t.math == stationary) {
    call.grid[0] = dims.min(dims.ceil_div(p.m, dims.constant(t.m)), dims.constant(multiprocessors));
    call.resident = 1;
    call.block[0] = 32 * t.warps_m;
    call.shared_bytes = static_cast<int>(
        StationaryForm(t, *dims.value(p.n), *dims.value(p.k)).shared_bytes(t.warps_m, p.normalizes));
    return;
  }
  const Dim tiles = dims.mul(
      dims.mul(dims.ceil_div(p.m, dims.constant(t.m)), dims.ceil_div(p.n, dims.constant(t.n))), batches);
  const bool shares_out = t.teams > 0 && t.slices == 1;
  call.grid[0] =
      shares_out ? dims.min(tiles, dims.constant(multiprocessors)) : dims.mul(tiles, dims.constant(t.slices));
  call.cluster = t.slices;
  call.resident =
      t.teams > 0 ? 1 : 0;  // its warpgroups hand registers over, which needs their number to be known
  call.block[0] = 32 * t.warps_m * t.warps_n * std::max(t.teams, 1) + (t.teams > 0 ? 128 : 0);
  call.shared_bytes = shared_bytes(t, dtype, p.normalizes);
}

}  // namespace

void add_contraction(KernelCtx& ctx, const ContractionProblem& p, const TileShape& t, DType dtype,
                     const KernelText& operands, const EpilogueForm& form, std::string_view header) {
  DimTable& dims = ctx.dims;
  const Epilogue epilogue = make_epilogue(ctx, form);
  const std::string folder = "providers/nvrtc/device/";
  KernelCall call{
      .headers = {folder + (t.math == stationary ? "contraction_stationary.cuh" : "contraction.cuh"),
                  std::string(header)},
      .prelude = epilogue.prelude};
  Dim batches = p.batch[0];
  for (size_t i = 1; i < p.batch.size(); ++i) batches = dims.mul(batches, p.batch[i]);
  call.waits = p.constant_b && ctx.starts_early();
  call.body = contraction_start(p, t, dtype, batches, call.waits, form.normalized);
  KernelText& text = call.body;
  text << ", [&](Place place, const auto& compute) {\n";
  text << "const BatchIndex batch(place.batch, (int)" << p.batch[1] << ", (int)" << p.batch[2] << ", (int)"
       << p.batch[3] << ");\n";
  for (int i = 0; i < 4; ++i)
    text << std::string_view("[[maybe_unused]] const long long b" + std::to_string(i) + " = batch.at[" +
                             std::to_string(i) + "];\n");
  text.pieces.insert(text.pieces.end(), operands.pieces.begin(), operands.pieces.end());
  text << "compute(a, b, ";
  text.pieces.insert(text.pieces.end(), epilogue.construct.pieces.begin(), epilogue.construct.pieces.end());
  text << ");\n}";
  if (form.normalized)
    text << ", RowScale{"
         << std::string_view("float(" + Text(double{form.normalized->epsilon}).s.substr(1) + ")") << ", *"
         << form.normalized->factor << "}";
  text << ");\n";
  call.grid = {dims.constant(1), dims.constant(1), dims.constant(1)};
  call.block = {1, 1, 1};
  launch_contraction(ctx, p, t, dtype, batches, call);
  ctx.calls.push_back(std::move(call));
}

}  // namespace burnish
