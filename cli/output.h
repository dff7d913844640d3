#pragma once

#include <string>
#include <string_view>

namespace burnish::cli {

/// Writes `text` to the file `path`: complete, or not at all. Throws Failure.
void write_text(const std::string& path, std::string_view text);

/// Throws Failure where what was printed did not reach standard output (a full disk).
void finish_stdout();

}  // namespace burnish::cli
