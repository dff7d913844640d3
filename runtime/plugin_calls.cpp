#include "runtime/plugin_calls.h"

#include "plugin/attributes.h"

namespace burnish {

static_assert(PluginCall::most_axes == BURNISH_MAX_RANK);

namespace {

std::string operator_text(const PluginCall& call) {
  return "operator '" + (call.domain.empty() ? "" : call.domain + "::") + call.op + "' version '" +
         call.version + "'";
}

Error not_loaded(const NeededPlugin& needed, const PluginCall& call) {
  const std::string what = operator_text(call) + " of plugin '" + needed.name + "' " + needed.version;
  if (needed.file.empty())
    return Error(Code::incompatible_engine,
                 "the engine needs " + what + ", which this program has not registered")
        .remedy("register it before the engine runs, as the program did that built the engine");
  return Error(Code::incompatible_engine, "the engine needs " + what + ", which is not loaded")
      .remedy("load it before: --plugin " + needed.file + ", or burnish_load_plugin");
}

Result<plugin::Found> find(const NeededPlugin& needed, const PluginCall& call,
                           const plugin::Plugins& plugins) {
  const burnish_plugin* loaded = plugins.named(needed.name);
  if (!loaded) return not_loaded(needed, call);
  if (const auto* op = plugin::find_operator(*loaded, call.domain, call.op, call.version))
    return plugin::Found{loaded, op};
  return Error(Code::incompatible_engine, "plugin '" + needed.name + "' " + loaded->version + " has no " +
                                              operator_text(call) +
                                              ", which the engine was built with from " + needed.version)
      .remedy("load that version of the plugin, or build the engine again");
}

Result<plugin::Operator> prepare_call(const Plan& plan, const Step& step, const PluginCall& call,
                                      const plugin::Plugins& plugins) {
  const plugin::Found found = TRY(find(plan.plugins[call.plugin], call, plugins));
  const bool on_device = plan.buffers[call.outputs.front().buffer].space == Space::device;
  if (on_device ? found.op->enqueue != nullptr : found.op->run != nullptr)
    return plugin::Operator::create(
        found,
        {.node = step.name, .phase = BURNISH_PLUGIN_RUN, .memory = on_device ? BURNISH_DEVICE : BURNISH_HOST},
        TRY(plugin::attributes_from(call.attributes)));
  return Error(Code::incompatible_engine, "plugin '" + plan.plugins[call.plugin].name + "' no longer runs " +
                                              operator_text(call) + (on_device ? " on GPUs" : " on the host"))
      .remedy("load the version of the plugin that the engine was built with, or build the engine again");
}

}  // namespace

Result<PluginCalls> PluginCalls::prepare(const Plan& plan, const plugin::Plugins& plugins) {
  PluginCalls calls;
  Result<> all;
  for_each_step(plan.steps, [&](const Step& step) {
    const auto* call = std::get_if<PluginCall>(&step.what);
    if (!call || !all) return;
    auto made = prepare_call(plan, step, *call, plugins);
    if (made) calls.operators_.emplace(call, *std::move(made));
    else all = std::move(made).error().during("preparing step '" + step.name + "'");
  });
  if (!all) return std::move(all).error();
  return calls;
}

}  // namespace burnish
