#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace burnish::cli {

/// Characters, where UTF-8 continuation bytes are none.
static size_t width(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

static bool is_number(const std::string& text) {
  return !text.empty() && (std::isdigit(text[0]) || text[0] == '-') && text.find('x') == text.npos;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  std::vector<bool> numbers;
  for (const auto& row : rows)
    for (size_t column = 0; column < row.size(); ++column) {
      if (column == widths.size()) widths.push_back(0), numbers.push_back(true);
      widths[column] = std::max(widths[column], width(row[column]));
      // The first row may be a heading.
      if (&row != &rows.front() || rows.size() == 1)
        numbers[column] = numbers[column] && (row[column].empty() || is_number(row[column]));
    }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      std::string gap(widths[column] - width(row[column]), ' ');
      line += "  " + (numbers[column] ? gap + row[column] : row[column] + gap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string bytes_text(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} KB", static_cast<double>(bytes) / 1e3);
  if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
  return fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
}

}  // namespace burnish::cli
