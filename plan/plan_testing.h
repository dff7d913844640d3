#pragma once

#include <string>
#include <vector>

#include "plan/engine_file.h"

namespace burnish::testing {

/// Writes small plans by hand. Slots are numbered in the order they are made; `next_stage` begins the slots of the next
/// stage.
class PlanMaker {
 public:
  using Op = ShapeProgram::Op;
  Plan plan;

  PlanMaker() { plan.target = "cpu"; }

  Slot emit(Op op, int64_t a = 0, int64_t b = 0, int64_t c = 0) {
    plan.shapes.code.push_back({op, a, b, c});
    return static_cast<Slot>(plan.shapes.code.size() - 1);
  }
  Slot constant(int64_t value) { return emit(Op::constant, value); }
  Slot symbol() { return emit(Op::symbol); }
  Slot mul(Slot a, Slot b) { return emit(Op::mul, a, b); }
  uint32_t next_stage() {
    plan.shapes.stage_ends.push_back(static_cast<uint32_t>(plan.shapes.code.size()));
    return static_cast<uint32_t>(plan.shapes.stage_ends.size());
  }
  Plan finish() {
    next_stage();
    return plan;
  }

  uint32_t buffer(Buffer::Kind kind, Slot bytes, Space space = Space::host, uint32_t index = 0) {
    plan.buffers.push_back({.kind = kind, .space = space, .index = index, .bytes = bytes});
    return static_cast<uint32_t>(plan.buffers.size() - 1);
  }
  uint32_t temporary(Slot bytes, Slot offset, uint32_t stage = 0, Space space = Space::host) {
    const uint32_t b = buffer(Buffer::Kind::temporary, bytes, space);
    plan.buffers[b].offset = offset;
    plan.buffers[b].stage = stage;
    return b;
  }
  struct Axis {
    Slot slot;
    std::string text;
    bool binds = false;
    int64_t least = 1, most = DimTable::unbounded;
  };
  uint32_t input(std::string name, DType dtype, const std::vector<Axis>& axes, Slot bytes,
                 Space space = Space::host) {
    return port(plan.inputs, Buffer::Kind::input, std::move(name), dtype, axes, bytes, space);
  }
  uint32_t output(std::string name, DType dtype, const std::vector<Axis>& axes, Slot bytes,
                  Space space = Space::host) {
    return port(plan.outputs, Buffer::Kind::output, std::move(name), dtype, axes, bytes, space);
  }
  Step& step(std::string name, decltype(Step::what) what, uint32_t stage = 0) {
    plan.steps.push_back({std::move(name), stage, std::move(what)});
    return plan.steps.back();
  }
  Operand operand(uint32_t buffer, DType dtype, std::vector<Slot> extents, std::vector<Slot> strides,
                  Slot offset) {
    return {.buffer = buffer,
            .dtype = dtype,
            .offset = offset,
            .extents = std::move(extents),
            .strides = std::move(strides)};
  }

 private:
  uint32_t port(std::vector<Port>& ports, Buffer::Kind kind, std::string name, DType dtype,
                const std::vector<Axis>& axes, Slot bytes, Space space) {
    const uint32_t b = buffer(kind, bytes, space, static_cast<uint32_t>(ports.size()));
    Port p{.name = std::move(name), .dtype = dtype, .buffer = b};
    for (const Axis& a : axes) p.axes.push_back({a.slot, a.binds, a.least, a.most, a.text});
    ports.push_back(std::move(p));
    return b;
  }
};

}  // namespace burnish::testing
