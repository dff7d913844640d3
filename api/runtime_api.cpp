#include <algorithm>

#include "api/describe.h"
#include "api/error.h"
#include "base/version.h"
#include "plugin/library.h"
#include "runtime/context.h"
#include "runtime/cuda/sensors.h"

using namespace burnish;

namespace {

/// A list of ports as the C API shows it.
struct PortList {
  struct Entry {
    burnish_port port{};
    bool unfused = false;
    std::vector<int64_t> shape;
    std::vector<const char*> axes;
    std::vector<int> order;
  };
  std::vector<Entry> entries;

  explicit PortList(const std::vector<const Port*>& ports) : entries(ports.size()) {
    for (size_t i = 0; i < ports.size(); ++i) {
      Entry& e = entries[i];
      e.unfused = ports[i]->role == Port::Role::unfused;
      for (const Port::Axis& axis : ports[i]->axes) {
        e.shape.push_back(axis.least == axis.most ? axis.least : -1);
        e.axes.push_back(axis.text.c_str());
      }
      e.order.assign(ports[i]->order.begin(), ports[i]->order.end());
      e.port = {.name = ports[i]->name.c_str(),
                .dtype = static_cast<burnish_dtype>(ports[i]->dtype),
                .rank = static_cast<int>(e.shape.size()),
                .shape = e.shape.data(),
                .axes = e.axes.data()};
    }
  }
};

/// A profile as the C API shows it, by input.
struct ProfileRanges {
  struct Input {
    std::vector<int64_t> min, opt, max;
  };
  std::vector<Input> inputs;

  explicit ProfileRanges(const Profile& profile) : inputs(profile.inputs.size()) {
    for (size_t i = 0; i < inputs.size(); ++i)
      for (const ExtentRange& r : profile.inputs[i].axes) {
        inputs[i].min.push_back(r.min);
        inputs[i].opt.push_back(r.opt);
        inputs[i].max.push_back(r.max);
      }
  }
};

std::vector<ProfileRanges> profiles_of(const Engine& engine) {
  std::vector<ProfileRanges> profiles;
  if (!engine.file().plans.empty())
    for (const Profile& profile : engine.file().plans.front().profiles) profiles.emplace_back(profile);
  return profiles;
}

enum class For { caller, debugging };
std::vector<const Port*> ports_of(const Engine& engine, std::vector<Port> Plan::* which, For whom) {
  std::vector<const Port*> ports;
  if (engine.file().plans.empty()) return ports;
  for (const Port& port : engine.file().plans.front().*which)
    if ((port.role == Port::Role::caller) == (whom == For::caller)) ports.push_back(&port);
  return ports;
}

}  // namespace

struct burnish_engine {
  std::shared_ptr<const Engine> engine;
  PortList inputs, outputs, debug_tensors;
  std::vector<ProfileRanges> profiles;
  explicit burnish_engine(std::shared_ptr<const Engine> e)
      : engine(std::move(e)),
        inputs(ports_of(*engine, &Plan::inputs, For::caller)),
        outputs(ports_of(*engine, &Plan::outputs, For::caller)),
        debug_tensors(ports_of(*engine, &Plan::outputs, For::debugging)),
        profiles(profiles_of(*engine)) {}
};

struct burnish_context {
  std::unique_ptr<Context> context;
};

namespace {

burnish_status port_at(const PortList& list, int index, burnish_port* port) {
  if (!port || index < 0 || static_cast<size_t>(index) >= list.entries.size())
    return BURNISH_INVALID_ARGUMENT;
  *port = list.entries[static_cast<size_t>(index)].port;
  return BURNISH_OK;
}

const int* order_at(const PortList& list, int index) {
  if (index < 0 || static_cast<size_t>(index) >= list.entries.size()) return nullptr;
  const std::vector<int>& order = list.entries[static_cast<size_t>(index)].order;
  return order.empty() ? nullptr : order.data();
}

Result<TensorRef> read_tensor(const burnish_tensor* tensor) {
  TRY(api::expect(tensor, "tensor"));
  if (tensor->rank < 0 || tensor->rank > BURNISH_MAX_RANK)
    return Error(Code::invalid_argument, "a tensor of rank " + std::to_string(tensor->rank) + " is given")
        .remedy("the rank is from 0 to " + std::to_string(BURNISH_MAX_RANK));
  if (burnish_dtype_size(tensor->dtype) == 0 ||
      (tensor->memory != BURNISH_HOST && tensor->memory != BURNISH_DEVICE &&
       tensor->memory != BURNISH_MANAGED))
    return Error(Code::invalid_argument, "a tensor has no valid element type or memory")
        .remedy("fill in dtype and memory");
  return TensorRef{.dtype = static_cast<DType>(tensor->dtype),
                   .shape = Shape(tensor->shape, tensor->shape + tensor->rank),
                   .data = tensor->data,
                   .bytes = tensor->bytes,
                   .space = tensor->memory == BURNISH_HOST ? Space::host : Space::device};
}

Result<> give_tensor(const TensorRef& from, burnish_tensor* to) {
  TRY(api::expect(to, "tensor"));
  if (from.shape.size() > BURNISH_MAX_RANK)
    return Error(Code::unsupported,
                 "an output of rank " + std::to_string(from.shape.size()) + " does not fit a burnish_tensor")
        .remedy("read it with burnish_context_read_output");
  *to = {.dtype = static_cast<burnish_dtype>(from.dtype),
         .rank = static_cast<int>(from.shape.size()),
         .shape = {},
         .data = from.data,
         .bytes = from.bytes,
         .memory = from.space == Space::host ? BURNISH_HOST : BURNISH_DEVICE};
  std::copy(from.shape.begin(), from.shape.end(), to->shape);
  return {};
}

burnish_status time_runs(burnish_context* c, int count, L2 l2, burnish_timing* timings,
                         burnish_error** error) {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    if (count > 0) TRY(api::expect(timings, "timings"));
    for (const RunTime& t : TRY(c->context->time(count, l2)))
      *timings++ = {.gpu_ms = t.gpu_ms, .host_ms = t.host_ms};
    return {};
  });
}

Result<ContextOptions> read_options(const burnish_context_options* given) {
  burnish_context_options read{.struct_size = sizeof(read), .device = -1, .threads = 0, .no_graphs = 0};
  if (given) {
    if (given->struct_size < sizeof(size_t) || given->struct_size > sizeof(read))
      return Error(Code::invalid_argument, "burnish_context_options has another size than this library's")
          .remedy("set struct_size, and compile against this version's header");
    std::memcpy(&read, given, given->struct_size);
  }
  ContextOptions options{.threads = read.threads, .graphs = read.no_graphs == 0};
  if (read.device >= 0) options.device = read.device;
  if (read.device < -1)
    return Error(Code::invalid_argument, "there is no device " + std::to_string(read.device))
        .remedy("give a GPU's number, or -1 for the host");
  return options;
}

}  // namespace

extern "C" {

burnish_status burnish_error_status(const burnish_error* e) noexcept {
  return e ? static_cast<burnish_status>(e->code) : BURNISH_OK;
}
const char* burnish_error_cause(const burnish_error* e) noexcept { return e ? e->cause.c_str() : ""; }
const char* burnish_error_remedy(const burnish_error* e) noexcept { return e ? e->remedy.c_str() : ""; }
void burnish_error_free(burnish_error* e) noexcept { delete e; }

const char* burnish_version(void) noexcept { return version; }
size_t burnish_dtype_size(burnish_dtype dtype) noexcept {
  const int number = dtype;
  return number < 0 || number >= dtype_count ? 0 : size_of(static_cast<DType>(number));
}
const char* burnish_dtype_name(burnish_dtype dtype) noexcept {
  return burnish_dtype_size(dtype) == 0 ? nullptr : name_of(static_cast<DType>(dtype)).data();
}
void burnish_text_free(char* text) noexcept { std::free(text); }

int burnish_device_count(burnish_error** error) noexcept {
  int count = 0;
  api::guard(error, [&]() -> Result<> {
    count = TRY(cuda::Device::count());
    return {};
  });
  return count;
}

burnish_status burnish_device_describe(int device, burnish_device_info* info,
                                       burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(info, "info"));
    const cuda::DeviceInfo gpu = TRY(cuda::Device::describe(device));
    *info = {};
    gpu.name.copy(info->name, sizeof(info->name) - 1);
    gpu.architecture().copy(info->target, sizeof(info->target) - 1);
    info->multiprocessors = gpu.multiprocessors;
    info->memory_bytes = gpu.total_memory;
    info->driver_version = TRY(cuda::Driver::get())->version;
    return {};
  });
}

burnish_status burnish_device_read_sensors(int device, burnish_device_sensors* sensors,
                                           burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(sensors, "sensors"));
    const cuda::Sensors read = TRY(cuda::read_sensors(TRY(cuda::Device::open(device))));
    *sensors = {.sm_clock_mhz = read.sm_clock_mhz, .power_watts = read.power_watts};
    return {};
  });
}

burnish_status burnish_engine_open(const char* path, burnish_engine** engine,
                                   burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(path, "path"));
    TRY(api::expect(engine, "engine"));
    *engine = new burnish_engine(TRY(Engine::open(path)));
    return {};
  });
}

burnish_status burnish_engine_from_bytes(const void* bytes, size_t size, burnish_engine** engine,
                                         burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(bytes, "bytes"));
    TRY(api::expect(engine, "engine"));
    *engine = new burnish_engine(TRY(Engine::from_bytes({static_cast<const std::byte*>(bytes), size})));
    return {};
  });
}

void burnish_engine_free(burnish_engine* engine) noexcept { delete engine; }

int burnish_engine_input_count(const burnish_engine* e) noexcept {
  return e ? static_cast<int>(e->inputs.entries.size()) : 0;
}
int burnish_engine_output_count(const burnish_engine* e) noexcept {
  return e ? static_cast<int>(e->outputs.entries.size()) : 0;
}
burnish_status burnish_engine_input(const burnish_engine* e, int index, burnish_port* port) noexcept {
  return e ? port_at(e->inputs, index, port) : BURNISH_INVALID_ARGUMENT;
}
burnish_status burnish_engine_output(const burnish_engine* e, int index, burnish_port* port) noexcept {
  return e ? port_at(e->outputs, index, port) : BURNISH_INVALID_ARGUMENT;
}
int burnish_engine_debug_tensor_count(const burnish_engine* e) noexcept {
  return e ? static_cast<int>(e->debug_tensors.entries.size()) : 0;
}
burnish_status burnish_engine_debug_tensor(const burnish_engine* e, int index, burnish_port* port,
                                           int* unfused) noexcept {
  const burnish_status found = e ? port_at(e->debug_tensors, index, port) : BURNISH_INVALID_ARGUMENT;
  if (found == BURNISH_OK && unfused) *unfused = e->debug_tensors.entries[static_cast<size_t>(index)].unfused;
  return found;
}
const int* burnish_engine_input_order(const burnish_engine* e, int index) noexcept {
  return e ? order_at(e->inputs, index) : nullptr;
}
const int* burnish_engine_output_order(const burnish_engine* e, int index) noexcept {
  return e ? order_at(e->outputs, index) : nullptr;
}
int burnish_engine_profile_count(const burnish_engine* e) noexcept {
  return e ? static_cast<int>(e->profiles.size()) : 0;
}
burnish_status burnish_engine_profile(const burnish_engine* e, int profile, int input,
                                      burnish_shape_range* range) noexcept {
  if (!range || profile < 0 || profile >= burnish_engine_profile_count(e) || input < 0 ||
      input >= burnish_engine_input_count(e))
    return BURNISH_INVALID_ARGUMENT;
  const ProfileRanges::Input& r =
      e->profiles[static_cast<size_t>(profile)].inputs[static_cast<size_t>(input)];
  *range = {.name = e->inputs.entries[static_cast<size_t>(input)].port.name,
            .rank = static_cast<int>(r.min.size()),
            .min = r.min.data(),
            .opt = r.opt.data(),
            .max = r.max.data()};
  return BURNISH_OK;
}
int burnish_engine_weight_count(const burnish_engine* e) noexcept {
  return e && e->engine->file().refit ? static_cast<int>(e->engine->file().refit->weights.size()) : 0;
}
burnish_status burnish_engine_weight(const burnish_engine* e, int index, burnish_weight_info* info) noexcept {
  if (!info || index < 0 || index >= burnish_engine_weight_count(e)) return BURNISH_INVALID_ARGUMENT;
  const RefitRecord::Weight& weight = e->engine->file().refit->weights[static_cast<size_t>(index)];
  const std::byte* data = e->engine->file().tensor(weight).bytes();
  *info = {.name = weight.name.c_str(),
           .layer = weight.layer.c_str(),
           .role = weight.role.c_str(),
           .dtype = static_cast<burnish_dtype>(weight.dtype),
           .rank = static_cast<int>(weight.shape.size()),
           .shape = weight.shape.data(),
           .fixed = weight.fixed,
           .data = data,
           .bytes = static_cast<size_t>(element_count(weight.shape)) * size_of(weight.dtype)};
  return BURNISH_OK;
}
int burnish_engine_is_stripped(const burnish_engine* e) noexcept {
  return e && e->engine->file().is_stripped();
}
const char* burnish_engine_targets(const burnish_engine* e) noexcept {
  return e ? e->engine->targets().c_str() : "";
}

burnish_status burnish_engine_describe(const burnish_engine* e, char** json, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(e, "engine"));
    return api::give_text(api::describe(*e->engine), json);
  });
}

burnish_status burnish_load_plugin(const char* path, const burnish_plugin** plugin,
                                   burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(path, "path"));
    const burnish_plugin* opened = TRY(plugin::open_library(path));
    TRY(plugin::loaded_plugins().add(opened));
    if (plugin) *plugin = opened;
    return {};
  });
}
burnish_status burnish_add_plugin(const burnish_plugin* plugin, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> { return plugin::loaded_plugins().add(plugin); });
}
void burnish_remove_plugin(const burnish_plugin* plugin) noexcept { plugin::loaded_plugins().remove(plugin); }

burnish_status burnish_context_create(burnish_engine* engine, const burnish_context_options* options,
                                      burnish_context** context, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(engine, "engine"));
    TRY(api::expect(context, "context"));
    auto made = TRY(Context::create(engine->engine, TRY(read_options(options))));
    *context = new burnish_context{std::move(made)};
    return {};
  });
}

void burnish_context_free(burnish_context* context) noexcept { delete context; }

burnish_status burnish_context_set_input(burnish_context* c, const char* name, const burnish_tensor* tensor,
                                         burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    TRY(api::expect(name, "name"));
    return c->context->set_input(name, TRY(read_tensor(tensor)));
  });
}

burnish_status burnish_context_set_profile(burnish_context* c, int profile, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    return c->context->set_profile(profile < 0 ? std::nullopt : std::optional(static_cast<size_t>(profile)));
  });
}

burnish_status burnish_context_set_persistent_cache(burnish_context* c, size_t bytes,
                                                    burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    return c->context->set_persistent_cache(bytes);
  });
}

burnish_status burnish_context_output_shape(burnish_context* c, const char* name, burnish_tensor* tensor,
                                            burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    TRY(api::expect(name, "name"));
    return give_tensor(TRY(c->context->expected_output(name)), tensor);
  });
}

burnish_status burnish_context_set_output(burnish_context* c, const char* name, const burnish_tensor* tensor,
                                          burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    TRY(api::expect(name, "name"));
    return c->context->set_output(name, TRY(read_tensor(tensor)));
  });
}

burnish_status burnish_context_run(burnish_context* c, void* stream, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    return c->context->run(stream ? std::optional<void*>(stream) : std::nullopt);
  });
}

burnish_status burnish_context_output(burnish_context* c, const char* name, burnish_tensor* tensor,
                                      burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    TRY(api::expect(name, "name"));
    return give_tensor(TRY(c->context->output(name)), tensor);
  });
}

burnish_status burnish_context_read_output(burnish_context* c, const char* name, void* data, size_t bytes,
                                           burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    TRY(api::expect(name, "name"));
    if (bytes > 0) TRY(api::expect(data, "data"));
    return c->context->read_output(name, data, bytes);
  });
}

burnish_status burnish_context_time(burnish_context* c, int count, burnish_timing* timings,
                                    burnish_error** error) noexcept {
  return time_runs(c, count, L2::warm, timings, error);
}

burnish_status burnish_context_time_flushed(burnish_context* c, int count, burnish_timing* timings,
                                            burnish_error** error) noexcept {
  return time_runs(c, count, L2::flushed, timings, error);
}

burnish_status burnish_context_profile(burnish_context* c, char** json, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    return api::give_text(api::describe(*c->context, TRY(c->context->profile())), json);
  });
}

burnish_status burnish_context_describe(const burnish_context* c, char** json,
                                        burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(c, "context"));
    return api::give_text(api::describe(*c->context), json);
  });
}

burnish_status burnish_context_memory(const burnish_context* c, burnish_memory_use* use) noexcept {
  if (!c || !use) return BURNISH_INVALID_ARGUMENT;
  const MemoryUse m = c->context->memory();
  *use = {.constants = m.constants,
          .device_arena = m.device_arena,
          .host_arena = m.host_arena,
          .bindings = m.bindings};
  return BURNISH_OK;
}

}  // extern "C"
