#include "cli/trtexec/table_indices.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace burnish::cli::trtexec {

namespace {

/// One line of a graph: "  %y = Gather(%x, %i) {axis=1} : f16[b, 8]".
struct Line {
  std::string_view result, op;
  std::vector<std::string_view> operands;
  std::string_view attributes;
  int64_t length = -1;  // of the result's axis 0, where it is a number
};

std::string_view name_at(std::string_view text) {
  const size_t percent = text.find('%');
  if (percent == text.npos) return {};
  return text.substr(percent + 1, text.find_first_of(" ,)", percent) - percent - 1);
}

Line parse(std::string_view text) {
  Line line;
  const size_t equals = text.find(" = ");
  if (!text.starts_with("  %") || equals == text.npos) return line;
  line.result = name_at(text);
  text.remove_prefix(equals + 3);
  const bool constant = text.starts_with("constant ");
  const size_t open = text.find('('), close = text.find(')');
  if (!constant && (open == text.npos || close < open || close == text.npos)) return line;
  if (!constant) {
    line.op = text.substr(0, open);
    for (std::string_view rest = text.substr(open, close - open); rest.find('%') != rest.npos;) {
      line.operands.push_back(name_at(rest));
      rest.remove_prefix(rest.find('%') + 1);
    }
    text.remove_prefix(close + 1);
    const size_t colon = std::min(text.find(" : "), text.size());
    line.attributes = text.substr(0, colon);
    text.remove_prefix(colon);
  }
  if (const size_t bracket = text.find('['); bracket != text.npos) {
    const char* const begin = text.data() + bracket + 1;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), line.length);
    if (error != std::errc() || (*end != ',' && *end != ']')) line.length = -1;
  }
  return line;
}

}  // namespace

std::map<std::string, int64_t> table_indices(std::string_view graph) {
  std::map<std::string_view, int64_t> lengths;
  std::map<std::string_view, std::string_view> origin;
  std::map<std::string, int64_t> most;
  for (size_t begin = 0; begin < graph.size();) {
    const size_t end = std::min(graph.find('\n', begin), graph.size());
    const Line line = parse(graph.substr(begin, end - begin));
    begin = end + 1;
    lengths[line.result] = line.length;
    if ((line.op == "Cast" || line.op == "Identity") && line.operands.size() == 1)
      origin[line.result] = line.operands[0];
    if (line.op != "Gather" || line.operands.size() != 2 ||
        line.attributes.find("axis") != line.attributes.npos)
      continue;
    const auto table = lengths.find(line.operands[0]);
    if (table == lengths.end() || table->second < 1) continue;
    std::string_view index = line.operands[1];
    for (auto from = origin.find(index); from != origin.end(); from = origin.find(index))
      index = from->second;
    const auto [at, first] = most.try_emplace(std::string(index), table->second - 1);
    at->second = std::min(at->second, table->second - 1);
  }
  return most;
}

}  // namespace burnish::cli::trtexec
