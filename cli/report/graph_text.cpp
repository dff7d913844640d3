#include "cli/report/graph_text.h"

#include <charconv>
#include <map>
#include <optional>

namespace burnish::cli::report {

namespace {

/// Reads one line from its front.
class Line {
 public:
  explicit Line(std::string_view text) : text_(text) { blanks(); }

  bool take(std::string_view what) {
    if (!text_.starts_with(what)) return false;
    text_.remove_prefix(what.size());
    blanks();
    return true;
  }
  bool at(char c) const { return text_.starts_with(c); }
  bool ends_with(char c) const { return text_.ends_with(c); }
  bool done() const { return text_.empty(); }
  /// Up to one of `ends`, which stays.
  std::string until(std::string_view ends) {
    size_t n = std::min(text_.find_first_of(ends), text_.size());
    std::string word(text_.substr(0, n));
    text_.remove_prefix(n);
    blanks();
    return word;
  }
  /// "a \"b\"" without its quotes.
  std::string quoted() {
    std::string word;
    size_t i = 1;
    for (; i < text_.size() && text_[i] != '"'; ++i) {
      if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
      word += text_[i];
    }
    text_.remove_prefix(std::min(i + 1, text_.size()));
    blanks();
    return word;
  }
  /// "%name", "%\"a name\"~2", "_".
  std::string value() {
    if (!take("%")) return until(",) =:");
    return at('"') ? quoted() + until(",) =:") : until(",) =:");
  }
  /// What stands between a bracket, which is next, and its partner.
  std::string bracketed() {
    size_t depth = 0, i = 0;
    for (bool in_quotes = false; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '"' && text_[i - 1] != '\\') in_quotes = !in_quotes;
      if (in_quotes) continue;
      if (c == '(' || c == '[' || c == '{') ++depth;
      if ((c == ')' || c == ']' || c == '}') && --depth == 0) break;
    }
    std::string inside(text_.substr(1, std::max<size_t>(i, 1) - 1));
    text_.remove_prefix(std::min(i + 1, text_.size()));
    blanks();
    return inside;
  }

 private:
  void blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(' '), text_.size())); }
  std::string_view text_;
};

TextType type(Line& line) {
  TextType type{line.until("["), {}};
  if (!line.at('[')) return type;
  std::string extents = line.bracketed();
  for (size_t begin = 0; begin < extents.size();) {
    size_t end = std::min(extents.find(", ", begin), extents.size());
    type.shape.push_back(extents.substr(begin, end - begin));
    begin = end + 2;
  }
  if (line.take("=")) line.bracketed();  // its elements
  return type;
}

using Types = std::map<std::string, TextType>;

/// "graph name(%x: f32[3], …) -> …": the types of what it is given.
Types inputs_of_graph(Line line) {
  Types types;
  line.until("(");
  line.take("(");
  while (!line.done() && !line.at(')')) {
    std::string name = line.value();
    if (!line.take(":")) break;
    types[name] = type(line);
    if (!line.take(",")) break;
  }
  return types;
}

int64_t groups_of(const std::string& attributes) {
  int64_t groups = 1;
  if (size_t at = attributes.find("group="); at != attributes.npos)
    std::from_chars(attributes.data() + at + 6, attributes.data() + attributes.size(), groups);
  return groups;
}

/// "%a, _ = Op(%x) {…} : f32[3], i64[3] @"node"", or a constant, which is no node.
std::optional<TextNode> node(Line line, Types& known) {
  std::vector<std::string> results{line.value()};
  while (line.take(",")) results.push_back(line.value());
  if (!line.take("=")) return {};
  if (line.take("constant ")) {
    known[results[0]] = type(line);
    return {};
  }
  TextNode node;
  node.ops = {line.until("( ")};
  if (!line.take("(")) return {};
  while (!line.done() && !line.at(')')) {
    auto found = known.find(line.value());
    node.inputs.push_back(found == known.end() ? TextType() : found->second);
    if (!line.take(",")) break;
  }
  line.take(")");
  if (line.at('{')) node.groups = groups_of(line.bracketed());
  if (line.take(":"))
    for (const std::string& result : results) {
      node.outputs.push_back(type(line));
      known[result] = node.outputs.back();
      if (!line.take(",")) break;
    }
  while (line.take("@")) node.nodes.push_back(line.quoted());
  return node;
}

}  // namespace

std::string TextNode::layer() const {
  std::string name;
  for (const std::string& part : nodes) name += (name.empty() ? "" : " + ") + part;
  return name.empty() && !ops.empty() ? ops[0] : name;
}

std::vector<TextNode> nodes_of(std::string_view text) {
  std::vector<TextNode> nodes;
  std::vector<Types> scopes(1);
  std::vector<bool> is_graph;             // of the open braces
  std::optional<size_t> fused, fused_at;  // the node being filled, and the depth of its brace
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    Line line(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.take("}")) {
      if (is_graph.empty()) continue;
      if (is_graph.back() && scopes.size() > 1) scopes.pop_back();
      is_graph.pop_back();
      if (fused_at && is_graph.size() < *fused_at) fused = fused_at = {};
    } else if (line.take("graph ")) {
      scopes.push_back(inputs_of_graph(line));
      is_graph.push_back(true);
    } else if (line.at('%') || line.at('_')) {
      const bool opens = line.ends_with('{');
      std::optional<TextNode> found = node(line, scopes.back());
      if (opens) is_graph.push_back(false);
      if (!found) continue;
      if (fused) {
        TextNode& whole = nodes[*fused];
        if (whole.ops.empty()) whole.inputs = found->inputs, whole.groups = found->groups;
        whole.ops.push_back(found->ops[0]);
        continue;
      }
      nodes.push_back(*std::move(found));
      if (nodes.back().ops[0] != "Fused") continue;
      nodes.back().ops.clear();
      fused = nodes.size() - 1;
      fused_at = is_graph.size();
    }
  }
  return nodes;
}

}  // namespace burnish::cli::report
