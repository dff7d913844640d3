#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace burnish::cli {

/// Rows of text in aligned columns, each line indented by two. Columns of numbers align right.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// "512 B", "24.1 MB".
std::string bytes_text(uint64_t bytes);

}  // namespace burnish::cli
