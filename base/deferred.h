#pragma once

#include <cstddef>
#include <functional>
#include <mutex>

namespace burnish {

class ThreadPool;

/// Memory that is written when somebody first asks for it, and never if nobody does. From any thread.
class Deferred {
 public:
  /// Writes all bytes from `to` on. Whatever it holds is let go afterwards.
  using Write = std::function<void(std::byte* to, ThreadPool& pool)>;
  Deferred(std::byte* to, Write write) : to_(to), write_(std::move(write)) {}

  /// Returns when the memory is written; without a pool by this thread alone.
  void complete(ThreadPool& pool);
  void complete();

 private:
  std::byte* to_;
  Write write_;
  std::once_flag once_;
};

}  // namespace burnish
