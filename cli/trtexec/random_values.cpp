#include "cli/trtexec/random_values.h"

#include <random>

#include "cli/elements.h"
#include "cli/trtexec/shape_spec.h"

namespace burnish::cli::trtexec {

Array random_values(burnish_dtype dtype, std::vector<int64_t> shape, int64_t most_index) {
  Array array{dtype, std::move(shape), {}};
  const auto count = static_cast<uint64_t>(element_count(array.shape));
  array.bytes.resize(count * burnish_dtype_size(dtype));
  std::default_random_engine engine;
  const auto fill = [&](auto distribution) {
    for (uint64_t i = 0; i < count; ++i) store_element(array, i, static_cast<double>(distribution(engine)));
  };
  if (is_float(dtype)) fill(std::uniform_real_distribution<float>(-1, 1));
  else if (dtype == BURNISH_BOOL) fill(std::uniform_int_distribution<int>(0, 1));
  else if (dtype == BURNISH_U8) fill(std::uniform_int_distribution<int>(0, 255));
  else if (most_index >= 0) fill(std::uniform_int_distribution<int64_t>(0, most_index));
  else
    fill(std::uniform_int_distribution<int64_t>(
        dtype == BURNISH_U16 || dtype == BURNISH_U32 || dtype == BURNISH_U64 ? 0 : -128, 127));
  return array;
}

}  // namespace burnish::cli::trtexec
