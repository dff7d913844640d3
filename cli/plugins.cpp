#include "cli/plugins.h"

#include "cli/failure.h"

namespace burnish::cli {

std::vector<const burnish_plugin*> load_plugins(const std::vector<std::string>& files) {
  std::vector<const burnish_plugin*> plugins;
  for (const std::string& file : files) {
    require_readable(file, "plugin");
    burnish_error* error = nullptr;
    const burnish_status status = burnish_load_plugin(file.c_str(), &plugins.emplace_back(), &error);
    check(status, error);
  }
  return plugins;
}

}  // namespace burnish::cli
