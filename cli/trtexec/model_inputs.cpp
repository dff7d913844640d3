#include "cli/trtexec/model_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/compiler.h"
#include "cli/failure.h"

namespace burnish::cli::trtexec {

bool ModelPort::is_free() const {
  return std::ranges::any_of(axes, [](const Axis& axis) { return !axis.extent; });
}

namespace {

std::vector<ModelPort> ports_in(const nlohmann::json& list) {
  std::vector<ModelPort> ports;
  for (const nlohmann::json& one : list) {
    ModelPort& port = ports.emplace_back(ModelPort{one["name"], one["dtype"], {}});
    for (const nlohmann::json& axis : one["shape"]) {
      if (axis.is_number()) port.axes.push_back({axis.get<int64_t>(), ""});
      else port.axes.push_back({std::nullopt, axis.get<std::string>()});
    }
  }
  return ports;
}

void require_inputs(const ShapeSpec& spec, const char* flag, const std::vector<ModelPort>& inputs) {
  for (const auto& [pattern, shape] : spec)
    if (std::ranges::none_of(inputs, [&](const ModelPort& p) { return matches(pattern, p.name); })) {
      std::string names;
      for (const ModelPort& p : inputs) names += (names.empty() ? "" : ", ") + p.name;
      fail(fmt::format("{} names '{}', which is no input of the model", flag, pattern),
           "its inputs are: " + names);
    }
}

/// Ranges of the axes that have a name, from the inputs that a profile speaks of.
class NamedAxes {
 public:
  void learn(const ModelPort& port, const ShapeRange& range) {
    for (size_t k = 0; k < std::min(port.axes.size(), range.opt.size()); ++k)
      if (!port.axes[k].extent && port.axes[k].name != "?")
        known_.emplace(port.axes[k].name, ShapeRange{{range.min[k]}, {range.opt[k]}, {range.max[k]}});
  }
  ShapeRange guess(const ModelPort& port) const {
    ShapeRange range;
    for (const ModelPort::Axis& axis : port.axes) {
      const auto known = axis.extent ? known_.end() : known_.find(axis.name);
      const int64_t alone = axis.extent.value_or(1);
      range.min.push_back(known == known_.end() ? alone : known->second.min[0]);
      range.opt.push_back(known == known_.end() ? alone : known->second.opt[0]);
      range.max.push_back(known == known_.end() ? alone : known->second.max[0]);
    }
    return range;
  }

 private:
  std::map<std::string, ShapeRange> known_;
};

Profile profile_of(const ProfileSpec& spec, const std::vector<ModelPort>& inputs, const Log& log) {
  Profile profile;
  NamedAxes named;
  for (const ModelPort& input : inputs)
    if (const Extents* opt = find_shape(spec.opt, input.name)) {
      const Extents *min = find_shape(spec.min, input.name), *max = find_shape(spec.max, input.name);
      const ShapeRange& range = profile[input.name] = {min ? *min : *opt, *opt, max ? *max : *opt};
      if (range.min.size() != range.opt.size() || range.max.size() != range.opt.size())
        fail(fmt::format("the shapes of '{}' have {}, {} and {} axes", input.name, range.min.size(),
                         range.opt.size(), range.max.size()),
             "give --minShapes, --optShapes and --maxShapes as many");
      named.learn(input, range);
    }
  for (const ModelPort& input : inputs)
    if (input.is_free() && !profile.contains(input.name)) {
      const ShapeRange& range = profile[input.name] = named.guess(input);
      log.warn(fmt::format("No shape is given for the dynamic input {}: it is taken to be {}.", input.name,
                           dims_text(range.opt)));
    }
  return profile;
}

}  // namespace

ModelPorts read_model_ports(const std::string& model) {
  require_readable(model, "model");
  const nlohmann::json json = nlohmann::json::parse(model_json(model).get());
  return {ports_in(json["inputs"]), ports_in(json["outputs"])};
}

std::vector<Profile> profiles_for(const std::vector<ModelPort>& inputs, const Options& options,
                                  const Log& log) {
  std::vector<ProfileSpec> specs = options.build.profiles;
  if (specs.empty()) specs.push_back({.opt = options.inference.shapes});
  std::vector<Profile> profiles;
  for (const ProfileSpec& spec : specs) {
    require_inputs(spec.min, "--minShapes", inputs);
    require_inputs(spec.opt, options.build.profiles.empty() ? "--shapes" : "--optShapes", inputs);
    require_inputs(spec.max, "--maxShapes", inputs);
    profiles.push_back(profile_of(spec, inputs, log));
  }
  if (profiles.size() == 1 && profiles.front().empty()) profiles.clear();  // all is fixed
  return profiles;
}

}  // namespace burnish::cli::trtexec
