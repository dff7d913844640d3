#include "runtime/context.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace burnish {

namespace {

using Clock = std::chrono::steady_clock;

bool has_host_steps(const Plan& plan) {
  bool found = false;
  for_each_step(plan.steps, [&](const Step& step) { found = found || !is_enqueued(plan, step); });
  return found;
}

Result<size_t> find_port(const std::vector<Port>& ports, std::string_view name, const char* kind) {
  for (size_t i = 0; i < ports.size(); ++i)
    if (ports[i].name == name) return i;
  std::string known;
  for (const Port& port : ports) known += (known.empty() ? "'" : ", '") + port.name + "'";
  return Error(Code::invalid_argument,
               "the engine has no " + std::string(kind) + " '" + std::string(name) + "'")
      .remedy(known.empty() ? "it has none" : "it has " + known);
}

float since(Clock::time_point start) {
  return std::chrono::duration<float, std::milli>(Clock::now() - start).count();
}

CUdeviceptr device_address(const void* data) { return reinterpret_cast<CUdeviceptr>(data); }

/// Dense bytes from anywhere to anywhere that the stream reaches.
Result<> move_bytes(const cuda::Stream* stream, Space to_space, void* to, Space from_space, const void* from,
                    size_t bytes) {
  if (bytes == 0) return {};
  if (to_space == Space::host && from_space == Space::host) {
    std::memcpy(to, from, bytes);
    return {};
  }
  if (from_space == Space::host) return stream->upload(device_address(to), from, bytes);
  if (to_space == Space::host) return stream->download(to, device_address(from), bytes);
  return stream->copy(device_address(to), device_address(from), bytes);
}

/// With the GPU entered, for plugins may load their kernels.
Result<PluginCalls> prepare_plugins(const Plan& plan, const plugin::Plugins& plugins,
                                    const std::optional<DeviceSide>& side) {
  std::optional<cuda::ContextScope> scope;
  if (side) scope.emplace(TRY(side->device.enter()));
  return PluginCalls::prepare(plan, plugins);
}

}  // namespace

Context::Context(std::shared_ptr<const Engine> engine, const Plan& plan, bool graphs,
                 std::unique_ptr<Executor> executor)
    : engine_(std::move(engine)),
      plan_(plan),
      graphs_(graphs),
      host_steps_(has_host_steps(plan)),
      executor_(std::move(executor)) {}

Context::~Context() {
  if (last_done_) (void)last_done_->synchronize();  // memory goes away that the GPU may still use
  const auto scope = enter();                       // plugins may give back what they hold on the GPU
  executor_.reset();
}

Result<std::unique_ptr<Context>> Context::create(std::shared_ptr<const Engine> engine,
                                                 const ContextOptions& options) {
  if (engine->file().is_stripped())
    return Error(Code::invalid_argument, "the engine has no weights: it was built without them")
        .remedy("refit it first: burnish refit ENGINE --onnx MODEL -o OUT");
  std::optional<DeviceSide> side;
  const Plan* plan = nullptr;
  if (options.device) {
    const cuda::Device device = TRY(cuda::Device::open(*options.device));
    plan = TRY(engine->device_plan(device.info()));
    side.emplace(
        DeviceSide{device, TRY(engine->on_device(*plan, device)), TRY(cuda::Stream::create(device))});
  } else {
    plan = TRY(engine->host_plan());
  }
  std::shared_ptr<const HostCalls> calls;
  std::optional<HostPool> pool;
  if (needs_host_provider(*plan)) {
    calls = TRY(engine->host_calls(*plan, options.host_provider));
    pool = TRY(HostPool::make(calls->provider(), options.threads));
  }
  auto plugins = TRY(prepare_plugins(*plan, options.plugins, side));
  auto executor = std::make_unique<Executor>(engine->file(), *plan, options.threads, std::move(calls),
                                             std::move(pool), std::move(plugins), std::move(side));
  return std::unique_ptr<Context>(new Context(std::move(engine), *plan, options.graphs, std::move(executor)));
}

Result<std::optional<cuda::ContextScope>> Context::enter() const {
  std::optional<cuda::ContextScope> scope;
  if (executor_->device()) scope.emplace(TRY(executor_->device()->device.enter()));
  return scope;
}

Result<> Context::check_space(const std::string& what, const TensorRef& tensor) const {
  if (tensor.space == Space::host || executor_->device()) return {};
  return Error(Code::invalid_argument, what + " is in GPU memory, and this context runs on the host")
      .remedy("pass host memory, or create the context for a GPU");
}

Result<> Context::set_input(std::string_view name, const TensorRef& tensor) {
  const size_t i = TRY(find_port(plan_.inputs, name, "input"));
  TRY(check_space("input '" + std::string(name) + "'", tensor));
  TRY(check_input(plan_.inputs[i], tensor));
  executor_->memory().inputs[i].bound = tensor;
  return {};
}

Result<> Context::set_output(std::string_view name, const TensorRef& tensor) {
  const size_t i = TRY(find_port(plan_.outputs, name, "output"));
  auto& bound = executor_->memory().outputs[i].bound;
  if (tensor.data == nullptr) {
    bound.reset();
    return {};
  }
  TRY(check_space("output '" + std::string(name) + "'", tensor));
  TRY(check_output(plan_.outputs[i], tensor));
  bound = tensor;
  return {};
}

Result<> Context::set_profile(std::optional<size_t> profile) {
  const size_t count = plan_.profiles.size();
  if (profile && *profile >= count)
    return Error(Code::invalid_argument, "the engine has " + std::to_string(count) +
                                             " profiles, and number " + std::to_string(*profile) +
                                             " was chosen")
        .remedy(count == 0 ? "build it with profiles, or choose none" : "they are numbered from 0");
  executor_->choose_profile(profile);
  return {};
}

Result<> Context::set_persistent_cache(size_t bytes) {
  if (!executor_->device()) {
    if (bytes == 0) return {};
    return Error(Code::unsupported, "a GPU's L2 cache is to be set aside, and this context runs on the host")
        .remedy("create the context for a GPU");
  }
  const cuda::Device& device = executor_->device()->device;
  const size_t most = std::min(bytes, device.info().persisting_l2);
  TRY(cuda::set_persisting_cache(device, most));
  executor_->keep_in_cache(most);
  return {};
}

Result<TensorRef> Context::expected_output(std::string_view name) const {
  const size_t i = TRY(find_port(plan_.outputs, name, "output"));
  const Port& declared = plan_.outputs[i];
  TensorRef tensor{.dtype = declared.dtype,
                   .shape = TRY(executor_->expected_extents(i)),
                   .space = plan_.buffers[declared.buffer].space};
  if (std::ranges::find(tensor.shape, -1) == tensor.shape.end())
    tensor.bytes = TRY(byte_count(tensor.dtype, tensor.shape));
  return tensor;
}

// The GPU fetches from pinned memory by itself; of other memory the driver copies piece by piece, waiting for each.
Result<const void*> Context::pinned(Memory::Port& port, const cuda::Device& device, size_t bytes) {
  if (cuda::is_pinned(device, port.bound->data)) return port.bound->data;
  if (last_stream_) TRY(last_done_->synchronize());  // an earlier run may still fetch from there
  TRY(port.pinned.reserve(device, bytes));
  std::memcpy(port.pinned.data(), port.bound->data, bytes);
  return port.pinned.data();
}

Result<> Context::load_inputs(const cuda::Stream* stream, Inputs inputs) {
  if (inputs == Inputs::there_already) return {};
  Memory& memory = executor_->memory();
  for (size_t i = 0; i < plan_.inputs.size(); ++i) {
    Memory::Port& port = memory.inputs[i];
    if (!port.staged) continue;
    const Port& declared = plan_.inputs[i];
    const std::string doing = "copying input '" + declared.name + "'";
    const Space to = plan_.buffers[declared.buffer].space;
    const size_t bytes = TRY(byte_count(declared.dtype, port.bound->shape));
    const void* from = port.bound->data;
    // A graph reads the caller's memory anew each time it is launched.
    if (port.bound->space == Space::host && to == Space::device && bytes > 0 && inputs != Inputs::captured)
      from = TRY(pinned(port, stream->device(), bytes).during(doing));
    TRY(move_bytes(stream, to, reinterpret_cast<void*>(memory.address(declared.buffer)), port.bound->space,
                   from, bytes)
            .during(doing));
  }
  return {};
}

Result<> Context::store_outputs(const cuda::Stream* stream) {
  Memory& memory = executor_->memory();
  for (size_t i = 0; i < plan_.outputs.size(); ++i) {
    const Memory::Port& port = memory.outputs[i];
    if (!port.staged) continue;
    const Port& declared = plan_.outputs[i];
    const Buffer& buffer = plan_.buffers[declared.buffer];
    TRY(move_bytes(stream, port.bound->space, port.bound->data, buffer.space,
                   reinterpret_cast<const void*>(memory.address(declared.buffer)),
                   static_cast<size_t>(executor_->slot(buffer.bytes)))
            .during("copying output '" + declared.name + "'"));
  }
  return {};
}

Result<> Context::follow(const cuda::Stream& stream) {
  if (!last_stream_ || *last_stream_ == stream.get()) return {};
  return stream.wait(*last_done_);
}

Result<> Context::run_on(const cuda::Stream* stream, Executor::How how, Inputs inputs) {
  has_run_ = false;
  how.stream = stream;
  TRY(executor_->begin());
  TRY(load_inputs(stream, inputs));
  TRY(executor_->run(how));
  TRY(store_outputs(stream));
  has_run_ = true;
  return {};
}

Result<> Context::run(std::optional<void*> caller) {
  const auto scope = TRY(enter());
  if (!executor_->device()) {
    if (caller)
      return Error(Code::unsupported, "a stream was given, and this context runs on the host")
          .remedy("run without a stream");
    return run_on(nullptr, {}, Inputs::fresh);
  }
  const cuda::Device& device = executor_->device()->device;
  const cuda::Stream stream = caller ? cuda::Stream::borrow(device, static_cast<CUstream>(*caller))
                                     : cuda::Stream::borrow(device, own_stream()->get());
  const bool capturing = caller && TRY(stream.is_capturing());
  if (capturing && host_steps_)
    return Error(Code::unsupported,
                 "the stream is being captured, and the engine has steps that run on the host")
        .remedy("run without capture");
  if (!capturing) TRY(follow(stream));
  TRY(run_on(&stream, {.graphs = graphs_ && !capturing}, capturing ? Inputs::captured : Inputs::fresh));
  if (capturing) return {};
  if (!caller || host_steps_) {
    last_stream_.reset();
    return stream.synchronize();
  }
  if (!last_done_) last_done_ = TRY(cuda::Event::create(device));
  TRY(stream.record(*last_done_));
  last_stream_ = stream.get();
  return {};
}

Result<TensorRef> Context::output(std::string_view name) const {
  const size_t i = TRY(find_port(plan_.outputs, name, "output"));
  if (!has_run_)
    return Error(Code::invalid_argument,
                 "output '" + std::string(name) + "' is not there: there was no run, or it failed")
        .remedy("run the context first");
  const Port& declared = plan_.outputs[i];
  const Memory::Port& port = executor_->memory().outputs[i];
  const Buffer& buffer = plan_.buffers[declared.buffer];
  TensorRef tensor{.dtype = declared.dtype,
                   .bytes = static_cast<size_t>(executor_->slot(buffer.bytes)),
                   .space = buffer.space};
  for (const Port::Axis& axis : declared.axes) tensor.shape.push_back(executor_->slot(axis.slot));
  tensor.data = reinterpret_cast<void*>(executor_->memory().address(declared.buffer));
  if (port.staged && port.bound) {
    tensor.data = port.bound->data;
    tensor.space = port.bound->space;
  }
  return tensor;
}

Result<> Context::read_output(std::string_view name, void* data, size_t bytes) {
  const TensorRef tensor = TRY(output(name));
  if (bytes < tensor.bytes)
    return Error(Code::invalid_argument,
                 "output '" + std::string(name) + "' of " + text_of(tensor.dtype, tensor.shape) + " has " +
                     std::to_string(tensor.bytes) + " bytes, and there is room for " + std::to_string(bytes))
        .remedy("give room for the whole output");
  const auto scope = TRY(enter());
  if (last_stream_) TRY(last_done_->synchronize());
  TRY(move_bytes(own_stream(), Space::host, data, tensor.space, tensor.data, tensor.bytes));
  return own_stream() ? own_stream()->synchronize() : Result<>();
}

Result<std::vector<RunTime>> Context::time(int count, L2 l2) {
  const auto scope = TRY(enter());
  const cuda::Stream* stream = own_stream();
  if (l2 == L2::flushed && !stream)
    return Error(Code::unsupported, "a GPU's L2 cache is to be flushed, and this context runs on the host")
        .remedy("time it as it is, or create the context for a GPU");
  cuda::DeviceMemory other;  // what the cache is full of instead
  if (l2 == L2::flushed)
    TRY(other.reserve(stream->device(), 2 * stream->device().info().l2_cache)
            .during("making room to flush the L2 cache"));
  std::optional<cuda::Event> start, stop;
  if (stream) {
    TRY(follow(*stream));
    start = TRY(cuda::Event::create(stream->device(), cuda::Event::Timing::on));
    stop = TRY(cuda::Event::create(stream->device(), cuda::Event::Timing::on));
  }
  std::vector<RunTime> times;
  for (int i = 0; i < count; ++i) {
    if (i == 0 && stream) {  // inputs are on the GPU before the clock starts
      TRY(executor_->begin());
      TRY(load_inputs(stream, Inputs::fresh));
      TRY(stream->synchronize());
    }
    if (stream && other.size() != 0) {
      TRY(stream->fill(other.address(), 0, other.size()));
      TRY(stream->synchronize());
    }
    const Clock::time_point began = Clock::now();
    if (stream) TRY(stream->record(*start));
    TRY(run_on(stream, {.graphs = graphs_}, stream ? Inputs::there_already : Inputs::fresh));
    if (stream) {
      TRY(stream->record(*stop));
      TRY(stream->synchronize());
    }
    RunTime time{.host_ms = since(began)};
    time.gpu_ms = stream ? TRY(stop->milliseconds_since(*start)) : time.host_ms;
    times.push_back(time);
  }
  return times;
}

Result<std::vector<StepTime>> Context::profile() {
  const auto scope = TRY(enter());
  if (own_stream()) TRY(follow(*own_stream()));
  std::vector<StepTime> times;
  TRY(run_on(own_stream(), {.graphs = false, .times = &times}, Inputs::fresh));
  if (own_stream()) TRY(own_stream()->synchronize());
  return times;
}

MemoryUse Context::memory() const {
  const Memory& memory = executor_->memory();
  const auto& side = executor_->device();
  return {.constants = side ? side->loaded->constant_bytes() : 0,
          .code = side ? side->loaded->code_bytes() : 0,
          .device_arena = memory.device_arena_bytes(),
          .host_arena = memory.host_arena_bytes(),
          .bindings = memory.binding_bytes()};
}

}  // namespace burnish
