#include "cli/trtexec/log.h"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include "api/burnish.h"
#include "cli/trtexec/interface_version.h"

namespace burnish::cli::trtexec {

static std::string time_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "%m/%d/%Y-%H:%M:%S", &local);
  return text;
}

void Log::say(Severity severity, std::string_view text) const {
  if (severity == Severity::verbose && !verbose) return;
  const bool calm = severity == Severity::info || severity == Severity::verbose;
  std::FILE* to = calm ? stdout : stderr;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    fmt::print(to, "[{}] [{}] {}\n", time_stamp(), static_cast<char>(severity),
               text.substr(begin, end - begin));
    begin = end + 1;
  }
  std::fflush(to);
}

static void print_unframed(const char* state, const std::string& about) {
  fmt::print("&&&& {} TensorRT.trtexec [TensorRT v{}] [burnish v{}] {}\n", state, interface_number,
             burnish_version(), about);
  std::fflush(stdout);
}

void print_state(State state, const std::string& command_line) {
  const char* names[] = {"RUNNING", "PASSED", "FAILED"};
  print_unframed(names[static_cast<int>(state)], "# " + command_line);
}

void print_task(const char* state, size_t iteration, const std::string& route) {
  print_unframed(state, fmt::format("[iter={}] BuildRoute = '{}'", iteration, route));
}

}  // namespace burnish::cli::trtexec
