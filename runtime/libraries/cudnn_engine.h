#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace burnish::cudnn {

/// A way to do a graph's work: one of the library's engines by its number, with its knobs (by theirs) set. The same for one version
/// of the library, whatever else it would propose.
struct Engine {
  int64_t index = 0;
  std::vector<std::pair<int, int64_t>> knobs;
  bool operator==(const Engine&) const = default;
};

/// "engine 10 2=5 13=1".
std::string print(const Engine& engine);
/// Nothing for another text.
std::optional<Engine> parse_engine(std::string_view text);

}  // namespace burnish::cudnn
