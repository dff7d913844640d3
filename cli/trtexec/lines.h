#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/trtexec/log.h"

namespace burnish::cli::trtexec {

/// Lines "key: value" of a block of the log; without a value the key is the whole line.
using Lines = std::vector<std::pair<std::string, std::optional<std::string>>>;

inline void print_lines(const Lines& lines, const Log& log) {
  for (const auto& [key, value] : lines) log.info(value ? key + ": " + *value : key);
}

}  // namespace burnish::cli::trtexec
