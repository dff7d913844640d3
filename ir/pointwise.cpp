#include "ir/pointwise.h"

#include "ir/element.h"

namespace burnish::pointwise_detail {

template <class S>
const S* load_block(const TensorView& x, int64_t base, int64_t step, int64_t count, S* scratch) {
  return visit_storage(x.dtype, [&]<class T>(T*) -> const S* {
    const T* from = x.data<T>() + base;
    if constexpr (std::is_same_v<T, S>) {
      if (step == 1) return from;
    }
    for (int64_t k = 0; k < count; ++k) {
      const T& element = from[k * step];
      if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>)
        scratch[k] = static_cast<S>(to_float(element));
      else scratch[k] = static_cast<S>(element);
    }
    return scratch;
  });
}

template <class S>
void store_block(const TensorView& y, int64_t base, int64_t count, const S* from) {
  visit_storage(y.dtype, [&]<class T>(T*) {
    T* to = y.data<T>() + base;
    for (int64_t k = 0; k < count; ++k) {
      if constexpr (std::is_same_v<T, half>) to[k] = to_half(static_cast<float>(from[k]));
      else if constexpr (std::is_same_v<T, bfloat16>) to[k] = to_bfloat16(static_cast<float>(from[k]));
      else to[k] = static_cast<T>(from[k]);
    }
  });
}

template const float* load_block<float>(const TensorView&, int64_t, int64_t, int64_t, float*);
template const double* load_block<double>(const TensorView&, int64_t, int64_t, int64_t, double*);
template const int64_t* load_block<int64_t>(const TensorView&, int64_t, int64_t, int64_t, int64_t*);
template const bool* load_block<bool>(const TensorView&, int64_t, int64_t, int64_t, bool*);
template void store_block<float>(const TensorView&, int64_t, int64_t, const float*);
template void store_block<double>(const TensorView&, int64_t, int64_t, const double*);
template void store_block<int64_t>(const TensorView&, int64_t, int64_t, const int64_t*);
template void store_block<bool>(const TensorView&, int64_t, int64_t, const bool*);

}  // namespace burnish::pointwise_detail
