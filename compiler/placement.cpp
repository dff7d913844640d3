#include <algorithm>
#include <numeric>

#include "compiler/lowering.h"

namespace burnish {

Dim Lowering::bytes_of(const TensorType& type) {
  return dims_.mul(dims_.product(type.shape), dims_.constant(static_cast<int64_t>(size_of(type.dtype))));
}

uint32_t Lowering::add_buffer(Space space, Dim bytes) {
  Buffer b;
  b.space = space;
  b.bytes = slot(bytes);
  b.stage = program_.stage(bytes);
  out_.plan.buffers.push_back(b);
  buffer_bytes_.push_back(bytes);
  return static_cast<uint32_t>(out_.plan.buffers.size() - 1);
}

Placed Lowering::allocate(Scope& scope, ValueId v, Space space, std::span<const int> order) {
  if (space == Space::device)
    if (const auto part = allocate_part(scope, v, order)) {
      scope.at(space, v) = *part;
      return *part;
    }
  const TensorType& type = scope.graph.values[v].type;
  const uint32_t buffer = add_buffer(space, bytes_of(type));
  const Placed placed{buffer, {dims_.constant(0), strides_in_order(order, type.shape)}};
  const Space home = options_.backend ? Space::device : Space::host;
  if (&scope == &top_ && space == home && outputs_.contains(v) &&  // no copy at the end
      has_strides(placed.view, type.shape, strides_in_order(wanted_order(scope, v), type.shape))) {
    outputs_.erase(v);
    output_buffer_[v] = buffer;
    out_.plan.buffers[buffer].kind = Buffer::Kind::output;
  }
  scope.at(space, v) = placed;
  return placed;
}

void Lowering::withdraw(Scope& scope, ValueId v, Space space) {
  scope.at(space, v).reset();
  if (const auto part = scope.parts.find(v); part != scope.parts.end()) part->second.in_place = false;
  const auto output = &scope == &top_ ? output_buffer_.find(v) : output_buffer_.end();
  if (output == output_buffer_.end()) return;
  out_.plan.buffers[output->second].kind = Buffer::Kind::temporary;
  output_buffer_.erase(output);
  outputs_.insert(v);
}

Placed Lowering::place_constant(const Tensor& tensor, Space space) {
  auto [it, fresh] = constant_numbers_.try_emplace({tensor.storage().get(), tensor.byte_size()},
                                                   static_cast<uint32_t>(out_.constants.size()));
  if (fresh) {
    out_.constants.push_back(tensor);
    out_.plan.constants.push_back({0, tensor.byte_size()});
  }
  TensorType type{tensor.dtype(), {}};
  for (int64_t extent : tensor.shape()) type.shape.push_back(dims_.constant(extent));
  const Placed dense{0, {dims_.constant(0), dense_strides(dims_, type.shape)}};
  for (uint32_t i = 0; i < out_.plan.buffers.size(); ++i) {
    const Buffer& b = out_.plan.buffers[i];
    if (b.kind == Buffer::Kind::constant && b.index == it->second && b.space == space) return {i, dense.view};
  }
  const uint32_t buffer = add_buffer(space, bytes_of(type));
  out_.plan.buffers[buffer].kind = Buffer::Kind::constant;
  out_.plan.buffers[buffer].index = it->second;
  return {buffer, dense.view};
}

bool Lowering::is_dense(const StridedView& view, std::span<const Dim> shape) {
  return has_strides(view, shape, dense_strides(dims_, shape));
}

bool Lowering::has_strides(const StridedView& view, std::span<const Dim> shape,
                           std::span<const Dim> strides) {
  for (size_t i = 0; i < shape.size(); ++i)
    if (view.strides[i] != strides[i] && !dims_.is_constant(shape[i], 1)) return false;
  return true;
}

std::vector<Dim> Lowering::strides_in_order(std::span<const int> order, std::span<const Dim> shape) {
  std::vector<Dim> strides = dense_strides(dims_, shape);
  Dim stride = dims_.constant(1);
  for (size_t k = order.size(); k-- > 0;) {
    const size_t axis = static_cast<size_t>(order[k]);
    strides[axis] = stride;
    stride = dims_.mul(stride, shape[axis]);
  }
  return strides;
}

std::vector<int> Lowering::wanted_order(const Scope& scope, ValueId v) const {
  const auto found = &scope == &top_ ? output_orders_.find(v) : output_orders_.end();
  return found == output_orders_.end() ? std::vector<int>() : found->second;
}

void Lowering::note_move(std::string what, const std::string& why) {
  if (options_.backend) out_.plan.moves.push_back(std::move(what) + ": " + why);
}

Operand Lowering::operand(const Placed& placed, const TensorType& type) {
  Operand x{.buffer = placed.buffer, .dtype = type.dtype, .offset = slot(placed.view.offset)};
  for (Dim d : type.shape) x.extents.push_back(slot(d));
  for (Dim d : placed.view.strides) x.strides.push_back(slot(d));
  return x;
}

Step& Lowering::add_step(std::string name, decltype(Step::what) what) {
  steps_->push_back({.name = std::move(name), .what = std::move(what)});
  return steps_->back();
}

Result<> Lowering::copy_into(const Placed& from, Space from_space, const Placed& to, Space to_space,
                             const TensorType& type, std::string name) {
  if (from_space == Space::device && to_space == Space::device) {
    Graph scratch;
    scratch.dims = top_.graph.dims;
    const ValueId x = scratch.add_value(type), y = scratch.add_value(type);
    Node node{.op = find_op("Identity"), .inputs = {x}, .outputs = {y}};
    Scope scope(scratch, nullptr);
    DeviceOperands operands(*this, scope, node, {from}, {to});
    if (Verdict v = options_.backend->describe(operands); !v)
      return Error(Code::internal, "copy kernel refused: " + v.reason());
    return add_calls(scope, operands, std::move(name));
  }
  const Slot bytes = slot(bytes_of(type));
  add_step(std::move(name), Copy{operand(from, type), operand(to, type)}).work = {slot(dims_.constant(0)),
                                                                                  bytes, bytes};
  return {};
}

Result<Placed> Lowering::copy(const Placed& from, const TensorType& type, Space from_space, Space to_space,
                              std::string name) {
  Placed source = from;
  if (from_space != to_space && !is_dense(from.view, type.shape))
    source = TRY(copy(from, type, from_space, from_space, name));
  const Placed to{add_buffer(to_space, bytes_of(type)),
                  {dims_.constant(0), dense_strides(dims_, type.shape)}};
  TRY(copy_into(source, from_space, to, to_space, type, std::move(name)));
  return to;
}

Result<Placed> Lowering::place(Scope& scope, ValueId v, Space space) {
  if (auto& known = scope.at(space, v)) return *known;
  const Value& value = scope.graph.values[v];
  if (value.constant) {
    scope.at(space, v) = place_constant(*value.constant, space);
    return *scope.at(space, v);
  }
  const Space other = space == Space::host ? Space::device : Space::host;
  const std::optional<Placed> from = scope.at(other, v);
  if (!from) return Error(Code::internal, "value '" + value.name + "' is read before it is made");
  note_move("copy of '" + value.name + "'", space == Space::host
                                                ? "it is made on the device and read on the host"
                                                : "it is made on the host and read on the device");
  const Placed moved = TRY(copy(*from, value.type, other, space, "copy of " + value.name));
  scope.at(space, v) = moved;
  return moved;
}

Result<Placed> Lowering::place_dense(Scope& scope, ValueId v, Space space, const std::string& why) {
  const Placed placed = TRY(place(scope, v, space));
  const TensorType& type = scope.graph.values[v].type;
  if (is_dense(placed.view, type.shape)) return placed;
  note_move("dense copy of '" + scope.graph.values[v].name + "'", why);
  const Placed dense = TRY(copy(placed, type, space, space, "dense copy of " + scope.graph.values[v].name));
  scope.at(space, v) = dense;
  return dense;
}

Result<> Lowering::declare(Scope& scope, Dim d) {
  for (Dim symbol : dims_.symbols(d)) {
    if (program_.declared(symbol)) continue;
    Scope* owner = &scope;
    while (owner && !owner->graph.origins.contains(symbol)) owner = owner->outer;
    if (!owner || owner->graph.origins.at(symbol).kind != SymbolOrigin::Kind::content)
      return Error(Code::internal, "extent '" + dims_.text(symbol) + "' is used before it is known");
    const ValueId v = owner->graph.origins.at(symbol).value;
    const Placed placed = TRY(place_dense(*owner, v, Space::host));
    const uint32_t stage = ++stages_;
    ReadExtents read{.from = operand(placed, owner->graph.values[v].type)};
    for (const auto& [other, origin] : owner->graph.origins)
      if (origin.value == v && origin.kind == SymbolOrigin::Kind::content && !program_.declared(other)) {
        program_.declare(other, stage);
        read.reads.push_back({origin.index, slot(other)});
      }
    add_step("extents from " + owner->graph.values[v].name, std::move(read)).stage = stage;
  }
  return {};
}

Result<> Lowering::declare(Scope& scope, const TensorType& type) {
  for (Dim d : type.shape) TRY(declare(scope, d));
  return {};
}

int64_t Lowering::at_optimum(Dim d) const {
  return dims_.evaluate(d, [&](Dim symbol) { return options_.optimum(dims_, symbol); });
}

std::vector<int> Lowering::memory_order(const Placed& placed, std::span<const Dim> shape) {
  std::vector<int64_t> strides;
  for (Dim d : placed.view.strides) strides.push_back(at_optimum(d));
  std::vector<int> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = 0; i < shape.size(); ++i)
    if (strides[i] == 0 && !dims_.is_constant(shape[i], 1)) return order;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return strides[static_cast<size_t>(a)] > strides[static_cast<size_t>(b)];
  });
  return order;
}

bool Lowering::lies_in_order(const Placed& placed, std::span<const Dim> shape, std::span<const int> order) {
  std::vector<int> wanted(order.begin(), order.end()), found = memory_order(placed, shape);
  if (wanted.empty()) {
    wanted.resize(shape.size());
    std::iota(wanted.begin(), wanted.end(), 0);
  }
  for (std::vector<int>* axes : {&wanted, &found})
    std::erase_if(*axes, [&](int axis) { return dims_.is_constant(shape[static_cast<size_t>(axis)], 1); });
  return wanted == found;
}

namespace {

// The largest power of two up to 64 that divides d whatever its symbols are.
int64_t alignment_of(const DimTable& dims, Dim d) {
  int64_t all = 64;
  for (const DimTable::Term& term : dims.terms(d))
    while (term.coefficient % all != 0) all /= 2;
  return all;
}

}  // namespace

int64_t DeviceOperands::in_alignment(size_t i) const { return alignment_of(dims, in_[i]->view.offset); }
int64_t DeviceOperands::out_alignment(size_t i) const { return alignment_of(dims, out_[i]->view.offset); }
bool DeviceOperands::tf32() const { return lowering_.options_.tf32; }
std::string_view DeviceOperands::architecture() const { return lowering_.options_.backend->target(); }

bool DeviceOperands::is_constant(OperandPointer p) const {
  return lowering_.out_.plan.buffers[target(p).placed.buffer].kind == Buffer::Kind::constant;
}

void DeviceOperands::make_dense(size_t i) {
  const TensorType& type = in(i);
  if (lowering_.is_dense(in_[i]->view, type.shape)) return;
  lowering_.note_move(burnish::describe(node), "its kernel wants operand " + std::to_string(i) + " dense");
  auto made = lowering_.copy(*in_[i], type, Space::device, Space::device,
                             "dense copy for " + burnish::describe(node));
  if (made) in_[i] = *made;
  else status = std::move(made).error();
}

OperandPointer DeviceOperands::scratch(DType dtype, Dim count) {
  const Dim bytes = dims.mul(count, dims.constant(static_cast<int64_t>(size_of(dtype))));
  extra_.push_back({{lowering_.add_buffer(Space::device, bytes), {dims.constant(0), {}}}, dtype});
  extra_written_.push_back(true);
  return {OperandPointer::Kind::extra, static_cast<uint32_t>(extra_.size() - 1)};
}

OperandPointer DeviceOperands::constant(Tensor tensor) {
  extra_.push_back({lowering_.place_constant(tensor, Space::device), tensor.dtype()});
  extra_written_.push_back(false);
  return {OperandPointer::Kind::extra, static_cast<uint32_t>(extra_.size() - 1)};
}

DeviceOperands::Target DeviceOperands::target(OperandPointer p) const {
  switch (p.kind) {
    case OperandPointer::Kind::input: return {*in_[p.index], in(p.index).dtype, false};
    case OperandPointer::Kind::output: return {*out_[p.index], out(p.index).dtype, true};
    case OperandPointer::Kind::extra: break;
  }
  return {extra_[p.index].first, extra_[p.index].second, extra_written_[p.index]};
}

}  // namespace burnish
