#pragma once

#include <unordered_map>

#include "plan/plan.h"
#include "plugin/operator.h"

namespace burnish {

/// The operators of plugins that a plan calls, each made for its step; of one context.
class PluginCalls {
 public:
  /// Error incompatible_engine, which says what to load, where a plugin or its operator is not among `plugins`.
  static Result<PluginCalls> prepare(const Plan& plan, const plugin::Plugins& plugins);
  const plugin::Operator& at(const PluginCall& call) const { return operators_.at(&call); }

 private:
  std::unordered_map<const PluginCall*, plugin::Operator> operators_;
};

}  // namespace burnish
