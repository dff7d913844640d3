#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "providers/nvrtc/compile.h"

namespace burnish::nvrtc {

/// A process `burnish-nvrtc` that compiles programs as they are sent. It ends with this object, or when this process does, however
/// that comes about: its input ends then.
class Worker {
 public:
  /// Runs the file `program`, which is to open NVRTC from the folder `library`. Nothing, where it cannot be run.
  static std::optional<Worker> start(const std::string& program, const std::string& library);
  ~Worker();
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&&) = delete;

  /// As Compiler::compile, one at a time. Error internal when the process ended or answers nonsense: it serves no more then.
  Result<std::vector<std::byte>> compile(const Program& program, std::string_view architecture);
  bool serves() const { return serves_; }
  pid_t pid() const { return pid_; }

 private:
  Worker(pid_t pid, int socket) : pid_(pid), socket_(socket) {}
  Error lost(const Program& program, const std::string& how);
  std::string end();
  pid_t pid_;   // 0: none
  int socket_;  // -1: none
  bool serves_ = true;
};

/// What the process does: answers from `socket` until it ends. Its exit status.
int serve(int socket, const std::string& library);

}  // namespace burnish::nvrtc
