#include "cli/npy.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "cli/failure.h"

namespace burnish::cli {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

namespace {

struct TypeName {
  std::string_view descr;  // without the byte order
  burnish_dtype dtype;
};
constexpr TypeName type_names[] = {
    {"f4", BURNISH_F32}, {"f2", BURNISH_F16},  {"f8", BURNISH_F64},  {"i1", BURNISH_I8},  {"i2", BURNISH_I16},
    {"i4", BURNISH_I32}, {"i8", BURNISH_I64},  {"u1", BURNISH_U8},   {"u2", BURNISH_U16}, {"u4", BURNISH_U32},
    {"u8", BURNISH_U64}, {"b1", BURNISH_BOOL}, {"V2", BURNISH_BF16},
};

/// The header's text is a Python dict of three entries, always written by one formatter; this finds the values of its keys.
class Header {
 public:
  Header(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  std::string string_of(std::string_view key) const {
    std::string_view value = value_of(key);
    if (value.empty() || (value[0] != '\'' && value[0] != '"')) return {};
    size_t end = value.find(value[0], 1);
    if (end == value.npos) damaged();
    return std::string(value.substr(1, end - 1));
  }

  bool bool_of(std::string_view key) const {
    std::string_view value = value_of(key);
    if (!value.starts_with("True") && !value.starts_with("False")) damaged();
    return value[0] == 'T';
  }

  std::vector<int64_t> tuple_of(std::string_view key) const {
    std::string_view value = value_of(key);
    size_t end = value.find(')');
    if (!value.starts_with('(') || end == value.npos) damaged();
    std::vector<int64_t> numbers;
    for (const char *at = value.data() + 1, *last = value.data() + end; at < last;) {
      if (*at == ' ' || *at == ',') {
        ++at;
        continue;
      }
      int64_t number = 0;
      auto [next, error] = std::from_chars(at, last, number);
      if (error != std::errc() || number < 0) damaged();
      numbers.push_back(number);
      at = next;
    }
    return numbers;
  }

  [[noreturn]] void damaged() const {
    fail(place_ + " has a damaged .npy header", "write the file again with numpy.savez");
  }

 private:
  std::string_view value_of(std::string_view key) const {
    size_t at = text_.find("'" + std::string(key) + "'");
    if (at == text_.npos) damaged();
    at = text_.find_first_not_of(": ", at + key.size() + 2);
    if (at == text_.npos) damaged();
    return text_.substr(at);
  }

  std::string_view text_;
  const std::string& place_;
};

burnish_dtype dtype_of(const std::string& descr, const std::string& place) {
  std::string_view name = descr;
  if (!name.empty() && std::string_view("<>|=").find(name[0]) != name.npos) name.remove_prefix(1);
  for (const TypeName& type : type_names) {
    if (type.descr != name) continue;
    if (descr[0] == '>' && burnish_dtype_size(type.dtype) > 1)
      fail(place + " is big-endian ('" + descr + "')",
           "save it little-endian: array.astype(array.dtype.newbyteorder('<'))");
    return type.dtype;
  }
  fail(place + " has the type " + (descr.empty() ? "of a structure" : "'" + descr + "'") +
           ", which is no tensor type",
       "save numbers or booleans: array.astype(numpy.float32), say");
}

/// The product of `shape` times `size`, nothing where it does not fit.
std::optional<size_t> bytes_of(const std::vector<int64_t>& shape, size_t size) {
  size_t bytes = size;
  bool zero = false;
  for (int64_t extent : shape) zero |= extent == 0;
  if (zero) return 0;
  for (int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<size_t>(extent), &bytes)) return {};
  return bytes;
}

/// Column-major to row-major: `index` counts through the axes of the result, `from` is where its element lies.
std::vector<std::byte> row_major(const std::byte* data, const std::vector<int64_t>& shape, size_t size,
                                 size_t bytes) {
  std::vector<std::byte> result(bytes);
  std::vector<int64_t> index(shape.size()), stride(shape.size());
  for (size_t axis = 0, step = 1; axis < shape.size(); step *= shape[axis++])
    stride[axis] = static_cast<int64_t>(step);
  int64_t from = 0;
  for (size_t to = 0; to < bytes; to += size) {
    std::memcpy(&result[to], data + from * size, size);
    for (size_t axis = shape.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

}  // namespace

int64_t Array::elements() const { return static_cast<int64_t>(bytes.size() / burnish_dtype_size(dtype)); }

Array read_npy(std::vector<std::byte> file, const std::string& place) {
  // Magic, two bytes of version, the header's length (two bytes in version 1, four after), the header, the elements.
  if (file.size() < 12 || std::memcmp(file.data(), "\x93NUMPY", 6) != 0)
    fail(place + " is no .npy array", "write the file with numpy.savez");
  int version = std::to_integer<int>(file[6]);
  size_t length = std::to_integer<size_t>(file[8]) | std::to_integer<size_t>(file[9]) << 8;
  if (version > 1)
    length |= std::to_integer<size_t>(file[10]) << 16 | std::to_integer<size_t>(file[11]) << 24;
  size_t begin = version > 1 ? 12 : 10;
  Header header({reinterpret_cast<const char*>(file.data()) + begin, std::min(length, file.size() - begin)},
                place);
  if (version < 1 || version > 3 || length > file.size() - begin) header.damaged();

  Array array{dtype_of(header.string_of("descr"), place), header.tuple_of("shape"), {}};
  if (array.shape.size() > BURNISH_MAX_RANK)
    fail(place + " has " + std::to_string(array.shape.size()) + " axes", "a tensor has 16 at most");
  size_t size = burnish_dtype_size(array.dtype), data = begin + length;
  std::optional<size_t> bytes = bytes_of(array.shape, size);
  if (!bytes || *bytes != file.size() - data)
    fail(place + " holds " + std::to_string(file.size() - data) + " bytes, not what its shape takes",
         "write the file again with numpy.savez");
  if (header.bool_of("fortran_order") && array.shape.size() > 1)
    array.bytes = row_major(file.data() + data, array.shape, size, *bytes);
  else {
    file.erase(file.begin(), file.begin() + static_cast<ptrdiff_t>(data));
    array.bytes = std::move(file);
  }
  return array;
}

std::string npy_header(const Array& array) {
  std::string descr;
  for (const TypeName& type : type_names)
    if (type.dtype == array.dtype)
      descr = (burnish_dtype_size(type.dtype) > 1 ? "<" : "|") + std::string(type.descr);
  std::string shape;
  for (int64_t extent : array.shape) shape += std::to_string(extent) + ", ";
  if (array.shape.size() > 1) shape.resize(shape.size() - 2);
  if (array.shape.size() == 1) shape.pop_back();
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // The elements begin at a multiple of 64 bytes, so that a reader may map them.
  dict.append(63 - (10 + dict.size()) % 64, ' ') += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xff);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

Array widened(Array array) {
  if (array.dtype != BURNISH_BF16) return array;
  std::vector<std::byte> wide(array.bytes.size() * 2);
  for (size_t i = 0; i < array.bytes.size(); i += 2) std::memcpy(&wide[2 * i + 2], &array.bytes[i], 2);
  return {BURNISH_F32, std::move(array.shape), std::move(wide)};
}

}  // namespace burnish::cli
