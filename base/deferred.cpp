#include "base/deferred.h"

#include "base/parallel.h"

namespace burnish {

void Deferred::complete(ThreadPool& pool) {
  std::call_once(once_, [&] {
    write_(to_, pool);
    write_ = {};
  });
}

void Deferred::complete() {
  std::call_once(once_, [&] {
    ThreadPool alone(1);
    write_(to_, alone);
    write_ = {};
  });
}

}  // namespace burnish
