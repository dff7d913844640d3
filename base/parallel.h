#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace burnish {

/// A fixed set of threads that share loops. One loop runs at a time; a loop started inside a loop runs inline.
class ThreadPool {
 public:
  /// `threads` counts the caller: 1 starts none. 0: one per core that this process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  /// Calls body(begin, end) over disjoint pieces of [0, count), each of at least `grain` items but the last,
  /// and returns when all are done. `body` must not throw.
  void parallel_for(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace burnish
