#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "providers/nvrtc/worker.h"

/// What the process that started this one left open to it. By the system call, which glibc names since 2.34; Linux has it since 5.9.
static void close_inherited() {
  if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0) return;
  std::vector<int> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    open.push_back(std::atoi(entry.path().filename().c_str()));
  for (const int file : open)
    if (file > STDERR_FILENO) close(file);
}

/// burnish-nvrtc FOLDER: compiles device text for the process that started it, which talks to it through a socket as standard input.
int main(int count, char** arguments) {
  if (count != 2 || isatty(STDIN_FILENO)) {
    std::fprintf(stderr, "%s compiles kernels for libburnish_compiler.so, which starts it\n", arguments[0]);
    return 1;
  }
  close_inherited();
  // Without what runs at exit: nothing is left to do, and NVRTC's own clean-up takes time.
  std::_Exit(burnish::nvrtc::serve(STDIN_FILENO, arguments[1]));
}
