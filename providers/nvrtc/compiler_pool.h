#pragma once

#include <memory>
#include <string>

#include "providers/nvrtc/compile.h"

namespace burnish::nvrtc {

/// Compiles as many programs at once as threads ask for. NVRTC takes the programs of one process one after the other, so a call
/// that finds it busy here goes to a process of its own: one `Worker` for each thread but the first, kept for later calls. Where
/// none can be started, `burnish-nvrtc` not being there say, it waits for this process. Cheap to copy; for any number of threads.
class CompilerPool {
 public:
  /// Workers run the program burnish-nvrtc that lies in the folder of this library.
  CompilerPool(Compiler compiler);
  /// They run `program`.
  CompilerPool(Compiler compiler, std::string program);

  /// As Compiler::compile, and the same bytes. Error internal too when the process that compiles it ends.
  Result<std::vector<std::byte>> compile(const Program& program, std::string_view architecture) const;

  /// Starts what `threads` threads will need. They are ready some 50 ms later.
  void prepare(int threads) const;

  /// Processes that wait for the next call.
  int idle() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace burnish::nvrtc
