#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace burnish::cli {

using namespace std::chrono_literals;

static std::atomic<bool> drawn = false;  // a line is on the terminal

static double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

static std::string duration(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string progress_line(const std::string& work, const std::string& stage, int done, int total,
                          double seconds_of_stage, double seconds) {
  std::string line = stage.empty() ? work : work + ": " + stage;
  if (total <= 1) return fmt::format("{}  {}", line, duration(seconds));
  constexpr int width = 20;
  int filled = static_cast<int>(static_cast<int64_t>(width) * done / total);
  line += fmt::format("  {}/{}  [{:=<{}}{: <{}}]", done, total, "", filled, "", width - filled);
  // Parts differ, so that a rate after less than half a second says nothing yet.
  if (done == 0 || seconds_of_stage < 0.5) return line;
  return line + fmt::format("  {} left", duration(seconds_of_stage * (total - done) / done));
}

Progress::Progress(std::string work, bool verbose)
    : work_(std::move(work)),
      verbose_(verbose),
      terminal_(isatty(STDERR_FILENO)),
      begin_(Clock::now()),
      stage_begin_(begin_) {
  if (terminal_) ticker_ = std::jthread([this](std::stop_token stop) { tick(stop); });
}

Progress::~Progress() {
  ticker_.request_stop();
  if (ticker_.joinable()) ticker_.join();
  clear_line();
}

void Progress::stage(const std::string& name, int done, int total) {
  std::lock_guard lock(mutex_);
  if (name != name_) {
    name_ = name;
    stage_begin_ = Clock::now();
    if (verbose_ && told_.insert(name).second) {  // stages may go on side by side
      clear_line();
      fmt::print(stderr, "{:9.3f} s  {}\n", seconds_since(begin_), name);
    }
  }
  done_ = done;
  total_ = total;
}

void Progress::tick(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, stop, 100ms, [&] { return stop.stop_requested(); }))
    if (seconds_since(begin_) > 1) draw();
}

void Progress::draw() {
  std::string line =
      progress_line(work_, name_, done_, total_, seconds_since(stage_begin_), seconds_since(begin_));
  winsize size{};
  size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
  if (line.size() > columns) line.resize(columns);
  drawn = true;
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
}

void Progress::clear_line() {
  if (drawn.exchange(false)) (void)!write(STDERR_FILENO, "\r\033[K", 4);
}

}  // namespace burnish::cli
