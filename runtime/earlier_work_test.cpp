#include "runtime/earlier_work.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace burnish {
namespace {

using Waits = std::vector<uint32_t>;

Waits added(EarlierWork& work, Waits waits) {
  work.add(waits);
  return waits;
}

TEST(EarlierWork, KeepsWhatNobodyElseWaitsFor) {
  EarlierWork work;
  EXPECT_EQ(added(work, {}), Waits{});
  EXPECT_EQ(added(work, {0}), Waits{0});
  EXPECT_EQ(added(work, {0, 1, 0}), Waits{1});  // 1 has waited for 0
  EXPECT_EQ(added(work, {0}), Waits{0});        // beside 1 and 2
  EXPECT_EQ(added(work, {3, 2, 1}), (Waits{2, 3}));
  EXPECT_EQ(added(work, {0, 1, 2, 3, 4}), Waits{4});
}

TEST(EarlierWork, ReachesWhatItReachedBefore) {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    EarlierWork work;
    std::vector<std::set<uint32_t>> all, kept;  // whom each waits for, directly or not
    for (uint32_t who = 0; who < 200; ++who) {
      Waits waits;
      for (uint32_t i = 0; who > 0 && i < random() % 5; ++i) waits.push_back(random() % who);
      const auto reach = [](const std::vector<std::set<uint32_t>>& from, const Waits& waits) {
        std::set<uint32_t> reached(waits.begin(), waits.end());
        for (uint32_t w : waits) reached.insert(from[w].begin(), from[w].end());
        return reached;
      };
      all.push_back(reach(all, waits));
      const Waits left = added(work, waits);
      kept.push_back(reach(kept, left));
      ASSERT_EQ(kept.back(), all.back());
      for (uint32_t w : left)
        for (uint32_t other : left) ASSERT_FALSE(all[other].contains(w)) << "one edge too many";
    }
  }
}

}  // namespace
}  // namespace burnish
