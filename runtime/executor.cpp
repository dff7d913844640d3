#include "runtime/executor.h"

#include <algorithm>
#include <cstring>

#include "base/strided.h"
#include "runtime/host_call_run.h"
#include "runtime/profiles.h"

namespace burnish {

namespace {

using Clock = std::chrono::steady_clock;

/// A piece of so few steps costs less launched one by one than as a graph.
constexpr size_t graph_pays_from = 4;

const char* kind_of(const Step& step) {
  static constexpr const char* names[] = {"host",        "kernel", "copy", "read extents", "write extents",
                                          "set extents", "if",     "fail", "library",      "plugin"};
  return names[step.what.index()];
}

template <class F>
void visit_integers(DType dtype, const F& f) {
  switch (dtype) {
    case DType::boolean:
    case DType::u8: return f(static_cast<uint8_t*>(nullptr));
    case DType::i8: return f(static_cast<int8_t*>(nullptr));
    case DType::i16: return f(static_cast<int16_t*>(nullptr));
    case DType::u16: return f(static_cast<uint16_t*>(nullptr));
    case DType::i32: return f(static_cast<int32_t*>(nullptr));
    case DType::u32: return f(static_cast<uint32_t*>(nullptr));
    case DType::f32: return f(static_cast<float*>(nullptr));
    case DType::f64: return f(static_cast<double*>(nullptr));
    default: return f(static_cast<int64_t*>(nullptr));
  }
}

int64_t integer_at(DType dtype, const std::byte* bytes, int64_t element) {
  int64_t value = 0;
  visit_integers(
      dtype, [&]<class T>(T*) { value = static_cast<int64_t>(reinterpret_cast<const T*>(bytes)[element]); });
  return value;
}

bool has_host_copies(const Plan& plan) {
  bool found = false;
  for_each_step(plan.steps, [&](const Step& step) {
    const auto* copy = std::get_if<Copy>(&step.what);
    found = found || (copy && plan.buffers[copy->from.buffer].space == Space::host &&
                      plan.buffers[copy->to.buffer].space == Space::host);
  });
  return found;
}

}  // namespace

Executor::Executor(const EngineFile& file, const Plan& plan, int threads,
                   std::shared_ptr<const HostCalls> calls, std::optional<HostPool> pool, PluginCalls plugins,
                   std::optional<DeviceSide> device)
    : plan_(plan),
      calls_(std::move(calls)),
      pool_(std::move(pool)),
      plugins_(std::move(plugins)),
      device_(std::move(device)),
      memory_(file, plan, device_ ? &device_->device : nullptr, device_ ? device_->loaded.get() : nullptr),
      slots_(plan.shapes.code.size()) {
  if (has_host_copies(plan)) copies_.emplace(threads);
  if (device_) work_.emplace(plan_, *device_->loaded, memory_);
}

void Executor::choose_profile(std::optional<size_t> profile) {
  profile_ = profile;
  bound_.clear();  // the next run is held against it
}

Result<> Executor::check_agreement(std::span<const int64_t> slots, std::span<const Shape> shapes) const {
  for (size_t i = 0; i < plan_.inputs.size(); ++i) {
    const Port& port = plan_.inputs[i];
    for (size_t axis = 0; axis < port.axes.size(); ++axis) {
      const int64_t expected = slots[port.axes[axis].slot], given = shapes[i][axis];
      if (expected != given)
        return Error(Code::invalid_argument, "input '" + port.name + "' axis " + std::to_string(axis) + " (" +
                                                 port.axes[axis].text + ") must be " +
                                                 std::to_string(expected) + " by the other inputs, got " +
                                                 std::to_string(given))
            .remedy("give inputs whose shapes agree");
    }
  }
  return {};
}

Result<> Executor::bind_symbols() {
  std::vector<Shape> shapes;
  for (const Memory::Port& port : memory_.inputs) shapes.push_back(port.bound->shape);
  const uint32_t known_before_running = plan_.shapes.stage_ends[0];
  std::fill(slots_.begin() + known_before_running, slots_.end(), 0);
  if (!bound_.empty() && shapes == bound_) return {};
  bound_.clear();  // until all is well
  TRY(check_profiles(plan_, profile_, shapes));
  std::fill(slots_.begin(), slots_.end(), 0);
  for (size_t i = 0; i < shapes.size(); ++i)
    for (size_t axis = 0; axis < shapes[i].size(); ++axis)
      if (plan_.inputs[i].axes[axis].binds) slots_[plan_.inputs[i].axes[axis].slot] = shapes[i][axis];
  plan_.shapes.evaluate(0, slots_);
  TRY(check_agreement(slots_, shapes));
  bound_ = std::move(shapes);
  return {};
}

Result<Shape> Executor::expected_extents(size_t output) const {
  std::vector<int64_t> slots(plan_.shapes.code.size());
  std::vector<bool> known(slots.size());
  std::vector<Shape> shapes;
  for (size_t i = 0; i < plan_.inputs.size(); ++i) {
    if (!memory_.inputs[i].bound) continue;
    shapes.push_back(memory_.inputs[i].bound->shape);
    for (size_t axis = 0; axis < shapes.back().size(); ++axis)
      if (const Port::Axis& a = plan_.inputs[i].axes[axis]; a.binds) {
        slots[a.slot] = shapes.back()[axis];
        known[a.slot] = true;
      }
  }
  plan_.shapes.evaluate(0, slots);
  if (shapes.size() == plan_.inputs.size()) {
    TRY(check_profiles(plan_, profile_, shapes));
    TRY(check_agreement(slots, shapes));
  }
  known = plan_.shapes.known_from(std::move(known));
  Shape extents;
  for (const Port::Axis& axis : plan_.outputs[output].axes)
    extents.push_back(known[axis.slot] ? slots[axis.slot] : -1);
  return extents;
}

Result<> Executor::begin() {
  for (size_t i = 0; i < memory_.inputs.size(); ++i)
    if (!memory_.inputs[i].bound)
      return Error(Code::invalid_argument, "input '" + plan_.inputs[i].name + "' is not set")
          .remedy("set every input before a run");
  for (size_t i = 0; i < memory_.inputs.size(); ++i)
    if (const TensorRef& tensor = *memory_.inputs[i].bound; tensor.data == nullptr && !is_empty(tensor.shape))
      return Error(Code::invalid_argument, "input '" + plan_.inputs[i].name + "' has no memory, only a shape")
          .remedy("set it again with a pointer to its elements");
  TRY(bind_symbols());
  TRY(memory_.place_inputs(slots_));
  return evaluate_stage(0);
}

Result<> Executor::evaluate_stage(uint32_t stage) {
  if (stage != 0) plan_.shapes.evaluate(stage, slots_);
  for (const Check& check : plan_.checks)
    if (check.stage == stage && slots_[check.a] != slots_[check.b])
      return Error(Code::invalid_argument, check.message + ", but they are " +
                                               std::to_string(slots_[check.a]) + " and " +
                                               std::to_string(slots_[check.b]))
          .remedy("give inputs whose shapes agree");
  return memory_.place_stage(stage, slots_);
}

Result<> Executor::run(const How& how) { return run_steps(plan_.steps, how); }

Result<> Executor::run_steps(std::span<const Step> steps, const How& how) {
  for (size_t i = 0; i < steps.size();) {
    size_t end = i;
    while (device_ && !how.times && end < steps.size() && is_device_step(plan_, steps[end])) ++end;
    if (end > i) {
      TRY(run_device(steps.subspan(i, end - i), how));
      i = end;
      continue;
    }
    TRY(how.times ? run_timed(steps[i], how) : run_step(steps[i], how));
    ++i;
  }
  return {};
}

Result<> Executor::run_device(std::span<const Step> steps, const How& how) {
  TRY(work_->resolve(steps, slots_));
  if (!how.graphs || steps.size() < graph_pays_from) return work_->launch(*how.stream);
  const cuda::GraphExec* graph = TRY(graphs_.find(steps.data(), *work_, device_->device, slots_));
  return graph->launch(*how.stream);
}

Result<> Executor::run_timed(const Step& step, const How& how) {
  if (std::holds_alternative<If>(step.what)) return run_step(step, how);
  float milliseconds = 0;
  if (device_ && is_enqueued(plan_, step)) {
    const cuda::Event start = TRY(cuda::Event::create(device_->device, cuda::Event::Timing::on));
    const cuda::Event stop = TRY(cuda::Event::create(device_->device, cuda::Event::Timing::on));
    const bool in_graphs = is_device_step(plan_, step);
    if (in_graphs) TRY(work_->resolve(std::span(&step, 1), slots_));
    TRY(how.stream->record(start));
    TRY(in_graphs ? work_->launch(*how.stream) : run_step(step, how));
    TRY(how.stream->record(stop));
    TRY(stop.synchronize());
    milliseconds = TRY(stop.milliseconds_since(start));
  } else {
    const Clock::time_point start = Clock::now();
    TRY(run_step(step, how));
    if (how.stream) TRY(how.stream->synchronize());
    milliseconds = std::chrono::duration<float, std::milli>(Clock::now() - start).count();
  }
  how.times->push_back({step.name, kind_of(step), milliseconds, known(step.work.flops),
                        known(step.work.bytes_read), known(step.work.bytes_written)});
  return {};
}

Result<> Executor::run_step(const Step& step, const How& how) {
  Result<> done = operator_for(step, how);
  const bool call =
      std::holds_alternative<HostCall>(step.what);  // evaluates its stage itself, before it is done
  if (done && step.stage != 0 && !call) done = evaluate_stage(step.stage);
  if (!done) return std::move(done).during("running step '" + step.name + "'");
  return {};
}

Result<> Executor::operator_for(const Step& step, const How& how) {
  if (const auto* call = std::get_if<HostCall>(&step.what)) return HostCallRun(*this, step, *call).run();
  if (const auto* c = std::get_if<Copy>(&step.what)) return copy(*c, how);
  if (const auto* call = std::get_if<PluginCall>(&step.what)) return call_plugin(*call, how);
  if (const auto* read = std::get_if<ReadExtents>(&step.what)) return read_extents(*read);
  if (const auto* write = std::get_if<WriteExtents>(&step.what)) return write_extents(*write);
  if (const auto* branch = std::get_if<If>(&step.what))
    return run_steps(TRY(condition(*branch)) ? branch->then_steps : branch->else_steps, how);
  if (const auto* fail = std::get_if<Fail>(&step.what))
    return Error(Code::invalid_argument, fail->message).remedy("give inputs that the model can work on");
  if (const auto* set = std::get_if<SetExtents>(&step.what)) {
    for (const SetExtents::Set& s : set->sets) slots_[s.symbol] = slots_[s.value];
    return {};
  }
  return Error(Code::internal, "a kernel cannot run on the host");
}

std::vector<int64_t> Executor::values(const std::vector<Slot>& slots) const {
  std::vector<int64_t> values;
  values.reserve(slots.size());
  for (Slot s : slots) values.push_back(slots_[s]);
  return values;
}

std::byte* Executor::host_address(const Operand& x) const {
  const auto offset = static_cast<uintptr_t>(slots_[x.offset]) * size_of(x.dtype);
  return reinterpret_cast<std::byte*>(memory_.address(x.buffer) + offset);
}

Result<> Executor::copy(const Copy& copy, const How& how) {
  const std::vector<int64_t> shape = values(copy.to.extents);
  const size_t bytes = TRY(byte_count(copy.to.dtype, shape));
  if (bytes == 0) return {};
  const bool from_host = plan_.buffers[copy.from.buffer].space == Space::host;
  const bool to_host = plan_.buffers[copy.to.buffer].space == Space::host;
  // The address arithmetic is the same in both spaces.
  std::byte *from = host_address(copy.from), *to = host_address(copy.to);
  const auto device_from = reinterpret_cast<CUdeviceptr>(from), device_to = reinterpret_cast<CUdeviceptr>(to);
  if (from_host && to_host) {
    copy_strided(*copies_, size_of(copy.to.dtype), shape, from, values(copy.from.strides), to,
                 values(copy.to.strides));
    return {};
  }
  if (from_host) return how.stream->upload(device_to, from, bytes);
  if (!to_host) return how.stream->copy(device_to, device_from, bytes);
  TRY(how.stream->download(to, device_from, bytes));
  return how.stream->synchronize();  // the next step may read it
}

burnish_tensor Executor::plugin_tensor(const Operand& x) const {
  burnish_tensor tensor{.dtype = static_cast<burnish_dtype>(x.dtype), .rank = -1};
  if (x.buffer == Operand::none) return tensor;
  tensor.rank = static_cast<int>(x.extents.size());
  tensor.data = host_address(x);
  tensor.bytes = size_of(x.dtype);
  for (size_t k = 0; k < x.extents.size(); ++k) {
    tensor.shape[k] = slots_[x.extents[k]];
    tensor.bytes *= static_cast<size_t>(tensor.shape[k]);
  }
  tensor.memory = plan_.buffers[x.buffer].space == Space::host ? BURNISH_HOST : BURNISH_DEVICE;
  return tensor;
}

Result<> Executor::call_plugin(const PluginCall& call, const How& how) {
  std::vector<burnish_tensor> inputs, outputs;
  for (const Operand& x : call.inputs) inputs.push_back(plugin_tensor(x));
  for (const Operand& x : call.outputs) outputs.push_back(plugin_tensor(x));
  void* workspace =
      call.workspace == Operand::none ? nullptr : reinterpret_cast<void*>(memory_.address(call.workspace));
  const plugin::Operator& op = plugins_.at(call);
  return outputs.front().memory == BURNISH_DEVICE ? op.enqueue(inputs, outputs, workspace, how.stream->get())
                                                  : op.run(inputs, outputs, workspace);
}

Result<> Executor::read_extents(const ReadExtents& step) {
  const int64_t count = element_count(values(step.from.extents));
  for (const ReadExtents::Read& read : step.reads) {
    if (read.element >= static_cast<uint64_t>(std::max<int64_t>(count, 0)))
      return Error(Code::invalid_argument, "a tensor of " + std::to_string(count) +
                                               " elements must give extent number " +
                                               std::to_string(read.element))
          .remedy("give inputs that the model can work on");
    slots_[read.symbol] = integer_at(step.from.dtype, host_address(step.from), read.element);
  }
  return {};
}

Result<> Executor::write_extents(const WriteExtents& step) {
  std::byte* to = host_address(step.to);
  visit_integers(step.to.dtype, [&]<class T>(T*) {
    for (size_t i = 0; i < step.values.size(); ++i)
      reinterpret_cast<T*>(to)[i] = static_cast<T>(slots_[step.values[i]]);
  });
  return {};
}

Result<bool> Executor::condition(const If& step) const {
  return integer_at(step.condition.dtype, host_address(step.condition), 0) != 0;
}

}  // namespace burnish
