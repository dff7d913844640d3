// A cuDNN that proposes three engines for any graph but one with BF16, of which it cannot make the last a plan; each has one knob.
// A plan says as JSON which graph, which engine and whether a described GPU it is for; running one does nothing. It counts what it
// made.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "runtime/libraries/cudnn_functions.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace burnish::cudnn {
struct HandleContext {
  std::atomic<bool> busy = false;
};
}  // namespace burnish::cudnn

using namespace burnish::cudnn;

namespace {

constexpr int invalid = 2000, not_supported = 3000;
constexpr int64_t engines = 3;
constexpr int the_knob = 2;

struct Value {
  int type = 0;
  std::string bytes;
};
struct Made {
  int kind = 0;
  std::map<int, Value> values;
  std::string text;       // once it is final: all that it says
  Made* owned = nullptr;  // a configuration's engine

  template <class T>
  T get(int attribute) const {
    T value{};
    if (const auto found = values.find(attribute); found != values.end())
      std::memcpy(&value, found->second.bytes.data(), sizeof value);
    return value;
  }
  const Made* made(int attribute) const { return get<Made*>(attribute); }
  template <class T>
  void set(int attribute, int type, T value) {
    values[attribute] = {type, std::string(reinterpret_cast<const char*>(&value), sizeof value)};
  }
};

std::array<std::atomic<int>, 64> finalised;

/// A plan takes a while; two at once want a handle each.
class Alone {
 public:
  explicit Alone(HandleContext& handle) : handle_(handle), alone_(!handle.busy.exchange(true)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ~Alone() { handle_.busy = handle_.busy && !alone_; }
  explicit operator bool() const { return alone_; }

 private:
  HandleContext& handle_;
  const bool alone_;
};

size_t size_of(int type) {
  switch (type) {
    case type_boolean:
    case type_char: return 1;
    case type_handle:
    case type_int64:
    case type_double:
    case type_pointer:
    case type_descriptor: return 8;
    default: return 4;
  }
}

/// Of a descriptor and of those that it refers to; addresses say nothing.
std::string text_of(const Made& d) {
  std::string text = "(" + std::to_string(d.kind);
  for (const auto& [attribute, value] : d.values) {
    if (value.type == type_handle || value.type == type_pointer) continue;
    text += " " + std::to_string(attribute) + "=";
    for (size_t at = 0; at < value.bytes.size(); at += size_of(value.type)) {
      if (value.type != type_descriptor) {
        for (size_t i = at; i < at + size_of(value.type); ++i)
          text += std::to_string(static_cast<unsigned char>(value.bytes[i])) + ".";
      } else {
        const Made* other = nullptr;
        std::memcpy(&other, value.bytes.data() + at, sizeof other);
        text += other->text;
      }
    }
  }
  return text + ")";
}

std::string digest(const std::string& text) {
  uint64_t sum = 14695981039346656037u;  // FNV-1a
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(sum));
  return out;
}

int give_text(const std::string& text, int64_t count, int64_t* there, void* out) {
  *there = static_cast<int64_t>(text.size());
  if (out) std::memcpy(out, text.data(), static_cast<size_t>(std::min(count, *there)));
  return success;
}

}  // namespace

/// How many descriptors of a kind became final in this process.
EXPORT int fake_cudnn_finalised(int kind) { return finalised[static_cast<size_t>(kind)]; }

EXPORT size_t cudnnGetVersion() { return FAKE_VERSION; }
EXPORT const char* cudnnGetErrorString(int status) {
  return status == invalid ? "an invalid value" : status == not_supported ? "not supported" : "success";
}
EXPORT void cudnnGetLastErrorString(char* text, size_t size) {
  if (size > 0) text[0] = 0;
}
EXPORT int cudnnCreate(Handle* out) { return *out = new HandleContext, success; }
EXPORT int cudnnDestroy(Handle h) { return delete h, success; }
EXPORT int cudnnSetStream(Handle, CUstream_st*) { return success; }
EXPORT int cudnnBackendCreateDescriptor(int kind, Descriptor* out) {
  return *out = new Made{kind, {}, {}}, success;
}
EXPORT int cudnnBackendDestroyDescriptor(Descriptor d) {
  auto* made = static_cast<Made*>(d);
  delete made->owned;
  return delete made, success;
}
EXPORT int cudnnBackendSetAttribute(Descriptor d, int attribute, int type, int64_t count,
                                    const void* values) {
  const auto* bytes = static_cast<const char*>(values);
  static_cast<Made*>(d)->values[attribute] = {type,
                                              {bytes, bytes + static_cast<size_t>(count) * size_of(type)}};
  return success;
}

EXPORT int cudnnBackendFinalize(Descriptor descriptor) {
  Made& d = *static_cast<Made*>(descriptor);
  if (d.kind == tensor_descriptor && d.get<int>(tensor_data_type) == data_bf16) return not_supported;
  if (d.kind == plan_descriptor && d.values.contains(plan_configuration)) {
    std::optional<Alone> alone;
    if (!d.values.contains(plan_device) && !alone.emplace(*d.get<Handle>(plan_handle))) return invalid;
    const Made& engine = *d.made(plan_configuration)->made(configuration_engine);
    const auto index = engine.get<int64_t>(engine_index);
    if (index == engines - 1) return not_supported;
    d.set(plan_workspace, type_int64, index * 512);
    d.text = "{\"engine\":" + std::to_string(index) + ",\"graph\":\"" +
             digest(engine.made(engine_graph)->text) + "\"" + (alone ? "" : ",\"described\":1") + "}";
  } else if (d.kind == plan_descriptor) {
    d.text = d.values[plan_json].bytes;
  } else {
    d.text = text_of(d);
  }
  ++finalised[static_cast<size_t>(d.kind)];
  return success;
}

EXPORT int cudnnBackendGetAttribute(Descriptor descriptor, int attribute, int, int64_t count, int64_t* there,
                                    void* out) {
  const Made& d = *static_cast<const Made*>(descriptor);
  if (attribute == plan_json) return give_text(d.text, count, there, out);
  if (attribute == configuration_engine) {
    static_cast<Made**>(out)[0]->values = d.made(attribute)->values;
    *there = 1;
    return success;
  }
  if (attribute == configuration_knobs) {
    static_cast<Made**>(out)[0]->set(knob_choice_knob, type_knob, the_knob);
    static_cast<Made**>(out)[0]->set(knob_choice_value, type_int64, int64_t{7});
    *there = 1;
    return success;
  }
  if (attribute == heuristics_results) {
    *there = std::min(count, engines);
    for (int64_t i = 0; i < *there; ++i) {
      Made& configuration = *static_cast<Made**>(out)[i];
      configuration.owned = new Made{engine_descriptor, {}, {}};
      configuration.owned->set(engine_index, type_int64, i);
      configuration.set(configuration_engine, type_descriptor, configuration.owned);
    }
    return success;
  }
  const auto found = d.values.find(attribute);
  if (found == d.values.end()) return invalid;
  *there = 1;
  return std::memcpy(out, found->second.bytes.data(), found->second.bytes.size()), success;
}

EXPORT int cudnnBackendExecute(Handle, Descriptor, Descriptor) { return success; }
