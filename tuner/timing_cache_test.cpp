#include "tuner/timing_cache.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace burnish {
namespace {

const std::string two_problems =
    "burnish timing cache 1\n"
    "a1\tNVIDIA H200\tnvrtc 13.0.88\tmma 128x64x64 4x1 s3: 8.311 us *\tmma 64x64x64 2x2 s4: refused, its "
    "results differ\n"
    "b2\tNVIDIA H200\tnvrtc 13.0.88\tstrip 4: not timed *\tstrip 2: not timed\n";

TimingCache parsed(std::string_view text) {
  auto cache = TimingCache::parse(text);
  EXPECT_TRUE(cache) << (cache ? "" : cache.error().cause());
  return cache ? *cache : TimingCache();
}

TEST(TimingCache, TextIsReadAndWrittenAlike) {
  const TimingCache cache = parsed(two_problems);
  EXPECT_EQ(cache.text(), two_problems);
  const auto* a = cache.find({"a1", "NVIDIA H200", "nvrtc 13.0.88"});
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->second,
            (Timing{"mma 128x64x64 4x1 s3",
                    {{"mma 128x64x64 4x1 s3", 8311, ""}, {"mma 64x64x64 2x2 s4", 0, "its results differ"}}}));
  EXPECT_TRUE(a->second.timed());
  EXPECT_FALSE(cache.find({"b2", "NVIDIA H200", "nvrtc 13.0.88"})->second.timed());
}

TEST(TimingCache, ATimingCountsForItsDeviceAndVersionAlone) {
  TimingCache cache = parsed(two_problems);
  EXPECT_EQ(cache.find({"a1", "NVIDIA L4", "nvrtc 13.0.88"}), nullptr);
  EXPECT_EQ(cache.find({"a1", "NVIDIA H200", "nvrtc 13.0.89"}), nullptr);
  EXPECT_EQ(cache.find({"a", "", "nvrtc 13.0.88"}), nullptr);
  cache.set({"a1", "NVIDIA L4", "nvrtc 13.0.88"}, {"x", {{"x", 5, ""}}});
  EXPECT_EQ(cache.find({"a1", "", "nvrtc 13.0.88"})->first.device, "NVIDIA H200");  // the first by name
}

TEST(TimingCache, OfReasonsOneShortLineIsKept) {
  TimingCache cache;
  cache.set({"a", "d", "v"}, {"x", {{"x", 5, ""}, {"y", 0, "error:\tno\nmore " + std::string(500, '.')}}});
  EXPECT_EQ(cache.text(), "burnish timing cache 1\na\td\tv\tx: 0.005 us *\ty: refused, error: no\n");
  EXPECT_EQ(parsed(cache.text()).find({"a", "d", "v"})->second, cache.find({"a", "d", "v"})->second);
}

TEST(TimingCache, MergingPrefersWhatWasTimedAndThenTheOther) {
  const std::string first = "burnish timing cache 1\n", where = "\td\tv\t";
  TimingCache ours = parsed(first + "a" + where + "x: 1.000 us *\n" + "b" + where + "x: not timed *\n" + "c" +
                            where + "x: 3.000 us *\n");
  ours.merge(parsed(first + "a" + where + "x: not timed *\n" + "b" + where + "x: 2.000 us *\n" + "c" + where +
                    "x: 4.000 us *\n" + "e" + where + "x: 5.000 us *\n"));
  EXPECT_EQ(ours.text(), first + "a" + where + "x: 1.000 us *\n" + "b" + where + "x: 2.000 us *\n" + "c" +
                             where + "x: 4.000 us *\n" + "e" + where + "x: 5.000 us *\n");
}

TEST(TimingCache, WhatIsNoneIsAnErrorThatNamesTheLine) {
  EXPECT_EQ(TimingCache::parse("hello").error().cause(),
            "this is no timing cache: it does not begin with 'burnish timing cache 1'");
  for (const char* line :
       {"a\td", "a\td\tv", "a\td\tv\tx: 1 us", "a\td\tv\tx: 1 us *\ty: 2 us *", "a\td\tv\tx *",
        "a\td\tv\tx: -1 us *", "a\td\tv\tx: nan us *", "a\td\tv\tx: 1 ms *", "\td\tv\tx: 1 us *"})
    EXPECT_EQ(TimingCache::parse("burnish timing cache 1\n\n" + std::string(line)).error().cause(),
              "line 3 of the timing cache is none")
        << line;
}

TEST(TimingCache, Files) {
  const std::string path = std::filesystem::temp_directory_path() / "burnish_timing_cache_test.timing";
  std::filesystem::remove(path);
  EXPECT_EQ(TimingCache::read_if_there(path)->size(), 0u);
  EXPECT_EQ(TimingCache::read(path).error().code(), Code::io_error);
  ASSERT_TRUE(parsed(two_problems).write(path));
  EXPECT_EQ(TimingCache::read(path)->text(), two_problems);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace burnish
