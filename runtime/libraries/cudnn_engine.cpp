#include "runtime/libraries/cudnn_engine.h"

#include <sstream>

namespace burnish::cudnn {

std::string print(const Engine& engine) {
  std::string text = "engine " + std::to_string(engine.index);
  for (const auto& [knob, value] : engine.knobs)
    text += " " + std::to_string(knob) + "=" + std::to_string(value);
  return text;
}

std::optional<Engine> parse_engine(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string word;
  Engine engine;
  if (!(in >> word >> engine.index) || word != "engine") return {};
  while (!(in >> std::ws).eof()) {
    int knob = 0;
    int64_t value = 0;
    char equals = 0;
    if (!(in >> knob >> equals >> value) || equals != '=') return {};
    engine.knobs.emplace_back(knob, value);
  }
  return engine;
}

}  // namespace burnish::cudnn
