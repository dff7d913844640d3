#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/burnish_plugin.h"
#include "base/result.h"

namespace burnish::plugin {

/// An operator, and whose it is.
struct Found {
  const burnish_plugin* plugin;
  const burnish_plugin_operator* op;
};

/// Plugins that may be called. For any thread.
class Plugins {
 public:
  /// One that is there already stays as it is. Error invalid_argument for what is no plugin, or one of a name that is taken.
  Result<> add(const burnish_plugin* plugin);
  void remove(const burnish_plugin* plugin);

  /// The operator for an ONNX node; `version` where the node asks for one. Error invalid_argument where several would do.
  Result<std::optional<Found>> for_node(std::string_view domain, std::string_view op_type,
                                        const std::optional<std::string>& version) const;
  /// The plugin of that name, or null.
  const burnish_plugin* named(std::string_view name) const;

 private:
  mutable std::mutex mutex_;
  std::vector<const burnish_plugin*> list_;
};

/// Those that this process has loaded.
Plugins& loaded_plugins();

/// The operator of a plugin, or null.
const burnish_plugin_operator* find_operator(const burnish_plugin& plugin, std::string_view domain,
                                             std::string_view name, std::string_view version);
/// "example::Snake"; "Snake" for one of any domain.
std::string name_of(const burnish_plugin_operator& op);

}  // namespace burnish::plugin
