#pragma once

#include <stdexcept>
#include <string>

#include "api/burnish.h"

namespace burnish::cli {

/// What ends a command: one line of cause, one of remedy. Thrown in this folder alone and caught in main.cpp.
struct Failure {
  std::string cause;
  std::string remedy;
};

/// A signal ended the command: quiet, exit status 128 + signal.
struct Interrupted {
  int signal;
};

/// Throws a Failure; line breaks in either text become blanks.
[[noreturn]] void fail(std::string cause, std::string remedy);

/// Throws what `error` says, and frees it, unless `status` is BURNISH_OK.
/// By reference: `check(f(&error), error)` reads it after the call.
void check(burnish_status status, burnish_error* const& error);

/// Cause of the latest failed system call: "No space left on device".
std::string system_error();

/// Throws unless `path` is a file that can be read; `what` is "model", "engine", ….
void require_readable(const std::string& path, const std::string& what);
/// Throws unless a file can be made at `path`, so that a long command need not find out at its end.
void require_writable(const std::string& path);

}  // namespace burnish::cli
