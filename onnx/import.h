#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "ir/graph.h"
#include "onnx/model.h"
#include "plugin/plugins.h"
#include "shape/extent_range.h"

namespace burnish::onnx {

/// By input name, what each of its axes may be.
using InputRanges = std::map<std::string, std::vector<ExtentRange>>;

struct ImportOptions {
  /// Extents to fix, by input name; -1 leaves an axis free.
  std::map<std::string, std::vector<int64_t>> shapes;
  /// Ranges that the engine is for, all with the same inputs. An axis is what any of them allows: fixed, if that is one number.
  std::vector<InputRanges> profiles;
  /// Whose operators nodes may be beside those of `ops`; with `plugin_override` rather than those. Null: none.
  const plugin::Plugins* plugins = nullptr;
  bool plugin_override = false;
};

/// ONNX model -> IR graph. Types are inferred, constants folded, branches with a known condition inlined, local functions
/// inlined. Input extents without a value become symbols: equal names are one symbol; unnamed ones are distinct.
/// Errors (invalid_model, unsupported, invalid_argument) name the node, the cause and the remedy.
Result<burnish::Graph> import_model(const Model& model, const ImportOptions& options, ThreadPool& pool);

}  // namespace burnish::onnx
