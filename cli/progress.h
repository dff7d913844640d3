#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace burnish::cli {

/// One line on a terminal's standard error that says what goes on and how long it will take: it appears when the work
/// has taken a second, and is gone afterwards. Where standard error is no terminal nothing is drawn.
/// With `verbose` each stage leaves a line when it first begins, terminal or not.
class Progress {
 public:
  Progress(std::string work, bool verbose);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of `total` parts of `name` are done; total 0: unknown. From any thread.
  void stage(const std::string& name, int done = 0, int total = 0);

  /// Clears the line. Takes no lock: for the end of the process.
  static void clear_line();

 private:
  using Clock = std::chrono::steady_clock;
  void draw();
  void tick(std::stop_token);

  std::string work_;
  bool verbose_, terminal_;
  Clock::time_point begin_, stage_begin_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::string name_;
  std::set<std::string> told_;
  int done_ = 0, total_ = 0;
  std::jthread ticker_;  // last: it uses the others
};

/// The line without terminal codes: "building resnet50: fusing  3/40  [==        ]  12 s left".
std::string progress_line(const std::string& work, const std::string& stage, int done, int total,
                          double seconds_of_stage, double seconds);

}  // namespace burnish::cli
