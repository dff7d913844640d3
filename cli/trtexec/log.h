#pragma once

#include <string>
#include <string_view>

namespace burnish::cli::trtexec {

/// How much a line matters; its letter is what log parsers see.
enum class Severity : char { error = 'E', warning = 'W', info = 'I', verbose = 'V' };

/// What the program says, a line at a time: "[11/29/2026-09:20:00] [I] text". Info and verbose lines go to standard output, the
/// others to standard error; each is written out at once, so that the two keep their order.
class Log {
 public:
  bool verbose = false;

  /// Each line of `text` by itself; verbose ones only if asked for.
  void say(Severity severity, std::string_view text) const;
  void info(std::string_view text) const { say(Severity::info, text); }
  void warn(std::string_view text) const { say(Severity::warning, text); }
  void error(std::string_view text) const { say(Severity::error, text); }
  void detail(std::string_view text) const { say(Severity::verbose, text); }
  /// What the library said.
  void library(Severity severity, std::string_view text) const {
    say(severity, "[TRT] " + std::string(text));
  }
};

/// The first line of a run and its last, which have no frame: "&&&& PASSED TensorRT.trtexec …".
enum class State { running, passed, failed };
void print_state(State state, const std::string& command_line);
/// A line like these about one of several builds: "&&&& TASK_BEGIN … [iter=N] BuildRoute = '…'".
void print_task(const char* state, size_t iteration, const std::string& route);

}  // namespace burnish::cli::trtexec
