#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace burnish::cli {

constexpr size_t left_width = 28, text_width = 72;

/// "  --option NAME     what it does, wrapped".
static std::string entry(const std::string& left, const std::string& text) {
  std::string line = fmt::format("  {:<{}}", left, left_width), result;
  if (left.size() >= left_width) result = "  " + left + "\n", line.assign(left_width + 2, ' ');
  std::istringstream words(text);
  size_t used = 0;
  for (std::string word; words >> word; used += word.size() + 1) {
    if (used && used + word.size() > text_width) {
      result += line + "\n";
      line.assign(left_width + 2, ' ');
      used = 0;
    }
    line += (used ? " " : "") + word;
  }
  return result + line + "\n";
}

static std::string names(const CLI::Option* option) {
  std::string text;
  for (const std::string& name : option->get_snames()) text += (text.empty() ? "-" : ", -") + name;
  for (const std::string& name : option->get_lnames()) text += (text.empty() ? "--" : ", --") + name;
  return option->get_items_expected_max() == 0 ? text : text + " " + option->get_type_name();
}

std::string HelpFormatter::make_help(const CLI::App* command, std::string, CLI::AppFormatMode) const {
  const CLI::App* parent = command->get_parent();
  std::string text = command->get_description() + "\n\n  ", arguments;
  if (parent) text += parent->get_name() + " ";
  text += command->get_name();
  std::vector<std::string> groups;
  for (const CLI::Option* option : command->get_options()) {
    if (option->get_positional()) {
      text += " " + option->get_name();
      arguments += entry(option->get_name(), option->get_description());
    } else if (std::find(groups.begin(), groups.end(), option->get_group()) == groups.end())
      groups.push_back(option->get_group());
  }
  text += parent ? " [options]\n" : " COMMAND [options]\n";
  if (!arguments.empty()) text += "\n" + arguments;
  auto commands = command->get_subcommands([](const CLI::App*) { return true; });
  if (!commands.empty()) text += "\nCommands:\n";
  for (const CLI::App* one : commands) text += entry(one->get_name(), one->get_description());
  // The help option comes first and its group last.
  if (!groups.empty()) std::rotate(groups.begin(), groups.begin() + 1, groups.end());
  for (const std::string& group : groups) {
    text += "\n" + group + ":\n";
    for (const CLI::Option* option : command->get_options())
      if (!option->get_positional() && option->get_group() == group)
        text += entry(names(option), option->get_description());
  }
  return text + "\n" + command->get_footer() + "\n";
}

}  // namespace burnish::cli
