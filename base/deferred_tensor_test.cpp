#include "base/deferred_tensor.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/parallel.h"

namespace burnish {
namespace {

/// {from, from + 1, …}; counts how often it is made.
Tensor counting(int32_t from, int64_t count, std::atomic<int>& made) {
  return deferred_tensor(DType::i32, {count}, [=, &made](std::byte* to, ThreadPool&) {
    ++made;
    for (int64_t i = 0; i < count; ++i) reinterpret_cast<int32_t*>(to)[i] = from + static_cast<int32_t>(i);
  });
}

TEST(DeferredTensor, IsMadeWhenItIsFirstReadAndOnce) {
  std::atomic<int> made = 0;
  const Tensor tensor = counting(5, 3, made), copy = tensor, column = tensor.reshaped({3, 1});
  EXPECT_EQ(tensor.byte_size(), 12u);
  EXPECT_EQ(tensor.storage(), copy.storage());
  EXPECT_EQ(made, 0);
  EXPECT_EQ(column.data<int32_t>()[2], 7);
  EXPECT_EQ(copy.data<int32_t>()[0], 5);
  EXPECT_EQ(made, 1);
}

TEST(DeferredTensor, LetsGoOfWhatItWasMadeFrom) {
  auto source = std::make_shared<int>(3);
  const Tensor tensor = deferred_tensor(
      DType::u8, {1}, [source](std::byte* to, ThreadPool&) { *to = static_cast<std::byte>(*source); });
  EXPECT_EQ(source.use_count(), 2);
  EXPECT_EQ(tensor.data<uint8_t>()[0], 3);
  EXPECT_EQ(source.use_count(), 1);
}

TEST(DeferredTensor, ManyThreadsMayReadWhatHangsTogether) {
  std::atomic<int> made = 0;
  const Tensor base = counting(0, 1 << 16, made);
  std::vector<Tensor> sums;
  for (int32_t k = 0; k < 64; ++k)
    sums.push_back(deferred_tensor(DType::i32, base.shape(), [=](std::byte* to, ThreadPool& pool) {
      const auto* from = reinterpret_cast<const int32_t*>(base.bytes(pool));
      pool.parallel_for(base.count(), 1024, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) reinterpret_cast<int32_t*>(to)[i] = from[i] + k;
      });
    }));
  ThreadPool pool(4);
  pool.parallel_for(64, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) sums[static_cast<size_t>(k)].bytes(pool);
  });
  EXPECT_EQ(made, 1);
  for (size_t k = 0; k < sums.size(); ++k)
    EXPECT_EQ(sums[k].data<int32_t>()[1000], 1000 + static_cast<int32_t>(k));
}

}  // namespace
}  // namespace burnish
