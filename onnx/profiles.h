#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "onnx/import.h"
#include "shape/dim.h"

namespace burnish::onnx {

/// What the profiles of an import say together of the inputs' axes.
struct ProfileExtents {
  /// By input: the extents that are one number in all profiles, -1 elsewhere.
  std::map<std::string, std::vector<int64_t>> fixed;
  /// By input and axis: from the least to the most of any profile.
  std::map<std::string, std::vector<Range>> ranges;
  /// The same by the name of an axis, which all inputs that have it agree on.
  std::map<std::string, Range> named;
};

/// Errors (invalid_argument): an input that the model lacks or a profile leaves out, a wrong rank, numbers out of order, a
/// range for an axis that is fixed, axes of one name that differ.
Result<ProfileExtents> read_profiles(const Model& model, const ImportOptions& options);

}  // namespace burnish::onnx
