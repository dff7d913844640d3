#include "tuner/tuner.h"

#include <gtest/gtest.h>

#include <map>

namespace burnish {
namespace {

/// What a stand-in device says about a tactic: its times in turn (the last one for ever), or why it is refused.
struct Script {
  std::vector<double> times;
  std::string refused = {};
};
using Scripts = std::map<std::string, Script>;

class FakeDevice final : public TimingDevice {
 public:
  explicit FakeDevice(Scripts scripts) : scripts_(std::move(scripts)) {}
  std::string name() const override { return "Fake"; }

  class Run final : public TimingRun {
   public:
    Run(FakeDevice& device, const Problem& problem) : device_(device), problem_(problem) {}
    Result<Verdict> admit(size_t c) override {
      const std::string& reason = device_.scripts_.at(problem_.candidates[c].tactic).refused;
      return reason.empty() ? Verdict::yes() : Verdict::no(reason);
    }
    Result<double> time(size_t c) override {
      const std::string& tactic = problem_.candidates[c].tactic;
      device_.order += tactic;
      ++device_.now;
      const std::vector<double>& times = device_.scripts_.at(tactic).times;
      if (times.empty()) return Error(Code::device_error, "the device has failed");
      return times[std::min<size_t>(static_cast<size_t>(counts_[tactic]++), times.size() - 1)];
    }

   private:
    FakeDevice& device_;
    const Problem& problem_;
    std::map<std::string, int> counts_;
  };

  Result<std::unique_ptr<TimingRun>> prepare(const Problem& problem, const CompiledKernels&) override {
    if (problem.key == "huge") return Error(Code::out_of_memory, "too large");
    return std::unique_ptr<TimingRun>(new Run(*this, problem));
  }

  Result<std::unique_ptr<EngineRun>> load(const EngineContents&, std::span<const Shape>) override {
    return Error(Code::unsupported, "there are kernels only");
  }

  std::string order;  // tactics in the order in which they were timed
  double now = 0;     // each run takes a second

 private:
  Scripts scripts_;
};

Problem problem_of(std::initializer_list<const char*> tactics, std::string key = "key") {
  Problem problem{.key = std::move(key), .node = "node 'n' (Conv)"};
  for (const char* tactic : tactics) problem.candidates.push_back({.tactic = tactic});
  return problem;
}

Result<std::vector<Timing>> tuned(FakeDevice& device, const std::vector<Problem>& problems,
                                  int most_rounds = 16, double until = 1e9,
                                  const CompiledKernels& kernels = {}) {
  return tune(problems, kernels, device,
              {.most_rounds = most_rounds,
               .until = until,
               .clock = [&] { return device.now; },
               .progress = [](int, int) { return Result<>(); }});
}

std::string winner(Scripts scripts, Problem problem) {
  FakeDevice device(std::move(scripts));
  auto timings = tuned(device, {std::move(problem)});
  EXPECT_TRUE(timings);
  return timings->front().winner;
}

TEST(Tuner, TheFastestWins) {
  EXPECT_EQ(winner({{"a", {{5}}}, {"b", {{3}}}, {"c", {{4}}}}, problem_of({"a", "b", "c"})), "b");
}

TEST(Tuner, TheyTakeTurnsUntilOneIsAhead) {
  FakeDevice device({{"a", {{5}}}, {"b", {{3}}}});
  ASSERT_TRUE(tuned(device, {problem_of({"a", "b"})}));
  EXPECT_EQ(device.order, "ababab");
}

TEST(Tuner, WhoIsBehindDropsOutAndTheRestRacesOn) {
  FakeDevice device({{"a", {{5}}}, {"b", {{3, 3, 3, 3, 3, 2.5}}}, {"c", {{3.01}}}});
  ASSERT_TRUE(tuned(device, {problem_of({"a", "b", "c"})}, 6));
  EXPECT_EQ(device.order, "abcabcabcbcbcbc");
}

TEST(Tuner, OneOutlierDecidesNothing) {
  EXPECT_EQ(winner({{"a", {{90, 3}}}, {"b", {{4}}}}, problem_of({"a", "b"})), "a");
  EXPECT_EQ(winner({{"a", {{1, 5}}}, {"b", {{4}}}}, problem_of({"a", "b"})), "b");
}

TEST(Tuner, OfEquallyFastOnesLessWorkspaceWinsThenTheFirstByName) {
  const Scripts close{{"a", {{3.02}}}, {"b", {{3}}}, {"c", {{3.01}}}};
  Problem problem = problem_of({"c", "b", "a"});
  EXPECT_EQ(winner(close, problem), "a");
  problem.candidates[1].workspace = 100;
  problem.candidates[2].workspace = 200;
  EXPECT_EQ(winner(close, problem), "c");
}

TEST(Tuner, RefusedOnesDoNotRaceAndSayWhy) {
  FakeDevice device({{"a", {{5}}}, {"b", {{1}, "its results differ"}}});
  const auto timings = tuned(device, {problem_of({"a", "b"})});
  ASSERT_TRUE(timings);
  EXPECT_EQ(timings->front(), (Timing{"a", {{"a", 5000, ""}, {"b", 0, "its results differ"}}}));
}

TEST(Tuner, WithoutADefaultThereIsNothingToCompareWith) {
  FakeDevice device({{"a", {{5}, "it does not load"}}, {"b", {{1}}}});
  const auto timings = tuned(device, {problem_of({"a", "b"})});
  ASSERT_TRUE(timings);
  EXPECT_EQ(timings->front(), (Timing{"a", {{"a", 0, "it does not load"}}}));
}

TEST(Tuner, WhenTheTimeIsOverDefaultsWinUntimed) {
  FakeDevice device({{"a", {{5}}}, {"b", {{3}}}});
  const auto timings = tuned(device, {problem_of({"a", "b"}), problem_of({"a", "b"})}, 16, 5);
  ASSERT_TRUE(timings);
  EXPECT_EQ(timings->at(0).winner, "b");
  EXPECT_EQ(timings->at(1), (Timing{"a", {{"a", 0, ""}, {"b", 0, ""}}}));
}

TEST(Tuner, WhatTheDeviceCannotHoldOrNobodyCompiledStaysUntimed) {
  FakeDevice device({{"a", {{5}}}, {"b", {{3}}}});
  Problem uncompiled = problem_of({"a", "b"});
  uncompiled.candidates[1].launches.push_back({.source = "text"});
  const auto timings = tuned(device, {problem_of({"a", "b"}, "huge"), uncompiled});
  ASSERT_TRUE(timings);
  for (const Timing& timing : *timings) EXPECT_FALSE(timing.timed());
  const auto compiled = tuned(device, {uncompiled}, 16, 1e9, {{"text", std::vector<std::byte>()}});
  EXPECT_EQ(compiled->front().winner, "b");
}

TEST(Tuner, AFailingDeviceEndsItAndNamesTheCandidate) {
  FakeDevice device({{"a", {{5}}}, {"b", {{}}}});
  Problem problem = problem_of({"a", "b"});
  const std::string cause =
      "the device has failed, while running its candidate 'b', while timing kernels for node 'n' (Conv)";
  const Error ours = tuned(device, {problem}).error();
  EXPECT_EQ(ours.cause(), cause);
  EXPECT_EQ(ours.remedy(), "build with --optimization-level 1, which times nothing");
  problem.candidates[1].routines.push_back({.library = "cudnn"});
  const Error of_a_library = tuned(device, {problem}).error();
  EXPECT_EQ(of_a_library.cause(), cause);
  EXPECT_EQ(of_a_library.remedy(), "build without that library (--libraries)");
}

TEST(Tuner, TimingsAreAveraged) {
  // One timing of "b" is an outlier: its average with the next one is not behind, the timing alone is.
  const auto order = [](int averaged) {
    FakeDevice device({{"a", {{10}}}, {"b", {{1, 17}}}});
    EXPECT_TRUE(tune(std::vector<Problem>{problem_of({"a", "b"})}, {}, device,
                     {.most_rounds = 3,
                      .averaged = averaged,
                      .until = 1e9,
                      .clock = [&] { return device.now; },
                      .progress = [](int, int) { return Result<>(); }}));
    return device.order;
  };
  EXPECT_EQ(order(1), "ababab");
  EXPECT_EQ(order(2), "aabbaabbaabb");
}

}  // namespace
}  // namespace burnish
