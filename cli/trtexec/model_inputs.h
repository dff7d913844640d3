#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/profiles.h"
#include "cli/trtexec/log.h"
#include "cli/trtexec/options.h"

namespace burnish::cli::trtexec {

/// An input or output as an ONNX model declares it.
struct ModelPort {
  struct Axis {
    std::optional<int64_t> extent;
    std::string name;  // of a free axis; "?" where it has none
  };
  std::string name, dtype;  // "f32"
  std::vector<Axis> axes;
  bool is_free() const;
};
struct ModelPorts {
  std::vector<ModelPort> inputs, outputs;
};
ModelPorts read_model_ports(const std::string& model);

/// The profiles of a build. Where none are given: one for the shapes of inference. Free inputs that nothing is said of get 1 in
/// every free axis, or what the axis is in another input, and a warning. Throws Failure for a name that is no input.
std::vector<Profile> profiles_for(const std::vector<ModelPort>& inputs, const Options& options,
                                  const Log& log);

}  // namespace burnish::cli::trtexec
