#pragma once

#include <map>
#include <string>
#include <string_view>

namespace burnish::cli::trtexec {

/// The inputs of a graph, in its text form, whose elements index tables, with the largest index that all of their tables have, as the
/// token ids of bert and gpt2 do. Only what can be seen: a Gather along axis 0 of a table of known length, casts between.
std::map<std::string, int64_t> table_indices(std::string_view graph);

}  // namespace burnish::cli::trtexec
