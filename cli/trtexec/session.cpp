#include "cli/trtexec/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/burnish_device.h"
#include "cli/failure.h"
#include "cli/profiles.h"
#include "cli/trtexec/random_values.h"
#include "cli/trtexec/statistics.h"
#include "cli/trtexec/table_indices.h"

namespace burnish::cli::trtexec {

namespace {

Extents shape_of(const burnish_tensor& tensor) { return {tensor.shape, tensor.shape + tensor.rank}; }

std::string shape_text_of(const burnish_tensor& tensor) { return dims_text(shape_of(tensor)); }

burnish_tensor host_tensor(const Array& array) {
  burnish_tensor tensor{.dtype = array.dtype,
                        .rank = static_cast<int>(array.shape.size()),
                        .bytes = array.bytes.size(),
                        .memory = BURNISH_HOST};
  std::copy(array.shape.begin(), array.shape.end(), tensor.shape);
  static std::byte nothing;  // an input of no elements still has a place
  tensor.data = array.bytes.empty() ? &nothing : const_cast<std::byte*>(array.bytes.data());
  return tensor;
}

void set_input(burnish_context* context, const char* name, const Array& array) {
  burnish_error* error = nullptr;
  const burnish_tensor tensor = host_tensor(array);
  check(burnish_context_set_input(context, name, &tensor, &error), error);
}

void require_names(const Files& files, const char* flag, const std::vector<burnish_port>& ports) {
  for (const auto& [name, file] : files)
    if (std::ranges::none_of(ports, [&](const burnish_port& p) { return matches(name, p.name); })) {
      std::string known;
      for (const burnish_port& p : ports) known += (known.empty() ? "" : ", ") + std::string(p.name);
      fail(fmt::format("{} names '{}', which the engine does not have", flag, name), "it has: " + known);
    }
}

const std::string* file_of(const Files& files, const char* name) {
  const std::string* found = nullptr;
  for (const auto& [pattern, file] : files)
    if (matches(pattern, name)) found = &file;
  return found;
}

/// The largest index, by input whose elements index tables.
std::map<std::string, int64_t> indices_of(const burnish_engine* engine) {
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_engine_describe(engine, &json, &error), error);
  const Text text(json, burnish_text_free);
  return table_indices(nlohmann::json::parse(json).value("graph", ""));
}

/// What an input is to be: asked for, else the profile's opt, else 1 where it is free.
Extents shape_for(const burnish_port& port, const Options& options, const burnish_shape_range* range,
                  const Log& log) {
  Extents shape(port.shape, port.shape + port.rank);
  if (const Extents* asked = find_shape(options.inference.shapes, port.name)) {
    shape = *asked;
  } else if (range) {
    shape.assign(range->opt, range->opt + range->rank);
  } else if (std::ranges::find(shape, -1) != shape.end()) {
    std::ranges::replace(shape, -1, 1);
    log.warn(fmt::format("No shape is given for the dynamic input {}: it is taken to be {}.", port.name,
                         dims_text(shape)));
  }
  return shape;
}

}  // namespace

std::string type_text(burnish_dtype dtype) {
  constexpr const char* names[] = {"fp32",  "fp16",  "bf16",   "fp64",   "int8",   "int16", "int32",
                                   "int64", "uint8", "uint16", "uint32", "uint64", "bool"};
  return names[dtype];
}

Array read_raw(const std::string& file, burnish_dtype dtype, std::vector<int64_t> shape,
               const std::string& name) {
  require_readable(file, "file of '" + name + "'");
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  Array array{dtype, std::move(shape), {}};
  const size_t wanted = static_cast<size_t>(element_count(array.shape)) * burnish_dtype_size(dtype);
  if (bytes.size() != wanted)
    fail(fmt::format("'{}' has {} bytes, and {} of {} {} has {}", file, bytes.size(), name,
                     dims_text(array.shape), type_text(dtype), wanted),
         "give the elements as they are in memory, without a header");
  array.bytes.resize(wanted);
  std::memcpy(array.bytes.data(), bytes.data(), wanted);
  return array;
}

Session::Session(Engine engine, std::optional<int> device, const Options& options, const Log& log)
    : engine_(std::move(engine)),
      device_(device),
      graphs_(options.inference.graphs),
      persistent_cache_(options.inference.persistent_cache),
      context_(nullptr, burnish_context_free),
      inputs_(inputs_of(engine_.get())),
      outputs_(outputs_of(engine_.get())),
      debug_tensors_(debug_tensors_of(engine_.get())) {
  const int profiles = burnish_engine_profile_count(engine_.get());
  if (profiles > 0 || options.inference.profile > 0) profile_ = static_cast<int>(options.inference.profile);
  if (profiles > 1 && !options.inference.profile_given)
    log.warn(
        fmt::format("The engine has {} profiles and --useProfile names none: profile 0 is used.", profiles));
  context_ = make_context();
  reserve_memory(options.inference.allocation, log);
  make_values(options, log);
  set_host_inputs(context_.get());
  burnish_error* error = nullptr;
  check(burnish_context_run(context_.get(), nullptr, &error), error);
  report(options, log);
}

Context Session::make_context() const {
  const burnish_context_options options{
      .struct_size = sizeof options, .device = device_.value_or(-1), .no_graphs = !graphs_};
  burnish_context* made = nullptr;
  burnish_error* error = nullptr;
  check(burnish_context_create(engine_.get(), &options, &made, &error), error);
  Context context(made, burnish_context_free);
  if (profile_) check(burnish_context_set_profile(made, *profile_, &error), error);
  if (persistent_cache_ > 0 && device_) {
    burnish_device_details gpu{};
    check(burnish_device_describe_details(*device_, &gpu, &error), error);
    const auto bytes =
        static_cast<size_t>(persistent_cache_ * static_cast<double>(gpu.persistent_cache_bytes));
    check(burnish_context_set_persistent_cache(made, bytes, &error), error);
  }
  return context;
}

/// A context keeps the memory of its largest run: so one at the largest shapes of each profile that is to be served.
void Session::reserve_memory(const std::string& strategy, const Log& log) {
  if (strategy.empty()) return;
  const int profiles = burnish_engine_profile_count(engine_.get());
  for (int p = 0; p < profiles; ++p)
    if (strategy == "static" || (strategy == "profile" && p == profile_)) reserve_for(p);
  burnish_error* error = nullptr;
  if (profile_) check(burnish_context_set_profile(context_.get(), *profile_, &error), error);
  burnish_memory_use use{};
  check(burnish_context_memory(context_.get(), &use), nullptr);
  const auto bytes = static_cast<double>(device_ ? use.device_arena : use.host_arena);
  const std::string size = number_text(bytes / (1 << 20)) + " MiB";
  if (strategy == "static") log.info("Maximum device memory size across all profiles: " + size);
  else if (strategy == "profile") log.info("Only allocated device memory enough for the profile: " + size);
  else log.info("Device memory is allocated as the shapes of each run need it.");
}

void Session::reserve_for(int profile) {
  burnish_error* error = nullptr;
  check(burnish_context_set_profile(context_.get(), profile, &error), error);
  std::vector<Array> zeros;
  zeros.reserve(inputs_.size());
  for (size_t i = 0; i < inputs_.size(); ++i) {
    burnish_shape_range range{};
    check(burnish_engine_profile(engine_.get(), profile, static_cast<int>(i), &range), nullptr);
    Array& array = zeros.emplace_back(Array{inputs_[i].dtype, {range.max, range.max + range.rank}, {}});
    array.bytes.resize(static_cast<size_t>(element_count(array.shape)) * burnish_dtype_size(array.dtype));
    set_input(context_.get(), inputs_[i].name, array);
  }
  check(burnish_context_run(context_.get(), nullptr, &error), error);
}

void Session::make_values(const Options& options, const Log& log) {
  const Files& files = options.inference.inputs();
  const std::map<std::string, int64_t> indices = indices_of(engine_.get());
  require_names(files, "--loadInputs", inputs_);
  for (const auto& [pattern, shape] : options.inference.shapes)
    if (options.build.load_engine.size()) require_names({{pattern, ""}}, "--shapes", inputs_);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const burnish_port& port = inputs_[i];
    burnish_shape_range range{};
    const bool ranged = profile_ && burnish_engine_profile(engine_.get(), *profile_, static_cast<int>(i),
                                                           &range) == BURNISH_OK;
    const Extents shape = shape_for(port, options, ranged ? &range : nullptr, log);
    if (const std::string* file = file_of(files, port.name)) {
      values_.push_back(read_raw(*file, port.dtype, shape, port.name));
      continue;
    }
    const auto most = indices.find(port.name);
    if (most != indices.end())
      log.info(
          fmt::format("Input {} indexes a table: its values are from 0 to {}.", port.name, most->second));
    values_.push_back(random_values(port.dtype, shape, most == indices.end() ? -1 : most->second));
  }
}

void Session::set_host_inputs(burnish_context* context) const {
  for (size_t i = 0; i < inputs_.size(); ++i) set_input(context, inputs_[i].name, values_[i]);
  for (const burnish_port& port : outputs_) {
    const burnish_tensor own{.dtype = port.dtype};
    check(burnish_context_set_output(context, port.name, &own, nullptr), nullptr);
  }
}

burnish_tensor Session::expected_output(size_t index) const {
  burnish_tensor tensor;
  burnish_error* error = nullptr;
  check(burnish_context_output_shape(context_.get(), outputs_[index].name, &tensor, &error), error);
  return tensor;
}

void Session::report(const Options& options, const Log& log) const {
  burnish_memory_use use{};
  check(burnish_context_memory(context_.get(), &use), nullptr);
  const auto bytes = static_cast<double>(device_ ? use.device_arena : use.host_arena);
  log.info(fmt::format("Created execution context with device memory size: {} MiB",
                       number_text(bytes / (1 << 20))));
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const burnish_port& port = inputs_[i];
    if (const Extents free(port.shape, port.shape + port.rank); std::ranges::find(free, -1) != free.end())
      log.info(fmt::format("Set shape of input tensor {} to: {}", port.name, dims_text(values_[i].shape)));
    if (const std::string* file = file_of(options.inference.inputs(), port.name))
      log.info(fmt::format("Using values loaded from {} for input {}", *file, port.name));
    else log.info(fmt::format("Using random values for input {}", port.name));
    log.info(fmt::format("Input binding for {} with dimensions {} and type {} is created.", port.name,
                         dims_text(values_[i].shape), type_text(port.dtype)));
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const burnish_tensor expected = expected_output(i);
    if (const Extents shape = shape_of(expected); std::ranges::find(shape, -1) != shape.end())
      log.info(fmt::format(
          "Output binding for {} is dynamic and will be created during execution using OutputAllocator.",
          outputs_[i].name));
    else
      log.info(fmt::format("Output binding for {} with dimensions {} and type {} is created.",
                           outputs_[i].name, shape_text_of(expected), type_text(expected.dtype)));
  }
}

Arrays Session::run(const Files& files) {
  require_names(files, "--loadInputs", inputs_);
  std::vector<Array> others;  // live until the run is over
  others.reserve(inputs_.size());
  set_host_inputs(context_.get());
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (const std::string* file = file_of(files, inputs_[i].name)) {
      others.push_back(read_raw(*file, inputs_[i].dtype, values_[i].shape, inputs_[i].name));
      set_input(context_.get(), inputs_[i].name, others.back());
    }
  burnish_error* error = nullptr;
  check(burnish_context_run(context_.get(), nullptr, &error), error);
  return read(outputs_);
}

Arrays Session::read(const std::vector<burnish_port>& ports) const {
  burnish_error* error = nullptr;
  Arrays outputs;
  for (const burnish_port& port : ports) {
    burnish_tensor tensor;
    check(burnish_context_output(context_.get(), port.name, &tensor, &error), error);
    Array array{tensor.dtype, shape_of(tensor), {}};
    array.bytes.resize(tensor.bytes);
    check(burnish_context_read_output(context_.get(), port.name, array.bytes.data(), tensor.bytes, &error),
          error);
    outputs[port.name] = std::move(array);
  }
  return outputs;
}

}  // namespace burnish::cli::trtexec
