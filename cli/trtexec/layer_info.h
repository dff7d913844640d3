#pragma once

#include <string>

#include "cli/trtexec/session.h"

namespace burnish::cli::trtexec {

/// The layers of an engine's plan for `target` in the form of the interface's version 10 or 11. `verbosity`: "layer_names_only", "none",
/// or "detailed", which has tensors and tactics too.
std::string layer_json(const burnish_engine* engine, const std::string& target, const std::string& verbosity,
                       int schema);
/// The same, a layer a line.
std::string layer_text(const burnish_engine* engine, const std::string& target, const std::string& verbosity);
/// "Model input x (profile 0): min=1x3, opt=2x3, max=4x3", a line each.
std::string profiles_text(const burnish_engine* engine);
/// Whether everything of the plan for `target` runs on the GPU, so that it can be captured.
bool all_on_gpu(const burnish_engine* engine, const std::string& target);

}  // namespace burnish::cli::trtexec
