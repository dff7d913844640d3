// Products that normalise the rows they multiply: what the pass `normalize_in_products` makes.
#include <gtest/gtest.h>

#include "base/half.h"
#include "ir/text.h"
#include "ops/normalized_weights.h"
#include "providers/nvrtc/compile_testing.h"
#include "providers/nvrtc/kernel_testing.h"

namespace burnish::nvrtc::testing {
namespace {

/// A normalised product of %x and a weight; the kind of normalisation, its type, extents of rows, K, N.
struct Product {
  std::string norm, type, rows;
  int64_t k, n;
};

std::shared_ptr<const Tensor> tensor_of(DType dtype, const Shape& shape,
                                        const std::function<float(int64_t)>& element) {
  Tensor t = Tensor::zeros(dtype, shape);
  for (int64_t i = 0; i < t.count(); ++i) {
    auto* to = reinterpret_cast<uint16_t*>(t.writable()) + i;
    *to = dtype == DType::f16 ? to_half(element(i)).bits : to_bfloat16(element(i)).bits;
  }
  return std::make_shared<const Tensor>(std::move(t));
}

/// scale is 0.5, 1, 1.5 …, bias 1, 2, 3 …, the weight's column j is j + 1.
struct Described {
  Graph graph;
  std::unique_ptr<FreeOperands> operands;
  std::vector<std::string> sources;

  Described(const NvrtcBackend& backend, const Product& p, std::string_view wanted = {},
            Layout x = Layout::dense) {
    const std::string k = std::to_string(p.k), n = std::to_string(p.n), vector = p.type + "[" + k + "]",
                      from = p.type + "[" + p.rows + ", " + k + "]",
                      to = p.type + "[" + p.rows + ", " + n + "]", weight = p.type + "[" + k + ", " + n + "]";
    const bool biased = p.norm == "LayerNormalization";
    const std::string axis = std::to_string(std::ranges::count(p.rows, ',') + 1);
    const std::string text = "graph (%x: " + from + ", %r: " + to + ") -> (%y) {\n  %s = constant " + vector +
                             " #0\n  %b = constant " + vector + " #1\n  %w = constant " + weight +
                             " #2\n  %y = Fused(%x, %s, " + (biased ? "%b, " : "") + "%w, %r) : " + to +
                             " {\n    graph body(%x: " + from + ", %s: " + vector +
                             (biased ? ", %b: " + vector : "") + ", %w: " + weight + ", %r: " + to +
                             ") -> (%y) {\n      %n = " + p.norm + (biased ? "(%x, %s, %b)" : "(%x, %s)") +
                             " {axis=" + axis + "} : " + from + "\n      %p = MatMul(%n, %w) : " + to +
                             "\n      %y = Add(%p, %r) : " + to + "\n    }\n  }\n}";
    const DType dtype = p.type == "f16" ? DType::f16 : DType::bf16;
    auto parsed = parse(
        text,
        Resources{tensor_of(dtype, {p.k}, [](int64_t i) { return static_cast<float>(i + 1) / 2; }),
                  tensor_of(dtype, {p.k}, [](int64_t i) { return static_cast<float>(i + 1); }),
                  tensor_of(dtype, {p.k, p.n}, [&](int64_t i) { return static_cast<float>(i % p.n + 1); })});
    EXPECT_TRUE(parsed) << parsed.error().cause() << "\n" << text;
    if (!parsed) return;
    graph = *std::move(parsed);
    operands = std::make_unique<FreeOperands>(graph, graph.nodes.back(), x, Layout::dense, backend.target());
    operands->wanted = wanted;
    const Verdict verdict = backend.describe(*operands);
    EXPECT_TRUE(verdict) << verdict.reason();
    for (const KernelCall& call : operands->calls) sources.push_back(backend.emit(*operands, call).text);
  }
};

const Product layer{"LayerNormalization", "f16", "m", 768, 2304},
    root{"RMSNormalization", "bf16", "3, 50", 200, 72}, narrow{"LayerNormalization", "f16", "m", 96, 384},
    uneven{"LayerNormalization", "f16", "m", 33, 40}, small{"LayerNormalization", "f16", "m", 8, 3};

bool is_after(const std::string& tactic) { return tactic.starts_with("rows first, "); }

TEST(NormalizedRows, EveryKindOfTacticCompiles) {
  const std::tuple<const char*, const Product*, std::vector<const char*>> rows[] = {
      {"sm_90", &layer, {"mma k/2", "wgmma k/2", "wgmma k/2 t2 ab", "wgmma t1 ab"}},
      {"sm_90", &narrow, {"mma", "stationary", "wgmma t2 ab"}},
      {"sm_80", &root, {"mma"}}};
  for (const auto& [target, product, expected] : rows) {
    const NvrtcBackend backend = backend_for(target);
    std::vector<Tactic> at_once = Described(backend, *product).operands->tactics;
    std::erase_if(at_once, [](const Tactic& t) { return is_after(t.name); });
    const auto kinds = kinds_of(at_once);
    for (const char* kind : expected) EXPECT_TRUE(kinds.contains(kind)) << kind;
    std::vector<std::string> sources;
    for (const auto& [kind, tactic] : kinds) {
      const Described d(backend, *product, tactic);
      ASSERT_EQ(d.sources.size(), 1u);
      sources.push_back(d.sources[0]);
    }
    expect_compiles(backend, sources);
  }
}

TEST(NormalizedRows, AKernelOfTheirOwnIsATacticToo) {
  const NvrtcBackend backend = backend_for("sm_90");
  const Described first(backend, layer);
  const auto after = std::ranges::find_if(first.operands->tactics, is_after, &Tactic::name);
  ASSERT_NE(after, first.operands->tactics.end());
  const Described d(backend, layer, after->name);
  ASSERT_EQ(d.sources.size(), 2u);
  EXPECT_NE(d.sources[0].find("layer_normalization<"), std::string::npos);
  EXPECT_EQ(d.sources[1].find("RowNorm"), std::string::npos);
  expect_compiles(backend, d.sources);
}

TEST(NormalizedRows, RowsThatCannotBeCopiedAreNormalisedByAKernelOfTheirOwn) {
  const NvrtcBackend backend = backend_for("sm_90");
  const Described odd(backend, uneven), gaps(backend, narrow, {}, Layout::gaps);
  ASSERT_EQ(odd.sources.size(), 2u);
  EXPECT_NE(odd.sources[0].find("layer_normalization<"), std::string::npos);
  EXPECT_EQ(odd.sources[1].find("RowNorm"), std::string::npos);
  expect_compiles(backend, odd.sources);
  expect_compiles(backend, gaps.sources);
}

// The scale goes into B, divided by a power of two that is no less than any of it, and B's columns come to add up to 0.
TEST(NormalizedRows, TheWeightTakesTheScaleAndTheMean) {
  const Described d(backend_for("sm_90"), small);
  ASSERT_EQ(d.operands->extra.size(), 3u);  // B', factor, bias * B
  const auto values = [&](size_t i) {
    const Tensor& t = *d.operands->extra[i].tensor;
    std::vector<float> all;
    for (int64_t k = 0; k < t.count(); ++k)
      all.push_back(t.dtype() == DType::f16 ? to_float(t.data<half>()[k]) : t.data<float>()[k]);
    return all;
  };
  EXPECT_EQ(values(1), std::vector<float>{4});
  EXPECT_EQ(values(2), (std::vector<float>{36, 72, 108}));
  std::vector<float> scaled;
  for (int j = 1; j <= 3; ++j)
    for (int k = 1; k <= 8; ++k)
      scaled.push_back((static_cast<float>(k) / 8 - 0.5625f) * static_cast<float>(j));
  EXPECT_EQ(values(0), scaled);
}

// The strides of one column say nothing of which axis is k.
TEST(NormalizedRows, AWeightOfOneColumnHasOne) {
  const Described normalized(backend_for("sm_90"), {"LayerNormalization", "f16", "m", 8, 1});
  EXPECT_EQ(normalized.operands->extra.at(0).tensor->shape(), (Shape{1, 8}));
  EXPECT_EQ(normalized.operands->extra.at(2).tensor->shape(), (Shape{1}));
  EXPECT_EQ(to_float(normalized.operands->extra.at(2).tensor->data<half>()[0]), 36);
  const Described first(backend_for("sm_90"), {"LayerNormalization", "f16", "m", 33, 1});
  EXPECT_EQ(first.operands->extra.back().tensor->shape(), (Shape{1, 40}));
}

TEST(NormalizedRows, WhatRoundingLeavesOfAColumnGoesIntoItsSmallestNumbers) {
  for (const DType dtype : {DType::f16, DType::bf16}) {
    std::vector<float> column;
    for (int i = 0; i < 777; ++i) column.push_back(std::sin(static_cast<float>(i * i)) + 0.3f);
    round_centred(column, dtype);
    double sum = 0;
    for (const float v : column) {
      EXPECT_EQ(v, number_of(dtype, bits_of(dtype, v)));
      sum += double{v};
    }
    EXPECT_LT(std::abs(sum), 1e-6);
  }
}

}  // namespace
}  // namespace burnish::nvrtc::testing
