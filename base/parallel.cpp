#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace burnish {

namespace {
// Aligned at least as the section behind it: mold 1.10 begins the read-only part of a program at its thread-locals, and a program in
// which a page ends between the two cannot be loaded. And not 16 bytes into a page: GCC 12's leak sanitiser takes thread-locals there
// for those of another C library, and reads where nothing is.
alignas(64) thread_local bool inside_loop = false;
}  // namespace

struct ThreadPool::State {
  std::mutex one_loop;  // held by the caller for the whole loop
  std::mutex mutex;
  std::condition_variable wake, done;
  std::vector<std::thread> threads;
  uint64_t round = 0;
  int running = 0;
  bool stopping = false;
  const std::function<void(int64_t, int64_t)>* body = nullptr;
  int64_t count = 0, piece = 1;
  std::atomic<int64_t> next{0};

  void work() {
    inside_loop = true;
    for (int64_t begin; (begin = next.fetch_add(piece)) < count;)
      (*body)(begin, std::min(begin + piece, count));
    inside_loop = false;
  }

  void serve() {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stopping || round != seen; });
        if (stopping) return;
        seen = round;
      }
      work();
      std::lock_guard lock(mutex);
      if (--running == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  for (int i = 1; i < threads; ++i) state_->threads.emplace_back([state = state_.get()] { state->serve(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

int ThreadPool::size() const { return static_cast<int>(state_->threads.size()) + 1; }

void ThreadPool::parallel_for(int64_t count, int64_t grain,
                              const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  if (inside_loop || state_->threads.empty() || count <= grain) return body(0, count);
  State& s = *state_;
  std::lock_guard loop(s.one_loop);
  {
    std::lock_guard lock(s.mutex);
    s.body = &body;
    s.count = count;
    s.piece = std::max<int64_t>(std::max<int64_t>(grain, 1), count / (static_cast<int64_t>(size()) * 8));
    s.next = 0;
    s.running = static_cast<int>(s.threads.size());
    ++s.round;
  }
  s.wake.notify_all();
  s.work();
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, [&] { return s.running == 0; });
}

}  // namespace burnish
