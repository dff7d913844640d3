#include "compiler/build_route.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/version.h"

namespace burnish {

namespace {

struct Knob {
  std::string name;
  std::vector<std::string> values;
  std::string usual;
  std::string help;
  void (*set)(CompileOptions& options, const std::string& value);
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

void set_libraries(CompileOptions& options, const std::string& value) {
  if (value == "present") options.libraries.reset();
  else options.libraries = value == "none" ? std::vector<std::string>() : split(value, ',');
  options.tuning.libraries_required = options.libraries.has_value();
}

const std::vector<Knob>& knobs() {
  static const std::vector<Knob> all = {
      {"optimization_level",
       {"0", "1", "2", "3", "4", "5"},
       "3",
       "0 and 1 choose kernels by estimate, 2 to 5 time ever more of them",
       [](CompileOptions& o, const std::string& value) { o.tuning.level = std::stoi(value); }},
      {"max_tactics",
       {"0", "1", "2", "4", "8", "16", "32"},
       "0",
       "candidates of a node that are timed at most; 0: as many as the level says",
       [](CompileOptions& o, const std::string& value) { o.tuning.most_candidates = std::stoul(value); }},
      {"averaged_timings",
       {"1", "2", "4", "8"},
       "1",
       "timings of a kernel that make one time",
       [](CompileOptions& o, const std::string& value) { o.tuning.averaged = std::stoi(value); }},
      {"libraries",
       {"none", "present", "cublaslt", "cudnn", "cublaslt,cudnn"},
       "none",
       "libraries whose routines are candidates where kernels are timed",
       set_libraries},
      {"max_branches",
       {"0", "1", "2", "4", "8"},
       "0",
       "branches of the graph that run side by side at most; 0: all",
       [](CompileOptions& o, const std::string& value) {
         o.max_branches = static_cast<uint32_t>(std::stoul(value));
       }},
      {"workspace_mib",
       {"0", "1", "4", "16", "64", "256", "1024"},
       "0",
       "scratch memory of a node's kernels at most, in MiB; 0: no limit",
       [](CompileOptions& o, const std::string& value) { o.limits.workspace = std::stoull(value) << 20; }},
  };
  return all;
}

std::string list(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

Result<> apply_choice(const std::string& choice, CompileOptions& options) {
  const size_t equals = choice.find('=');
  if (choice.front() != '-' || equals == std::string::npos)
    return Error(Code::invalid_argument, "'" + choice + "' in a build route chooses nothing")
        .remedy("write -knob=value, with spaces between several");
  const std::string name = choice.substr(1, equals - 1), value = choice.substr(equals + 1);
  const auto knob = std::ranges::find(knobs(), name, &Knob::name);
  if (knob == knobs().end()) {
    std::vector<std::string> names;
    for (const Knob& known : knobs()) names.push_back(known.name);
    return Error(Code::invalid_argument, "a build has no knob '" + name + "'")
        .remedy("its knobs are " + list(names));
  }
  if (std::ranges::find(knob->values, value) == knob->values.end())
    return Error(Code::invalid_argument, "knob '" + name + "' cannot be '" + value + "'")
        .remedy("it may be " + list(knob->values));
  knob->set(options, value);
  return {};
}

}  // namespace

std::string build_knobs() {
  nlohmann::ordered_json options = nlohmann::ordered_json::array();
  for (const Knob& knob : knobs())
    options.push_back({{"option", knob.name},
                       {"allowed_values", knob.values},
                       {"default_value", knob.usual},
                       {"help", knob.help}});
  return nlohmann::ordered_json{{"tuner_version", version}, {"tuner_options", std::move(options)}}.dump();
}

Result<> apply_build_route(std::string_view route, CompileOptions& options) {
  std::istringstream words{std::string(route)};
  for (std::string choice; words >> choice;) TRY(apply_choice(choice, options));
  return {};
}

}  // namespace burnish
