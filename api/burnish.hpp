/* Burnish for C++: the C interfaces with owners, and with errors as exceptions. Header only. */
#ifndef BURNISH_HPP
#define BURNISH_HPP

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "burnish.h"
#include "burnish_compiler.h"

namespace burnish::api {

/// What a call failed with; what() is the cause.
class Error : public std::runtime_error {
 public:
  Error(burnish_status status, const std::string& cause, std::string remedy)
      : std::runtime_error(cause), status_(status), remedy_(std::move(remedy)) {}
  burnish_status status() const { return status_; }
  const std::string& remedy() const { return remedy_; }

 private:
  burnish_status status_;
  std::string remedy_;
};

/// Calls f(&error) and throws what it reports.
template <class F>
void check(const F& f) {
  burnish_error* error = nullptr;
  const burnish_status status = f(&error);
  if (status == BURNISH_OK) return;
  Error thrown(status, burnish_error_cause(error), burnish_error_remedy(error));
  burnish_error_free(error);
  throw thrown;
}

/// The text that f gives, f(&text, &error).
template <class F>
std::string text_of(const F& f) {
  char* text = nullptr;
  check([&](burnish_error** error) { return f(&text, error); });
  std::string copy = text;
  burnish_text_free(text);
  return copy;
}

/// An owned C object.
template <class T, void (*Free)(T*)>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Owned() { Free(object_); }
  T* get() const { return object_; }

 protected:
  T* object_ = nullptr;
};

class Engine : public Owned<burnish_engine, burnish_engine_free> {
 public:
  explicit Engine(const std::string& path) {
    check([&](burnish_error** error) { return burnish_engine_open(path.c_str(), &object_, error); });
  }
  Engine(const void* bytes, size_t size) {
    check([&](burnish_error** error) { return burnish_engine_from_bytes(bytes, size, &object_, error); });
  }
  std::vector<burnish_port> inputs() const {
    return ports(burnish_engine_input_count(object_), burnish_engine_input);
  }
  std::vector<burnish_port> outputs() const {
    return ports(burnish_engine_output_count(object_), burnish_engine_output);
  }
  /// Tensors inside the engine that it was built to show.
  std::vector<burnish_port> debug_tensors() const {
    return ports(burnish_engine_debug_tensor_count(object_),
                 [](const burnish_engine* engine, int i, burnish_port* port) {
                   return burnish_engine_debug_tensor(engine, i, port, nullptr);
                 });
  }
  int profile_count() const { return burnish_engine_profile_count(object_); }
  /// What profile `profile` says of each input.
  std::vector<burnish_shape_range> profile(int profile) const {
    std::vector<burnish_shape_range> ranges(static_cast<size_t>(burnish_engine_input_count(object_)));
    for (size_t i = 0; i < ranges.size(); ++i)
      burnish_engine_profile(object_, profile, static_cast<int>(i), &ranges[i]);
    return ranges;
  }
  /// What a refit may replace; none: the engine was not built for that.
  std::vector<burnish_weight_info> weights() const {
    std::vector<burnish_weight_info> list(static_cast<size_t>(burnish_engine_weight_count(object_)));
    for (size_t i = 0; i < list.size(); ++i) burnish_engine_weight(object_, static_cast<int>(i), &list[i]);
    return list;
  }
  bool is_stripped() const { return burnish_engine_is_stripped(object_) != 0; }
  std::string targets() const { return burnish_engine_targets(object_); }
  std::string describe() const {
    return text_of(
        [&](char** text, burnish_error** error) { return burnish_engine_describe(object_, text, error); });
  }

 private:
  template <class Get>
  std::vector<burnish_port> ports(int count, const Get& get) const {
    std::vector<burnish_port> list(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) get(object_, i, &list[static_cast<size_t>(i)]);
    return list;
  }
};

class Context : public Owned<burnish_context, burnish_context_free> {
 public:
  Context(const Engine& engine, const burnish_context_options& options) {
    check([&](burnish_error** error) {
      return burnish_context_create(engine.get(), &options, &object_, error);
    });
  }
  void set_input(const std::string& name, const burnish_tensor& tensor) {
    check([&](burnish_error** error) {
      return burnish_context_set_input(object_, name.c_str(), &tensor, error);
    });
  }
  void set_output(const std::string& name, const burnish_tensor& tensor) {
    check([&](burnish_error** error) {
      return burnish_context_set_output(object_, name.c_str(), &tensor, error);
    });
  }
  /// The profile that runs keep to; -1: any that takes their inputs.
  void set_profile(int profile) {
    check([&](burnish_error** error) { return burnish_context_set_profile(object_, profile, error); });
  }
  /// Bytes of the GPU's L2 cache for intermediate results.
  void set_persistent_cache(size_t bytes) {
    check([&](burnish_error** error) { return burnish_context_set_persistent_cache(object_, bytes, error); });
  }
  burnish_tensor output_shape(const std::string& name) const {
    burnish_tensor tensor;
    check([&](burnish_error** error) {
      return burnish_context_output_shape(object_, name.c_str(), &tensor, error);
    });
    return tensor;
  }
  void run(void* stream = nullptr) {
    check([&](burnish_error** error) { return burnish_context_run(object_, stream, error); });
  }
  burnish_tensor output(const std::string& name) const {
    burnish_tensor tensor;
    check(
        [&](burnish_error** error) { return burnish_context_output(object_, name.c_str(), &tensor, error); });
    return tensor;
  }
  void read_output(const std::string& name, void* data, size_t bytes) {
    check([&](burnish_error** error) {
      return burnish_context_read_output(object_, name.c_str(), data, bytes, error);
    });
  }
  std::vector<burnish_timing> time(int count) {
    std::vector<burnish_timing> timings(static_cast<size_t>(count));
    check([&](burnish_error** error) { return burnish_context_time(object_, count, timings.data(), error); });
    return timings;
  }
  std::vector<burnish_timing> time_flushed(int count) {
    std::vector<burnish_timing> timings(static_cast<size_t>(count));
    check([&](burnish_error** error) {
      return burnish_context_time_flushed(object_, count, timings.data(), error);
    });
    return timings;
  }
  std::string describe() const {
    return text_of(
        [&](char** text, burnish_error** error) { return burnish_context_describe(object_, text, error); });
  }
  std::string profile() {
    return text_of(
        [&](char** text, burnish_error** error) { return burnish_context_profile(object_, text, error); });
  }
  burnish_memory_use memory() const {
    burnish_memory_use use{};
    burnish_context_memory(object_, &use);
    return use;
  }
};

/// Opens a library of operators, for builds that are given it and for runs of this process.
inline const burnish_plugin* load_plugin(const std::string& path) {
  const burnish_plugin* plugin = nullptr;
  check([&](burnish_error** error) { return burnish_load_plugin(path.c_str(), &plugin, error); });
  return plugin;
}

/// Writes the engine with other weights to `output`; needs libburnish_compiler.so.
inline void refit(const std::string& engine, const std::string& output,
                  const burnish_refit_options& options) {
  check(
      [&](burnish_error** error) { return burnish_refit(engine.c_str(), output.c_str(), &options, error); });
}

/// Builds an engine file; needs libburnish_compiler.so.
inline void build(const std::string& model, const std::string& engine, const burnish_build_options& options) {
  check([&](burnish_error** error) { return burnish_build(model.c_str(), engine.c_str(), &options, error); });
}

}  // namespace burnish::api

#endif
