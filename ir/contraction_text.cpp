#include "ir/contraction_text.h"

#include <algorithm>

namespace burnish {

namespace {

struct TileTactic {
  TileShape tile;
  double efficiency;  // of the multiplier while the tile is full, relative to the best
};

// 16-bit elements and TF32 on tensor cores, ordinary multiply-adds. All fit into the 99 KB of shared memory that every
// target has. Measured on an H200: see bench/results.
constexpr TileTactic tensor_tiles[] = {
    {{128, 256, 32, 2, 4, 4}, 1.05}, {{128, 128, 32, 2, 2, 4}, 1.0}, {{128, 64, 64, 4, 1, 3}, 0.85},
    {{64, 128, 64, 2, 2, 3}, 0.8},   {{64, 64, 64, 2, 2, 4}, 0.65},  {{32, 64, 64, 2, 2, 4}, 0.42},
    {{64, 32, 64, 2, 2, 4}, 0.4},    {{32, 32, 128, 2, 2, 5}, 0.25},
};
constexpr TileTactic plain_tiles[] = {
    {{128, 64, 16, 2, 2, 4}, 1.0},
    {{64, 64, 16, 2, 2, 4}, 0.8},
    {{32, 64, 16, 1, 2, 4}, 0.5},
};

bool is_tensor(const KernelCtx& ctx, DType dtype) { return dtype != DType::f32 || ctx.tf32(); }

int shared_bytes(const TileShape& t, DType dtype, bool tensor) {
  const int size = static_cast<int>(size_of(dtype)), warp_m = t.m / t.warps_m, warp_n = t.n / t.warps_n;
  const int ring = (t.m + t.n) * t.k * size * t.stages;
  const int slab = tensor ? 16 : (warp_m >= warp_n ? 8 : 4) * (16 / size);
  return std::max(ring, slab * (warp_n + 8) * 4 * t.warps_m * t.warps_n);
}

std::string name_of(const TileShape& t, bool tensor) {
  auto extents = [](std::initializer_list<int> list) {
    std::string text;
    for (int v : list) text += (text.empty() ? "" : "x") + std::to_string(v);
    return text;
  };
  return (tensor ? "mma " : "fma ") + extents({t.m, t.n, t.k}) + " " + extents({t.warps_m, t.warps_n}) +
         " s" + std::to_string(t.stages);
}

// What is computed, padding of the last wave of blocks included, over how well the tile does it.
double cost_of(const TileTactic& tactic, int64_t m, int64_t n, int64_t batches) {
  constexpr int64_t multiprocessors = 132;
  const TileShape& t = tactic.tile;
  const int64_t tiles = ((m + t.m - 1) / t.m) * ((n + t.n - 1) / t.n) * batches;
  const int64_t waves = (tiles + multiprocessors - 1) / multiprocessors;
  return static_cast<double>(waves) * t.m * t.n / tactic.efficiency;
}

TileShape choose_tile(KernelCtx& ctx, const ContractionProblem& p, DType dtype, bool tensor) {
  const auto table = tensor ? std::span<const TileTactic>(tensor_tiles) : std::span(plain_tiles);
  int64_t batches = 1;
  for (Dim d : p.batch) batches *= std::max<int64_t>(ctx.usual(d), 1);
  std::vector<TileShape> tiles;
  std::vector<Tactic> tactics;
  for (const TileTactic& tactic : table) {
    TileShape& tile = tiles.emplace_back(tactic.tile);
    if (tensor && dtype == DType::f32) tile.k /= 2;
    tactics.push_back({name_of(tile, tensor), cost_of(tactic, ctx.usual(p.m), ctx.usual(p.n), batches)});
  }
  return tiles[ctx.choose(std::move(tactics))];
}

}  // namespace

std::string matrix_operand_type(const DimTable& dims, const MatrixView& v) {
  const auto size = static_cast<int64_t>(size_of(v.dtype));
  const bool by_k = dims.is_constant(v.stride_k, 1), by_mn = !by_k && dims.is_constant(v.stride_mn, 1);
  const Dim other = by_k ? v.stride_mn : v.stride_k;
  int64_t bytes = by_k || by_mn ? 16 : 0;
  for (; bytes >= 4; bytes /= 2) {
    const int64_t elements = std::max<int64_t>(bytes / size, 1);
    bool fits = v.alignment % elements == 0 && divisible(dims, other, elements);
    for (Dim d : v.batch) fits = fits && divisible(dims, d, elements);
    if (fits) break;
  }
  if (bytes < 4 || bytes < size) bytes = 0;
  const bool along_mn = bytes ? by_mn : dims.range(v.stride_mn).hi < dims.range(v.stride_k).hi;
  return "MatrixOperand<" + std::string(device_type(v.dtype)) + ", Major::" + (along_mn ? "mn" : "k") + ", " +
         std::to_string(bytes) + ">";
}

void define_matrix(KernelText& text, const DimTable& dims, std::string_view name, const MatrixView& v) {
  text << std::string_view("const " + matrix_operand_type(dims, v) + " ") << name << "{" << v.pointer
       << " + batch.offset(";
  text.list(v.batch) << "), " << v.stride_mn << ", " << v.stride_k << "};\n";
}

void add_contraction(KernelCtx& ctx, const ContractionProblem& p, DType dtype, const KernelText& operands,
                     const EpilogueForm& form, std::string_view header) {
  DimTable& dims = ctx.dims;
  const bool tensor = is_tensor(ctx, dtype);
  const TileShape t = choose_tile(ctx, p, dtype, tensor);
  const Epilogue epilogue = make_epilogue(ctx, form);
  KernelCall call{.headers = {"providers/nvrtc/device/contraction.cuh", std::string(header)},
                  .prelude = epilogue.prelude};
  std::string config = "using C = Contraction<" + std::string(device_type(dtype)) +
                       (tensor ? ", Math::tensor" : ", Math::plain");
  for (int v : {t.m, t.n, t.k, t.warps_m, t.warps_n, t.stages}) config += ", " + std::to_string(v);
  KernelText& text = call.body;
  text << std::string_view(config + ">;\nconst Place place = place_of<C>((int)") << p.m << ", (int)" << p.n
       << ");\n";
  text << "const BatchIndex batch(place.batch, (int)" << p.batch[1] << ", (int)" << p.batch[2] << ", (int)"
       << p.batch[3] << ");\n";
  for (int i = 0; i < 4; ++i)
    text << std::string_view("[[maybe_unused]] const long long b" + std::to_string(i) + " = batch.at[" +
                             std::to_string(i) + "];\n");
  text.pieces.insert(text.pieces.end(), operands.pieces.begin(), operands.pieces.end());
  text << "contract<C>(place, a, b, (int)" << p.m << ", (int)" << p.n << ", (int)" << p.k << ", ";
  text.pieces.insert(text.pieces.end(), epilogue.construct.pieces.begin(), epilogue.construct.pieces.end());
  text << ");\n";
  Dim blocks = dims.mul(dims.ceil_div(p.m, dims.constant(t.m)), dims.ceil_div(p.n, dims.constant(t.n)));
  for (Dim d : p.batch) blocks = dims.mul(blocks, d);
  call.grid = {blocks, dims.constant(1), dims.constant(1)};
  call.block = {32 * t.warps_m * t.warps_n, 1, 1};
  call.shared_bytes = shared_bytes(t, dtype, tensor);
  ctx.calls.push_back(std::move(call));
}

}  // namespace burnish
