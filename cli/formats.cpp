#include "cli/formats.h"

#include <cstring>
#include <string_view>

#include "cli/failure.h"

namespace burnish::cli {

static bool take_word(std::string_view word, Format& format) {
  static const std::map<std::string_view, int> types = {
      {"fp32", BURNISH_F32}, {"fp16", BURNISH_F16}, {"bf16", BURNISH_BF16}};
  static const std::map<std::string_view, burnish_layout> layouts = {{"nchw", BURNISH_ROW_MAJOR},
                                                                     {"nhwc", BURNISH_CHANNELS_LAST}};
  if (auto type = types.find(word); type != types.end()) format.dtype = type->second;
  else if (auto layout = layouts.find(word); layout != layouts.end()) format.layout = layout->second;
  else return false;
  return true;
}

static void parse_one(const std::string& option, std::string_view text, Formats& formats) {
  Format format;
  std::string_view name = text;
  int words = 0;
  for (size_t colon; words < 2 && (colon = name.rfind(':')) != name.npos && colon > 0; ++words) {
    if (!take_word(name.substr(colon + 1), format)) break;
    name = name.substr(0, colon);
  }
  if (words == 0)
    fail(option + ": '" + std::string(text) + "' does not end in a type or a layout",
         "write NAME:TYPE:LAYOUT, TYPE being fp32, fp16 or bf16, LAYOUT nchw or nhwc, and one of them is "
         "enough");
  if (!formats.emplace(name, format).second)
    fail(option + ": '" + std::string(name) + "' is given twice", "give each one format");
}

Formats parse_formats(const std::string& option, const std::vector<std::string>& texts) {
  Formats formats;
  for (const std::string& text : texts)
    for (size_t begin = 0; begin <= text.size();) {
      size_t end = std::min(text.find(',', begin), text.size());
      parse_one(option, std::string_view(text).substr(begin, end - begin), formats);
      begin = end + 1;
    }
  return formats;
}

/// Strides in elements of axes that go from the slowest to the fastest as in `order`.
static std::vector<int64_t> strides_of(const std::vector<int64_t>& shape, const int* order) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t k = shape.size(); k-- > 0;) {
    strides[static_cast<size_t>(order[k])] = stride;
    stride *= shape[static_cast<size_t>(order[k])];
  }
  return strides;
}

/// Calls f(row-major index, index in `order`) for every element.
template <class F>
static void for_each_place(const std::vector<int64_t>& shape, const int* order, const F& f) {
  std::vector<int64_t> strides = strides_of(shape, order), at(shape.size());
  int64_t elements = 1, place = 0;
  for (int64_t extent : shape) elements *= extent;
  for (int64_t i = 0; i < elements; ++i) {
    f(static_cast<size_t>(i), static_cast<size_t>(place));
    for (size_t axis = shape.size(); axis-- > 0;) {
      place += strides[axis];
      if (++at[axis] < shape[axis]) break;
      place -= at[axis] * strides[axis];
      at[axis] = 0;
    }
  }
}

Array into_order(Array array, const int* order) {
  if (!order) return array;
  size_t size = burnish_dtype_size(array.dtype);
  Array moved{array.dtype, array.shape, std::vector<std::byte>(array.bytes.size())};
  for_each_place(array.shape, order, [&](size_t row_major, size_t ordered) {
    std::memcpy(moved.bytes.data() + ordered * size, array.bytes.data() + row_major * size, size);
  });
  return moved;
}

Array from_order(Array array, const int* order) {
  if (!order) return array;
  size_t size = burnish_dtype_size(array.dtype);
  Array moved{array.dtype, array.shape, std::vector<std::byte>(array.bytes.size())};
  for_each_place(array.shape, order, [&](size_t row_major, size_t ordered) {
    std::memcpy(moved.bytes.data() + row_major * size, array.bytes.data() + ordered * size, size);
  });
  return moved;
}

std::string order_text(const int* order, int rank) {
  std::string text;
  for (int k = 0; order && k < rank; ++k) text += (k ? " " : "axes ") + std::to_string(order[k]);
  return text;
}

}  // namespace burnish::cli
