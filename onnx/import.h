#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "ir/graph.h"
#include "onnx/model.h"

namespace burnish::onnx {

struct ImportOptions {
  /// Extents to fix, by input name; -1 leaves an axis free.
  std::map<std::string, std::vector<int64_t>> shapes;
};

/// ONNX model -> IR graph. Types are inferred, constants folded, branches with a known condition inlined, local functions
/// inlined. Input extents without a value become symbols: equal names are one symbol; unnamed ones are distinct.
/// Errors (invalid_model, unsupported, invalid_argument) name the node, the cause and the remedy.
Result<burnish::Graph> import_model(const Model& model, const ImportOptions& options, ThreadPool& pool);

}  // namespace burnish::onnx
