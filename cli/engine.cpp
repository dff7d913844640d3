#include "cli/engine.h"

#include <charconv>
#include <cstdio>
#include <cstring>

#include "cli/failure.h"
#include "cli/formats.h"

namespace burnish::cli {

bool looks_like_engine(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  char magic[4];
  return file && std::fread(magic, 1, 4, file.get()) == 4 && std::memcmp(magic, "BRN1", 4) == 0;
}

Engine open_engine(const std::string& path) {
  require_readable(path, "engine");
  if (path.ends_with(".onnx") && !looks_like_engine(path))
    fail("'" + path + "' is a model, not an engine", "build it first: burnish build " + path);
  burnish_engine* engine = nullptr;
  burnish_error* error = nullptr;
  burnish_status status = burnish_engine_open(path.c_str(), &engine, &error);
  check(status, error);
  return Engine(engine, burnish_engine_free);
}

std::vector<burnish_port> inputs_of(const burnish_engine* engine) {
  std::vector<burnish_port> ports(burnish_engine_input_count(engine));
  for (size_t i = 0; i < ports.size(); ++i)
    check(burnish_engine_input(engine, static_cast<int>(i), &ports[i]), nullptr);
  return ports;
}

std::vector<burnish_port> outputs_of(const burnish_engine* engine) {
  std::vector<burnish_port> ports(burnish_engine_output_count(engine));
  for (size_t i = 0; i < ports.size(); ++i)
    check(burnish_engine_output(engine, static_cast<int>(i), &ports[i]), nullptr);
  return ports;
}

std::vector<burnish_port> debug_tensors_of(const burnish_engine* engine) {
  std::vector<burnish_port> ports(burnish_engine_debug_tensor_count(engine));
  for (size_t i = 0; i < ports.size(); ++i)
    check(burnish_engine_debug_tensor(engine, static_cast<int>(i), &ports[i], nullptr), nullptr);
  return ports;
}

DeviceChoice parse_device(const std::string& text) {
  if (text.empty()) return {};
  if (text == "cpu") return -1;
  int number = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0)
    fail("--device: '" + text + "' is no device", "say cpu, or the number of a GPU as nvidia-smi lists them");
  return number;
}

static bool has_target(const burnish_engine* engine, std::string_view target) {
  std::string targets = std::string(" ") + burnish_engine_targets(engine) + " ";
  return targets.find(" " + std::string(target) + " ") != targets.npos;
}

static std::string device_name(int device) {
  burnish_device_info info{};
  burnish_error* error = nullptr;
  check(burnish_device_describe(device, &info, &error), error);
  return "GPU " + std::to_string(device) + " (" + info.name + ", " + info.target + ")";
}

static burnish_status create(burnish_engine* engine, int device, Context& context, burnish_error** error) {
  burnish_context_options options{};
  options.struct_size = sizeof options;
  options.device = device;
  burnish_context* made = nullptr;
  burnish_status status = burnish_context_create(engine, &options, &made, error);
  context.reset(made);
  return status;
}

static Place place_on(burnish_engine* engine, int device) {
  Place place{Context(nullptr, burnish_context_free), "cpu"};
  burnish_error* error = nullptr;
  burnish_status status = create(engine, device, place.context, &error);
  check(status, error);
  if (device >= 0) place.device = device_name(device);
  return place;
}

Place place_engine(burnish_engine* engine, const std::string& name, DeviceChoice choice) {
  if (choice) return place_on(engine, *choice);
  bool for_cpu = has_target(engine, "cpu");
  if (for_cpu && std::strcmp(burnish_engine_targets(engine), "cpu") == 0) return place_on(engine, -1);
  burnish_error* error = nullptr;
  if (burnish_device_count(&error) == 0) {
    std::string why = error ? burnish_error_cause(error) : "no device";
    burnish_error_free(error);
    if (for_cpu) return place_on(engine, -1);
    fail("'" + name + "' is built for " + burnish_engine_targets(engine) +
             ", and there is no GPU here: " + why,
         "run it where that GPU is, or build it for the CPU: burnish build MODEL --target cpu");
  }
  burnish_error_free(error);
  if (!for_cpu) return place_on(engine, 0);
  // Which GPUs a plan fits is the runtime's to say.
  Place place{Context(nullptr, burnish_context_free), device_name(0)};
  error = nullptr;
  burnish_status status = create(engine, 0, place.context, &error);
  if (status == BURNISH_INCOMPATIBLE_ENGINE) {
    burnish_error_free(error);
    return place_on(engine, -1);
  }
  check(status, error);
  return place;
}

static burnish_tensor tensor_of(Array& array) {
  burnish_tensor tensor{};
  tensor.dtype = array.dtype;
  tensor.rank = static_cast<int>(array.shape.size());
  std::copy(array.shape.begin(), array.shape.end(), tensor.shape);
  tensor.data = array.bytes.data();
  tensor.bytes = array.bytes.size();
  tensor.memory = BURNISH_HOST;
  // An input of no elements still has a place.
  static std::byte nothing;
  if (!tensor.data) tensor.data = &nothing;
  return tensor;
}

void set_inputs(burnish_context* context, Arrays& arrays) {
  for (auto& [name, array] : arrays) {
    burnish_tensor tensor = tensor_of(array);
    burnish_error* error = nullptr;
    check(burnish_context_set_input(context, name.c_str(), &tensor, &error), error);
  }
}

Arrays in_engine_order(const burnish_engine* engine, Arrays arrays) {
  std::vector<burnish_port> ports = inputs_of(engine);
  for (size_t i = 0; i < ports.size(); ++i)
    if (auto array = arrays.find(ports[i].name); array != arrays.end())
      array->second =
          into_order(std::move(array->second), burnish_engine_input_order(engine, static_cast<int>(i)));
  return arrays;
}

Arrays read_outputs(const burnish_engine* engine, burnish_context* context) {
  Arrays arrays;
  std::vector<burnish_port> ports = outputs_of(engine);
  for (size_t i = 0; i < ports.size(); ++i) {
    const burnish_port& port = ports[i];
    burnish_tensor tensor{};
    burnish_error* error = nullptr;
    check(burnish_context_output(context, port.name, &tensor, &error), error);
    Array array{tensor.dtype, {tensor.shape, tensor.shape + tensor.rank}, {}};
    size_t bytes = burnish_dtype_size(tensor.dtype);
    for (int64_t extent : array.shape) bytes *= static_cast<size_t>(extent);
    array.bytes.resize(bytes);
    error = nullptr;
    check(burnish_context_read_output(context, port.name, array.bytes.data(), bytes, &error), error);
    const int* order = burnish_engine_output_order(engine, static_cast<int>(i));
    arrays[port.name] = from_order(std::move(array), order);
  }
  return arrays;
}

}  // namespace burnish::cli
