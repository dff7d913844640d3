#pragma once

#include <string>
#include <vector>

#include "cli/engine.h"
#include "cli/shapes.h"

namespace burnish::cli {

/// What the commands that build take.
struct BuildChoices {
  std::vector<std::string> targets;  // empty: the GPU that is there
  bool fp16 = false;
  bool tf32 = false;
  Shapes shapes;
  bool verbose = false;
};

/// Builds `model` into `engine_path` with progress on the terminal; Ctrl-C cancels. Throws Failure or Interrupted.
/// libburnish_compiler.so is opened on first use: running an engine does without it.
void build_engine(const std::string& model, const std::string& engine_path, const BuildChoices& choices);

/// The targets asked for, or that of GPU 0. Throws Failure naming --target when there is none.
std::vector<std::string> resolve_targets(const std::vector<std::string>& asked);

/// The model in the text form of the IR.
Text model_text(const std::string& model, const BuildChoices& choices);
/// The model as JSON.
Text model_json(const std::string& model);

}  // namespace burnish::cli
