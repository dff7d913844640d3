#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/host_abi.h"

namespace burnish::testing {

// A host provider whose calls are plain functions, so that tests of the runtime need no operators. Texts:
//   add_one       f32 -> f32, same shape
//   positives     f32 [n] -> i64 [k], f32 [k]: places and values of what is positive
//   two_lists     f32 [n] -> f32 [k], f32 [m]: the positives, then the negatives
//   silent        says nothing about its late outputs
//   failing       fails

struct FakeCall {
  std::string text;
};

inline int64_t count_of(const HostTensor& t) {
  int64_t count = 1;
  for (int32_t i = 0; i < t.rank; ++i) count *= t.shape[i];
  return count;
}

inline int32_t give(const HostCallbacks* callbacks, uint32_t output, const void* data, size_t element,
                    int64_t count) {
  void* place = callbacks->allocate(callbacks->user, output, 1, &count);
  if (place == nullptr) return 1;
  if (count > 0) std::memcpy(place, data, element * static_cast<size_t>(count));
  return 0;
}

inline int32_t run_fake(const void* call, void*, const HostTensor* in, uint32_t, const HostTensor* out,
                        uint32_t, const HostCallbacks* callbacks) {
  const std::string& text = static_cast<const FakeCall*>(call)->text;
  const auto* x = static_cast<const float*>(in[0].bytes);
  const int64_t n = count_of(in[0]);
  if (text == "add_one") {
    for (int64_t i = 0; i < n; ++i) static_cast<float*>(out[0].bytes)[i] = x[i] + 1;
    return 0;
  }
  if (text == "failing") {
    callbacks->fail(callbacks->user, static_cast<int32_t>(Code::unsupported), "cannot do this", "do that");
    return 1;
  }
  if (text == "silent") return 0;
  std::vector<int64_t> places;
  std::vector<float> positive, negative;
  for (int64_t i = 0; i < n; ++i) {
    if (x[i] > 0) places.push_back(i);
    (x[i] > 0 ? positive : negative).push_back(x[i]);
  }
  const auto k = static_cast<int64_t>(positive.size()), m = static_cast<int64_t>(negative.size());
  if (text == "positives")
    return give(callbacks, 0, places.data(), 8, k) || give(callbacks, 1, positive.data(), 4, k);
  return give(callbacks, 0, positive.data(), 4, k) || give(callbacks, 1, negative.data(), 4, m);
}

inline const HostProviderTable* fake_host_provider() {
  static constexpr HostProviderTable table = {
      [](const char* text, size_t bytes, const HostCallbacks* callbacks) -> void* {
        const std::string name(text, bytes);
        for (const char* known : {"add_one", "positives", "two_lists", "silent", "failing"})
          if (name == known) return new FakeCall{name};
        callbacks->fail(callbacks->user, static_cast<int32_t>(Code::incompatible_engine), "no such call", "");
        return nullptr;
      },
      [](void* call) { delete static_cast<FakeCall*>(call); },
      [](int32_t, const HostCallbacks*) -> void* { return new int; },
      [](void* pool) { delete static_cast<int*>(pool); }, run_fake};
  return &table;
}

}  // namespace burnish::testing
