#include "tuner/random_block.h"

#include <cstring>
#include <random>

#include "base/half.h"

namespace burnish {

template <class T, class F>
static std::vector<std::byte> block_of(size_t count, const F& element) {
  std::vector<std::byte> block(count * sizeof(T));
  for (size_t i = 0; i < count; ++i) {
    const T value = element();
    std::memcpy(block.data() + i * sizeof(T), &value, sizeof(T));
  }
  return block;
}

std::vector<std::byte> random_block(DType dtype) {
  constexpr size_t count = 1'000'003;
  std::mt19937 random(1);
  const auto uniform = [&] { return static_cast<float>(random()) * 0x1p-31f - 1; };
  switch (dtype) {
    case DType::f32: return block_of<float>(count, uniform);
    case DType::f16: return block_of<half>(count, [&] { return to_half(uniform()); });
    case DType::bf16: return block_of<bfloat16>(count, [&] { return to_bfloat16(uniform()); });
    case DType::f64: return block_of<double>(count, uniform);
    case DType::boolean: return block_of<uint8_t>(count, [&] { return uint8_t(random() & 1); });
    default: return std::vector<std::byte>(count);
  }
}

}  // namespace burnish
