#include "plan/wire.h"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <type_traits>

#include "plan/wire_records.h"

namespace burnish {

namespace {

using Tag = protozero::pbf_tag_type;

template <class>
struct ElementOf {};
template <class T>
struct ElementOf<std::vector<T>> {
  using type = T;
};

/// Numbers are always written, whatever their default is; empty strings and lists are left out.
class Writer {
 public:
  explicit Writer(std::string& bytes) : out_(bytes) {}

  template <class T>
  void operator()(Tag id, T& x) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (!x.empty()) out_.add_bytes(id, x);
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
      for (const auto& [key, value] : x) {
        std::string entry;
        protozero::pbf_writer pair(entry);
        pair.add_bytes(1, key);
        pair.add_bytes(2, value);
        out_.add_message(id, entry);
      }
    } else if constexpr (std::is_integral_v<T>) {
      number(id, x);
    } else if constexpr (std::is_same_v<T, std::vector<uint32_t>>) {
      out_.add_packed_uint32(id, x.begin(), x.end());
    } else if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
      out_.add_packed_sint64(id, x.begin(), x.end());
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      for (const std::string& element : x) out_.add_bytes(id, element);
    } else if constexpr (requires { typename ElementOf<T>::type; }) {
      for (auto& element : x) message(id, element);
    } else {
      message(id, x);
    }
  }
  template <class E>
  void enumeration(Tag id, E& x, E) {
    out_.add_uint32(id, static_cast<uint32_t>(x));
  }
  template <class... Kinds>
  void choice(Tag first, std::variant<Kinds...>& x) {
    std::visit([&](auto& kind) { message(first + static_cast<Tag>(x.index()), kind); }, x);
  }

 private:
  template <class T>
  void number(Tag id, T x) {
    if constexpr (std::is_signed_v<T>) out_.add_sint64(id, x);
    else out_.add_uint64(id, x);
  }
  template <class T>
  void message(Tag id, T& x) {
    std::string bytes;
    Writer inner(bytes);
    wire::describe(inner, x);
    out_.add_message(id, bytes);
  }
  protozero::pbf_writer out_;
};

/// Bytes that are no such record. Stays inside this file.
struct Malformed {
  const char* why;
};

/// Branches may lie in branches; deeper than this no model goes, and the stack must not either.
constexpr int deepest = 64;

template <class T>
void read(protozero::pbf_reader message, T& x, int depth);

/// Puts the field that `message` stands at into the member of that number, if there is one.
class FieldReader {
 public:
  FieldReader(protozero::pbf_reader& message, int depth) : in_(message), depth_(depth) {}
  bool found = false;

  template <class T>
  void operator()(Tag id, T& x) {
    if (found || in_.tag() != id) return;
    found = true;
    if constexpr (std::is_same_v<T, std::string>) {
      x = text();
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      x.push_back(text());
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
      entry(x);
    } else if constexpr (std::is_same_v<T, bool>) {
      x = varint(1) != 0;
    } else if constexpr (std::is_signed_v<T>) {
      x = static_cast<T>(protozero::decode_zigzag64(varint(~uint64_t{0})));
    } else if constexpr (std::is_integral_v<T>) {
      x = static_cast<T>(varint(std::numeric_limits<T>::max()));
    } else if constexpr (std::is_same_v<T, std::vector<uint32_t>>) {
      expect(protozero::pbf_wire_type::length_delimited);
      x.clear();
      for (uint32_t element : in_.get_packed_uint32()) x.push_back(element);
    } else if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
      expect(protozero::pbf_wire_type::length_delimited);
      x.clear();
      for (int64_t element : in_.get_packed_sint64()) x.push_back(element);
    } else if constexpr (requires { typename ElementOf<T>::type; }) {
      x.emplace_back();
      message(x.back());
    } else {
      message(x);
    }
  }
  template <class E>
  void enumeration(Tag id, E& x, E last) {
    if (found || in_.tag() != id) return;
    found = true;
    x = static_cast<E>(varint(static_cast<uint64_t>(last)));
  }
  template <class... Kinds>
  void choice(Tag first, std::variant<Kinds...>& x) {
    Tag id = first;
    (kind<Kinds>(id++, x), ...);
    if (!found && in_.tag() >= id)
      throw Malformed{"it holds a step of a kind that this version does not know"};
  }

 private:
  template <class Kind, class Variant>
  void kind(Tag id, Variant& x) {
    if (found || in_.tag() != id) return;
    found = true;
    message(x.template emplace<Kind>());
  }
  void entry(std::map<std::string, std::string>& x) {
    expect(protozero::pbf_wire_type::length_delimited);
    protozero::pbf_reader pair = in_.get_message();
    std::string parts[2];
    while (pair.next()) {
      const Tag id = pair.tag();  // reading the value forgets it
      if (id <= 2 && pair.wire_type() == protozero::pbf_wire_type::length_delimited)
        parts[id - 1] = pair.get_string();
      else pair.skip();
    }
    x[std::move(parts[0])] = std::move(parts[1]);
  }
  std::string text() {
    expect(protozero::pbf_wire_type::length_delimited);
    return in_.get_string();
  }
  template <class T>
  void message(T& x) {
    expect(protozero::pbf_wire_type::length_delimited);
    if (depth_ >= deepest) throw Malformed{"its records are nested too deep"};
    read(in_.get_message(), x, depth_ + 1);
  }
  uint64_t varint(uint64_t most) {
    expect(protozero::pbf_wire_type::varint);
    const uint64_t value = in_.get_uint64();
    if (value > most) throw Malformed{"a number is larger than its field allows"};
    return value;
  }
  void expect(protozero::pbf_wire_type type) {
    if (in_.wire_type() != type) throw Malformed{"a field is not of its type"};
  }
  protozero::pbf_reader& in_;
  int depth_;
};

template <class T>
void read(protozero::pbf_reader message, T& x, int depth) {
  while (message.next()) {
    FieldReader field(message, depth);
    wire::describe(field, x);
    if (!field.found) message.skip();
  }
}

template <class T>
std::string write(T x) {
  std::string bytes;
  Writer writer(bytes);
  wire::describe(writer, x);
  return bytes;
}

template <class T>
Result<T> decode(std::string_view bytes, const char* what) {
  auto refuse = [&](const char* why) {
    return Error(Code::incompatible_engine, std::string("the engine's ") + what + " cannot be read: " + why)
        .remedy("build the engine again with this version of Burnish");
  };
  try {
    T x;
    read(protozero::pbf_reader(bytes.data(), bytes.size()), x, 0);
    return x;
  } catch (const Malformed& malformed) {
    return refuse(malformed.why);
  } catch (const protozero::exception&) {
    return refuse("it is no record");
  }
}

}  // namespace

std::string encode(const EngineIdentity& identity) { return write(identity); }
std::string encode(const std::vector<Plan>& plans) { return write(wire::PlanList{plans}); }
std::string encode(const RefitRecord& record) { return write(record); }

Result<EngineIdentity> decode_identity(std::string_view bytes) {
  return decode<EngineIdentity>(bytes, "identity");
}
Result<std::vector<Plan>> decode_plans(std::string_view bytes) {
  return std::move(TRY(decode<wire::PlanList>(bytes, "plan")).plans);
}
Result<RefitRecord> decode_refit_record(std::string_view bytes) {
  return decode<RefitRecord>(bytes, "record for refitting");
}

}  // namespace burnish
