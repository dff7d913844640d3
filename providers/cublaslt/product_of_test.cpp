#include "providers/cublaslt/product_of.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "providers/nvrtc/kernel_testing.h"

namespace burnish::cublaslt {
namespace {

using nvrtc::testing::FreeOperands;
using nvrtc::testing::Layout;

struct Read {
  std::string product;   // or why it is none
  std::string operands;  // i0 an input, o the output
};

Read read(const std::string& text, Layout in = Layout::dense, Layout out = Layout::dense) {
  auto graph = burnish::parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  FreeOperands ctx(*graph, graph->nodes.back(), in, out, "sm_90");
  NodeProduct node;
  if (const Verdict v = product_of(ctx, node); !v) return {v.reason(), ""};
  std::string operands;
  for (const OperandPointer& p : node.operands)
    operands += p.kind == OperandPointer::Kind::output ? "o" : "i" + std::to_string(p.index);
  node.product.version = "v";
  const std::string product = print(node.product);
  return {product.substr(product.find("0 ", 5) + 2), operands};
}

/// A product with what follows it, as the pass `fuse` leaves it.
std::string fused(const std::string& follows, const std::string& result) {
  return R"(graph (%x: f16[4, 8, 16], %w: f16[16, 32], %b: f16[32], %r: f16[4, 8, 32]) -> (%y) {
  %y = Fused(%x, %w, %b, %r) : f16[4, 8, 32] {
    graph body(%0: f16[4, 8, 16], %1: f16[16, 32], %2: f16[32], %3: f16[4, 8, 32]) -> ()" +
         result + R"() {
      %p = MatMul(%0, %1) : f16[4, 8, 32]
)" + follows +
         "    }\n  }\n}";
}

TEST(ProductOf, OneMatrixForAllBatchesIsOneTallProduct) {
  const Read r =
      read("graph (%x: f16[4, 8, 16], %w: f16[16, 32]) -> (%y) {\n  %y = MatMul(%x, %w) : f16[4, 8, 32]\n}");
  EXPECT_EQ(r.product,
            "f16 m=32 n=32 k=16 lda=32 ldb=16 ldd=32 batch=1 stride_a=0 stride_b=0 stride_d=0 alignment=128 "
            "alpha=0x1p+0 beta=0x0p+0 activation=none");
  EXPECT_EQ(r.operands, "i1i0o");
}

TEST(ProductOf, BatchesThatAreEvenlySpaced) {
  const Read r = read(
      "graph (%x: f16[4, 3, 8, 16], %w: f16[4, 3, 16, 32]) -> (%y) {\n  %y = MatMul(%x, %w) : f16[4, 3, 8, "
      "32]\n}");
  EXPECT_EQ(r.product,
            "f16 m=32 n=8 k=16 lda=32 ldb=16 ldd=32 batch=12 stride_a=512 stride_b=128 stride_d=256 "
            "alignment=128 alpha=0x1p+0 beta=0x0p+0 activation=none");
  EXPECT_EQ(read("graph (%x: f16[4, 3, 8, 16], %w: f16[3, 16, 32]) -> (%y) {\n  %y = MatMul(%x, %w) : f16[4, "
                 "3, 8, 32]\n}")
                .product,
            "its batches are not evenly spaced");
}

TEST(ProductOf, BiasResidualAndReluBelongToIt) {
  const Read r =
      read(fused("      %q = Add(%p, %2) : f16[4, 8, 32]\n      %s = Add(%3, %q) : f16[4, 8, 32]\n"
                 "      %t = Relu(%s) : f16[4, 8, 32]\n",
                 "%t"));
  EXPECT_EQ(r.product,
            "f16 m=32 n=32 k=16 lda=32 ldb=16 ldd=32 batch=1 stride_a=0 stride_b=0 stride_d=0 alignment=128 "
            "bias=1 alpha=0x1p+0 beta=0x1p+0 activation=relu");
  EXPECT_EQ(r.operands, "i1i0i3oi2");
}

TEST(ProductOf, GeluIsTheOneByTanh) {
  EXPECT_NE(read(fused("      %q = Gelu(%p) {approximate=\"tanh\"} : f16[4, 8, 32]\n", "%q"))
                .product.find("activation=gelu"),
            std::string::npos);
  EXPECT_EQ(read(fused("      %q = Gelu(%p) : f16[4, 8, 32]\n", "%q")).product,
            "the library has no 'Gelu' after a product");
}

TEST(ProductOf, WhatTheEpilogueDoesNotReachIsRefused) {
  EXPECT_EQ(read(fused("      %q = Relu(%p) : f16[4, 8, 32]\n      %s = Add(%q, %3) : f16[4, 8, 32]\n", "%s"))
                .product,
            "the library does not go on with 'Add' there");
  EXPECT_EQ(read(fused("      %q = Sigmoid(%p) : f16[4, 8, 32]\n", "%q")).product,
            "the library has no 'Sigmoid' after a product");
  EXPECT_EQ(
      read(fused("      %q = Add(%p, %2) : f16[4, 8, 32]\n      %s = Add(%q, %2) : f16[4, 8, 32]\n", "%s"))
          .product,
      "it has a second bias, or one that is no dense vector of its own type");
}

TEST(ProductOf, HalvesOfTheColumnsDoNotComeTogether) {
  const std::string numbers =
      "      %from = constant i64[1] {0}\n      %middle = constant i64[1] {16}\n      %axis = constant "
      "i64[1] {2}\n";
  const std::string unit =
      "      %v = Slice(%p, %from, %middle, %axis) : f16[4, 8, 16]\n      %y = Relu(%v) : f16[4, 8, 16]\n";
  EXPECT_EQ(read(fused(numbers + unit, "%y")).product, "the library has no 'Slice' after a product");
}

TEST(ProductOf, GemmHasItsOwnScales) {
  const Read r = read(
      "graph (%x: f32[16, 8], %w: f32[32, 16], %c: f32[8, 32]) -> (%y) {\n"
      "  %y = Gemm(%x, %w, %c) {alpha=0.5, beta=2.0, trans_a=true, trans_b=true} : f32[8, 32]\n}");
  EXPECT_EQ(r.product,
            "f32 m=32 n=8 k=16 lda=16 ldb=8 ldd=32 batch=1 stride_a=0 stride_b=0 stride_d=0 alignment=256 "
            "transpose_a=1 transpose_b=1 alpha=0x1p-1 beta=0x1p+1 activation=none");
  EXPECT_EQ(r.operands, "i1i0i2o");
}

TEST(ProductOf, APointwiseConvolutionOfChannelsLast) {
  const std::string text =
      "graph (%x: f16[2, 4, 5, 5], %b: f16[3]) -> (%y) {\n"
      "  %w = constant f16[3, 4, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}\n"
      "  %y = Conv(%x, %w, %b) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : f16[2, 3, 5, 5]\n}";
  const Read r = read(text, Layout::channels_last, Layout::channels_last);
  EXPECT_EQ(r.product,
            "f16 m=3 n=50 k=4 lda=4 ldb=4 ldd=3 batch=1 stride_a=0 stride_b=0 stride_d=0 alignment=128 "
            "transpose_a=1 bias=1 alpha=0x1p+0 beta=0x0p+0 activation=none");
  EXPECT_EQ(r.operands, "i1i0oi2");
  EXPECT_EQ(read(text).product, "its result is not stored row by row");
}

TEST(ProductOf, ExtentsOfARunAreRefused) {
  EXPECT_EQ(read("graph (%x: f16[n, 16], %w: f16[16, 32]) -> (%y) where n = input(%x, 0) {\n  %y = "
                 "MatMul(%x, %w) : f16[n, 32]\n}")
                .product,
            "its extents are decided by the inputs of a run");
}

}  // namespace
}  // namespace burnish::cublaslt
