#include "passes/fusion_reasons.h"

#include <gtest/gtest.h>

#include "base/parallel.h"
#include "ir/text.h"
#include "passes/pass.h"

namespace burnish {

extern const Pass pass_fuse;

namespace {

std::vector<std::string> reasons_in(std::string_view text) {
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  ThreadPool pool(1);
  EXPECT_TRUE(pass_fuse.run(*graph, {.pool = pool}));
  return fusion_reasons(*graph, PassContext{.pool = pool}.usual);
}

using Reasons = std::vector<std::string>;

TEST(FusionReasons, NoneForWhatIsFused) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4, 8], %w: f32[8, 8]) -> (%y) {
  %a = MatMul(%x, %w) : f32[4, 8] @"a"
  %y = Relu(%a) : f32[4, 8] @"b"
})"),
            Reasons());
}

TEST(FusionReasons, OthersReadTheSame) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4, 8], %w: f32[8, 8]) -> (%a, %y) {
  %a = MatMul(%x, %w) : f32[4, 8] @"a"
  %y = Relu(%a) : f32[4, 8] @"b"
})"),
            Reasons{"node 'b' (Relu): what it reads of node 'a' (MatMul) is read by others too"});
}

TEST(FusionReasons, ShapesDiffer) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[1, 8], %w: f32[8, 8], %z: f32[4, 8]) -> (%y) {
  %a = MatMul(%x, %w) : f32[1, 8] @"a"
  %y = Add(%a, %z) : f32[4, 8] @"b"
})"),
            Reasons{"node 'b' (Add): its result has another shape than what it reads of node 'a' (MatMul)"});
}

/// A gated unit, with the weight and the Split in text.
Reasons reasons_for_unit(const std::string& weight, const std::string& split, const std::string& outputs) {
  const bool computed = weight.empty();
  return reasons_in("graph (%x: f32[3, 2]" + std::string(computed ? ", %w: f32[2, 4]" : "") + ") -> (" +
                    outputs + ") {\n" + weight + "  %p = MatMul(%x, %w) : f32[3, 4] @\"p\"\n" + split +
                    "  %y = Mul(%v, %g) : f32[3, 2] @\"m\"\n}");
}

TEST(FusionReasons, HalvesStayApart) {
  const std::string stored = "  %w = constant f32[2, 4] {1, 2, 3, 4, 5, 6, 7, 8}\n",
                    halves = "  %v, %g = Split(%p) {axis=1, even=true} : f32[3, 2], f32[3, 2]\n",
                    thirds =
                        "  %sizes = constant i64[3] {1, 2, 1}\n"
                        "  %g, %v, _ = Split(%p, %sizes) {axis=1} : f32[3, 1], f32[3, 2]\n",
                    start = "node 'm' (Mul): what it reads are parts of what node 'p' (MatMul) makes: ";
  EXPECT_EQ(reasons_for_unit(stored, halves, "%y"), Reasons());
  EXPECT_EQ(reasons_for_unit("", halves, "%y"), Reasons{start + "its weight is computed, not stored"});
  EXPECT_EQ(reasons_for_unit(stored, thirds, "%y"), Reasons{start + "they are no halves of its columns"});
  EXPECT_EQ(reasons_for_unit(stored, halves, "%y, %p"), Reasons{start + "others read all its columns"});
  EXPECT_EQ(reasons_for_unit(stored, halves, "%y, %g"),
            Reasons{start + "what is made of both halves does not end in one result"});
}

/// A reduction of what an Add and a Mul of three tensors of `shape` make.
Reasons reasons_for_reduction(const std::string& shape, const std::string& where,
                              const std::string& reduction, const std::string& outputs = "%y") {
  return reasons_in("graph (%a: " + shape + ", %b: " + shape + ", %c: " + shape + ", %s: f32[8]) -> (" +
                    outputs + ")" + where + " {\n  %d = Add(%a, %b) : " + shape +
                    " @\"d\"\n  %e = Mul(%d, %c) : " + shape + " @\"e\"\n  %y = " + reduction + " @\"r\"\n}");
}

TEST(FusionReasons, ReductionsThatOnlyRead) {
  const std::string known = "f32[4, 8]", mean = "ReduceMean(%e) {axes=[1]} : f32[4, 1]", node = "node 'r' ",
                    free = "f32[n, m]", n = " where n = input(%a, 0), m = input(%a, 1)",
                    maker = "node 'd' (Fused)";
  EXPECT_EQ(reasons_for_reduction(known, "", mean), Reasons());
  EXPECT_EQ(reasons_for_reduction(known, "", mean, "%y, %e"),
            Reasons{node + "(ReduceMean): what it reads of " + maker + " is read by others too"});
  EXPECT_EQ(reasons_for_reduction(free, n, "Softmax(%e) {axis=1} : f32[n, m]"), Reasons());
  EXPECT_EQ(reasons_for_reduction("f32[4, 8, m]", " where m = input(%a, 2)",
                                  "LogSoftmax(%e) {axis=1} : f32[4, 8, m]"),
            Reasons());
  EXPECT_EQ(reasons_for_reduction("f64[4, 8]", "", "ReduceMean(%e) {axes=[1]} : f64[4, 1]"),
            Reasons{node + "(ReduceMean): it reads what " + maker + " stores, for its kernel only reads"});
  EXPECT_EQ(reasons_for_reduction("f32[4, 100000]", "", mean),
            Reasons{node + "(ReduceMean): it reads what " + maker +
                    " stores, for few threads share its long rows, and would read 3 tensors instead of one"});
  EXPECT_EQ(
      reasons_for_reduction("f32[4, 20000, 8]", "", "RMSNormalization(%e, %s) {axis=1} : f32[4, 20000, 8]"),
      Reasons{node + "(RMSNormalization): it reads what " + maker +
              " stores, for its rows may not stay in registers, and to read 3 tensors 3 times takes longer"});
}

}  // namespace
}  // namespace burnish
