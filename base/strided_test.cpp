#include "base/strided.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace burnish {

struct Order {
  Shape shape;               // of the copy
  std::vector<size_t> axes;  // outermost first, as the source has them in memory
};

static std::vector<int64_t> strides_of(const Order& order) {
  std::vector<int64_t> strides(order.shape.size());
  int64_t stride = 1;
  for (size_t k = order.axes.size(); k-- > 0;) {
    strides[order.axes[k]] = stride;
    stride *= order.shape[order.axes[k]];
  }
  return strides;
}

/// By the definition: each index, one element.
template <class T>
static std::vector<T> copied_by_index(const Shape& shape, const std::vector<T>& from,
                                      const std::vector<int64_t>& strides) {
  std::vector<T> to(from.size());
  Shape index(shape.size());
  for (T& element : to) {
    element = from[static_cast<size_t>(
        std::inner_product(index.begin(), index.end(), strides.begin(), int64_t{0}))];
    for (size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
  return to;
}

template <class T>
static void expect_copies(const Order& order) {
  std::mt19937 random(7);
  std::vector<T> from(static_cast<size_t>(element_count(order.shape))), to(from.size());
  for (T& element : from) element = static_cast<T>(random());
  const std::vector<int64_t> strides = strides_of(order);
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    copy_strided(pool, sizeof(T), order.shape, reinterpret_cast<const std::byte*>(from.data()), strides,
                 reinterpret_cast<std::byte*>(to.data()), dense_strides(order.shape));
    EXPECT_TRUE(to == copied_by_index(order.shape, from, strides));
  }
}

TEST(Strided, CopiesAxesInAnyOrder) {
  for (const Order& order : {Order{{}, {}}, Order{{5}, {0}}, Order{{0, 64}, {1, 0}}, Order{{3, 64}, {1, 0}},
                             Order{{128, 192}, {1, 0}}, Order{{100, 1000}, {1, 0}}, Order{{65, 67}, {1, 0}},
                             Order{{8, 3, 40}, {2, 0, 1}}, Order{{8, 3, 40}, {1, 2, 0}},
                             Order{{4, 1, 96, 16}, {3, 1, 0, 2}}, Order{{4, 6, 16, 72}, {0, 3, 2, 1}}}) {
    SCOPED_TRACE(::testing::PrintToString(order.shape) + " of " + ::testing::PrintToString(order.axes));
    expect_copies<uint8_t>(order);
    expect_copies<uint16_t>(order);
    expect_copies<uint32_t>(order);
    expect_copies<uint64_t>(order);
  }
}

TEST(Strided, CopiesWhatIsReadSeveralTimesOrBackwards) {
  ThreadPool pool(2);
  const std::vector<int32_t> from = {1, 2, 3};
  const auto copy = [&](const Shape& shape, int64_t first, const std::vector<int64_t>& strides) {
    std::vector<int32_t> to(static_cast<size_t>(element_count(shape)));
    copy_strided(pool, 4, shape, reinterpret_cast<const std::byte*>(from.data() + first), strides,
                 reinterpret_cast<std::byte*>(to.data()), dense_strides(shape));
    return to;
  };
  EXPECT_EQ(copy({2, 3}, 0, {0, 1}), (std::vector<int32_t>{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(copy({3, 2}, 0, {1, 0}), (std::vector<int32_t>{1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(copy({2, 2}, 2, {-1, -1}), (std::vector<int32_t>{3, 2, 2, 1}));
  const std::vector<int32_t> eights = copy({3, 8}, 0, {1, 0});
  EXPECT_EQ(std::count(eights.begin(), eights.begin() + 8, 1), 8);
}

}  // namespace burnish
