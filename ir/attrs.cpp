#include "ir/attrs.h"

#include <algorithm>

#include "ir/literal.h"

namespace burnish {

namespace {

/// Calls f with a pointer to the field's C++ type.
template <class F>
decltype(auto) visit_kind(Field::Kind kind, F&& f) {
  switch (kind) {
    case Field::Kind::integer: return f(static_cast<int64_t*>(nullptr));
    case Field::Kind::real: return f(static_cast<float*>(nullptr));
    case Field::Kind::boolean: return f(static_cast<bool*>(nullptr));
    case Field::Kind::string: return f(static_cast<std::string*>(nullptr));
    case Field::Kind::dtype: return f(static_cast<DType*>(nullptr));
    case Field::Kind::integers: return f(static_cast<std::vector<int64_t>*>(nullptr));
    case Field::Kind::reals: return f(static_cast<std::vector<float>*>(nullptr));
    case Field::Kind::strings: return f(static_cast<std::vector<std::string>*>(nullptr));
    case Field::Kind::dims: break;
  }
  return f(static_cast<std::vector<Dim>*>(nullptr));
}

// Floats are the same when their bits are: a NaN equals itself, +0 is not -0.
bool same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, std::vector<float>>)
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) { return same(x, y); });
  else return a == b;
}

bool same_field(const Field& f, const void* a, const void* b) {
  return visit_kind(f.kind,
                    [&]<class T>(T*) { return same(*static_cast<const T*>(a), *static_cast<const T*>(b)); });
}

std::string spell(int64_t v, const DimTable&) { return std::to_string(v); }
std::string spell(float v, const DimTable&) { return real_literal(v); }
std::string spell(bool v, const DimTable&) { return v ? "true" : "false"; }
std::string spell(const std::string& v, const DimTable&) { return string_literal(v); }
std::string spell(DType v, const DimTable&) { return std::string(name_of(v)); }
std::string spell(Dim v, const DimTable& dims) { return dims.text(v); }
template <class E>
std::string spell(const std::vector<E>& list, const DimTable& dims) {
  std::string out = "[";
  for (size_t i = 0; i < list.size(); ++i) out += (i ? ", " : "") + spell(list[i], dims);
  return out + "]";
}

Result<> read(std::string_view text, int64_t& out, DimTable&) {
  out = TRY(read_integer(text));
  return {};
}
Result<> read(std::string_view text, float& out, DimTable&) {
  out = TRY(read_real<float>(text));
  return {};
}
Result<> read(std::string_view text, bool& out, DimTable&) {
  if (text != "true" && text != "false")
    return Error(Code::invalid_argument, "'" + std::string(text) + "' is neither true nor false");
  out = text == "true";
  return {};
}
Result<> read(std::string_view text, std::string& out, DimTable&) {
  out = TRY(read_string(text));
  return {};
}
Result<> read(std::string_view text, DType& out, DimTable&) {
  const auto dtype = dtype_from_name(text);
  if (!dtype) return Error(Code::invalid_argument, "'" + std::string(text) + "' is no element type");
  out = *dtype;
  return {};
}
Result<> read(std::string_view text, Dim& out, DimTable& dims) {
  out = TRY(dims.parse(text));
  return {};
}
template <class E>
Result<> read(std::string_view text, std::vector<E>& out, DimTable& dims) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']')
    return Error(Code::invalid_argument, "'" + std::string(text) + "' is no list in [ ]");
  out.clear();
  for (std::string_view element : split_list(text.substr(1, text.size() - 2)))
    TRY(read(element, out.emplace_back(), dims));
  return {};
}

}  // namespace

bool Attrs::operator==(const Attrs& other) const {
  if (schema_ != other.schema_) return false;
  if (!schema_ || data_ == other.data_) return true;
  for (const Field& f : schema_->fields())
    if (!same_field(f, field(f), other.field(f))) return false;
  return true;
}

std::string Attrs::text(const DimTable& dims) const {
  if (!schema_) return "";
  const Attrs defaults(schema_);
  std::string out;
  for (const Field& f : schema_->fields()) {
    if (same_field(f, field(f), defaults.field(f))) continue;
    out += (out.empty() ? "{" : ", ") + std::string(f.name) + "=";
    out += visit_kind(f.kind, [&]<class T>(T*) { return spell(*static_cast<const T*>(field(f)), dims); });
  }
  return out.empty() ? out : out + "}";
}

Result<> Attrs::parse_field(std::string_view name, std::string_view text, DimTable& dims) {
  if (schema_)
    for (const Field& f : schema_->fields())
      if (f.name == name) {
        if (data_.use_count() > 1) data_ = schema_->copy(data_.get());
        return visit_kind(f.kind, [&]<class T>(T*) {
          return read(text, *static_cast<T*>(field_for_writing(f)), dims)
              .during("reading attribute '" + std::string(name) + "'");
        });
      }
  return Error(Code::invalid_argument, "there is no attribute '" + std::string(name) + "'");
}

void Attrs::resolve(DimTable& dims) {
  if (!schema_) return;
  for (const Field& f : schema_->fields()) {
    if (f.kind != Field::Kind::dims) continue;
    std::vector<Dim> resolved = *static_cast<const std::vector<Dim>*>(field(f));
    for (Dim& d : resolved) d = dims.resolve(d);
    if (resolved == *static_cast<const std::vector<Dim>*>(field(f))) continue;
    if (data_.use_count() > 1) data_ = schema_->copy(data_.get());
    *static_cast<std::vector<Dim>*>(field_for_writing(f)) = std::move(resolved);
  }
}

}  // namespace burnish
