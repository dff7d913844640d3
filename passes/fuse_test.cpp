#include "passes/fuse.h"

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

}  // namespace
}  // namespace burnish
