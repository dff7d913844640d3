#include "cli/roofline.h"

namespace burnish::cli {

std::vector<Layer> layers_of(const Json& steps) {
  std::vector<Layer> layers;
  for (const Json& step : steps) {
    std::string name = step.value("name", "");
    if (layers.empty() || layers.back().name != name) layers.push_back({name, 0, {}});
    Layer& layer = layers.back();
    layer.ms += step.value("ms", 0.0);
    if (step.contains("least_ms")) layer.least_ms = layer.least_ms.value_or(0) + step.value("least_ms", 0.0);
  }
  return layers;
}

std::optional<double> least_ms(const std::vector<Layer>& layers) {
  std::optional<double> sum;
  for (const Layer& layer : layers)
    if (layer.least_ms) sum = sum.value_or(0) + *layer.least_ms;
  return sum;
}

}  // namespace burnish::cli
