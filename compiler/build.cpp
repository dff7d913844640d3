#include "compiler/build.h"

#include <algorithm>

#include "base/version.h"
#include "compiler/refit_record.h"
#include "onnx/weights.h"

namespace burnish {

namespace {

/// Whether a name is that of a Constant node and of no other. Nodes without one go by their output.
bool is_constant(const onnx::Graph& graph, const std::string& name) {
  const auto is_named = [&](const onnx::Node& node) {
    return (node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name) == name;
  };
  const auto is_other = [&](const onnx::Node& node) { return is_named(node) && node.op_type != "Constant"; };
  return std::ranges::any_of(graph.nodes, is_named) && std::ranges::none_of(graph.nodes, is_other);
}

}  // namespace

Result<EngineContents> build(onnx::Model model, CompileOptions options) {
  EngineContents contents;
  if (options.refittable != Refittable::none) {
    std::erase_if(options.node_precisions,  // they compute nothing, and become initialisers
                  [&](const NodePrecision& asked) { return is_constant(model.graph, asked.node.text); });
    model = onnx::with_constants_as_initializers(std::move(model));
    contents.refit = TRY(refit_record(model, options));
    contents.weights = stored_weights(*contents.refit, model);
  }
  Compiled compiled = TRY(compile(model, options));
  contents.identity.burnish_version = version;
  contents.identity.model = model.graph.name;
  contents.identity.options = {{"precision", compiled.identity.at("precision")}};
  compiled.identity.erase("precision");
  contents.identity.providers = std::move(compiled.identity);
  for (CompiledTarget& target : compiled.targets)
    contents.targets.push_back(
        {std::move(target.plan), std::move(target.constants), std::move(target.binaries)});
  contents.debug = std::move(compiled.text);
  return contents;
}

}  // namespace burnish
