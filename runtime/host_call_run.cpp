#include "runtime/host_call_run.h"

#include <algorithm>
#include <cstring>

namespace burnish {

Error HostCallRun::wrong(const std::string& what) const {
  return Error(Code::internal, "step '" + step_.name + "' " + what).remedy("report this with the model");
}

bool HostCallRun::is_late(const Operand& output) const {
  if (step_.stage == 0) return false;
  const uint32_t begin = executor_.plan_.shapes.stage_ends[step_.stage - 1];
  return std::any_of(output.extents.begin(), output.extents.end(), [&](Slot s) { return s >= begin; });
}

HostTensor HostCallRun::tensor(const Operand& x, bool output) {
  HostTensor t{static_cast<uint32_t>(x.dtype), host_tensor_absent, nullptr, nullptr};
  if (x.buffer == Operand::none) return t;
  if (output && is_late(x)) {
    t.rank = host_tensor_late;
    return t;
  }
  shapes_.push_back(executor_.values(x.extents));
  t.rank = static_cast<int32_t>(x.extents.size());
  t.shape = shapes_.back().data();
  t.bytes = executor_.host_address(x);
  return t;
}

Result<> HostCallRun::check_shape(uint32_t output, const Shape& shape) const {
  const Operand& x = call_.outputs[output];
  if (shape == executor_.values(x.extents)) return {};
  return wrong("gives output " + std::to_string(output) + " as " + text_of(x.dtype, shape) +
               " where the engine expects " + text_of(x.dtype, executor_.values(x.extents)));
}

Result<void*> HostCallRun::allocate(uint32_t output, Shape shape) {
  if (output >= call_.outputs.size() || call_.outputs[output].buffer == Operand::none ||
      shape.size() != call_.outputs[output].extents.size())
    return wrong("asks for memory for an output that it does not have");
  for (size_t i = 0; i < call_.late.size(); ++i) {
    if (call_.late[i].output != output) continue;
    executor_.slots_[call_.late[i].symbol] = shape[call_.late[i].axis];
    known_[i] = true;
  }
  if (!evaluated_ && step_.stage != 0 && std::find(known_.begin(), known_.end(), false) == known_.end()) {
    evaluated_ = true;
    TRY(executor_.evaluate_stage(step_.stage));
  }
  if (evaluated_ || !is_late(call_.outputs[output])) {
    TRY(check_shape(output, shape));
    return static_cast<void*>(executor_.host_address(call_.outputs[output]));
  }
  Early& early = early_.emplace_back(Early{output, std::move(shape), {}});
  TRY(early.block.reserve(TRY(byte_count(call_.outputs[output].dtype, early.shape))));
  return static_cast<void*>(early.block.data());
}

Result<> HostCallRun::settle() {
  if (step_.stage != 0 && !evaluated_) return wrong("did not say the extents of its outputs");
  for (const Early& early : early_) {
    TRY(check_shape(early.output, early.shape));
    const Operand& x = call_.outputs[early.output];
    std::memcpy(executor_.host_address(x), early.block.data(), TRY(byte_count(x.dtype, early.shape)));
  }
  return {};
}

Result<> HostCallRun::run() {
  std::vector<HostTensor> inputs, outputs;
  shapes_.reserve(call_.inputs.size() + call_.outputs.size());  // tensors point into it
  for (const Operand& x : call_.inputs) inputs.push_back(tensor(x, false));
  for (const Operand& x : call_.outputs) outputs.push_back(tensor(x, true));
  const HostCallbacks callbacks{this,
                                [](void* user, uint32_t output, int32_t rank, const int64_t* shape) -> void* {
                                  auto& self = *static_cast<HostCallRun*>(user);
                                  Result<void*> place = self.allocate(output, Shape(shape, shape + rank));
                                  if (place) return *place;
                                  self.error_ = std::move(place).error();
                                  return nullptr;
                                },
                                [](void* user, int32_t code, const char* cause, const char* remedy) {
                                  HostFailure::report(&static_cast<HostCallRun*>(user)->failure_, code, cause,
                                                      remedy);
                                }};
  const int32_t failed =
      executor_.calls_->provider().run(executor_.calls_->at(call_), executor_.pool_->get(), inputs.data(),
                                       static_cast<uint32_t>(inputs.size()), outputs.data(),
                                       static_cast<uint32_t>(outputs.size()), &callbacks);
  if (error_) return *std::move(error_);
  if (failed) return std::move(failure_).error();
  return settle();
}

}  // namespace burnish
