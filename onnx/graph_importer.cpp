#include "onnx/graph_importer.h"

#include <algorithm>

#include "ir/evaluate.h"
#include "ir/infer.h"
#include "onnx/node_import.h"

namespace burnish::onnx {

namespace {

constexpr int deepest = 64;
constexpr int64_t largest_fold = int64_t{1}
                                 << 24;  // elements: a constant that large is cheaper computed than stored

// A copy of `node` in which references to the caller's attributes are replaced by their values.
Node with_attributes_of(const Node& node, const Node& caller, const Function& function) {
  Node out = node;
  std::vector<Attribute> kept;
  for (Attribute& attribute : out.attributes) {
    if (attribute.ref_attr_name.empty()) {
      auto rewrite = [&](const Graph& graph) {
        Graph body = graph;
        for (Node& inner : body.nodes) inner = with_attributes_of(inner, caller, function);
        return body;
      };
      if (attribute.g) attribute.g = std::make_shared<const Graph>(rewrite(*attribute.g));
      for (Graph& graph : attribute.graphs) graph = rewrite(graph);
      kept.push_back(std::move(attribute));
      continue;
    }
    const Attribute* value = caller.attribute(attribute.ref_attr_name);
    for (const Attribute& preset : function.attribute_protos)
      if (!value && preset.name == attribute.ref_attr_name) value = &preset;
    if (!value) continue;  // not given: the attribute keeps the operator's default
    kept.push_back(*value);
    kept.back().name = attribute.name;
  }
  out.attributes = std::move(kept);
  return out;
}

}  // namespace

Result<> GraphImporter::add_initializers(const Graph& graph) {
  for (const Literal& literal : graph.initializers) {
    if (!initializers_.emplace(literal.name, &literal).second)
      return Error(Code::invalid_model, "initializer '" + literal.name + "' is stored twice");
  }
  sparse_.insert(graph.sparse_initializers.begin(), graph.sparse_initializers.end());
  return {};
}

Result<> GraphImporter::define(const std::string& name, ValueId value, const std::string& by) {
  if (name.empty()) return {};
  if (initializers_.contains(name) || !names_.emplace(name, value).second)
    return Error(Code::invalid_model, by + " writes '" + name + "', which is written already")
        .remedy("every name may be written once; check the model with onnx.checker");
  return {};
}

std::optional<ValueId> GraphImporter::lookup(const std::string& name, Result<>& status) {
  if (auto it = names_.find(name); it != names_.end()) return it->second;
  if (auto it = initializers_.find(name); it != initializers_.end()) {
    const Literal& literal = *it->second;
    if (!literal.dtype) {
      status = Error(Code::unsupported, "initializer '" + name + "' has elements of type " +
                                            std::string(data_type_name(literal.data_type)) +
                                            ", which Burnish does not compute with");
      return std::nullopt;
    }
    return names_[name] = graph_.add_constant(literal.payload, name);
  }
  if (sparse_.contains(name)) {
    status = Error(Code::unsupported, "initializer '" + name + "' is sparse").remedy("store it dense");
    return std::nullopt;
  }
  if (!outer_ || isolated_) return std::nullopt;
  const std::optional<ValueId> found = outer_->lookup(name, status);
  if (!found || &outer_->graph_ == &graph_) return found;
  const Value& value = outer_->graph_.values[*found];
  ValueId mine;
  if (value.constant) {
    mine = graph_.add_constant(*value.constant, value.name);
  } else {
    mine = graph_.add_value(value.type, value.name);
    if (owns_extents_) hand_in_isolated(graph_, mine, value);
    else graph_.values[mine].content = value.content;
    graph_.inputs.push_back(mine);
    captures_.push_back(*found);
  }
  return names_[name] = mine;
}

Result<ValueId> GraphImporter::find(const std::string& name, const std::string& reader) {
  Result<> status;
  if (auto found = lookup(name, status)) return *found;
  if (!status) return std::move(status).error();
  for (const Node& later : body_ ? *body_ : std::vector<Node>{})
    if (std::find(later.outputs.begin(), later.outputs.end(), name) != later.outputs.end())
      return Error(Code::invalid_model,
                   reader + " reads '" + name + "' before node " + later.describe() + " has written it")
          .remedy("the graph has a cycle or is not in topological order; check the model with onnx.checker");
  return Error(Code::invalid_model, reader + " reads '" + name + "', which nothing writes")
      .remedy("check the model with onnx.checker");
}

int64_t GraphImporter::opset(const std::string& domain) const {
  const bool standard = domain.empty() || domain == "ai.onnx";
  int64_t version = 0;
  for (const OpsetImport& import : opsets_)
    if (import.domain == domain || (standard && (import.domain.empty() || import.domain == "ai.onnx")))
      version = std::max(version, import.version);
  return version;
}

std::string GraphImporter::name_of(const Node& node) const {
  if (!node.name.empty()) return node.name;
  for (const std::string& output : node.outputs)
    if (!output.empty()) return output;
  return {};
}

Result<std::vector<ValueId>> GraphImporter::emit(std::string_view op, Attrs attrs,
                                                 std::vector<ValueId> inputs, size_t outputs,
                                                 const std::vector<std::string>& provenance) {
  auto it = state_.ops.find(op);
  if (it == state_.ops.end() || !it->second->infer)
    return Error(Code::internal, "the importer emits '" + std::string(op) + "', which is no IR operator");
  burnish::Node node{
      .op = it->second, .attrs = std::move(attrs), .inputs = std::move(inputs), .provenance = provenance};
  if (node.op->attrs && !node.attrs.schema()) node.attrs = Attrs(node.op->attrs);
  while (!node.inputs.empty() && node.inputs.back() == no_value) node.inputs.pop_back();
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph_.add_value({}));
  std::vector<ValueId> results = node.outputs;
  TRY(infer(graph_, node));
  bool small = true;
  for (ValueId v : results)
    small = small && graph_.dims->range(graph_.dims->product(graph_.values[v].type.shape)).hi <= largest_fold;
  if (small && TRY(fold(graph_, node, state_.pool))) return results;
  for (ValueId v : results) graph_.values[v].producer = static_cast<uint32_t>(graph_.nodes.size());
  graph_.nodes.push_back(std::move(node));
  return results;
}

Result<> GraphImporter::bind(const Node& node, size_t output, ValueId value) {
  if (output >= node.outputs.size() || node.outputs[output].empty()) return {};
  const std::string& name = node.outputs[output];
  if (graph_.values[value].name.empty()) graph_.values[value].name = name;
  return define(name, value, "node " + node.describe());
}

Result<> GraphImporter::import_nodes(const std::vector<Node>& nodes) {
  const std::vector<Node>* before = body_;
  body_ = &nodes;
  for (const Node& node : nodes) TRY(import_node(node));
  body_ = before;
  return {};
}

Result<> GraphImporter::import_node(const Node& node) {
  if (state_.plugin_override)
    if (const auto own = TRY(find_plugin(node))) return import_plugin(node, *own);
  if (auto it = state_.functions.find(node.domain + ":" + node.op_type); it != state_.functions.end())
    return import_function(node, *it->second);
  const bool standard = node.domain.empty() || node.domain == "ai.onnx";
  auto it = standard ? state_.ops.find(node.op_type) : state_.ops.end();
  if (it == state_.ops.end()) {
    if (const auto own = TRY(find_plugin(node))) return import_plugin(node, *own);
    return Error(Code::unsupported, "node " + node.describe() + ": operator '" + node.op_type +
                                        "' of domain '" + (standard ? "ai.onnx" : node.domain) +
                                        "' is not supported")
        .remedy(
            "load a plugin that has it, replace it before exporting, or give the model a local function that "
            "spells it out");
  }
  if (opset(node.domain) == 0)
    return Error(Code::invalid_model,
                 "node " + node.describe() + ": the model imports no opset of its domain");
  if (node.op_type == "If") return import_if(node);
  if (node.op_type == "Loop" || node.op_type == "Scan") return import_loop(node);
  NodeImport context(*this, node);
  TRY(context.read_inputs());
  return context.run(*it->second);
}

Result<> GraphImporter::inline_graph(const Node& node, const Graph& body) {
  if (++state_.depth > deepest)
    return Error(Code::invalid_model, "node " + node.describe() + ": bodies nest too deep");
  GraphImporter inner(state_, graph_, this, opsets_);
  TRY(inner.add_initializers(body));
  TRY(inner.import_nodes(body.nodes));
  if (body.outputs.size() < node.outputs.size())
    return Error(Code::invalid_model, "node " + node.describe() + ": its body has " +
                                          std::to_string(body.outputs.size()) + " outputs");
  for (size_t i = 0; i < node.outputs.size(); ++i)
    TRY(bind(node, i, TRY(inner.find(body.outputs[i].name, "the body of node " + node.describe()))));
  --state_.depth;
  return {};
}

Result<> GraphImporter::import_region(const Node& node, const Graph& body, burnish::Graph& region,
                                      bool isolated, std::vector<ValueId>& captures) {
  if (++state_.depth > deepest)
    return Error(Code::invalid_model, "node " + node.describe() + ": bodies nest too deep");
  region.name = body.name;
  GraphImporter inner(state_, region, this, opsets_);
  inner.owns_extents_ = isolated;
  TRY(inner.add_initializers(body));
  if (body.inputs.size() != region.inputs.size())
    return Error(Code::invalid_model, "node " + node.describe() + ": its body takes " +
                                          std::to_string(body.inputs.size()) + " inputs, it gives " +
                                          std::to_string(region.inputs.size()));
  for (size_t i = 0; i < body.inputs.size(); ++i)
    TRY(inner.define(body.inputs[i].name, region.inputs[i], "the body of node " + node.describe()));
  TRY(inner.import_nodes(body.nodes));
  for (const ValueInfo& output : body.outputs)
    region.outputs.push_back(TRY(inner.find(output.name, "the body of node " + node.describe())));
  captures = inner.captures();
  region.index();
  --state_.depth;
  return {};
}

// A branch that cannot be imported, as one that fails when it is taken; its results are typed like the other branch's.
burnish::Graph GraphImporter::failing_branch(const burnish::Graph& other, const std::string& why) const {
  burnish::Graph region;
  region.dims = graph_.dims;
  region.name = "fails";
  const OpDef* op = state_.ops.at("Fail");
  for (ValueId v : other.outputs) {
    TensorType type = other.values[v].type;
    for (Dim& d : type.shape)
      if (!graph_.dims->value(d)) d = graph_.dims->constant(1);
    Attrs attrs(op->attrs);
    for (const Field& field : op->attrs->fields()) {
      if (field.name == "dtype") *static_cast<DType*>(attrs.field_for_writing(field)) = type.dtype;
      if (field.name == "shape") *static_cast<std::vector<Dim>*>(attrs.field_for_writing(field)) = type.shape;
      if (field.name == "message") *static_cast<std::string*>(attrs.field_for_writing(field)) = why;
    }
    region.outputs.push_back(region.add_value(std::move(type)));
    region.nodes.push_back({.op = op, .attrs = std::move(attrs), .outputs = {region.outputs.back()}});
  }
  region.index();
  return region;
}

// Brings in what the bodies of a node read from here, such as initializers, before anything in them is imported.
void GraphImporter::look_up_names(const Graph& body) {
  Result<> unusable;  // is told when it is read
  for (const Node& node : body.nodes) {
    for (const std::string& name : node.inputs) lookup(name, unusable);
    for (const Attribute& attribute : node.attributes)
      if (attribute.g) look_up_names(*attribute.g);
  }
  for (const ValueInfo& output : body.outputs) lookup(output.name, unusable);
}

Result<> GraphImporter::import_if(const Node& node) {
  const Attribute* bodies[2] = {node.attribute("then_branch"), node.attribute("else_branch")};
  if (node.inputs.size() != 1 || !bodies[0] || !bodies[1] || !bodies[0]->g || !bodies[1]->g)
    return Error(Code::invalid_model, "node " + node.describe() + ": takes one input and two branches");
  const ValueId condition = TRY(find(node.inputs[0], "node " + node.describe()));
  if (const auto* content = graph_.content(condition); content && content->size() == 1)
    if (auto known = graph_.dims->value((*content)[0])) return inline_graph(node, *bodies[*known ? 0 : 1]->g);

  for (const Attribute* body : bodies) look_up_names(*body->g);  // they outlive a branch that is refused
  std::vector<burnish::Graph> regions(2);
  std::vector<ValueId> captures[2];
  std::optional<Error> refused[2];
  for (size_t i = 0; i < 2; ++i) {
    const DimTable before = *graph_.dims;
    const int depth = state_.depth;
    regions[i].dims = graph_.dims;
    auto done = import_region(node, *bodies[i]->g, regions[i], false, captures[i]);
    if (done) continue;
    refused[i] = std::move(done)
                     .during(std::string("importing the ") + (i ? "else" : "then") + " branch of node " +
                             node.describe())
                     .error();
    *graph_.dims = before;  // what the branch had found out does not hold
    state_.depth = depth;
  }
  if (refused[0] && refused[1]) return *std::move(refused[0]);
  for (size_t i = 0; i < 2; ++i)
    if (refused[i]) {  // right only for inputs that do not take it
      captures[i].clear();
      regions[i] = failing_branch(regions[1 - i], refused[i]->cause());
    }
  std::vector<ValueId> all = captures[0];
  for (ValueId v : captures[1])
    if (std::find(all.begin(), all.end(), v) == all.end()) all.push_back(v);
  for (int i = 0; i < 2; ++i) {  // both branches take every capture, in one order
    std::vector<ValueId> inputs;
    for (ValueId v : all) {
      auto at = std::find(captures[i].begin(), captures[i].end(), v);
      inputs.push_back(
          at != captures[i].end()
              ? regions[static_cast<size_t>(i)].inputs[static_cast<size_t>(at - captures[i].begin())]
              : regions[static_cast<size_t>(i)].add_value(graph_.values[v].type, graph_.values[v].name));
    }
    regions[static_cast<size_t>(i)].inputs = std::move(inputs);
  }
  burnish::Node out{.op = state_.ops.at("If"),
                    .inputs = {condition},
                    .regions = std::move(regions),
                    .provenance = {name_of(node)}};
  out.inputs.insert(out.inputs.end(), all.begin(), all.end());
  if (out.op->attrs) out.attrs = Attrs(out.op->attrs);
  for (size_t i = 0; i < node.outputs.size(); ++i) out.outputs.push_back(graph_.add_value({}));
  TRY(infer(graph_, out));
  const std::vector<ValueId> results = out.outputs;
  graph_.nodes.push_back(std::move(out));
  for (size_t i = 0; i < results.size(); ++i) TRY(bind(node, i, results[i]));
  return {};
}

// What a Loop's or Scan's body takes for the node's own operands: iteration number and condition for trip count and
// condition; of scanned tensors one slice.
Result<std::vector<Value>> GraphImporter::loop_operands(const Node& node, const Graph& body,
                                                        const std::vector<ValueId>& inputs,
                                                        const IteratedBody::Carried& carried) const {
  const Dim one = graph_.dims->constant(1);
  std::vector<Value> operands;
  if (node.op_type == "Loop")
    operands = {{.type = {DType::i64, {}}}, {.type = {DType::boolean, {}}, .content = {{one}}}};
  for (size_t i = 0; i < std::min(operands.size(), body.inputs.size()); ++i)
    if (const auto& declared = body.inputs[i].shape; declared && declared->size() == 1)
      operands[i].type.shape = {one};
  const Attribute* axes = node.attribute("scan_input_axes");
  for (size_t i = operands.size(); i < inputs.size(); ++i) {
    if (inputs[i] == no_value)
      return Error(Code::invalid_model,
                   "node " + node.describe() + ": operand " + std::to_string(i) + " is missing");
    operands.push_back({.type = graph_.values[inputs[i]].type});
    if (i < carried.first_input + carried.count) continue;
    std::vector<Dim>& shape = operands.back().type.shape;
    const size_t k = i - carried.count;
    const auto rank = static_cast<int64_t>(shape.size());
    int64_t axis = axes && k < axes->ints.size() ? axes->ints[k] : 0;
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank)
      return Error(Code::invalid_model,
                   "node " + node.describe() + ": scan axis outside operand " + std::to_string(i));
    shape.erase(shape.begin() + axis);
  }
  return operands;
}

// The body of `loop`, and what it captures. It may have been simplified for the extents of the first iteration: then it is
// imported once more, with those free that others change.
Result<> GraphImporter::import_loop_body(const Node& node, const Graph& body,
                                         const IteratedBody::Carried& carried, burnish::Node& loop) {
  const std::vector<Value> operands = TRY(loop_operands(node, body, loop.inputs, carried));
  IteratedBody types(carried);
  burnish::Graph region;
  std::vector<ValueId> captures;
  do {
    region = burnish::Graph();
    region.dims = graph_.dims;
    for (size_t k = 0; k < operands.size(); ++k) {
      const ValueId v = region.add_value(operands[k].type, k < body.inputs.size() ? body.inputs[k].name : "");
      region.inputs.push_back(v);
      if (k >= carried.first_input) types.hand_in(region, k, operands[k]);
      else region.values[v].content = operands[k].content;
    }
    TRY(import_region(node, body, region, true, captures));
    if (region.outputs.size() < carried.first_output + carried.count)
      return Error(Code::invalid_model, "node " + node.describe() + ": its body gives " +
                                            std::to_string(region.outputs.size()) + " values, with " +
                                            std::to_string(carried.count) + " to carry");
  } while (types.widen(region));
  loop.regions.push_back(std::move(region));
  loop.inputs.insert(loop.inputs.end(), captures.begin(), captures.end());
  return {};
}

Result<> GraphImporter::import_loop(const Node& node) {
  const Attribute* body = node.attribute("body");
  if (!body || !body->g) return Error(Code::invalid_model, "node " + node.describe() + ": has no body");
  const bool scan = node.op_type == "Scan";
  if (scan && opset(node.domain) < 9)
    return Error(Code::unsupported, "node " + node.describe() + ": Scan before opset 9 is not supported")
        .remedy("convert the model with onnx.version_converter");
  NodeImport context(*this, node);
  TRY(context.read_inputs());
  burnish::Node out{.op = state_.ops.at(node.op_type), .provenance = {name_of(node)}};
  constexpr std::string_view ignored[] = {"body"};
  out.attrs = TRY(context.attributes(out.op->attrs, ignored));
  const size_t first = scan ? 0 : 2;
  out.inputs.assign(std::max(node.inputs.size(), first), no_value);
  for (size_t i = 0; i < node.inputs.size(); ++i) out.inputs[i] = context.input(i);
  const int64_t scanned = scan ? std::max<int64_t>(TRY(context.integer("num_scan_inputs", 0)), 0) : 0;
  if (first + static_cast<size_t>(scanned) > out.inputs.size())
    return Error(Code::invalid_model, "node " + node.describe() + ": num_scan_inputs exceeds its inputs");
  const IteratedBody::Carried carried{first, scan ? size_t{0} : size_t{1},
                                      out.inputs.size() - first - static_cast<size_t>(scanned)};
  for (const Field& field : out.op->attrs->fields())
    if (field.name == "carried")
      *static_cast<int64_t*>(out.attrs.field_for_writing(field)) = static_cast<int64_t>(carried.count);
  TRY(import_loop_body(node, *body->g, carried, out));
  for (const std::string& name : node.outputs)
    out.outputs.push_back(name.empty() ? no_value : graph_.add_value({}));
  TRY(infer(graph_, out));
  const std::vector<ValueId> results = out.outputs;
  graph_.nodes.push_back(std::move(out));
  for (size_t i = 0; i < results.size(); ++i) TRY(bind(node, i, results[i]));
  return {};
}

Result<> GraphImporter::import_function(const Node& node, const Function& function) {
  if (++state_.depth > deepest)
    return Error(Code::invalid_model,
                 "node " + node.describe() + ": local functions call each other without end");
  GraphImporter inner(state_, graph_, this, function.opset_imports, true);
  for (size_t i = 0; i < function.inputs.size() && i < node.inputs.size(); ++i)
    if (!node.inputs[i].empty())
      TRY(inner.define(function.inputs[i], TRY(find(node.inputs[i], "node " + node.describe())),
                       "function " + function.name));
  std::vector<Node> body;
  for (const Node& inside : function.nodes) {
    body.push_back(with_attributes_of(inside, node, function));
    for (std::string& input :
         body.back().inputs) {  // an operand that the caller leaves out is left out inside too
      const auto at = std::find(function.inputs.begin(), function.inputs.end(), input);
      const auto k = static_cast<size_t>(at - function.inputs.begin());
      if (at != function.inputs.end() && (k >= node.inputs.size() || node.inputs[k].empty())) input.clear();
    }
    body.back().name = name_of(node) + "/" + name_of(inside);
  }
  Result<> done = inner.import_nodes(body);
  if (!done)
    return std::move(done).during("inlining function '" + function.name + "' for node " + node.describe());
  for (size_t i = 0; i < node.outputs.size() && i < function.outputs.size(); ++i)
    if (!node.outputs[i].empty())
      TRY(bind(node, i, TRY(inner.find(function.outputs[i], "function '" + function.name + "'"))));
  --state_.depth;
  return {};
}

}  // namespace burnish::onnx
