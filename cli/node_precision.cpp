#include "cli/node_precision.h"

#include <algorithm>
#include <string_view>

#include "cli/failure.h"

namespace burnish::cli {

static NodePrecision parse_node_precision(std::string_view text) {
  constexpr std::pair<std::string_view, burnish_dtype> types[] = {
      {"fp32", BURNISH_F32}, {"fp16", BURNISH_F16}, {"bf16", BURNISH_BF16}};

  const size_t colon = std::min(text.rfind(':'), text.size());
  const std::string_view name = text.substr(0, colon), type = text.substr(std::min(colon + 1, text.size()));
  const auto* found = std::ranges::find(types, type, [](const auto& one) { return one.first; });
  if (name.empty() || found == std::end(types))
    fail("--node-precision: '" + std::string(text) + "' is no node with its type",
         "write NODE:fp32, NODE:fp16 or NODE:bf16; one * in the name stands for anything");
  return {std::string(name), found->second};
}

NodePrecisions parse_node_precisions(const std::vector<std::string>& texts) {
  NodePrecisions precisions;
  for (const std::string& text : texts)
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      precisions.push_back(parse_node_precision(std::string_view(text).substr(begin, end - begin)));
      begin = end + 1;
    }
  return precisions;
}

}  // namespace burnish::cli
