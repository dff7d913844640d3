#include "cli/progress.h"

#include <gtest/gtest.h>

namespace burnish::cli {
namespace {

TEST(Progress, Line) {
  EXPECT_EQ(progress_line("building m", "", 0, 0, 3, 3), "building m  3 s");
  EXPECT_EQ(progress_line("building m", "importing", 0, 1, 2, 5.2), "building m: importing  5 s");
  EXPECT_EQ(progress_line("building m", "kernels", 0, 40, 9, 9),
            "building m: kernels  0/40  [                    ]");
  EXPECT_EQ(progress_line("building m", "kernels", 10, 40, 4, 9),
            "building m: kernels  10/40  [=====               ]  12 s left");
  EXPECT_EQ(progress_line("building m", "kernels", 1, 40, 0.1, 9),
            "building m: kernels  1/40  [                    ]");
  EXPECT_EQ(progress_line("building m", "kernels", 40, 40, 4, 9),
            "building m: kernels  40/40  [====================]  0 s left");
  EXPECT_EQ(progress_line("building m", "kernels", 1, 41, 10, 10),
            "building m: kernels  1/41  [                    ]  7 min left");
}

}  // namespace
}  // namespace burnish::cli
