#include "onnx/reader_literal.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <filesystem>

#include "base/deferred_tensor.h"
#include "onnx/fields.h"

namespace burnish::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and used in place");

/// What a TensorProto says about its values. Typed values are decoded in a second pass, when the type is known: fields may
/// come in any order.
struct Written {
  std::string_view raw;
  bool typed = false;
  bool external = false;
  std::map<std::string, std::string> external_data;
};

std::string list(const Shape& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

/// "tensor 'w' (FLOAT [2, 3])"
std::string describe(const Literal& literal) {
  return (literal.name.empty() ? "an unnamed tensor" : "tensor " + in_quotes(literal.name)) + " (" +
         std::string(data_type_name(literal.data_type)) + " " + list(literal.dims) + ")";
}

Result<Written> read_header(Literal& literal, Message message) {
  Written values;
  while (message.next()) {
    switch (message.field()) {
      case fields::TensorProto::name: literal.name = message.text(); break;
      case fields::TensorProto::data_type: literal.data_type = static_cast<int32_t>(message.integer()); break;
      case fields::TensorProto::dims:
        message.integers([&](int64_t dim) { literal.dims.push_back(dim); });
        break;
      case fields::TensorProto::raw_data: values.raw = message.view(); break;
      case fields::TensorProto::data_location:
        values.external = message.integer() == location_external;
        break;
      case fields::TensorProto::external_data:
        values.external_data.insert(read_entry(message.message("StringStringEntryProto")));
        break;
      case fields::TensorProto::segment:
        return Error(Code::unsupported, describe(literal) + " is a segment of a larger one")
            .remedy("Save the model with whole tensors.");
      case fields::TensorProto::float_data:
      case fields::TensorProto::int32_data:
      case fields::TensorProto::int64_data:
      case fields::TensorProto::double_data:
      case fields::TensorProto::uint64_data: values.typed = true; [[fallthrough]];
      default: message.skip();
    }
  }
  return values;
}

/// Bytes of all values. Every partial product fits too, so that later ones need no care.
Result<size_t> checked_size(const Literal& literal) {
  int64_t bytes = static_cast<int64_t>(size_of(*literal.dtype));
  bool empty = false;
  for (int64_t dim : literal.dims) {
    if (dim < 0) return damaged(describe(literal) + " has a negative extent");
    if (dim == 0) empty = true;
    if (dim != 0 && __builtin_mul_overflow(bytes, dim, &bytes))
      return damaged(describe(literal) + " has more bytes than can be addressed");
  }
  return empty ? size_t{0} : static_cast<size_t>(bytes);
}

/// `size` bytes of a file as the literal's payload: in place; a copy, once it is read, where they are misaligned, or not what a bool may be.
Tensor place(const Literal& literal, const MappedFile& file, const std::byte* bytes, size_t size) {
  if (*literal.dtype == DType::boolean) {
    const auto is_bool = [](std::byte b) { return b <= std::byte{1}; };
    if (!std::all_of(bytes, bytes + size, is_bool)) {
      Tensor tensor = Tensor::zeros(DType::boolean, literal.dims);
      std::transform(bytes, bytes + size, tensor.writable(),
                     [](std::byte b) { return std::byte{b != std::byte{0}}; });
      return tensor;
    }
  }
  const std::shared_ptr<const std::byte> there(file.bytes, bytes);
  if (reinterpret_cast<uintptr_t>(bytes) % size_of(*literal.dtype) == 0)
    return Tensor(*literal.dtype, literal.dims, there);
  return deferred_tensor(*literal.dtype, literal.dims,
                         [there, size](std::byte* to, ThreadPool&) { std::memcpy(to, there.get(), size); });
}

/// Values of a typed field; `read` hands the field's values, one by one, to what it is given.
template <class T, class Read>
Result<Tensor> decode(const Literal& literal, Message message, uint32_t field, Read read) {
  const auto values = std::make_shared<std::vector<T>>();
  while (message.next()) {
    if (message.field() == field)
      read(message, [&](auto value) { values->push_back(static_cast<T>(value)); });
    else message.skip();
  }
  const int64_t wanted = element_count(literal.dims);
  if (values->size() != static_cast<size_t>(wanted))
    return damaged(describe(literal) + " needs " + std::to_string(wanted) + " values, but has " +
                   std::to_string(values->size()));
  return Tensor(*literal.dtype, literal.dims, {values, reinterpret_cast<const std::byte*>(values->data())});
}

Result<Tensor> decode_typed(const Literal& literal, const Message& message) {
  namespace tensor = fields::TensorProto;
  const auto integers = [](Message& m, auto sink) { m.integers(sink); };
  switch (*literal.dtype) {
    case DType::f32:
      return decode<float>(literal, message, tensor::float_data,
                           [](Message& m, auto sink) { m.reals(sink); });
    case DType::f64:
      return decode<double>(literal, message, tensor::double_data,
                            [](Message& m, auto sink) { m.doubles(sink); });
    case DType::i64: return decode<int64_t>(literal, message, tensor::int64_data, integers);
    case DType::u64: return decode<uint64_t>(literal, message, tensor::uint64_data, integers);
    case DType::u32: return decode<uint32_t>(literal, message, tensor::uint64_data, integers);
    case DType::i32: return decode<int32_t>(literal, message, tensor::int32_data, integers);
    case DType::i16: return decode<int16_t>(literal, message, tensor::int32_data, integers);
    case DType::u16:
    case DType::f16:
    case DType::bf16: return decode<uint16_t>(literal, message, tensor::int32_data, integers);
    case DType::i8: return decode<int8_t>(literal, message, tensor::int32_data, integers);
    case DType::u8: return decode<uint8_t>(literal, message, tensor::int32_data, integers);
    case DType::boolean:
      return decode<uint8_t>(literal, message, tensor::int32_data, [](Message& m, auto sink) {
        m.integers([&](int64_t value) { sink(value != 0); });
      });
  }
  return Error(Code::internal, "an element type without a reader");
}

Result<uint64_t> byte_number(const Literal& literal, const Written& values, const std::string& key,
                             uint64_t otherwise) {
  const auto entry = values.external_data.find(key);
  if (entry == values.external_data.end()) return otherwise;
  const std::string& text = entry->second;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return damaged(describe(literal) + " has external data with " + key + " " + in_quotes(text) +
                   ", which is no number of bytes");
  return number;
}

/// A location must lead to a file below the model's folder, so that a model cannot make its reader open just any file.
/// Links are followed: model caches are made of them.
bool stays_inside(const std::string& location) {
  const std::filesystem::path path(location);
  return !location.empty() && location.find('\0') == std::string::npos && path.is_relative() &&
         std::find(path.begin(), path.end(), "..") == path.end();
}

Result<MappedFile> open_external(Source& source, const Literal& literal, const std::string& location) {
  const std::string keeps = describe(literal) + " keeps its values in " + in_quotes(location);
  if (!stays_inside(location))
    return Error(Code::invalid_model, keeps + ", which is not a path below the model's folder")
        .remedy("Save the model again with its external data in its own folder.");
  if (source.folder.empty())
    return Error(Code::invalid_model, keeps + ", but the model was given without a folder to seek it in")
        .remedy("Give the model's folder, or read the model from its file.");
  const auto known = source.external_files.find(location);
  if (known != source.external_files.end()) return known->second;
  Result<MappedFile> file = map_file((std::filesystem::path(source.folder) / location).string());
  if (!file)
    return Error(file.error().code(), keeps + ": " + file.error().what())
        .remedy("Put the external data files that came with the model beside it.");
  return source.external_files.emplace(location, *file).first->second;
}

Result<Tensor> load_external(Source& source, const Literal& literal, const Written& values, size_t size) {
  if (source.elsewhere && values.external_data.empty()) return source.elsewhere(literal);
  const auto entry = values.external_data.find("location");
  const std::string location = entry == values.external_data.end() ? "" : entry->second;
  const uint64_t offset = TRY(byte_number(literal, values, "offset", 0));
  const uint64_t length = TRY(byte_number(literal, values, "length", size));
  const MappedFile file = TRY(open_external(source, literal, location));
  if (length != size)
    return damaged(describe(literal) + " needs " + std::to_string(size) +
                   " bytes, but its external data in " + in_quotes(location) + " has " +
                   std::to_string(length));
  if (offset > file.size || size > file.size - offset)
    return Error(Code::invalid_model, describe(literal) + " needs " + std::to_string(size) +
                                          " bytes from byte " + std::to_string(offset) + " of " +
                                          in_quotes(location) + ", which has " + std::to_string(file.size))
        .remedy(
            "The external data file is cut short or belongs to another model: download or save both again.");
  return place(literal, file, file.bytes.get() + offset, size);
}

Result<Tensor> load_raw(Source& source, const Literal& literal, const Written& values, size_t size) {
  if (values.raw.size() != size)
    return damaged(describe(literal) + " needs " + std::to_string(size) + " bytes, but its raw_data has " +
                   std::to_string(values.raw.size()));
  return place(literal, source.file, reinterpret_cast<const std::byte*>(values.raw.data()), size);
}

}  // namespace

Result<Literal> read_literal(Source& source, Message message) {
  Literal literal;
  const Written values = TRY(read_header(literal, message));
  literal.dtype = dtype_of(literal.data_type);
  if (!literal.dtype) return literal;
  const size_t size = TRY(checked_size(literal));
  if (!values.raw.empty() && (values.typed || values.external))
    return damaged(describe(literal) + " has its values twice");
  if (values.external) literal.payload = TRY(load_external(source, literal, values, size));
  else if (!values.raw.empty()) literal.payload = TRY(load_raw(source, literal, values, size));
  else literal.payload = TRY(decode_typed(literal, message));
  return literal;
}

}  // namespace burnish::onnx
