#include "compiler/remap.h"

namespace burnish {

namespace {

// Calls slot(Slot&) and buffer(uint32_t&) for every reference a step holds.
template <class S, class B>
struct References {
  const S& slot;
  const B& buffer;

  void operand(Operand& x) const {
    if (x.buffer == Operand::none) return;
    buffer(x.buffer);
    slot(x.offset);
    for (Slot& s : x.extents) slot(s);
    for (Slot& s : x.strides) slot(s);
  }
  void operator()(HostCall& step) const {
    for (Operand& x : step.inputs) operand(x);
    for (Operand& x : step.outputs) operand(x);
    for (LateExtent& late : step.late) slot(late.symbol);
  }
  void operator()(KernelLaunch& step) const {
    for (Slot& s : step.grid) slot(s);
    for (KernelLaunch::Argument& a : step.arguments) {
      slot(a.slot);
      for (Slot& s : a.extents) slot(s);
      for (Slot& s : a.strides) slot(s);
      if (a.has_address()) buffer(a.buffer);
    }
  }
  void operator()(LibraryCall& step) const {
    for (KernelLaunch::Argument& a : step.operands) {
      slot(a.slot);
      buffer(a.buffer);
    }
  }
  void operator()(PluginCall& step) const {
    for (Operand& x : step.inputs) operand(x);
    for (Operand& x : step.outputs) operand(x);
    if (step.workspace != Operand::none) buffer(step.workspace);
  }
  void operator()(Copy& step) const {
    operand(step.from);
    operand(step.to);
  }
  void operator()(ReadExtents& step) const {
    operand(step.from);
    for (ReadExtents::Read& read : step.reads) slot(read.symbol);
  }
  void operator()(WriteExtents& step) const {
    operand(step.to);
    for (Slot& s : step.values) slot(s);
  }
  void operator()(SetExtents& step) const {
    for (SetExtents::Set& set : step.sets) {
      slot(set.symbol);
      slot(set.value);
    }
  }
  void operator()(If& step) const { operand(step.condition); }
  void operator()(Fail&) const {}
};

template <class S, class B>
void for_each_reference(Plan& plan, const S& slot, const B& buffer) {
  for_each_step(plan.steps, [&](Step& step) {
    std::visit(References<S, B>{slot, buffer}, step.what);
    for (Slot* s : {&step.work.flops, &step.work.bytes_read, &step.work.bytes_written})
      if (*s != Work::unknown) slot(*s);
  });
  for (auto* ports : {&plan.inputs, &plan.outputs})
    for (Port& port : *ports) {
      buffer(port.buffer);
      for (Port::Axis& axis : port.axes) slot(axis.slot);
    }
  for (Buffer& b : plan.buffers) {
    slot(b.bytes);
    slot(b.offset);
  }
  for (Check& check : plan.checks) {
    slot(check.a);
    slot(check.b);
  }
  for (Slot& s : plan.host_arena) slot(s);
  for (Slot& s : plan.device_arena) slot(s);
}

}  // namespace

void remap_slots(Plan& plan, const std::vector<Slot>& slot_of) {
  for_each_reference(plan, [&](Slot& s) { s = slot_of[s]; }, [](uint32_t&) {});
}

void replace_buffers(Plan& plan, const std::vector<uint32_t>& buffer) {
  for_each_reference(plan, [](Slot&) {}, [&](uint32_t& b) { b = buffer[b]; });
}

void drop_unused_buffers(Plan& plan, const std::vector<bool>& used) {
  std::vector<uint32_t> number(plan.buffers.size());
  std::vector<Buffer> kept;
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer::Kind kind = plan.buffers[i].kind;
    number[i] = static_cast<uint32_t>(kept.size());
    if (used[i] || kind == Buffer::Kind::input || kind == Buffer::Kind::output)
      kept.push_back(plan.buffers[i]);
  }
  plan.buffers = std::move(kept);
  replace_buffers(plan, number);
}

std::vector<uint32_t> drop_unused_constants(Plan& plan) {
  std::vector<bool> used(plan.constants.size());
  for (const Buffer& b : plan.buffers)
    if (b.kind == Buffer::Kind::constant) used[b.index] = true;
  std::vector<uint32_t> kept, number(plan.constants.size());
  std::vector<ConstantData> constants;
  for (uint32_t i = 0; i < used.size(); ++i) {
    number[i] = static_cast<uint32_t>(kept.size());
    if (!used[i]) continue;
    kept.push_back(i);
    constants.push_back(plan.constants[i]);
  }
  plan.constants = std::move(constants);
  for (Buffer& b : plan.buffers)
    if (b.kind == Buffer::Kind::constant) b.index = number[b.index];
  return kept;
}

}  // namespace burnish
