#include "ops/plugin.h"

namespace burnish {

std::vector<TensorType> output_types(const PluginAttrs& attrs) {
  std::vector<TensorType> types;
  auto extent = attrs.extents.begin();
  for (size_t i = 0; i < attrs.types.size(); ++i) {
    const auto end = extent + attrs.ranks[i];
    types.push_back({dtype_from_name(attrs.types[i]).value_or(DType::f32), {extent, end}});
    extent = end;
  }
  return types;
}

namespace {

// Models cannot hold this operator under its own name: plugins are found by theirs.
Result<> import(ImportCtx& c) { return c.error(Code::unsupported, "this operator is not supported"); }

Result<> infer(InferCtx& c) {
  const std::vector<TensorType> types = output_types(c.attrs<PluginAttrs>());
  for (size_t i = 0; i < types.size(); ++i) c.out(i, types[i]);
  return {};
}

}  // namespace

// Without eval: the runtime calls the plugin. Types are those of the model, for the plugin was asked about them.
extern const OpDef op_plugin;
const OpDef op_plugin = {.name = "Plugin",
                         .attrs = &attr_schema<PluginAttrs>,
                         .import = import,
                         .infer = infer,
                         .exact_operands = ~uint32_t{0}};

}  // namespace burnish
