#include "plugin/operator.h"

#include <algorithm>

namespace burnish::plugin {

namespace {

/// The one line that a plugin wrote, whatever it wrote.
std::string line_of(const burnish_plugin_reason& reason) {
  std::string text(reason.text, std::find(reason.text, std::end(reason.text), '\0'));
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' '; }, ' ');
  return text.empty() ? "it does not say why" : text;
}

/// Extents of a DimTable as a plugin sees them: by their ids. One that is none spoils what follows from it.
class Extents {
 public:
  explicit Extents(DimTable& dims) : dims_(dims) {}

  burnish_extents functions() {
    return {.self = this,
            .constant = [](void* self,
                           int64_t value) { return static_cast<Extents*>(self)->dims_.constant(value).id; },
            .combine = [](void* self, burnish_extent_operation op, burnish_extent a,
                          burnish_extent b) { return static_cast<Extents*>(self)->combine(op, a, b); },
            .range =
                [](void* self, burnish_extent e, int64_t* least, int64_t* most) {
                  auto& extents = *static_cast<Extents*>(self);
                  const Range r = extents.is_one(e) ? extents.dims_.range(Dim{e}) : Range{};
                  *least = r.lo;
                  *most = r.hi;
                }};
  }
  bool is_one(burnish_extent e) const { return e < dims_.size(); }

 private:
  static constexpr burnish_extent none = ~burnish_extent{0};
  burnish_extent combine(burnish_extent_operation op, burnish_extent a, burnish_extent b) {
    if (!is_one(a) || !is_one(b)) return none;
    const Dim x{a}, y{b};
    switch (op) {
      case BURNISH_EXTENT_SUM: return dims_.add(x, y).id;
      case BURNISH_EXTENT_DIFFERENCE: return dims_.sub(x, y).id;
      case BURNISH_EXTENT_PRODUCT: return dims_.mul(x, y).id;
      case BURNISH_EXTENT_FLOOR_DIVIDE: return dims_.floor_div(x, y).id;
      case BURNISH_EXTENT_CEIL_DIVIDE: return dims_.ceil_div(x, y).id;
      case BURNISH_EXTENT_MIN: return dims_.min(x, y).id;
      case BURNISH_EXTENT_MAX: return dims_.max(x, y).id;
      case BURNISH_EXTENT_EQUAL: return dims_.equal(x, y).id;
      case BURNISH_EXTENT_LESS: return dims_.less(x, y).id;
    }
    return none;
  }
  DimTable& dims_;
};

std::vector<burnish_plugin_type> types_of(std::span<const OperandType> operands) {
  std::vector<burnish_plugin_type> types;
  for (const OperandType& operand : operands) {
    burnish_plugin_type& type = types.emplace_back();
    type.dtype = static_cast<burnish_dtype>(operand.dtype);
    type.rank = operand.left_out ? -1 : static_cast<int>(operand.shape.size());
    for (size_t k = 0; k < operand.shape.size(); ++k) type.extents[k] = operand.shape[k].id;
  }
  return types;
}

}  // namespace

template <class F>
Result<> Operator::call(const char* function, const F& f) const {
  burnish_plugin_reason reason{};
  if (f(&reason) == 0) return {};
  return Error(Code::invalid_argument, "plugin '" + plugin_ + "' fails in `" + function + "` of " +
                                           name_of(*op_) + ": " + line_of(reason))
      .remedy("see what plugin '" + plugin_ + "' asks of its nodes and inputs");
}

Result<Operator> Operator::create(const Found& found, const For& told,
                                  const std::vector<Attribute>& attributes) {
  Operator made(found);
  if (!found.op->create) return made;
  const AttributeViews views(attributes);
  const burnish_plugin_node node{.name = told.node.c_str(),
                                 .phase = told.phase,
                                 .memory = told.memory,
                                 .attributes = views.all().data(),
                                 .attribute_count = static_cast<int>(views.all().size())};
  void* state = nullptr;
  TRY(made.call("create", [&](burnish_plugin_reason* reason) {
    return found.op->create(found.op->user, &node, &state, reason);
  }));
  made.state_ = std::shared_ptr<void>(state, [destroy = found.op->destroy](void* s) {
    if (destroy) destroy(s);
  });
  return made;
}

Result<std::vector<OperandType>> Operator::infer(DimTable& dims, std::span<const OperandType> inputs) const {
  Extents extents(dims);
  const burnish_extents functions = extents.functions();
  const std::vector<burnish_plugin_type> in = types_of(inputs);
  std::vector<burnish_plugin_type> out(BURNISH_PLUGIN_MAX_OUTPUTS);
  int count = 0;
  TRY(call("infer", [&](burnish_plugin_reason* reason) {
    return op_->infer(state_.get(), &functions, in.data(), static_cast<int>(in.size()), out.data(), &count,
                      reason);
  }));
  const auto wrong = [&](std::string what) {
    return Error(Code::invalid_argument,
                 "plugin '" + plugin_ + "' infers " + std::move(what) + " of " + name_of(*op_))
        .remedy("this is an error of the plugin: see burnish_plugin.h");
  };
  if (count < 1 || count > BURNISH_PLUGIN_MAX_OUTPUTS) return wrong(std::to_string(count) + " outputs");
  std::vector<OperandType> outputs;
  for (int i = 0; i < count; ++i) {
    const burnish_plugin_type& type = out[static_cast<size_t>(i)];
    const std::string output = "output " + std::to_string(i);
    if (type.dtype < 0 || type.dtype >= dtype_count) return wrong("no element type for " + output);
    if (type.rank < 0 || type.rank > BURNISH_MAX_RANK)
      return wrong("rank " + std::to_string(type.rank) + " for " + output);
    OperandType& made = outputs.emplace_back(OperandType{.dtype = static_cast<DType>(type.dtype)});
    for (int axis = 0; axis < type.rank; ++axis) {
      const burnish_extent e = type.extents[axis];
      if (!extents.is_one(e) || dims.range(Dim{e}).hi < 0)
        return wrong("no extent for axis " + std::to_string(axis) + " of " + output);
      made.shape.push_back(Dim{e});
    }
  }
  return outputs;
}

Result<Dim> Operator::workspace(DimTable& dims, std::span<const OperandType> inputs,
                                std::span<const OperandType> outputs) const {
  if (!op_->workspace) return dims.constant(0);
  Extents extents(dims);
  const burnish_extents functions = extents.functions();
  const std::vector<burnish_plugin_type> in = types_of(inputs), out = types_of(outputs);
  burnish_extent bytes = dims.constant(0).id;
  TRY(call("workspace", [&](burnish_plugin_reason* reason) {
    return op_->workspace(state_.get(), &functions, in.data(), static_cast<int>(in.size()), out.data(),
                          static_cast<int>(out.size()), &bytes, reason);
  }));
  if (!extents.is_one(bytes) || dims.range(Dim{bytes}).hi < 0)
    return Error(Code::invalid_argument,
                 "plugin '" + plugin_ + "' gives no size for the workspace of " + name_of(*op_))
        .remedy("this is an error of the plugin: see burnish_plugin.h");
  return Dim{bytes};
}

Result<std::vector<Attribute>> Operator::attributes(const std::vector<Attribute>& of_node) const {
  if (!op_->attributes) return of_node;
  const burnish_attribute* list = nullptr;
  int count = 0;
  TRY(call("attributes", [&](burnish_plugin_reason* reason) {
    return op_->attributes(state_.get(), &list, &count, reason);
  }));
  return copies_of({list, static_cast<size_t>(list ? count : 0)})
      .during("asking plugin '" + plugin_ + "' for attributes");
}

Result<> Operator::run(std::span<const burnish_tensor> inputs, std::span<const burnish_tensor> outputs,
                       void* workspace) const {
  return call("run", [&](burnish_plugin_reason* reason) {
    return op_->run(state_.get(), inputs.data(), static_cast<int>(inputs.size()), outputs.data(),
                    static_cast<int>(outputs.size()), workspace, reason);
  });
}

Result<> Operator::enqueue(std::span<const burnish_tensor> inputs, std::span<const burnish_tensor> outputs,
                           void* workspace, void* stream) const {
  return call("enqueue", [&](burnish_plugin_reason* reason) {
    return op_->enqueue(state_.get(), inputs.data(), static_cast<int>(inputs.size()), outputs.data(),
                        static_cast<int>(outputs.size()), workspace, stream, reason);
  });
}

}  // namespace burnish::plugin
