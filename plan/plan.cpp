#include "plan/plan.h"

#include <algorithm>
#include <numeric>

#include "plan/lifetimes.h"

namespace burnish {

namespace {

Error malformed(std::string what) {
  return Error(Code::incompatible_engine, "the plan is malformed: " + std::move(what))
      .remedy("build the engine again with this version of Burnish");
}

struct Verifier {
  const Plan& plan;

  Result<> slot(Slot s) const {
    if (s >= plan.shapes.code.size()) return malformed("slot " + std::to_string(s) + " does not exist");
    return {};
  }
  Result<> symbol(Slot s) const {
    TRY(slot(s));
    if (plan.shapes.code[s].op != ShapeProgram::Op::symbol)
      return malformed("slot " + std::to_string(s) + " is no symbol");
    return {};
  }
  Result<> operand(const Operand& x, bool optional = true) const {
    if (x.buffer == Operand::none && optional) return {};
    if (x.buffer >= plan.buffers.size()) return malformed("an operand names a buffer that does not exist");
    TRY(slot(x.offset));
    if (x.extents.size() != x.strides.size()) return malformed("an operand has as many strides as extents");
    for (Slot s : x.extents) TRY(slot(s));
    for (Slot s : x.strides) TRY(slot(s));
    return {};
  }
  Result<> operator()(const HostCall& step) const {
    for (const Operand& x : step.inputs) TRY(operand(x));
    for (const Operand& x : step.outputs) TRY(operand(x));
    for (const LateExtent& late : step.late) {
      TRY(symbol(late.symbol));
      if (late.output >= step.outputs.size() || late.axis >= step.outputs[late.output].extents.size())
        return malformed("a late extent names no output axis");
    }
    return {};
  }
  Result<> operator()(const KernelLaunch& step) const {
    if (step.module >= plan.modules.size()) return malformed("a launch names a module that does not exist");
    for (Slot s : step.grid) TRY(slot(s));
    for (const KernelLaunch::Argument& a : step.arguments) {
      TRY(slot(a.slot));
      if (a.has_address() && a.buffer >= plan.buffers.size())
        return malformed("a kernel argument names a buffer that does not exist");
      if (a.kind == KernelLaunch::Argument::Kind::tensor_map) TRY(tensor_map(a));
    }
    return {};
  }
  Result<> tensor_map(const KernelLaunch::Argument& a) const {
    const size_t rank = a.extents.size();
    const bool fits =
        a.windows.empty() ? a.box.size() == rank : rank == 4 && a.box.size() == 2 && a.windows.size() == 2;
    if (rank == 0 || rank > 5 || a.strides.size() != rank - 1 || !fits || a.element_size == 0)
      return malformed("a tensor map has extents, strides and a box that do not fit together");
    for (Slot s : a.extents) TRY(slot(s));
    for (Slot s : a.strides) TRY(slot(s));
    return {};
  }
  Result<> operator()(const LibraryCall& step) const {
    for (const KernelLaunch::Argument& a : step.operands) {
      TRY(slot(a.slot));
      if (a.kind != KernelLaunch::Argument::Kind::pointer || a.buffer >= plan.buffers.size())
        return malformed("an operand of a library names a buffer that does not exist");
    }
    return {};
  }
  Result<> operator()(const PluginCall& step) const {
    if (step.plugin >= plan.plugins.size()) return malformed("a call names a plugin that does not exist");
    if (step.outputs.empty()) return malformed("a call of a plugin has no outputs");
    for (const Operand& x : step.inputs) TRY(operand(x));
    for (const Operand& x : step.outputs) TRY(operand(x, false));
    if (step.workspace != Operand::none && step.workspace >= plan.buffers.size())
      return malformed("a workspace is a buffer that does not exist");
    for (const auto* operands : {&step.inputs, &step.outputs})
      for (const Operand& x : *operands)
        if (x.extents.size() > PluginCall::most_axes)
          return malformed("an operand of a plugin has too many axes");
    const Space space = plan.buffers[step.outputs.front().buffer].space;
    for (const BufferUse& use : uses_of({.what = step}))
      if (plan.buffers[use.buffer].space != space)
        return malformed("operands of a plugin lie in different memories");
    return {};
  }
  Result<> operator()(const Copy& step) const {
    TRY(operand(step.from, false));
    TRY(operand(step.to, false));
    if (step.from.extents.size() != step.to.extents.size() ||
        size_of(step.from.dtype) != size_of(step.to.dtype))
      return malformed("a copy between tensors of different form");
    return {};
  }
  Result<> operator()(const ReadExtents& step) const {
    TRY(operand(step.from, false));
    for (const ReadExtents::Read& read : step.reads) TRY(symbol(read.symbol));
    return {};
  }
  Result<> operator()(const WriteExtents& step) const {
    for (Slot s : step.values) TRY(slot(s));
    return operand(step.to, false);
  }
  Result<> operator()(const SetExtents& step) const {
    for (const SetExtents::Set& set : step.sets) {
      TRY(symbol(set.symbol));
      TRY(slot(set.value));
    }
    return {};
  }
  Result<> operator()(const If& step) const {
    TRY(operand(step.condition, false));
    TRY(steps(step.then_steps));
    return steps(step.else_steps);
  }
  Result<> operator()(const Fail&) const { return {}; }

  Result<> steps(const std::vector<Step>& list) const {
    for (const Step& step : list) {
      if (step.stage >= plan.shapes.stage_ends.size())
        return malformed("step '" + step.name + "' names a stage that does not exist");
      for (Slot s : {step.work.flops, step.work.bytes_read, step.work.bytes_written})
        if (s != Work::unknown) TRY(slot(s));
      Result<> result = std::visit(*this, step.what);
      if (!result) return std::move(result).during("checking step '" + step.name + "'");
    }
    return {};
  }
  Result<> port(const Port& port) const {
    if (port.buffer >= plan.buffers.size())
      return malformed("'" + port.name + "' names a buffer that does not exist");
    for (const Port::Axis& axis : port.axes) TRY(axis.binds ? symbol(axis.slot) : slot(axis.slot));
    std::vector<uint32_t> axes(port.axes.size());
    std::iota(axes.begin(), axes.end(), 0);
    if (!port.order.empty() && !std::ranges::is_permutation(port.order, axes))
      return malformed("the order of '" + port.name + "' is none of its axes");
    return {};
  }
  Result<> buffer(const Buffer& b) const {
    TRY(slot(b.bytes));
    if (b.kind == Buffer::Kind::temporary) {
      TRY(slot(b.offset));
      const auto& arena = b.space == Space::host ? plan.host_arena : plan.device_arena;
      if (b.stage >= arena.size()) return malformed("a buffer names an arena that does not exist");
    }
    const size_t limit = b.kind == Buffer::Kind::constant ? plan.constants.size()
                         : b.kind == Buffer::Kind::input  ? plan.inputs.size()
                         : b.kind == Buffer::Kind::output ? plan.outputs.size()
                                                          : size_t{1} << 32;
    if (b.index >= limit) return malformed("a buffer names a constant, input or output that does not exist");
    return {};
  }
  Result<> profile(const Profile& profile) const {
    if (profile.inputs.size() != plan.inputs.size())
      return malformed("a profile is of other inputs than the plan's");
    for (size_t i = 0; i < plan.inputs.size(); ++i) {
      if (profile.inputs[i].axes.size() != plan.inputs[i].axes.size())
        return malformed("a profile has other axes than input '" + plan.inputs[i].name + "'");
      for (const ExtentRange& r : profile.inputs[i].axes)
        if (r.min > r.opt || r.opt > r.max)
          return malformed("a profile's range of input '" + plan.inputs[i].name + "' is out of order");
    }
    return {};
  }
  Result<> all() const {
    TRY(plan.shapes.verify());
    for (const Buffer& b : plan.buffers) TRY(buffer(b));
    for (const Port& p : plan.inputs) TRY(port(p));
    for (const Port& p : plan.outputs) TRY(port(p));
    for (const Profile& p : plan.profiles) TRY(profile(p));
    for (const Check& check : plan.checks) {
      TRY(slot(check.a));
      TRY(slot(check.b));
      if (check.stage >= plan.shapes.stage_ends.size())
        return malformed("a check names a stage that does not exist");
    }
    if (std::max(plan.host_arena.size(), plan.device_arena.size()) > plan.shapes.stage_ends.size())
      return malformed("there are arenas for stages that do not exist");
    for (Slot s : plan.host_arena) TRY(slot(s));
    for (Slot s : plan.device_arena) TRY(slot(s));
    return steps(plan.steps);
  }
};

}  // namespace

std::vector<BufferUse> uses_of(const Step& step) {
  std::vector<BufferUse> uses;
  auto add = [&](const Operand& x, bool writes) {
    if (x.buffer != Operand::none) uses.push_back({x.buffer, writes});
  };
  if (const auto* call = std::get_if<HostCall>(&step.what)) {
    for (const Operand& x : call->inputs) add(x, false);
    for (const Operand& x : call->outputs) add(x, true);
  } else if (const auto* launch = std::get_if<KernelLaunch>(&step.what)) {
    for (const auto& a : launch->arguments)
      if (a.has_address()) uses.push_back({a.buffer, a.written});
  } else if (const auto* call = std::get_if<LibraryCall>(&step.what)) {
    for (const auto& a : call->operands) uses.push_back({a.buffer, a.written});
  } else if (const auto* call = std::get_if<PluginCall>(&step.what)) {
    for (const Operand& x : call->inputs) add(x, false);
    for (const Operand& x : call->outputs) add(x, true);
    if (call->workspace != Operand::none) uses.push_back({call->workspace, true});
  } else if (const auto* copy = std::get_if<Copy>(&step.what)) {
    add(copy->from, false);
    add(copy->to, true);
  } else if (const auto* read = std::get_if<ReadExtents>(&step.what)) {
    add(read->from, false);
  } else if (const auto* write = std::get_if<WriteExtents>(&step.what)) {
    add(write->to, true);
  } else if (const auto* branch = std::get_if<If>(&step.what)) {
    add(branch->condition, false);
  }
  return uses;
}

Result<> verify(const Plan& plan) { return Verifier{plan}.all(); }

Result<> verify_written(const Plan& plan) {
  std::vector<bool> written;
  for (const Buffer& b : plan.buffers)
    written.push_back(b.kind == Buffer::Kind::constant || b.kind == Buffer::Kind::input);
  std::string early;
  for_each_step(plan.steps, [&](const Step& step) {
    const std::vector<BufferUse> uses = uses_of(step);
    for (const BufferUse& use : uses)
      if (!use.writes && !written[use.buffer] && early.empty())
        early =
            "step '" + step.name + "' reads buffer " + std::to_string(use.buffer) + " before it is written";
    for (const BufferUse& use : uses)
      if (use.writes) written[use.buffer] = true;
  });
  if (!early.empty()) return malformed(early);
  for (const Port& output : plan.outputs)
    if (!written[output.buffer]) return malformed("no step writes output '" + output.name + "'");
  return {};
}

Result<> verify_memory(const Plan& plan, std::span<const int64_t> slots) {
  const std::vector<Life> life = lives_of(plan);
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < plan.buffers.size(); ++i)
    if (plan.buffers[i].kind == Buffer::Kind::temporary && life[i].first >= 0 &&
        slots[plan.buffers[i].bytes] > 0)
      order.push_back(i);
  auto begin = [&](uint32_t i) { return slots[plan.buffers[i].offset]; };
  auto end = [&](uint32_t i) { return begin(i) + slots[plan.buffers[i].bytes]; };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return begin(a) < begin(b); });
  for (size_t i = 0; i < order.size(); ++i) {
    const Buffer& a = plan.buffers[order[i]];
    const auto& arena = a.space == Space::host ? plan.host_arena : plan.device_arena;
    if (begin(order[i]) < 0 || end(order[i]) > slots[arena[a.stage]])
      return malformed("buffer " + std::to_string(order[i]) + " lies outside its arena");
    for (size_t j = i + 1; j < order.size() && begin(order[j]) < end(order[i]); ++j) {
      const Buffer& b = plan.buffers[order[j]];
      const Life &x = life[order[i]], &y = life[order[j]];
      if (a.space == b.space && a.stage == b.stage && x.first <= y.last && y.first <= x.last)
        return malformed("buffers " + std::to_string(order[i]) + " and " + std::to_string(order[j]) +
                         " are in use at the same time and share bytes");
    }
  }
  return {};
}

}  // namespace burnish
