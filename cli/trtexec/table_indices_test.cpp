#include "cli/trtexec/table_indices.h"

#include <gtest/gtest.h>

namespace burnish::cli::trtexec {
namespace {

using Indices = std::map<std::string, int64_t>;

TEST(TableIndices, AreWhatAGatherReads) {
  EXPECT_EQ(
      table_indices(R"(graph g(%ids: i64[b, s], %types: i32[b, s], %x: f32[n, 8], %rows: i64[b]) -> (%y) {
  %table = constant f32[30, 16] …
  %small = constant f32[2, 16] …
  %a = Gather(%table, %ids) : f32[b, s, 16] @"a"
  %wide = Cast(%types) : i64[b, s] @"cast"
  %b = Gather(%small, %wide) : f32[b, s, 16] @"b"
  %c = Gather(%small, %ids) : f32[b, s, 16]
  %d = Gather(%x, %rows) : f32[b, 8]
  %e = Gather(%table, %rows) {axis=1} : f32[30, b]
})"),
      (Indices{{"ids", 1}, {"types", 1}}));
  EXPECT_EQ(table_indices(""), Indices());
  EXPECT_EQ(table_indices("graph g\n  %x\n  %y = constant\n  %z = Gather("), Indices());
}

}  // namespace
}  // namespace burnish::cli::trtexec
