#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "onnx/model.h"
#include "plan/engine_file.h"

namespace burnish {

/// Where an engine's new weights come from.
struct NewWeights {
  std::optional<onnx::Model> model;     // none: the engine keeps those that are not named
  std::map<std::string, Tensor> named;  // in place of the model's, or of the engine's
};

struct RefitOptions {
  int threads = 0;                                                            // 0: one per core
  std::function<bool(std::string_view stage, int done, int total)> progress;  // false cancels
};

/// The engine with other weights: what building the new model with the options of its build would give, byte for byte, where that
/// build decides alike. Nothing is timed and no kernel compiled: kernels and decisions are the engine's, and weights that one of them
/// depends on are refused. Errors: invalid_argument names the weight (unknown, missing, of another type or shape, not to be
/// changed) or the step that is another one; those of `compile`.
Result<EngineContents> refit(const EngineFile& engine, NewWeights weights, const RefitOptions& options);

}  // namespace burnish
