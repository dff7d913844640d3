#include "compiler/lower.h"

#include <algorithm>
#include <numeric>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "compiler/lowering.h"
#include "compiler/memory.h"
#include "compiler/remap.h"
#include "compiler/work.h"
#include "ir/anchor.h"
#include "ir/device_text.h"
#include "ir/text.h"

namespace burnish {

std::string name_of(const Node& node) {
  std::string name;
  for (const std::string& part : node.provenance) name += (name.empty() ? "" : " + ") + part;
  return name.empty() ? std::string(node.op->name) : name;
}

namespace {

// Elements that inference knows it will know again when the body runs, and constants may have thousands.
void forget_contents(Graph& graph) {
  for (Value& value : graph.values)
    if (!value.constant) value.content.reset();
  for (Node& node : graph.nodes)
    for (Graph& region : node.regions) forget_contents(region);
}

// Empty where a node does more than to move data.
std::string why_it_moves(const Graph& graph, const Node& node) {
  static const std::map<std::string_view, std::string> reasons = {
      {"Concat", "no operand can be written in place"},
      {"Gather", "its indices are known only when it runs"},
      {"GatherElements", "its indices are known only when it runs"},
      {"GatherND", "its indices are known only when it runs"},
      {"Pad", "its border has to be written"},
      {"Tile", "strides cannot repeat an axis"},
      {"DepthToSpace", "blocks become rows"},
      {"SpaceToDepth", "rows become blocks"},
      {"Expand", "its extents are known only when it runs"},
      {"Slice", "its bounds are known only when it runs"},
  };
  if (node.op->name == "Gather" && graph.constant(node.inputs[1]))
    return "strides cannot say which rows it picks";
  const auto found = reasons.find(node.op->name);
  return found == reasons.end() ? "" : found->second;
}

// The node alone, as text: what the host provider needs to run it.
std::string call_text(const Graph& graph, const Node& node) {
  Graph call;
  call.dims = graph.dims;
  call.name = "call";
  Node alone = node;
  for (ValueId& v : alone.inputs)
    if (v != no_value) call.inputs.push_back(v = call.add_value({graph.values[v].type.dtype, {}}));
  for (ValueId& v : alone.outputs)
    if (v != no_value) {
      v = call.add_value({graph.values[v].type.dtype, {}});
      call.outputs.push_back(v);
    }
  for (Graph& body : alone.regions) forget_contents(body);
  call.nodes.push_back(std::move(alone));
  call.index();
  return print(call);
}

}  // namespace

bool Lowering::prefers_host(Scope& scope, const Node& node) {
  // Small integer work whose operands are already on the host stays there: it steers shapes and branches.
  constexpr int64_t small = 1024;
  const Graph& g = scope.graph;
  for (ValueId v : node.outputs)
    if (v != no_value &&
        (is_float(g.values[v].type.dtype) || dims_.range(dims_.product(g.values[v].type.shape)).hi > small))
      return false;
  for (ValueId v : node.inputs)
    if (v != no_value && !g.constant(v) && !scope.at(Space::host, v)) return false;
  return true;
}

Result<bool> Lowering::lower_view(Scope& scope, const Node& node) {
  const ValueId x = node.inputs[0];
  const Value& in = scope.graph.values[x];
  Space space = Space::host;
  if (options_.backend && (in.constant || !scope.at(Space::host, x))) space = Space::device;
  std::vector<StridedView> out(node.outputs.size());
  auto is_view = [&](const StridedView& from) {
    ViewCtx ctx{scope.graph, node, dims_, in.type.shape, from, out};
    return node.op->view(ctx);
  };
  // A copy is made only where a dense operand is all that is missing.
  if (!is_view({dims_.constant(0), dense_strides(dims_, in.type.shape)})) return false;
  Placed placed = TRY(place(scope, x, space));
  out.assign(node.outputs.size(), {});
  if (!is_view(placed.view)) {
    placed = TRY(place_dense(scope, x, space, describe(node) + " has no strides for the order it lies in"));
    out.assign(node.outputs.size(), {});
    if (!is_view(placed.view)) return false;
  }
  for (size_t i = 0; i < out.size(); ++i)
    if (node.outputs[i] != no_value) scope.at(space, node.outputs[i]) = Placed{placed.buffer, out[i]};
  return true;
}

Result<> Lowering::lower_dims(Scope& scope, const Node& node) {
  const ValueId y = node.outputs[0];
  const Placed to = allocate(scope, y, Space::host);
  WriteExtents write{.to = operand(to, scope.graph.values[y].type)};
  for (Dim d : *scope.graph.content(y)) {
    TRY(declare(scope, d));
    write.values.push_back(slot(d));
  }
  add_step(name_of(node), std::move(write));
  return {};
}

bool Lowering::is_found_by_running(const Scope& scope, Dim d) const {
  const auto origin = scope.graph.origins.find(d);
  return !program_.declared(d) && dims_.op(d) == DimOp::symbol && origin != scope.graph.origins.end() &&
         origin->second.kind == SymbolOrigin::Kind::extent;
}

Result<> Lowering::lower_on_host(Scope& scope, const Node& node) {
  if (!node.op->eval)
    return Error(Code::unsupported, describe(node) + ": no provider can run this operator on target '" +
                                        (options_.backend ? std::string(options_.backend->target()) : "cpu") +
                                        "'")
        .remedy("report the model, or replace the operator before exporting");
  HostCall call{.text = call_text(scope.graph, node)};
  for (ValueId v : node.inputs) {
    if (v == no_value) call.inputs.emplace_back();
    else call.inputs.push_back(operand(TRY(place_dense(scope, v, Space::host)), scope.graph.values[v].type));
  }
  uint32_t stage = 0;
  for (uint32_t i = 0; i < node.outputs.size(); ++i) {  // extents that this call will find
    if (node.outputs[i] == no_value) continue;
    const TensorType& type = scope.graph.values[node.outputs[i]].type;
    for (uint32_t axis = 0; axis < type.shape.size(); ++axis) {
      const Dim d = type.shape[axis];
      if (!is_found_by_running(scope, d)) continue;
      if (stage == 0) stage = ++stages_;
      program_.declare(d, stage);
      call.late.push_back({i, axis, slot(d)});
    }
  }
  for (ValueId v : node.outputs) {
    if (v == no_value) {
      call.outputs.emplace_back();
      continue;
    }
    TRY(declare(scope, scope.graph.values[v].type));
    call.outputs.push_back(operand(allocate(scope, v, Space::host), scope.graph.values[v].type));
  }
  add_step(name_of(node), std::move(call)).stage = stage;
  return {};
}

Result<> Lowering::add_calls(Scope& scope, DeviceOperands& operands, std::string name) {
  const WorkDims dims = work_of(scope.graph, operands.node, operands.inputs());
  Work work{slot(dims.flops), slot(dims.bytes_read), slot(dims.bytes_written)};
  const auto argument = [&](OperandPointer p) {
    const DeviceOperands::Target t = operands.target(p);
    return KernelLaunch::Argument{.kind = KernelLaunch::Argument::Kind::pointer,
                                  .buffer = t.placed.buffer,
                                  .element_size = static_cast<uint32_t>(size_of(t.dtype)),
                                  .slot = slot(t.placed.view.offset),
                                  .written = t.written};
  };
  const auto tensor_map = [&](const TensorMap& map) {
    KernelLaunch::Argument a = argument(map.pointer);
    a.kind = KernelLaunch::Argument::Kind::tensor_map;
    for (Dim d : map.extents) a.extents.push_back(slot(d));
    for (Dim d : map.strides) a.strides.push_back(slot(d));
    a.box = map.box;
    a.windows = windows_of(map);
    return a;
  };
  for (const RoutineCall& call : operands.routines) {
    LibraryCall step{.library = call.library, .text = call.text};
    for (const OperandPointer p : call.operands) step.operands.push_back(argument(p));
    add_step(name, std::move(step)).work = std::exchange(work, {});
  }
  for (const KernelCall& call : operands.calls) {
    const Backend::Source source = options_.backend->emit(operands, call);
    auto [it, fresh] = module_of_source_.try_emplace(source.text, static_cast<uint32_t>(out_.sources.size()));
    if (fresh) {
      out_.sources.push_back(source.text);
      out_.plan.modules.push_back({.target = std::string(options_.backend->target()),
                                   .source = XXH3_64bits(source.text.data(), source.text.size())});
    }
    KernelLaunch launch{.module = it->second,
                        .function = "kernel",
                        .shared_bytes = static_cast<uint32_t>(call.shared_bytes),
                        .starts_early = options_.limits.start_early(operands)};
    for (size_t k = 0; k < 3; ++k) {
      launch.grid[k] = slot(call.grid[k]);
      launch.block[k] = static_cast<uint32_t>(call.block[k]);
    }
    for (const KernelArgument& a : source.arguments)
      if (const Dim* d = std::get_if<Dim>(&a))
        launch.arguments.push_back({.kind = KernelLaunch::Argument::Kind::integer, .slot = slot(*d)});
      else if (const auto* map = std::get_if<TensorMap>(&a)) launch.arguments.push_back(tensor_map(*map));
      else launch.arguments.push_back(argument(std::get<OperandPointer>(a)));
    add_step(name, std::move(launch)).work = std::exchange(work, {});
  }
  return {};
}

namespace {

/// The operator that lays down the order of a node's result.
const OpDef& leading_op(const Node& node) { return *anchor_of(node).op; }

/// By operand of the node: whether its result y is made of it.
std::vector<bool> operands_of(const Node& node, ValueId y) {
  std::vector<bool> read(node.inputs.size(), true);
  if (node.outputs.size() == 1 || node.op->name != "Fused") return read;
  const Graph& body = node.regions[0];
  std::vector<bool> needed(body.values.size());
  needed[body.outputs[static_cast<size_t>(std::ranges::find(node.outputs, y) - node.outputs.begin())]] = true;
  for (size_t n = body.nodes.size(); n-- > 0;)
    if (needed[body.nodes[n].outputs[0]])
      for (ValueId v : body.nodes[n].inputs) needed[v] = true;
  for (size_t i = 0; i < read.size(); ++i) read[i] = needed[body.inputs[i]];
  return read;
}

bool may_lie_channels_last(size_t rank) { return rank >= 3 && rank <= 5; }

std::vector<int> channels_last(size_t rank) {
  std::vector<int> order{0};
  for (size_t axis = 2; axis < rank; ++axis) order.push_back(static_cast<int>(axis));
  order.push_back(1);
  return order;
}

}  // namespace

// Only channels that can be copied 16 bytes at a time are worth it.
void Lowering::find_for_windows(Scope& scope) {
  const Graph& g = scope.graph;
  scope.for_windows.assign(g.values.size(), false);
  for (size_t n = g.nodes.size(); n-- > 0;) {
    const Node& node = g.nodes[n];
    if (node.dead || node.outputs.empty() || node.outputs[0] == no_value) continue;
    const OpDef& op = leading_op(node);
    for (ValueId y : op.scalar ? node.outputs : std::vector{node.outputs[0]}) {
      const TensorType& result = g.values[y].type;
      if (!op.channels_last && !(op.keeps_order && scope.for_windows[y])) continue;
      const std::vector<bool> made_of = operands_of(node, y);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] == no_value || g.constant(node.inputs[i]) || !made_of[i]) continue;
        const TensorType& type = g.values[node.inputs[i]].type;
        const bool read = i == 0 || type.shape == result.shape;
        if (read && type.shape.size() == result.shape.size() && may_lie_channels_last(type.shape.size()) &&
            divisible(dims_, type.shape[1], 16 / static_cast<int64_t>(size_of(type.dtype))))
          scope.for_windows[node.inputs[i]] = true;
      }
    }
  }
}

std::vector<int> Lowering::output_order(Scope& scope, const Node& node,
                                        const std::vector<std::optional<Placed>>& in, ValueId y) {
  const OpDef& op = leading_op(node);
  const TensorType& type = scope.graph.values[y].type;
  const size_t rank = type.shape.size();
  std::vector<int> order;
  if (op.channels_last && may_lie_channels_last(rank)) {
    order = channels_last(rank);
  } else if (op.keeps_order) {
    const std::vector<bool> made_of = operands_of(node, y);
    for (size_t k = 0; k < in.size() && order.empty(); ++k) {
      const std::vector<Dim>& shape =
          in[k] ? scope.graph.values[node.inputs[k]].type.shape : std::vector<Dim>();
      const bool decides = in[k] && made_of[k] && !scope.graph.constant(node.inputs[k]) &&
                           shape.size() == rank && (shape == type.shape || (k == 0 && !op.scalar));
      if (decides) order = memory_order(*in[k], shape);
    }
  }
  if ((node.outputs.size() != 1 && !op.scalar) || !std::is_sorted(order.begin(), order.end())) return order;
  if (const std::vector<int> wanted = wanted_order(scope, y); !wanted.empty()) return wanted;
  if (op.keeps_order && scope.for_windows[y]) return channels_last(rank);
  return order_for_readers(scope, y);
}

std::vector<int> Lowering::order_for_readers(const Scope& scope, ValueId v) {
  const std::vector<Dim>& shape = scope.graph.values[v].type.shape;
  std::vector<int> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  StridedView view{dims_.constant(0), dense_strides(dims_, shape)};
  for (ValueId x = v; const Node* reader = scope.sole_reader[x];) {
    if (!reader->op->view || reader->inputs[0] != x || reader->outputs.size() != 1) return {};
    std::vector<StridedView> out(1);
    ViewCtx ctx{scope.graph, *reader, dims_, scope.graph.values[x].type.shape, view, out};
    const bool is_view = reader->op->view(ctx);
    if (reader->op->name == "Reshape" && !is_view) return order;
    const auto* perm = reader->attrs.find<std::vector<int64_t>>("perm");
    if (!is_view || reader->op->name != "Transpose") return {};
    const std::vector<int> before = order;
    for (size_t k = 0; k < order.size(); ++k) order[k] = before[static_cast<size_t>((*perm)[k])];
    view = out[0];
    x = reader->outputs[0];
  }
  return {};
}

Verdict Lowering::describe_within_limits(DeviceOperands& operands, std::optional<Decision>& decision) {
  const Makers makers{*options_.backend, options_.libraries, options_.limits};
  const bool limited = options_.limits.any();
  if (limited)
    if (const Verdict v = fits_limits(operands, makers); !v) return v;
  if (limited || options_.decide)
    if (auto choice = find_choice(name_of(operands.node), operands, makers)) {
      choice->number = out_.plan.decisions.size();
      if (options_.decide) {
        decision = options_.decide(*choice);
      } else {
        decision = decide_by_estimate(choice->node, choice->tactics);
        decision->candidates.insert(decision->candidates.end(), choice->refusals.begin(),
                                    choice->refusals.end());
      }
    }
  return burnish::describe(operands, makers, decision);
}

/// A decision that was taken from another plan has them already.
static void add_declined(Decision& decision, const KernelCtx& ctx) {
  for (const auto& [kind, reason] : ctx.declined) {
    Decision::Candidate candidate{.tactic = kind, .refused = reason};
    if (std::ranges::find(decision.candidates, candidate) == decision.candidates.end())
      decision.candidates.push_back(std::move(candidate));
  }
}

Result<bool> Lowering::lower_on_device(Scope& scope, const Node& node) {
  if (!options_.backend || prefers_host(scope, node)) return false;
  if (Verdict v = options_.backend->accepts(scope.graph, node); !v) {
    out_.plan.host_reasons.push_back(describe(node) + ": " + v.reason());
    return false;
  }
  for (ValueId v : node.outputs)
    for (Dim d : v == no_value ? std::vector<Dim>() : scope.graph.values[v].type.shape)
      if (is_found_by_running(scope, d)) {
        out_.plan.host_reasons.push_back(describe(node) + ": its result's extents are found by running it");
        return false;
      }
  std::vector<std::optional<Placed>> in(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId v = node.inputs[i];
    if (v == no_value || ((node.op->content_operands >> i & 1) && scope.graph.content(v))) continue;
    in[i] = TRY(place(scope, v, Space::device));
  }
  for (ValueId v : node.outputs)
    if (v != no_value) TRY(declare(scope, scope.graph.values[v].type));
  for (;;) {
    std::vector<std::optional<Placed>> out(node.outputs.size());
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (const ValueId v = node.outputs[i]; v != no_value)
        out[i] = allocate(scope, v, Space::device, output_order(scope, node, in, v));
    if (out[0]) order_constants(scope, node, *out[0], in);
    DeviceOperands operands(*this, scope, node, in, std::move(out));
    std::optional<Decision> decision;
    if (const Verdict v = describe_within_limits(operands, decision); v) {
      if (!operands.status) return std::move(operands.status).error();
      if (decision || operands.tactics.size() > 1) {
        if (!decision) decision = decide_by_estimate(name_of(node), by_cost(operands));
        add_declined(*decision, operands);
        out_.plan.decisions.push_back(*std::move(decision));
      }
      if (const std::string why = why_it_moves(scope.graph, node); !why.empty())
        note_move(describe(node), why);
      TRY(add_calls(scope, operands, name_of(node)));
      return true;
    } else if (!leave_whole(scope, node)) {
      out_.plan.host_reasons.push_back(describe(node) + ": " + v.reason());
      break;
    }
  }
  for (ValueId y : node.outputs)
    if (y != no_value) withdraw(scope, y, Space::device);
  return false;
}

Result<> Lowering::lower_branch(Scope& scope, const Node& node, size_t branch, std::vector<Placed>& results,
                                std::vector<Step>& steps, const std::vector<Dim>& symbols) {
  Graph region = node.regions[branch];
  Scope inner(region, &scope);
  for (size_t i = 0; i < region.inputs.size(); ++i)
    for (Space space : {Space::host, Space::device})
      inner.at(space, region.inputs[i]) = scope.at(space, node.inputs[i + 1]);
  std::vector<Step>* outer_steps = steps_;
  steps_ = &steps;
  TRY(lower_nodes(inner));
  SetExtents set;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == no_value) continue;
    const TensorType& mine = region.values[region.outputs[i]].type;
    const TensorType& joined = scope.graph.values[node.outputs[i]].type;
    for (size_t axis = 0; axis < joined.shape.size(); ++axis)
      if (std::find(symbols.begin(), symbols.end(), joined.shape[axis]) != symbols.end()) {
        TRY(declare(inner, mine.shape[axis]));
        set.sets.push_back({slot(joined.shape[axis]), slot(mine.shape[axis])});
      }
  }
  if (!set.sets.empty()) add_step(name_of(node), std::move(set)).stage = program_.stage(symbols.front());
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == no_value) continue;
    const ValueId v = region.outputs[i];
    const Space space = scope.at(Space::device, node.outputs[i]) ? Space::device : Space::host;
    const Placed from = TRY(place_dense(inner, v, space));
    note_move(describe(node), "its branches give their results in different places");
    TRY(copy_into(from, space, results[i], space, scope.graph.values[node.outputs[i]].type, name_of(node)));
  }
  steps_ = outer_steps;
  return {};
}

Result<> Lowering::lower_if(Scope& scope, const Node& node) {
  const ValueId c = node.inputs[0];
  If step{.condition = operand(TRY(place_dense(scope, c, Space::host)), scope.graph.values[c].type)};
  for (const Graph& region : node.regions)  // what a branch alone would make known must be known after it too
    for (const Value& value : region.values)
      for (Dim d : value.type.shape)
        for (Dim symbol : dims_.symbols(d))
          if (!region.origins.contains(symbol) && scope.graph.origins.contains(symbol) &&
              scope.graph.origins.at(symbol).kind == SymbolOrigin::Kind::content)
            TRY(declare(scope, symbol));
  std::vector<Dim> symbols;
  for (ValueId v : node.outputs)
    if (v != no_value)
      for (Dim d : scope.graph.values[v].type.shape)
        if (dims_.op(d) == DimOp::symbol && !program_.declared(d) && scope.graph.origins.contains(d) &&
            scope.graph.origins.at(d).value == v)
          symbols.push_back(d);
  std::vector<Step> then_steps, else_steps;
  const uint32_t joined = symbols.empty() ? 0 : ++stages_;  // known when either branch has set them
  for (Dim d : symbols) program_.declare(d, joined);
  std::vector<Placed> results(node.outputs.size());
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId v = node.outputs[i];
    if (v == no_value) continue;
    const bool device = options_.backend && is_float(scope.graph.values[v].type.dtype);
    results[i] = allocate(scope, v, device ? Space::device : Space::host);
  }
  TRY(lower_branch(scope, node, 0, results, then_steps, symbols));
  TRY(lower_branch(scope, node, 1, results, else_steps, symbols));
  step.then_steps = std::move(then_steps);
  step.else_steps = std::move(else_steps);
  add_step(name_of(node), std::move(step));
  return {};
}

Result<> Lowering::lower_node(Scope& scope, const Node& node) {
  if (node.op->name == "Dims") return lower_dims(scope, node);
  if (node.op->name == "If") return lower_if(scope, node);
  if (node.op->name == "Plugin") return lower_plugin(scope, node);
  for (ValueId v : node.outputs) {  // extents that other tensors decide are read before the node runs
    if (v == no_value) continue;
    for (Dim d : scope.graph.values[v].type.shape)
      for (Dim symbol : dims_.symbols(d)) {
        const Scope* owner = &scope;
        while (owner && !owner->graph.origins.contains(symbol)) owner = owner->outer;
        if (owner && owner->graph.origins.at(symbol).kind == SymbolOrigin::Kind::content)
          TRY(declare(scope, symbol));
      }
  }
  if (node.op->view && TRY(lower_view(scope, node))) return {};
  if (TRY(lower_concatenation(scope, node))) return {};
  if (TRY(lower_on_device(scope, node))) return {};
  return lower_on_host(scope, node);
}

Result<> Lowering::lower_nodes(Scope& scope) {
  survey(scope);
  for (const Node& node : scope.graph.nodes) {
    if (node.dead) continue;
    Result<> done = lower_node(scope, node);
    if (!done) return std::move(done).during("lowering " + describe(node));
  }
  return {};
}

Port Lowering::make_port(const Value& value, uint32_t buffer, const std::vector<int>& order) {
  Port port{.name = value.name,
            .dtype = value.type.dtype,
            .buffer = buffer,
            .order = std::vector<uint32_t>(order.begin(), order.end())};
  for (Dim d : value.type.shape) {
    const Range r = dims_.range(d);
    port.axes.push_back({.slot = slot(d), .least = r.lo, .most = r.hi, .text = dims_.text(d)});
  }
  return port;
}

Result<> Lowering::bind_inputs() {
  const Space space = options_.backend ? Space::device : Space::host;
  std::set<Dim> bound;
  for (ValueId v : top_.graph.inputs)
    for (Dim d : top_.graph.values[v].type.shape)
      if (dims_.op(d) == DimOp::symbol) program_.declare(d, 0);
  for (size_t i = 0; i < top_.graph.inputs.size(); ++i) {
    const ValueId v = top_.graph.inputs[i];
    const Value& value = top_.graph.values[v];
    const std::vector<int> order =
        options_.input_orders.empty() ? std::vector<int>() : options_.input_orders[i];
    TRY(declare(top_, value.type));
    const uint32_t buffer = add_buffer(space, bytes_of(value.type));
    out_.plan.buffers[buffer].kind = Buffer::Kind::input;
    out_.plan.buffers[buffer].index = static_cast<uint32_t>(out_.plan.inputs.size());
    top_.at(space, v) = Placed{buffer, {dims_.constant(0), strides_in_order(order, value.type.shape)}};
    Port port = make_port(value, buffer, order);
    for (size_t axis = 0; axis < port.axes.size(); ++axis) {
      const Dim d = value.type.shape[axis];
      port.axes[axis].binds = dims_.op(d) == DimOp::symbol && bound.insert(d).second;
    }
    out_.plan.inputs.push_back(std::move(port));
  }
  return {};
}

// Whether a temporary holds such a tensor in that order and nothing else, a view of its maker's result say: it can be the output.
bool Lowering::fills_buffer(const Placed& placed, Space space, const TensorType& type,
                            const std::vector<int>& order) {
  const Buffer& buffer = out_.plan.buffers[placed.buffer];
  return buffer.kind == Buffer::Kind::temporary && buffer.space == space &&
         buffer_bytes_[placed.buffer] == bytes_of(type) && dims_.is_constant(placed.view.offset, 0) &&
         has_strides(placed.view, type.shape, strides_in_order(order, type.shape));
}

Result<> Lowering::bind_outputs() {
  for (ValueId v : top_.graph.outputs) {
    const Value& value = top_.graph.values[v];
    uint32_t buffer = 0;
    const auto index = static_cast<uint32_t>(out_.plan.outputs.size());
    if (auto it = output_buffer_.find(v); it != output_buffer_.end()) {
      buffer = it->second;
      output_buffer_.erase(it);
    } else {
      const Space space = options_.backend ? Space::device : Space::host;
      TRY(declare(top_, value.type));
      const std::vector<int> order = wanted_order(top_, v);
      // Only what is row-major on both sides crosses over in one copy.
      const bool on_host = !value.constant && !top_.at(space, v) && order.empty();
      const Placed from = TRY(on_host ? place_dense(top_, v, Space::host) : place(top_, v, space));
      const Placed to{fills_buffer(from, space, value.type, order) ? from.buffer
                                                                   : add_buffer(space, bytes_of(value.type)),
                      {dims_.constant(0), strides_in_order(order, value.type.shape)}};
      buffer = to.buffer;
      out_.plan.buffers[buffer].kind = Buffer::Kind::output;
      if (buffer != from.buffer) {
        note_move("output '" + value.name + "'", value.constant ? "it is a constant"
                                                 : on_host      ? "it is made on the host"
                                                           : "it is made elsewhere, or in another order");
        TRY(copy_into(from, on_host ? Space::host : space, to, space, value.type, "output " + value.name));
      }
    }
    out_.plan.buffers[buffer].index = index;
    out_.plan.outputs.push_back(make_port(value, buffer, wanted_order(top_, v)));
  }
  return {};
}

void Lowering::add_checks() {
  for (const Constraint& c : dims_.constraints()) {
    bool known = true;
    for (Dim side : {c.a, c.b})
      for (Dim symbol : dims_.symbols(side)) known = known && program_.declared(symbol);
    if (!known) continue;
    out_.plan.checks.push_back(
        {.a = slot(c.a),
         .b = slot(c.b),
         .stage = std::max(program_.stage(c.a), program_.stage(c.b)),
         .message = c.reason + ": " + dims_.text(c.a) + " and " + dims_.text(c.b) + " must be equal"});
  }
}

static std::vector<bool> used_buffers(const Plan& plan) {
  std::vector<bool> used(plan.buffers.size());
  for_each_step(plan.steps, [&](const Step& step) {
    for (const BufferUse& use : uses_of(step)) used[use.buffer] = true;
  });
  return used;
}

Result<Lowered> Lowering::finish() {
  add_checks();
  Plan& plan = out_.plan;
  if (options_.on_sources) options_.on_sources(out_.sources);
  merge_constants(used_buffers(plan));
  std::vector<Lifetime> lives(plan.buffers.size());
  std::vector<bool> used(plan.buffers.size());
  int64_t position = 0;
  for_each_step(plan.steps, [&](const Step& step) {
    for (const BufferUse& use : uses_of(step)) {
      if (!used[use.buffer]) lives[use.buffer].first = position;
      lives[use.buffer].last = position;
      used[use.buffer] = true;
    }
    ++position;
  });
  for (Space space : {Space::host, Space::device}) {
    auto& arena = space == Space::host ? plan.host_arena : plan.device_arena;
    std::map<uint32_t, std::vector<uint32_t>> by_stage;
    uint32_t last_stage = 0;
    for (uint32_t i = 0; i < plan.buffers.size(); ++i)
      if (plan.buffers[i].kind == Buffer::Kind::temporary && plan.buffers[i].space == space && used[i])
        by_stage[plan.buffers[i].stage].push_back(i);
    for (const auto& [stage, list] : by_stage) last_stage = std::max(last_stage, stage);
    arena.assign(by_stage.empty() ? 0 : last_stage + 1, slot(dims_.constant(0)));
    for (const auto& [stage, list] : by_stage) {
      std::vector<Lifetime> part;
      for (uint32_t i : list) part.push_back({buffer_bytes_[i], lives[i].first, lives[i].last});
      const MemoryPlan memory = plan_memory(dims_, part, [&](Dim d) { return at_optimum(d); });
      for (size_t k = 0; k < list.size(); ++k) plan.buffers[list[k]].offset = slot(memory.offsets[k]);
      arena[stage] = slot(memory.total);
    }
  }
  auto [program, slot_of] = program_.finish();
  plan.shapes = std::move(program);
  remap_slots(plan, slot_of);
  drop_unused_buffers(plan, used);
  std::vector<Tensor> constants;
  for (uint32_t i : drop_unused_constants(plan)) constants.push_back(out_.constants[i]);
  out_.constants = std::move(constants);
  TRY(verify(plan));
  TRY(verify_written(plan));
  return std::move(out_);
}

Result<Lowered> Lowering::run() {
  out_.plan.target = options_.backend ? std::string(options_.backend->target()) : "cpu";
  out_.plan.max_branches = options_.max_branches;
  for (ValueId v : top_.graph.outputs)
    if (!top_.graph.constant(v) &&
        std::find(top_.graph.inputs.begin(), top_.graph.inputs.end(), v) == top_.graph.inputs.end())
      outputs_.insert(v);
  for (size_t i = 0; i < options_.output_orders.size(); ++i)
    output_orders_[top_.graph.outputs[i]] = options_.output_orders[i];
  TRY(bind_inputs());
  TRY(lower_nodes(top_));
  TRY(bind_outputs());
  return finish();
}

Result<Lowered> lower(Graph& graph, const LowerOptions& options) { return Lowering(graph, options).run(); }

}  // namespace burnish
