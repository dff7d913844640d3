#include "compiler/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

namespace burnish {
namespace {

using Values = std::map<Dim, int64_t>;

struct Case {
  DimTable dims;
  std::vector<Dim> symbols;
  std::vector<Lifetime> lifetimes;
  Values optimum;

  explicit Case(uint32_t seed) : random(seed) {
    for (const char* name : {"batch", "seq", "hits"}) {
      symbols.push_back(dims.symbol(name, {0, 5000}));
      optimum[symbols.back()] = below(300);
    }
    for (int count = 1 + below(60); count-- > 0;) {
      const int64_t first = below(40);
      lifetimes.push_back(
          {.bytes = size(), .first = first, .last = first + (below(4) ? below(4) : below(40))});
    }
  }
  int below(int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }
  Values any_values() {
    Values values;
    for (Dim s : symbols) values[s] = below(4) ? below(5000) : below(3);
    return values;
  }
  int64_t at(Dim d, const Values& values) const {
    return dims.evaluate(d, [&](Dim symbol) { return values.at(symbol); });
  }
  MemoryPlan plan() {
    return plan_memory(dims, lifetimes, [&](Dim d) { return at(d, optimum); });
  }

 private:
  Dim size() {
    Dim bytes = dims.constant(below(3000));
    for (int factors = below(3); factors-- > 0;)
      bytes = dims.mul(bytes, symbols[static_cast<size_t>(below(3))]);
    return below(5) ? bytes : dims.min(bytes, dims.constant(100000));
  }
  std::mt19937 random;
};

// The first lifetime pair that shares bytes, or one outside the arena; "" if there is none.
std::string clash(const Case& c, const MemoryPlan& plan, const Values& values) {
  for (size_t i = 0; i < c.lifetimes.size(); ++i) {
    const Lifetime& a = c.lifetimes[i];
    const int64_t a_begin = c.at(plan.offsets[i], values), a_end = a_begin + c.at(a.bytes, values);
    if (a_begin < 0 || a_begin % 256 != 0 || a_end > c.at(plan.total, values))
      return std::to_string(i) + " lies at " + std::to_string(a_begin);
    for (size_t j = 0; j < i; ++j) {
      const Lifetime& b = c.lifetimes[j];
      const int64_t b_begin = c.at(plan.offsets[j], values), b_end = b_begin + c.at(b.bytes, values);
      const bool together = a.first <= b.last && b.first <= a.last;
      if (together && a_begin < b_end && b_begin < a_end)
        return std::to_string(j) + " and " + std::to_string(i) + " share bytes";
    }
  }
  return "";
}

// A planner of fixed sizes, byte by byte in thought: largest first, at the lowest multiple of 256 that is free.
int64_t greedy_total(const std::vector<Lifetime>& lifetimes, const std::vector<int64_t>& sizes) {
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<int64_t> at(sizes.size(), -1);
  int64_t total = 0;
  for (size_t i : order) {
    std::vector<int64_t> candidates{0};
    for (size_t j = 0; j < sizes.size(); ++j)
      if (at[j] >= 0) candidates.push_back(at[j] + sizes[j]);
    std::sort(candidates.begin(), candidates.end());
    for (int64_t candidate : candidates) {
      bool free = true;
      for (size_t j = 0; j < sizes.size(); ++j)
        free = free && (at[j] < 0 || lifetimes[i].first > lifetimes[j].last ||
                        lifetimes[j].first > lifetimes[i].last || candidate >= at[j] + sizes[j] ||
                        at[j] >= candidate + sizes[i]);
      if (!free) continue;
      at[i] = candidate;
      break;
    }
    total = std::max(total, at[i] + sizes[i]);
  }
  return total;
}

TEST(Memory, WhatIsInUseTogetherSharesNoByteForAnyExtents) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    Case c(seed);
    const MemoryPlan plan = c.plan();
    ASSERT_EQ(plan.offsets.size(), c.lifetimes.size());
    EXPECT_EQ(clash(c, plan, c.optimum), "") << "seed " << seed;
    for (int i = 0; i < 8; ++i) EXPECT_EQ(clash(c, plan, c.any_values()), "") << "seed " << seed;
  }
}

TEST(Memory, AtTheOptimumItIsTheGreedyPlan) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    Case c(seed);
    for (Lifetime& l : c.lifetimes) l.bytes = c.dims.add(l.bytes, c.dims.constant(1));  // none is empty
    std::vector<int64_t> sizes;
    for (const Lifetime& l : c.lifetimes) sizes.push_back((c.at(l.bytes, c.optimum) + 255) / 256 * 256);
    EXPECT_EQ(c.at(c.plan().total, c.optimum), greedy_total(c.lifetimes, sizes)) << "seed " << seed;
  }
}

TEST(Memory, WhatIsNeverInUseTogetherShares) {
  DimTable dims;
  const Dim n = dims.symbol("n");
  const std::vector<Lifetime> lifetimes = {{dims.mul(n, dims.constant(256)), 0, 1},
                                           {dims.constant(512), 2, 3}};
  const MemoryPlan plan = plan_memory(dims, lifetimes, [](Dim) { return int64_t{1024}; });
  EXPECT_EQ(plan.offsets, (std::vector<Dim>{dims.constant(0), dims.constant(0)}));
  EXPECT_EQ(dims.evaluate(plan.total, [](Dim) { return 1; }), 512);
  EXPECT_EQ(dims.evaluate(plan.total, [](Dim) { return 9; }), 9 * 256);
}

TEST(Memory, NothingNeedsNothing) {
  DimTable dims;
  const MemoryPlan plan = plan_memory(dims, {}, [](Dim) { return int64_t{0}; });
  EXPECT_EQ(plan.total, dims.constant(0));
}

}  // namespace
}  // namespace burnish
