#include "tuner/in_engine.h"

#include <gtest/gtest.h>

namespace burnish {
namespace {

class FakeEngine final : public EngineRun {
 public:
  explicit FakeEngine(double microseconds) : microseconds_(microseconds) {}
  Result<double> time() override { return microseconds_; }

 private:
  double microseconds_;
};

/// A problem with the times that its candidates took alone, the default first.
struct Row {
  size_t nodes;
  std::vector<std::pair<std::string, uint64_t>> alone;
};

/// Engines of two problems; an engine is named by its tactics: "ab".
class InEngine : public ::testing::Test {
 protected:
  /// The tactics that are settled on. `engine` gives the time of an engine.
  std::string settled(const std::vector<Row>& rows,
                      const std::function<Result<double>(const std::string&)>& engine,
                      size_t most_trials = 100, double until = 1e9) {
    std::vector<Problem> problems;
    std::vector<Timing> timings;
    for (const auto& [nodes, alone] : rows) {
      Problem& problem = problems.emplace_back(Problem{.nodes = nodes});
      Timing& timing = timings.emplace_back();
      uint64_t best = ~uint64_t{0};
      for (const auto& [tactic, nanoseconds] : alone) {
        problem.candidates.push_back({.tactic = tactic});
        timing.candidates.push_back({tactic, nanoseconds, {}});
        if (nanoseconds == 0 || nanoseconds >= best) continue;
        best = nanoseconds;
        timing.winner = tactic;
      }
    }
    const auto load = [&](std::span<const Timing> tried) -> Result<std::unique_ptr<EngineRun>> {
      std::string name;
      for (const Timing& t : tried) name += t.winner;
      loaded.push_back(name);
      return std::unique_ptr<EngineRun>(new FakeEngine(TRY(engine(name))));
    };
    double now = 0;
    const TuneOptions options{.most_trials = most_trials,
                              .until = until,
                              .clock = [&] { return now++; },
                              .progress = [](int, int) { return Result<>(); }};
    error = settle_in_engine(problems, timings, load, options);
    std::string name;
    for (const Timing& t : timings) name += t.winner;
    return name;
  }

  Result<> error;
  std::vector<std::string> loaded;
};

const std::vector<Row> two = {{1, {{"a", 100}, {"b", 90}}}, {1, {{"a", 50}, {"b", 45}}}};

TEST_F(InEngine, WinnersThatMakeItFasterStay) {
  EXPECT_EQ(settled(two, [](const std::string& name) { return name == "bb" ? 8 : 10; }), "bb");
}

TEST_F(InEngine, WinnersThatMakeItSlowerGo) {
  EXPECT_EQ(settled(two, [](const std::string& name) { return name == "aa" ? 10 : 11; }), "aa");
}

TEST_F(InEngine, OneOfThemMayStay) {
  EXPECT_EQ(settled(two, [](const std::string& name) { return name == "ba"   ? 8
                                                              : name == "bb" ? 12
                                                                             : 10; }),
            "ba");
  EXPECT_EQ(settled(two, [](const std::string& name) { return name == "ab"   ? 8
                                                              : name == "bb" ? 9
                                                                             : 10; }),
            "ab");
}

TEST_F(InEngine, ATieIsTheDefaults) {
  EXPECT_EQ(settled(two, [](const std::string&) { return 10; }), "aa");
  EXPECT_EQ(settled(two, [](const std::string& name) { return name == "bb" ? 9.99 : 10; }), "aa");
}

TEST_F(InEngine, TheLongestIsTriedFirst) {
  const std::vector<Row> rows = {{1, {{"a", 100}, {"b", 90}}}, {12, {{"a", 50}, {"b", 45}}}};
  settled(rows, [](const std::string&) { return 10; });
  EXPECT_EQ(loaded, (std::vector<std::string>{"aa", "bb", "ab", "ba"}));
}

TEST_F(InEngine, WhoIsFarSlowerAloneGetsNoTrial) {
  settled({{1, {{"a", 100}, {"b", 90}, {"c", 130}, {"d", 0}}}}, [](const std::string&) { return 10; });
  EXPECT_EQ(loaded, (std::vector<std::string>{"a", "b", "b"}));
}

TEST_F(InEngine, TrialsAreCounted) {
  settled(two, [](const std::string&) { return 10; }, 1);
  EXPECT_EQ(loaded, (std::vector<std::string>{"aa", "bb", "ba"}));
  EXPECT_EQ(settled(two, [](const std::string&) { return 10; }, 0), "bb");
}

TEST_F(InEngine, WhenTimeIsUpTheBestSoFarStays) {
  EXPECT_EQ(settled(two, [](const std::string&) { return 10; }, 100, 0), "bb");
  EXPECT_EQ(settled(two, [](const std::string& name) { return name == "ab" ? 8 : 10; }, 100, 2), "aa");
}

TEST_F(InEngine, WhereEnginesCannotBeTimedTheWinnersStay) {
  const auto too_large = [](const std::string&) -> Result<double> {
    return Error(Code::out_of_memory, "too large");
  };
  EXPECT_EQ(settled(two, too_large), "bb");
  EXPECT_TRUE(error);
}

TEST_F(InEngine, WhereTwoOfThemDoNotFitTheWinnersStay) {
  const auto large = [](const std::string& name) -> Result<double> {
    if (name == "aa") return 10;
    return Error(Code::out_of_memory, "too large");
  };
  EXPECT_EQ(settled(two, large), "bb");
  EXPECT_EQ(loaded, (std::vector<std::string>{"aa", "bb"}));
}

TEST_F(InEngine, AnErrorOfTheDeviceEndsIt) {
  settled(two,
          [](const std::string&) -> Result<double> { return Error(Code::device_error, "it has failed"); });
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().cause(), "it has failed");
}

}  // namespace
}  // namespace burnish
