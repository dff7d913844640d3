#include "shape/substitute.h"

#include <gtest/gtest.h>

namespace burnish {
namespace {

TEST(Substitute, ReplacesSymbolsWhereverTheyStand) {
  DimTable dims;
  const Dim n = dims.symbol("n"), m = dims.symbol("m"), k = dims.symbol("k");
  const std::map<Dim, Dim> by{{n, dims.add(m, dims.constant(1))}, {m, n}};
  const auto text = [&](std::string_view before) {
    return dims.text(substitute(dims, *dims.parse(before), by));
  };
  EXPECT_EQ(text("7"), "7");
  EXPECT_EQ(text("k"), "k");
  EXPECT_EQ(text("2*n*k + m"), dims.text(*dims.parse("2*k*m + 2*k + n")));
  for (const char* op : {"floor", "min", "max", "equal", "less"})
    EXPECT_EQ(text(std::string(op) + "(n, k)"), dims.text(*dims.parse(std::string(op) + "(m + 1, k)"))) << op;
  EXPECT_EQ(text("select(equal(n, k), n, m)"), dims.text(*dims.parse("select(equal(m + 1, k), m + 1, n)")));
  EXPECT_EQ(substitute(dims, dims.select(dims.equal(n, k), n, m), {{n, m}}), m);  // in canonical form again
}

}  // namespace
}  // namespace burnish
