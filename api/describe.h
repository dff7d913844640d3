#pragma once

#include <string>

#include "runtime/context.h"

namespace burnish::api {

/// What burnish_engine_describe gives: identity, and for each plan its ports, steps, buffers and memory.
std::string describe(const Engine& engine);
/// What burnish_context_describe gives.
std::string describe(const Context& context);
/// What burnish_context_profile gives: `times` were taken in `context`.
std::string describe(const Context& context, const std::vector<StepTime>& times);

}  // namespace burnish::api
