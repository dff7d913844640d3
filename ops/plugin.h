#pragma once

#include "ir/op.h"

namespace burnish {

/// A call of a plugin's operator, with all that the plugin said of it: nobody asks it again before the engine runs.
struct PluginAttrs {
  std::vector<std::string> plugin;    // name, version, file
  std::vector<std::string> op;        // domain, name, version
  std::string attributes;             // as plugin/attributes.h spells them
  bool host = false, device = false;  // where it can run
  std::vector<std::string> types;     // of each output
  std::vector<int64_t> ranks;         // of each output
  std::vector<Dim> extents;           // of the outputs, one after the other
  std::vector<Dim> workspace;         // bytes
  BURNISH_REFLECT(PluginAttrs, plugin, op, attributes, host, device, types, ranks, extents, workspace)
};

/// Types of all outputs, those included that nobody reads.
std::vector<TensorType> output_types(const PluginAttrs& attrs);

}  // namespace burnish
