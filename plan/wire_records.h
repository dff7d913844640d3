#pragma once

#include "plan/wire.h"

// Every record of the engine file: for each field its number and the member it is kept in. Written and read through the
// same description. Numbers are never used again for something else, and a field that a later minor version adds must
// mean, where it is absent, what older engines meant.

namespace burnish::wire {

struct PlanList {
  std::vector<Plan> plans;
};

template <class A>
void describe(A& a, EngineIdentity& x) {
  a(1, x.burnish_version);
  a(2, x.model);
  a(3, x.options);
  a(4, x.providers);
}

template <class A>
void describe(A& a, PlanList& x) {
  a(1, x.plans);
}

template <class A>
void describe(A& a, Plan& x) {
  a(1, x.target);
  a(2, x.precision);
  a(3, x.shapes);
  a(4, x.inputs);
  a(5, x.outputs);
  a(6, x.checks);
  a(7, x.buffers);
  a(8, x.constants);
  a(9, x.modules);
  a(10, x.host_arena);
  a(11, x.device_arena);
  a(12, x.steps);
  a(13, x.host_reasons);
  a(14, x.moves);
  a(15, x.decisions);
  a(16, x.fusion_reasons);
  a(17, x.profiles);
  a(18, x.plugins);
  a(20, x.max_branches);
}

template <class A>
void describe(A& a, NeededPlugin& x) {
  a(1, x.name);
  a(2, x.version);
  a(3, x.file);
}

template <class A>
void describe(A& a, ExtentRange& x) {
  a(1, x.min);
  a(2, x.opt);
  a(3, x.max);
}

template <class A>
void describe(A& a, Profile::Input& x) {
  a(1, x.axes);
}

template <class A>
void describe(A& a, Profile& x) {
  a(1, x.inputs);
}

template <class A>
void describe(A& a, Decision::Candidate& x) {
  a(1, x.tactic);
  a(2, x.estimate);
  a(3, x.nanoseconds);
  a(4, x.refused);
}

template <class A>
void describe(A& a, Decision& x) {
  a(1, x.node);
  a(2, x.tactic);
  a(3, x.timed_on);
  a(4, x.candidates);
}

template <class A>
void describe(A& a, ShapeProgram::Instruction& x) {
  a.enumeration(1, x.op, ShapeProgram::Op::select);
  a(2, x.a);
  a(3, x.b);
  a(4, x.c);
}

template <class A>
void describe(A& a, ShapeProgram& x) {
  a(1, x.code);
  a(2, x.stage_ends);
}

template <class A>
void describe(A& a, Port::Axis& x) {
  a(1, x.slot);
  a(2, x.binds);
  a(3, x.least);
  a(4, x.most);
  a(5, x.text);
}

template <class A>
void describe(A& a, Port& x) {
  a(1, x.name);
  a.enumeration(2, x.dtype, DType::boolean);
  a(3, x.axes);
  a(4, x.buffer);
  a(5, x.order);
  a.enumeration(6, x.role, Port::Role::unfused);
}

template <class A>
void describe(A& a, Check& x) {
  a(1, x.a);
  a(2, x.b);
  a(3, x.stage);
  a(4, x.message);
}

template <class A>
void describe(A& a, Buffer& x) {
  a.enumeration(1, x.kind, Buffer::Kind::temporary);
  a.enumeration(2, x.space, Space::device);
  a(3, x.index);
  a(4, x.bytes);
  a(5, x.offset);
  a(6, x.stage);
}

template <class A>
void describe(A& a, ConstantData& x) {
  a(1, x.offset);
  a(2, x.bytes);
}

template <class A>
void describe(A& a, KernelModule& x) {
  a(1, x.target);
  a(2, x.offset);
  a(3, x.bytes);
  a(4, x.source);
}

template <class A>
void describe(A& a, Operand& x) {
  a(1, x.buffer);
  a.enumeration(2, x.dtype, DType::boolean);
  a(3, x.offset);
  a(4, x.extents);
  a(5, x.strides);
}

template <class A>
void describe(A& a, LateExtent& x) {
  a(1, x.output);
  a(2, x.axis);
  a(3, x.symbol);
}

template <class A>
void describe(A& a, HostCall& x) {
  a(1, x.text);
  a(2, x.inputs);
  a(3, x.outputs);
  a(4, x.late);
}

template <class A>
void describe(A& a, KernelLaunch::Argument::Windows& x) {
  a(1, x.pad);
  a(2, x.pad_end);
  a(3, x.reach);
  a(4, x.step);
}

template <class A>
void describe(A& a, KernelLaunch::Argument& x) {
  a.enumeration(1, x.kind, KernelLaunch::Argument::Kind::tensor_map);
  a(2, x.buffer);
  a(3, x.element_size);
  a(4, x.slot);
  a(5, x.written);
  a(6, x.extents);
  a(7, x.strides);
  a(8, x.box);
  a(9, x.windows);
}

template <class A>
void describe(A& a, KernelLaunch& x) {
  a(1, x.module);
  a(2, x.function);
  a(3, x.grid[0]);
  a(4, x.grid[1]);
  a(5, x.grid[2]);
  a(6, x.block[0]);
  a(7, x.block[1]);
  a(8, x.block[2]);
  a(9, x.shared_bytes);
  a(10, x.arguments);
  a(11, x.starts_early);
}

template <class A>
void describe(A& a, Copy& x) {
  a(1, x.from);
  a(2, x.to);
}

template <class A>
void describe(A& a, ReadExtents::Read& x) {
  a(1, x.element);
  a(2, x.symbol);
}

template <class A>
void describe(A& a, ReadExtents& x) {
  a(1, x.from);
  a(2, x.reads);
}

template <class A>
void describe(A& a, WriteExtents& x) {
  a(1, x.to);
  a(2, x.values);
}

template <class A>
void describe(A& a, SetExtents::Set& x) {
  a(1, x.symbol);
  a(2, x.value);
}

template <class A>
void describe(A& a, SetExtents& x) {
  a(1, x.sets);
}

template <class A>
void describe(A& a, If& x) {
  a(1, x.condition);
  a(2, x.then_steps);
  a(3, x.else_steps);
}

template <class A>
void describe(A& a, Fail& x) {
  a(1, x.message);
}

template <class A>
void describe(A& a, LibraryCall& x) {
  a(1, x.library);
  a(2, x.text);
  a(3, x.operands);
}

template <class A>
void describe(A& a, PluginCall& x) {
  a(1, x.plugin);
  a(2, x.domain);
  a(3, x.op);
  a(4, x.version);
  a(5, x.attributes);
  a(6, x.inputs);
  a(7, x.outputs);
  a(8, x.workspace);
}

template <class A>
void describe(A& a, Work& x) {
  a(1, x.flops);
  a(2, x.bytes_read);
  a(3, x.bytes_written);
}

template <class A>
void describe(A& a, RefitRecord& x) {
  a(1, x.stripped);
  a(2, x.model);
  a(3, x.weights);
  a.enumeration(4, x.half, DType::boolean);
  a(5, x.tf32);
  a(6, x.node_precisions);
  a(7, x.shapes);
  a(8, x.profiles);
  a(9, x.input_formats);
  a(10, x.output_formats);
  a(11, x.workspace_bytes);
  a(12, x.level);
  a(13, x.any_library);
  a(14, x.libraries);
  a(15, x.kernels);
  a(16, x.decomposed_attention);
  a(17, x.debug_tensors);
  a(18, x.debug_unfused);
  a(19, x.shared_bytes);
  a(20, x.max_branches);
}

template <class A>
void describe(A& a, RefitRecord::Weight& x) {
  a(1, x.name);
  a(2, x.layer);
  a(3, x.role);
  a.enumeration(4, x.dtype, DType::boolean);
  a(5, x.shape);
  a(6, x.fixed);
  a(7, x.checksum);
  a(8, x.stored);
  a(9, x.offset);
}

template <class A>
void describe(A& a, RefitRecord::NodePrecision& x) {
  a(1, x.pattern);
  a.enumeration(2, x.dtype, DType::boolean);
  a(3, x.result);
}

template <class A>
void describe(A& a, RefitRecord::Shape& x) {
  a(1, x.input);
  a(2, x.extents);
}

template <class A>
void describe(A& a, RefitRecord::Ranges& x) {
  a(1, x.input);
  a(2, x.axes);
}

template <class A>
void describe(A& a, RefitRecord::Profile& x) {
  a(1, x.inputs);
}

template <class A>
void describe(A& a, RefitRecord::Format& x) {
  a(1, x.port);
  a(2, x.typed);
  a.enumeration(3, x.dtype, DType::boolean);
  a(4, x.channels_last);
}

/// Field 10 + i holds what a step does, of the i-th kind in the order of plan.h.
template <class A>
void describe(A& a, Step& x) {
  a(1, x.name);
  a(2, x.stage);
  a(3, x.work);
  a.choice(10, x.what);
}

}  // namespace burnish::wire
