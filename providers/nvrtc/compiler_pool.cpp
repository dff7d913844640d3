#include "providers/nvrtc/compiler_pool.h"

#include <mutex>
#include <vector>

#include "base/shared_library.h"
#include "providers/nvrtc/worker.h"

namespace burnish::nvrtc {

struct CompilerPool::State {
  const Compiler compiler;
  const std::string program;
  std::mutex own;  // held by the call that this process's NVRTC works for
  std::mutex mutex;
  std::vector<Worker> idle;

  State(Compiler opened, std::string path) : compiler(std::move(opened)), program(std::move(path)) {}

  std::optional<Worker> start() const {
    const std::string& library = compiler.path();
    return Worker::start(program, library.substr(0, library.rfind('/')));
  }

  std::optional<Worker> take() {
    {
      std::lock_guard lock(mutex);
      if (!idle.empty()) {
        std::optional<Worker> worker(std::move(idle.back()));
        idle.pop_back();
        return worker;
      }
    }
    return start();
  }

  void give_back(Worker worker) {
    std::lock_guard lock(mutex);
    if (worker.serves()) idle.push_back(std::move(worker));
  }
};

CompilerPool::CompilerPool(Compiler compiler)
    : CompilerPool(std::move(compiler),
                   folder_of_code(reinterpret_cast<const void*>(&serve)) + "/burnish-nvrtc") {}

CompilerPool::CompilerPool(Compiler compiler, std::string program)
    : state_(std::make_shared<State>(std::move(compiler), std::move(program))) {}

Result<std::vector<std::byte>> CompilerPool::compile(const Program& program,
                                                     std::string_view architecture) const {
  const std::unique_lock own(state_->own, std::try_to_lock);
  std::optional<Worker> worker = own ? std::nullopt : state_->take();
  if (!worker) return state_->compiler.compile(program, architecture);
  auto made = worker->compile(program, architecture);
  state_->give_back(*std::move(worker));
  return made;
}

void CompilerPool::prepare(int threads) const {
  for (int i = idle(); i < threads - 1; ++i) {
    std::optional<Worker> worker = state_->start();
    if (!worker) return;
    state_->give_back(*std::move(worker));
  }
}

int CompilerPool::idle() const {
  std::lock_guard lock(state_->mutex);
  return static_cast<int>(state_->idle.size());
}

}  // namespace burnish::nvrtc
