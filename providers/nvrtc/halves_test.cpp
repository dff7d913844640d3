// Contractions that end with halves of their columns: what the pass `fuse` makes of gated linear units.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "providers/nvrtc/compile_testing.h"
#include "providers/nvrtc/kernel_testing.h"

namespace burnish::nvrtc::testing {
namespace {

/// A product of %x and %w, of two halves along `axis`.
struct Unit {
  std::string x;
  DType dtype;
  Shape weight;
  std::string product;      // of %0 and %1; %2 is an element for each column
  std::string whole, half;  // extents of results
  int64_t axis, columns;    // of a half
  Layout layout = Layout::dense;
};

const Unit by_matrix{"m, 256", DType::f16, {256, 96}, "MatMul(%0, %1)", "m, 96", "m, 48", 1, 48};
const Unit odd{"5, 1, 33", DType::f16, {33, 26}, "MatMul(%0, %1)", "5, 1, 26", "5, 1, 13", 2, 13};
const Unit exact{"m, 32", DType::f32, {32, 32}, "Gemm(%0, %1, %2) {alpha=2.0, trans_b=true}",
                 "m, 32", "m, 16",    1,        16};
const Unit image{"2, 64, 9, 7",
                 DType::f16,
                 {96, 64, 3, 3},
                 "Conv(%0, %1, %2) {strides=[1, 1], dilations=[1, 1], pads=[1, 1, 1, 1]}",
                 "2, 96, 9, 7",
                 "2, 48, 9, 7",
                 1,
                 48,
                 Layout::channels_last};
const Unit patches{"2, 3, 32, 48",
                   DType::f16,
                   {64, 3, 16, 16},
                   "Conv(%0, %1, %2) {strides=[16, 16], dilations=[1, 1], pads=[0, 0, 0, 0]}",
                   "2, 64, 2, 3",
                   "2, 32, 2, 3",
                   1,
                   32,
                   Layout::channels_last};

/// value * sigmoid(gate) + residual, behind a Relu of the columns as they are.
std::string text(const Unit& u) {
  const std::string type(name_of(u.dtype)),
      middle = std::to_string(u.columns), end = std::to_string(2 * u.columns),
      half = type + "[" + u.half + "]", whole = type + "[" + u.whole + "]";
  std::string weight;
  for (int64_t extent : u.weight) weight += (weight.empty() ? "" : ", ") + std::to_string(extent);
  weight = type + "[" + weight + "]";
  const std::string bias = type + "[" + end + "]", x = type + "[" + u.x + "]";
  const bool biased = u.product.find("%2") != std::string::npos;
  return "graph (%x: " + x + ", %r: " + half + ") -> (%y) {\n  %w = constant " + weight +
         " #0\n  %b = constant " + bias + " #1\n  %y = Fused(%x, %w, %b, %r) : " + half +
         " {\n    graph body(%0: " + x + ", %1: " + weight + ", %2: " + bias + ", %3: " + half +
         ") -> (%y) {\n      %from = constant i64[1] {0}\n      %middle = "
         "constant i64[1] {" +
         middle + "}\n      %end = constant i64[1] {" + end + "}\n      %axis = constant i64[1] {" +
         std::to_string(u.axis) + "}\n      %q = " + u.product + " : " + whole +
         "\n      %p = " + (biased ? "Relu(%q)" : "Add(%q, %2)") + " : " + whole +
         "\n      %v = Slice(%p, %from, %middle, %axis) : " + half +
         "\n      %g = Slice(%p, %middle, %end, %axis) : " + half + "\n      %s = Sigmoid(%g) : " + half +
         "\n      %m = Mul(%v, %s) : " + half + "\n      %y = Add(%m, %3) : " + half + "\n    }\n  }\n}";
}

/// Element i is i, of floats.
std::shared_ptr<const Tensor> counting(DType dtype, const Shape& shape) {
  Tensor t = Tensor::zeros(dtype, shape);
  for (int64_t i = 0; dtype == DType::f32 && i < t.count(); ++i)
    reinterpret_cast<float*>(t.writable())[i] = static_cast<float>(i);
  return std::make_shared<const Tensor>(std::move(t));
}

/// What a target makes of a unit, by the tactic `wanted` if it is named.
struct Described {
  Graph graph;
  std::unique_ptr<FreeOperands> operands;
  std::vector<std::string> sources;

  Described(const NvrtcBackend& backend, const Unit& u, std::string_view wanted = {}) {
    auto parsed = parse(text(u), Resources{counting(u.dtype, u.weight), counting(u.dtype, {2 * u.columns})});
    EXPECT_TRUE(parsed) << parsed.error().cause() << "\n" << text(u);
    if (!parsed) return;
    graph = *std::move(parsed);
    operands =
        std::make_unique<FreeOperands>(graph, graph.nodes.back(), u.layout, u.layout, backend.target());
    operands->wanted = wanted;
    const Verdict verdict = backend.describe(*operands);
    EXPECT_TRUE(verdict) << verdict.reason();
    for (const KernelCall& call : operands->calls) sources.push_back(backend.emit(*operands, call).text);
  }
};

TEST(Halves, EveryKindOfContractionCompiles) {
  const NvrtcBackend backend = backend_for("sm_90");
  const Described first(backend, by_matrix);
  const auto kinds = kinds_of(first.operands->tactics);
  std::vector<std::string> sources;
  for (const auto& [kind, name] : kinds) sources.push_back(Described(backend, by_matrix, name).sources.at(0));
  for (const char* kind : {"mma k/4", "stationary", "wgmma k/2", "wgmma t1 ab", "wgmma k/2 t2 ab"})
    EXPECT_TRUE(kinds.contains(kind)) << kind;
  expect_compiles(backend, sources);
}

TEST(Halves, EveryUnitCompiles) {
  for (const char* target : {"sm_90", "sm_80"}) {
    const NvrtcBackend backend = backend_for(target);
    std::vector<std::string> sources;
    for (const Unit* u : {&by_matrix, &odd, &exact, &image, &patches})
      std::ranges::move(Described(backend, *u).sources, std::back_inserter(sources));
    expect_compiles(backend, sources);
  }
}

// Column j of either half, one after the other, each as it was.
TEST(Halves, ColumnsOfTheWeightAlternate) {
  const Described d(backend_for("sm_80"), exact);
  ASSERT_EQ(d.operands->extra.size(), 1u);
  const Tensor& paired = *d.operands->extra[0].tensor;
  ASSERT_EQ(paired.shape(), (Shape{32, 32}));
  for (int64_t row = 0; row < 32; ++row)
    EXPECT_EQ(paired.data<float>()[row * 32], static_cast<float>((row / 2 + row % 2 * 16) * 32)) << row;
}

TEST(Halves, AConvolutionThatMultipliesFromPatchesDoesNotBringThemTogether) {
  const Described d(backend_for("sm_90"), patches);
  const auto declined = std::ranges::find(d.operands->declined, "image", &KernelCtx::Declined::kind);
  ASSERT_NE(declined, d.operands->declined.end());
  EXPECT_EQ(declined->reason, "halves of the result's channels do not come together");
}

}  // namespace
}  // namespace burnish::nvrtc::testing
