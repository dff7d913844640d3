#include "runtime/lanes.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace burnish {

using Waits = std::vector<uint32_t>;

static Waits enter(Lanes& lanes, uint32_t who, Waits after) {
  lanes.enter(who, after);
  return after;
}

TEST(Lanes, WithoutALimitNothingIsAdded) {
  Lanes lanes(0);
  for (uint32_t who = 0; who < 9; ++who) EXPECT_EQ(enter(lanes, who, {}), Waits());
}

TEST(Lanes, OneLaneIsOneAfterTheOther) {
  Lanes lanes(1);
  EXPECT_EQ(enter(lanes, 0, {}), Waits());
  EXPECT_EQ(enter(lanes, 1, {}), Waits{0});
  EXPECT_EQ(enter(lanes, 2, {0}), (Waits{0, 1}));
}

TEST(Lanes, ABranchStaysInItsLane) {
  Lanes lanes(2);
  EXPECT_EQ(enter(lanes, 0, {}), Waits());
  EXPECT_EQ(enter(lanes, 1, {}), Waits());
  EXPECT_EQ(enter(lanes, 2, {1}), (Waits{1, 1}));
  EXPECT_EQ(enter(lanes, 3, {0}), (Waits{0, 0}));
  EXPECT_EQ(enter(lanes, 4, {}), Waits{2})
      << "a third branch joins the lane that has been left alone for longest";
}

TEST(Lanes, NoMoreThanSoManyRunSideBySide) {
  std::mt19937 random(3);
  for (uint32_t count = 1; count <= 4; ++count) {
    Lanes lanes(count);
    std::vector<std::set<uint32_t>> before;  // all that come before, directly or not
    for (uint32_t who = 0; who < 40; ++who) {
      Waits after;
      if (who > 0 && random() % 2) after.push_back(static_cast<uint32_t>(random() % who));
      std::set<uint32_t>& all = before.emplace_back();
      for (uint32_t earlier : enter(lanes, who, after)) {
        all.insert(earlier);
        all.insert(before[earlier].begin(), before[earlier].end());
      }
      // Whoever runs beside `who` and beside each other: greedily, latest first, no more than the other lanes have.
      std::vector<uint32_t> beside;
      for (uint32_t other = who; other-- > 0;)
        if (!all.contains(other) &&
            std::ranges::none_of(beside, [&](uint32_t b) { return before[b].contains(other); }))
          beside.push_back(other);
      EXPECT_LT(beside.size(), count);
    }
  }
}

}  // namespace burnish
