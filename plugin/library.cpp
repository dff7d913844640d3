#include "plugin/library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/mapped_file.h"

namespace burnish::plugin {

namespace {

constexpr std::string_view entry_name = "burnish_plugin_entry";

bool holds(std::string_view bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(),
                     std::boyer_moore_horspool_searcher(text.begin(), text.end())) != bytes.end();
}

/// What a library exports and needs stands in it by name, so it need not be opened to be refused.
Result<> check_file(const std::string& path) {
  const MappedFile file = TRY(map_file(path));
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes.get()), file.size);
  if (!bytes.starts_with(ELFMAG))
    return Error(Code::unsupported, "'" + path + "' is no shared library")
        .remedy("name a library that exports burnish_plugin_entry; docs/plugins.md says how one is made");
  if (holds(bytes, entry_name)) return {};
  if (holds(bytes, "libnvinfer") || holds(bytes, "getPluginCreators") || holds(bytes, "getCreators"))
    return Error(Code::unsupported, "'" + path + "' is a plugin for TensorRT, whose own library it needs")
        .remedy(
            "write its operators for burnish_plugin.h, where the kernels can stay as they are: "
            "docs/plugins.md says how");
  return Error(Code::unsupported, "'" + path + "' is no plugin: it exports no function burnish_plugin_entry")
      .remedy("docs/plugins.md says how one is made");
}

Error of_another_version(const std::string& where) {
  return Error(Code::unsupported, where + " is made for another version of burnish_plugin.h; this one is " +
                                      std::to_string(BURNISH_PLUGIN_ABI))
      .remedy("compile it with the header of this version of Burnish");
}

}  // namespace

Result<> check(const burnish_plugin& plugin, const std::string& where) {
  const auto lacks = [&](const std::string& what) {
    return Error(Code::invalid_argument, where + " lacks " + what).remedy("see burnish_plugin.h");
  };
  if (plugin.abi != BURNISH_PLUGIN_ABI) return of_another_version(where);
  if (!plugin.name || !plugin.version) return lacks("a name or version");
  if (plugin.operator_count < 1 || !plugin.operators) return lacks("operators");
  for (int i = 0; i < plugin.operator_count; ++i) {
    const burnish_plugin_operator& op = plugin.operators[i];
    if (!op.name || !op.version) return lacks("the name or version of operator " + std::to_string(i));
    if (!op.infer) return lacks("`infer` of operator '" + std::string(op.name) + "'");
    if (!op.run && !op.enqueue)
      return lacks("both `run` and `enqueue` of operator '" + std::string(op.name) + "'");
  }
  return {};
}

Result<const burnish_plugin*> open_library(const std::string& path) {
  TRY(check_file(path));
  const std::string full = std::filesystem::absolute(path).string();  // dlopen seeks a bare name elsewhere
  void* handle = dlopen(full.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return Error(Code::io_error, "the plugin '" + path + "' does not load: " + dlerror())
        .remedy(
            "put the libraries that it needs where the loader seeks them (LD_LIBRARY_PATH, or its own "
            "RUNPATH)");
  const auto entry = reinterpret_cast<decltype(&burnish_plugin_entry)>(dlsym(handle, entry_name.data()));
  if (!entry)
    return Error(Code::unsupported, "'" + path + "' does not export burnish_plugin_entry")
        .remedy("declare it as burnish_plugin.h does");
  const burnish_plugin* plugin = entry(BURNISH_PLUGIN_ABI);
  if (!plugin) return of_another_version("the plugin '" + path + "'");
  TRY(check(*plugin, "the plugin '" + path + "'"));
  return plugin;
}

std::string file_of(const burnish_plugin* plugin) {
  Dl_info info;
  if (dladdr(plugin, &info) == 0 || !info.dli_fname) return {};
  return std::filesystem::path(info.dli_fname).filename().string();
}

}  // namespace burnish::plugin
