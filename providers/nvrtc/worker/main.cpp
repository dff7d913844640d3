#include <unistd.h>

#include <cstdio>

#include "providers/nvrtc/worker.h"

/// burnish-nvrtc FOLDER: compiles device text for the process that started it, which talks to it through a socket as standard input.
int main(int count, char** arguments) {
  if (count != 2 || isatty(STDIN_FILENO)) {
    std::fprintf(stderr, "%s compiles kernels for libburnish_compiler.so, which starts it\n", arguments[0]);
    return 1;
  }
  // Without what runs at exit: nothing is left to do, and NVRTC's own clean-up takes time.
  std::_Exit(burnish::nvrtc::serve(STDIN_FILENO, arguments[1]));
}
