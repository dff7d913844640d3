#pragma once

#include <CLI/CLI.hpp>

namespace burnish::cli {

/// Help as this program prints it: what the command does, how it is called, options by group with their texts wrapped,
/// examples last.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* command, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace burnish::cli
