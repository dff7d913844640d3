#pragma once

#include <algorithm>

#include "base/deferred_tensor.h"
#include "ir/element.h"

namespace burnish {

/// Weights as a kernel wants them, made when they are first read: `write(from, to)` puts elements of `w` among zeros.
template <class Write>
Tensor deferred_weights(const Tensor& w, Shape shape, Write write) {
  const int64_t count = element_count(shape);
  return deferred_tensor(w.dtype(), std::move(shape), [=](std::byte* out, ThreadPool& pool) {
    visit_storage(w.dtype(), [&]<class T>(T*) {
      T* to = reinterpret_cast<T*>(out);
      std::fill_n(to, count, T());
      write(reinterpret_cast<const T*>(w.bytes(pool)), to);
    });
  });
}

}  // namespace burnish
