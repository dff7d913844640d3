#include "compiler/lowering.h"
#include "ops/plugin.h"

namespace burnish {

namespace {

constexpr int64_t most_workspace = int64_t{1} << 48;

/// The plugin's place in the plan.
uint32_t place_of(const PluginAttrs& attrs, std::vector<NeededPlugin>& plugins) {
  const NeededPlugin needed{attrs.plugin[0], attrs.plugin[1], attrs.plugin[2]};
  const auto place = static_cast<uint32_t>(std::ranges::find(plugins, needed) - plugins.begin());
  if (place == plugins.size()) plugins.push_back(needed);
  return place;
}

}  // namespace

Result<> Lowering::lower_plugin(Scope& scope, const Node& node) {
  const auto& attrs = node.attrs.as<PluginAttrs>();
  const std::string who = "node '" + name_of(node) + "' (" + attrs.op[1] + ")";
  const bool on_device = options_.backend && attrs.device;
  if (!on_device && !attrs.host)
    return Error(Code::unsupported, who + ": plugin '" + attrs.plugin[0] + "' runs it on GPUs only")
        .remedy("build for a GPU, or give the operator a `run` for the host");
  if (options_.backend && !on_device)
    out_.plan.host_reasons.push_back(who + ": plugin '" + attrs.plugin[0] + "' runs it on the host only");
  const Space space = on_device ? Space::device : Space::host;
  PluginCall call{
      .domain = attrs.op[0], .op = attrs.op[1], .version = attrs.op[2], .attributes = attrs.attributes};
  call.plugin = place_of(attrs, out_.plan.plugins);
  for (ValueId v : node.inputs)
    if (v == no_value) call.inputs.emplace_back();
    else
      call.inputs.push_back(operand(TRY(place_dense(scope, v, space, "plugins read dense operands")),
                                    scope.graph.values[v].type));
  const std::vector<TensorType> types = output_types(attrs);
  for (size_t i = 0; i < types.size(); ++i) {
    TRY(declare(scope, types[i]));
    const ValueId v = i < node.outputs.size() ? node.outputs[i] : no_value;
    scope.parts.erase(v);  // it writes no windows
    const Placed to = v != no_value ? allocate(scope, v, space)
                                    : Placed{add_buffer(space, bytes_of(types[i])),
                                             {dims_.constant(0), dense_strides(dims_, types[i].shape)}};
    call.outputs.push_back(operand(to, types[i]));
  }
  const Dim workspace = attrs.workspace.front();
  if (const int64_t least = dims_.range(workspace).lo; least > most_workspace)
    return Error(Code::invalid_argument,
                 who + ": its plugin asks for " + std::to_string(least) + " bytes of workspace")
        .remedy("say with a profile how large dynamic extents can be");
  TRY(declare(scope, workspace));
  if (!dims_.is_constant(workspace, 0)) call.workspace = add_buffer(space, workspace);
  add_step(name_of(node), std::move(call));
  return {};
}

}  // namespace burnish
