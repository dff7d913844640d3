#include "passes/merge_pointwise.h"

#include <gtest/gtest.h>

#include "base/parallel.h"
#include "ir/text.h"

namespace burnish {

extern const Pass pass_merge_pointwise;

namespace {

std::vector<std::string> reasons_in(std::string_view text) {
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  ThreadPool pool(1);
  const PassContext context{.pool = pool};
  EXPECT_TRUE(pass_merge_pointwise.run(*graph, context));
  return merge_reasons(*graph, context.usual);
}

using Reasons = std::vector<std::string>;

TEST(MergeReasons, NoneForWhatIsMerged) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4]) -> (%a, %b) {
  %a = Exp(%x) : f32[4] @"a"
  %b = Neg(%x) : f32[4] @"b"
})"),
            Reasons());
}

TEST(MergeReasons, NoneForWhatHasNothingToDoWithEachOther) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f16[4096, 4096], %z: f16[4096, 4096]) -> (%a, %b) {
  %a = Exp(%x) : f16[4096, 4096] @"a"
  %b = Neg(%z) : f16[4096, 4096] @"b"
})"),
            Reasons());
}

TEST(MergeReasons, SomethingRunsInBetween) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4, 4], %w: f32[4, 4]) -> (%y) {
  %a = Exp(%x) : f32[4, 4] @"a"
  %m = MatMul(%a, %w) : f32[4, 4] @"m"
  %n = MatMul(%m, %w) : f32[4, 4] @"n"
  %y = Add(%a, %n) : f32[4, 4] @"y"
})"),
            Reasons{"node 'y' (Add): node 'n' (MatMul) has to run between it and node 'a' (Exp)"});
}

TEST(MergeReasons, TheOtherWouldWait) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4, 4], %w: f32[4, 4]) -> (%p, %b) {
  %a = Exp(%x) : f32[4, 4] @"a"
  %p = MatMul(%a, %w) : f32[4, 4] @"p"
  %m = MatMul(%w, %w) : f32[4, 4] @"m"
  %n = MatMul(%m, %w) : f32[4, 4] @"n"
  %b = Add(%n, %x) : f32[4, 4] @"b"
})"),
            Reasons{"node 'b' (Add): node 'a' (Exp) would wait for what it reads"});
}

TEST(MergeReasons, OneWouldWaitForTheOther) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4, 4], %w: f32[4, 4]) -> (%p, %b) {
  %m = MatMul(%w, %w) : f32[4, 4] @"m"
  %n = MatMul(%m, %w) : f32[4, 4] @"n"
  %b = Add(%n, %x) : f32[4, 4] @"b"
  %a = Exp(%x) : f32[4, 4] @"a"
  %p = MatMul(%a, %w) : f32[4, 4] @"p"
})"),
            Reasons{"node 'a' (Exp): it would wait for what node 'b' (Add) reads"});
}

TEST(MergeReasons, ShapesDiffer) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4], %z: f32[2, 4]) -> (%b) {
  %a = Exp(%x) : f32[4] @"a"
  %b = Add(%a, %z) : f32[2, 4] @"b"
})"),
            Reasons{"node 'b' (Add): its result has another shape than what it reads of node 'a' (Exp)"});
}

TEST(MergeReasons, TruthValues) {
  EXPECT_EQ(reasons_in(R"(graph (%x: f32[4], %z: f32[4]) -> (%a, %b) {
  %a = Less(%x, %z) : bool[4] @"a"
  %b = Where(%a, %x, %z) : f32[4] @"b"
})"),
            Reasons{"node 'b' (Where): it or node 'a' (Less) gives integers or truth values, which the host "
                    "may read"});
}

}  // namespace
}  // namespace burnish
