#include "runtime/access_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace burnish {

static std::set<uint32_t> access(AccessOrder& order, uintptr_t begin, uintptr_t end, bool writes,
                                 uint32_t who) {
  std::vector<uint32_t> after;
  order.access(begin, end, writes, who, after);
  return {after.begin(), after.end()};
}

TEST(AccessOrder, ReadsWaitForTheWriteAndWritesForTheReads) {
  AccessOrder order;
  EXPECT_EQ(access(order, 100, 200, true, 0), std::set<uint32_t>());
  EXPECT_EQ(access(order, 120, 130, false, 1), std::set<uint32_t>{0});
  EXPECT_EQ(access(order, 125, 160, false, 2), std::set<uint32_t>{0});
  EXPECT_EQ(access(order, 128, 129, true, 3), (std::set<uint32_t>{0, 1, 2}));
  EXPECT_EQ(access(order, 128, 140, false, 4), (std::set<uint32_t>{0, 3}));
  EXPECT_EQ(access(order, 200, 300, true, 5), std::set<uint32_t>()) << "neighbours share nothing";
}

TEST(AccessOrder, EveryConflictIsOrdered) {
  // Against all pairs: two accesses to one byte, one of them a write, must be connected by the waits.
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    AccessOrder order;
    struct Use {
      uintptr_t begin, end;
      bool writes;
    };
    std::vector<Use> uses;
    std::vector<std::set<uint32_t>> before;  // all that come before, directly or not
    for (uint32_t i = 0; i < 40; ++i) {
      const uintptr_t begin = random() % 60;
      uses.push_back({begin, begin + random() % 15, random() % 2 == 0});
      std::set<uint32_t> waits = access(order, uses[i].begin, uses[i].end, uses[i].writes, i);
      std::set<uint32_t> all = waits;
      for (uint32_t w : waits) all.insert(before[w].begin(), before[w].end());
      before.push_back(all);
      for (uint32_t j = 0; j < i; ++j) {
        const bool share = std::max(uses[i].begin, uses[j].begin) < std::min(uses[i].end, uses[j].end);
        if (share && (uses[i].writes || uses[j].writes)) {
          ASSERT_TRUE(before[i].contains(j)) << j << " and " << i;
        }
        if (waits.contains(j)) {
          ASSERT_TRUE(share && (uses[i].writes || uses[j].writes)) << j << " and " << i;
        }
      }
    }
  }
}

}  // namespace burnish
