#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace burnish::cli {

using Json = nlohmann::ordered_json;

/// A layer: neighbouring steps of one name.
struct Layer {
  std::string name;
  double ms = 0;
  std::optional<double> least_ms;  // at the GPU's peak; none: not known
};
/// The layers of burnish_context_profile's steps, in their order.
std::vector<Layer> layers_of(const Json& steps);

/// The sum over the layers of what each takes at least; none where no layer's is known.
std::optional<double> least_ms(const std::vector<Layer>& layers);

}  // namespace burnish::cli
