#include "plugin/plugins.h"

#include <algorithm>

#include "plugin/library.h"

namespace burnish::plugin {

namespace {

std::string_view domain_of(const burnish_plugin_operator& op) { return op.domain ? op.domain : ""; }

bool fits(const burnish_plugin_operator& op, std::string_view domain, std::string_view op_type) {
  const auto plain = [](std::string_view d) { return d == "ai.onnx" ? std::string_view() : d; };
  return op_type == op.name && (!op.domain || plain(op.domain) == plain(domain));
}

std::string told(const Found& found) {
  return "version " + std::string(found.op->version) + " of plugin '" + found.plugin->name + "'";
}

}  // namespace

Result<> Plugins::add(const burnish_plugin* plugin) {
  if (!plugin) return Error(Code::invalid_argument, "a plugin is NULL").remedy("pass a valid pointer");
  TRY(check(*plugin, "plugin '" + std::string(plugin->name ? plugin->name : "") + "'"));
  const std::lock_guard lock(mutex_);
  for (const burnish_plugin* other : list_) {
    if (other == plugin) return {};
    if (std::string_view(other->name) == plugin->name)
      return Error(Code::invalid_argument,
                   "a plugin '" + std::string(plugin->name) + "' is there already, version " + other->version)
          .remedy("load one of the two, or give them different names");
  }
  list_.push_back(plugin);
  return {};
}

void Plugins::remove(const burnish_plugin* plugin) {
  const std::lock_guard lock(mutex_);
  std::erase(list_, plugin);
}

Result<std::optional<Found>> Plugins::for_node(std::string_view domain, std::string_view op_type,
                                               const std::optional<std::string>& version) const {
  const std::lock_guard lock(mutex_);
  std::vector<Found> found;
  for (const burnish_plugin* plugin : list_)
    for (int i = 0; i < plugin->operator_count; ++i)
      if (const burnish_plugin_operator& op = plugin->operators[i];
          fits(op, domain, op_type) && (!version || *version == op.version))
        found.push_back({plugin, &op});
  if (found.empty()) return std::optional<Found>();
  if (found.size() == 1) return std::optional(found.front());
  return Error(Code::invalid_argument, "operator '" + std::string(op_type) +
                                           "' is there twice: " + told(found[0]) + ", and " + told(found[1]))
      .remedy("name one in the node's attribute plugin_version, or load one of the plugins alone");
}

const burnish_plugin* Plugins::named(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find_if(list_, [&](const burnish_plugin* p) { return name == p->name; });
  return at == list_.end() ? nullptr : *at;
}

Plugins& loaded_plugins() {
  static Plugins plugins;
  return plugins;
}

const burnish_plugin_operator* find_operator(const burnish_plugin& plugin, std::string_view domain,
                                             std::string_view name, std::string_view version) {
  for (int i = 0; i < plugin.operator_count; ++i)
    if (const burnish_plugin_operator& op = plugin.operators[i];
        domain == domain_of(op) && name == op.name && version == op.version)
      return &op;
  return nullptr;
}

std::string name_of(const burnish_plugin_operator& op) {
  return (op.domain && *op.domain ? std::string(op.domain) + "::" : "") + op.name;
}

}  // namespace burnish::plugin
