#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"
#include "plan/refit_record.h"

namespace burnish {

/// Who made an engine, from what, and how.
struct EngineIdentity {
  std::string burnish_version;                   // "0.1.0"
  std::string model;                             // the name that the model gives itself
  std::map<std::string, std::string> options;    // of the build: "fp16" -> "1"
  std::map<std::string, std::string> providers;  // "nvrtc" -> "13.0"
};

// Records in the protobuf wire format (see format.md). Equal values give equal bytes.

std::string encode(const EngineIdentity& identity);
std::string encode(const std::vector<Plan>& plans);
std::string encode(const RefitRecord& record);

/// Errors are incompatible_engine. A field that this version does not know is skipped.
Result<EngineIdentity> decode_identity(std::string_view bytes);
/// The same; the plans are not verified yet.
Result<std::vector<Plan>> decode_plans(std::string_view bytes);
Result<RefitRecord> decode_refit_record(std::string_view bytes);

}  // namespace burnish
