#include "ir/literal.h"

namespace burnish {

std::string string_literal(std::string_view value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    else if (c == '"' || c == '\\') out += {'\\', c};
    else out += c;
  }
  return out + "\"";
}

Result<std::string> read_string(std::string_view text) {
  auto wrong = [whole = text] {
    return Error(Code::invalid_argument, std::string(whole) + " is no string in \" \"");
  };
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return wrong();
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return wrong();
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return wrong();
    if (text[i] != 'x') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    if (i + 2 >= text.size() || std::from_chars(&text[i + 1], &text[i + 3], byte, 16).ptr != &text[i + 3])
      return wrong();
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

size_t length_before(std::string_view text, std::string_view stops) {
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
      continue;
    }
    if (depth == 0 && stops.find(c) != stops.npos) return i;
    if (c == '"' || c == '\'') quote = c;
    depth += c == '[' || c == '(' || c == '{' ? 1 : c == ']' || c == ')' || c == '}' ? -1 : 0;
  }
  return text.size();
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  auto trimmed = [](std::string_view part) {
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    return part;
  };
  if (trimmed(text).empty()) return parts;
  for (;;) {
    const size_t length = length_before(text, ",");
    parts.push_back(trimmed(text.substr(0, length)));
    if (length >= text.size()) return parts;
    text.remove_prefix(length + 1);
  }
}

}  // namespace burnish
