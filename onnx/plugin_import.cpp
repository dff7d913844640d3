#include <algorithm>

#include "onnx/graph_importer.h"
#include "onnx/node_import.h"
#include "ops/plugin.h"
#include "plugin/library.h"
#include "plugin/operator.h"

namespace burnish::onnx {

namespace {

constexpr std::string_view version_attribute = "plugin_version";

Result<plugin::Attribute> attribute_of(const Node& node, const Attribute& a) {
  plugin::Attribute out{.name = a.name, .kind = static_cast<burnish_attribute_kind>(a.type)};
  switch (a.type) {
    case AttributeType::real: out.floats = {a.f}; return out;
    case AttributeType::integer: out.ints = {a.i}; return out;
    case AttributeType::text: out.strings = {a.s}; return out;
    case AttributeType::reals: out.floats = a.floats; return out;
    case AttributeType::integers: out.ints = a.ints; return out;
    case AttributeType::texts: out.strings = a.strings; return out;
    case AttributeType::tensor:
      if (a.t && a.t->dtype && a.t->dims.size() <= BURNISH_MAX_RANK) {
        out.tensor = a.t->payload;
        return out;
      }
      break;
    default: break;
  }
  return Error(Code::unsupported, "node " + node.describe() + ": attribute '" + a.name + "' is of type " +
                                      std::string(attribute_type_name(a.type)) +
                                      ", which no plugin is handed")
      .remedy("give the node numbers, strings or tensors of numbers as attributes");
}

Result<std::vector<plugin::Attribute>> attributes_of(const Node& node) {
  std::vector<plugin::Attribute> all;
  for (const Attribute& a : node.attributes) all.push_back(TRY(attribute_of(node, a)));
  return all;
}

std::vector<plugin::OperandType> input_types(const burnish::Graph& graph,
                                             const std::vector<ValueId>& inputs) {
  std::vector<plugin::OperandType> types;
  for (ValueId v : inputs)
    if (v == no_value) types.push_back({.left_out = true});
    else types.push_back({.dtype = graph.values[v].type.dtype, .shape = graph.values[v].type.shape});
  return types;
}

Error refused(const Node& node, std::string what) {
  return Error(Code::invalid_model, "node " + node.describe() + ": " + std::move(what))
      .remedy("export the node as its plugin describes it");
}

Result<> check_inputs(const Node& node, const std::vector<plugin::OperandType>& inputs) {
  if (inputs.size() > BURNISH_PLUGIN_MAX_INPUTS)
    return refused(node, "it has " + std::to_string(inputs.size()) + " inputs, and plugins are handed " +
                             std::to_string(BURNISH_PLUGIN_MAX_INPUTS) + " at most");
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].shape.size() > BURNISH_MAX_RANK)
      return refused(node, "input " + std::to_string(i) + " has " + std::to_string(inputs[i].shape.size()) +
                               " axes, and plugins are handed " + std::to_string(BURNISH_MAX_RANK) +
                               " at most");
  return {};
}

/// What its expressions give may be less than nothing: a run finds out.
Result<> check_extents(const Node& node, const std::vector<plugin::OperandType>& outputs, DimTable& dims) {
  for (size_t i = 0; i < outputs.size(); ++i)
    for (size_t axis = 0; axis < outputs[i].shape.size(); ++axis) {
      const Dim extent = outputs[i].shape[axis];
      if (dims.range(extent).lo < 0)
        TRY(dims.unify(dims.max(extent, dims.constant(0)), extent,
                       "node " + node.describe() + ": axis " + std::to_string(axis) + " of output " +
                           std::to_string(i) + " must not be negative"));
    }
  return {};
}

}  // namespace

bool GraphImporter::in_loop_body() const { return owns_extents_ || (outer_ && outer_->in_loop_body()); }

Result<std::optional<plugin::Found>> GraphImporter::find_plugin(const Node& node) const {
  if (!state_.plugins) return std::optional<plugin::Found>();
  const Attribute* version = node.attribute(version_attribute);
  const bool wanted = version && version->type == AttributeType::text;
  return state_.plugins
      ->for_node(node.domain, node.op_type, wanted ? std::optional(version->s) : std::optional<std::string>())
      .during("importing node " + node.describe());
}

// The plugin is asked here, once: the graph keeps its answers.
Result<> GraphImporter::import_plugin(const Node& node, const plugin::Found& found) {
  if (in_loop_body())
    return Error(Code::unsupported,
                 "node " + node.describe() + ": plugins cannot be called in the body of a Loop or Scan")
        .remedy("unroll the loop before exporting, or move the node out of it");
  std::vector<ValueId> inputs;
  for (const std::string& name : node.inputs)
    inputs.push_back(name.empty() ? no_value : TRY(find(name, "node " + node.describe())));
  const std::string doing = "importing node " + node.describe();
  const std::vector<plugin::Attribute> given = TRY(attributes_of(node));
  const auto op = TRY(plugin::Operator::create(found, {.node = name_of(node)}, given).during(doing));
  const std::vector<plugin::OperandType> in = input_types(graph_, inputs);
  TRY(check_inputs(node, in));
  const auto out = TRY(op.infer(*graph_.dims, in).during(doing));
  if (node.outputs.size() > out.size())
    return refused(node, "it has " + std::to_string(node.outputs.size()) + " outputs, its plugin gives " +
                             std::to_string(out.size()));
  TRY(check_extents(node, out, *graph_.dims));
  PluginAttrs attrs{.plugin = {found.plugin->name, found.plugin->version, plugin::file_of(found.plugin)},
                    .op = {found.op->domain ? found.op->domain : "", found.op->name, found.op->version},
                    .attributes = plugin::text_of(TRY(op.attributes(given).during(doing))),
                    .host = op.runs_on_host(),
                    .device = op.runs_on_device(),
                    .workspace = {TRY(op.workspace(*graph_.dims, in, out).during(doing))}};
  for (const plugin::OperandType& type : out) {
    attrs.types.emplace_back(burnish::name_of(type.dtype));
    attrs.ranks.push_back(static_cast<int64_t>(type.shape.size()));
    attrs.extents.insert(attrs.extents.end(), type.shape.begin(), type.shape.end());
  }
  const std::vector<ValueId> made =
      TRY(emit("Plugin", Attrs(attrs), std::move(inputs), out.size(), {name_of(node)}));
  for (size_t i = 0; i < node.outputs.size(); ++i) TRY(bind(node, i, made[i]));
  return {};
}

}  // namespace burnish::onnx
