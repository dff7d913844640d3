#include "runtime/cuda/peak.h"

#include <gtest/gtest.h>

namespace burnish::cuda {
namespace {

DeviceInfo h200() {
  DeviceInfo info;
  info.major = 9;
  info.multiprocessors = 132;
  info.clock_khz = 1980000;
  info.memory_clock_khz = 3201000;
  info.memory_bus_bits = 6144;
  return info;
}

TEST(Peak, IsWhatTheDataSheetComesTo) {
  const Peak half = peak_of(h200(), "fp16");
  EXPECT_NEAR(half.flops, 1070.5e12, 0.1e12);
  EXPECT_NEAR(half.bytes_per_second, 4.917e12, 0.001e12);
  EXPECT_NEAR(peak_of(h200(), "tf32").flops, half.flops / 2, 1);
  EXPECT_NEAR(peak_of(h200(), "fp32").flops, half.flops / 16, 1);
}

TEST(Peak, OfAnotherArchitectureIsUnknown) {
  DeviceInfo info = h200();
  info.major = 13;
  EXPECT_EQ(peak_of(info, "fp16").flops, 0);
}

}  // namespace
}  // namespace burnish::cuda
