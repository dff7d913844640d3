#include "shape/dim.h"

#include <gtest/gtest.h>

#include <random>

namespace burnish {
namespace {

TEST(Dim, EqualExpressionsHaveEqualIds) {
  DimTable d;
  const Dim b = d.symbol("batch"), s = d.symbol("seq"), k = d.constant(768), eight = d.constant(8);
  EXPECT_EQ(d.sub(d.add(eight, s), eight), s);
  EXPECT_EQ(d.mul(b, s), d.mul(s, b));
  EXPECT_EQ(d.floor_div(d.mul(d.mul(b, s), k), d.mul(s, k)), b);
  EXPECT_EQ(d.floor_div(d.mul(d.add(b, s), d.add(b, k)), d.add(b, k)), d.add(b, s));
  EXPECT_EQ(d.floor_div(d.add(d.mul(s, d.constant(4)), d.constant(3)), d.constant(4)), s);
  EXPECT_EQ(d.max(d.add(s, eight), s), d.add(s, eight));
  EXPECT_EQ(d.select(d.equal(s, d.constant(-1)), b, k), k);
}

TEST(Dim, TextParsesBack) {
  DimTable d;
  for (const char* text : {"7", "batch", "4*batch*seq + 1", "-batch + 3", "floor(h + 1, 2)", "'odd name?'",
                           "select(equal(a, 1), b, a)", "min(a, b)*c", "batch*batch"}) {
    const auto parsed = d.parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*d.parse(d.text(*parsed)), *parsed) << text;
  }
  EXPECT_EQ(d.parse("floor(a").error().what(), "extent 'floor(a': expected ',' at character 7");
}

TEST(Dim, TextIsTheSameInWhateverOrderSymbolsAreMet) {
  DimTable d, e;
  for (const char* name : {"c", "b", "a"}) e.symbol(name);
  for (const char* text : {"a + b*c - 2", "min(a, b)*c + floor(b, c)*a", "equal(a, b)"})
    EXPECT_EQ(d.text(*d.parse(text)), e.text(*e.parse(text)));
  EXPECT_EQ(e.text(*e.parse("c + b*a - 2 + a")), "a*b + a + c - 2");
}

// The canonical form may never change the value: random expressions against direct integer arithmetic.
TEST(Dim, CanonicalFormKeepsTheValue) {
  std::mt19937 random(1);
  auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 2000; ++round) {
    DimTable d;
    std::vector<Dim> dims = {d.symbol("a"), d.symbol("b"), d.symbol("c"), d.constant(below(9)),
                             d.constant(-2)};
    std::vector<int64_t> values = {1 + below(9), 1 + below(9), 1 + below(9), *d.value(dims[3]), -2};
    const std::vector<Dim> symbols(dims.begin(), dims.begin() + 3);
    auto lookup = [&](Dim s) {
      return values[static_cast<size_t>(std::find(symbols.begin(), symbols.end(), s) - symbols.begin())];
    };
    for (int step = 0; step < 8; ++step) {
      const size_t i = static_cast<size_t>(below(static_cast<int>(dims.size()))),
                   j = static_cast<size_t>(below(static_cast<int>(dims.size())));
      const Dim x = dims[i], y = dims[j];
      const int64_t u = values[i], v = values[j];
      switch (below(8)) {
        case 0: dims.push_back(d.add(x, y)), values.push_back(u + v); break;
        case 1: dims.push_back(d.sub(x, y)), values.push_back(u - v); break;
        case 2: dims.push_back(d.mul(x, y)), values.push_back(u * v); break;
        case 3:
          dims.push_back(d.floor_div(x, y)), values.push_back(DimTable::apply(DimOp::floor_div, u, v, 0));
          break;
        case 4: dims.push_back(d.min(x, y)), values.push_back(std::min(u, v)); break;
        case 5: dims.push_back(d.max(x, y)), values.push_back(std::max(u, v)); break;
        case 6: dims.push_back(d.equal(x, y)), values.push_back(u == v); break;
        default: dims.push_back(d.less(x, y)), values.push_back(u < v); break;
      }
      ASSERT_EQ(d.evaluate(dims.back(), lookup), values.back()) << d.text(dims.back());
      if (std::abs(values.back()) > 1000000) break;
      const Range r = d.range(dims.back());
      ASSERT_TRUE(r.lo <= values.back() && values.back() <= r.hi) << d.text(dims.back());
      ASSERT_EQ(*d.parse(d.text(dims.back())), dims.back());
    }
  }
}

TEST(Dim, UnifyReplacesTheYoungerSymbolAndKeepsTheReason) {
  DimTable d;
  const Dim a = d.symbol("s72"), b = d.symbol("s43"), both = d.mul(b, d.constant(4));
  ASSERT_TRUE(d.unify(b, a, "Concat 'c': axis 0"));
  EXPECT_EQ(d.text(d.resolve(both)), "4*s72");
  ASSERT_EQ(d.constraints().size(), 1u);
  EXPECT_EQ(d.constraints()[0].reason, "Concat 'c': axis 0");
  const auto failed = d.unify(d.constant(3), d.constant(4), "MatMul 'm': inner extents");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what(), "MatMul 'm': inner extents: 3 and 4 are never equal");
}

TEST(Dim, BroadcastIsRightWheneverTheExtentsDoBroadcast) {
  DimTable d;
  const Dim n = d.symbol("n"), m = d.symbol("m"), eight = d.constant(8), two = d.constant(2);
  const Dim both = d.broadcast(n, m);
  const Dim all[] = {n,
                     m,
                     both,
                     eight,
                     d.min(eight, n),
                     d.min(n, m),
                     d.mul(two, n),
                     d.mul(two, d.ceil_div(n, two)),
                     d.constant(1),
                     d.broadcast(d.min(eight, n), m),
                     d.add(n, m),
                     d.broadcast(both, d.mul(two, n))};
  EXPECT_EQ(d.broadcast(d.min(eight, n), n), n);
  EXPECT_EQ(d.broadcast(both, m), both);
  EXPECT_EQ(d.broadcast(m, n), both);
  int broadcasting = 0;
  for (Dim a : all)
    for (Dim b : all)
      for (int64_t x = 1; x < 12; ++x)
        for (int64_t y = 1; y < 12; ++y) {
          auto value = [&](Dim e) { return d.evaluate(e, [&](Dim symbol) { return symbol == n ? x : y; }); };
          if (x != 1 && y != 1 && x != y) continue;  // then `both` means nothing
          const int64_t u = value(a), v = value(b);
          if (u != v && u != 1 && v != 1) continue;
          ++broadcasting;
          ASSERT_EQ(value(d.broadcast(a, b)), u == 1 ? v : u)
              << d.text(a) << " with " << d.text(b) << " at " << x << ", " << y;
        }
  EXPECT_GT(broadcasting, 1000);
}

}  // namespace
}  // namespace burnish
