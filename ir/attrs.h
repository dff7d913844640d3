#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "shape/dim.h"

namespace burnish {

/// One attribute of an op, as `BURNISH_REFLECT` describes it.
struct Field {
  enum class Kind : uint8_t { integer, real, boolean, string, dtype, integers, reals, strings, dims };
  std::string_view name;
  Kind kind;
  size_t offset;
};

template <class T>
constexpr Field::Kind field_kind() {
  if constexpr (std::is_same_v<T, int64_t>) return Field::Kind::integer;
  else if constexpr (std::is_same_v<T, float>) return Field::Kind::real;
  else if constexpr (std::is_same_v<T, bool>) return Field::Kind::boolean;
  else if constexpr (std::is_same_v<T, std::string>) return Field::Kind::string;
  else if constexpr (std::is_same_v<T, DType>) return Field::Kind::dtype;
  else if constexpr (std::is_same_v<T, std::vector<int64_t>>) return Field::Kind::integers;
  else if constexpr (std::is_same_v<T, std::vector<float>>) return Field::Kind::reals;
  else if constexpr (std::is_same_v<T, std::vector<std::string>>) return Field::Kind::strings;
  else {
    static_assert(std::is_same_v<T, std::vector<Dim>>, "attribute type that BURNISH_REFLECT does not know");
    return Field::Kind::dims;
  }
}

/// Everything generic code needs to know about an op's attribute struct.
struct AttrSchema {
  std::span<const Field> (*fields)();
  std::shared_ptr<void> (*make)();  // default values
  std::shared_ptr<void> (*copy)(const void*);
};

template <class T>
constexpr AttrSchema make_attr_schema() {
  return {.fields = T::reflected(),
          .make = []() -> std::shared_ptr<void> { return std::make_shared<T>(); },
          .copy = [](const void* from) -> std::shared_ptr<void> {
            return std::make_shared<T>(*static_cast<const T*>(from));
          }};
}
/// The schema of an attribute struct: `.attrs = &attr_schema<Attrs>`.
template <class T>
inline constexpr AttrSchema attr_schema = make_attr_schema<T>();

/// The attributes of one node: the op's own struct behind its schema. Printing, parsing and equality come from the schema.
class Attrs {
 public:
  Attrs() = default;
  /// Default values.
  explicit Attrs(const AttrSchema* schema) : schema_(schema), data_(schema ? schema->make() : nullptr) {}
  template <class T>
    requires requires { T::reflected(); }
  Attrs(const T& value) : schema_(&attr_schema<T>), data_(std::make_shared<T>(value)) {}

  template <class T>
  const T& as() const {
    return *static_cast<const T*>(data_.get());
  }
  /// A private copy to change.
  template <class T>
  T& change() {
    data_ = schema_->copy(data_.get());
    return *static_cast<T*>(data_.get());
  }
  const AttrSchema* schema() const { return schema_; }
  /// The attribute of that name and type, for code that does not know the op's struct; null if there is none.
  template <class T>
  const T* find(std::string_view name) const {
    if (schema_)
      for (const Field& f : schema_->fields())
        if (f.name == name && f.kind == field_kind<T>()) return static_cast<const T*>(field(f));
    return nullptr;
  }
  const void* field(const Field& f) const { return static_cast<const std::byte*>(data_.get()) + f.offset; }
  void* field_for_writing(const Field& f) { return static_cast<std::byte*>(data_.get()) + f.offset; }

  bool operator==(const Attrs& other) const;
  /// "{axis=-1, epsilon=0.125}"; attributes at their default are left out; "" when all are.
  std::string text(const DimTable& dims) const;
  /// Sets one field from its text.
  Result<> parse_field(std::string_view name, std::string_view text, DimTable& dims);
  /// Replaces every Dim held (after symbols were unified).
  void resolve(DimTable& dims);

 private:
  const AttrSchema* schema_ = nullptr;
  std::shared_ptr<void> data_;  // shared between copies; change() detaches
};

}  // namespace burnish

#define BURNISH_FIELD_(Struct, member) \
  ::burnish::Field { #member, ::burnish::field_kind<decltype(Struct::member)>(), offsetof(Struct, member) }
#define BURNISH_FE_1(S, a) BURNISH_FIELD_(S, a)
#define BURNISH_FE_2(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_1(S, __VA_ARGS__)
#define BURNISH_FE_3(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_2(S, __VA_ARGS__)
#define BURNISH_FE_4(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_3(S, __VA_ARGS__)
#define BURNISH_FE_5(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_4(S, __VA_ARGS__)
#define BURNISH_FE_6(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_5(S, __VA_ARGS__)
#define BURNISH_FE_7(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_6(S, __VA_ARGS__)
#define BURNISH_FE_8(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_7(S, __VA_ARGS__)
#define BURNISH_FE_9(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_8(S, __VA_ARGS__)
#define BURNISH_FE_10(S, a, ...) BURNISH_FIELD_(S, a), BURNISH_FE_9(S, __VA_ARGS__)
#define BURNISH_FE_PICK(a, b, c, d, e, f, g, h, i, j, NAME, ...) NAME

/// Last line of an attribute struct: `struct Attrs { int64_t axis = -1; BURNISH_REFLECT(Attrs, axis) };`
#define BURNISH_REFLECT(Struct, ...)                                                                      \
  static std::span<const ::burnish::Field> reflected_fields() {                                           \
    static const ::burnish::Field fields[] = {BURNISH_FE_PICK(                                            \
        __VA_ARGS__, BURNISH_FE_10, BURNISH_FE_9, BURNISH_FE_8, BURNISH_FE_7, BURNISH_FE_6, BURNISH_FE_5, \
        BURNISH_FE_4, BURNISH_FE_3, BURNISH_FE_2, BURNISH_FE_1)(Struct, __VA_ARGS__)};                    \
    return fields;                                                                                        \
  }                                                                                                       \
  static constexpr auto reflected() { return &Struct::reflected_fields; }
