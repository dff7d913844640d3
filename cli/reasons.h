#pragma once

#include <string>

namespace burnish::cli {

/// Whether a sentence of a plan, "node 'x' (Op): …", is about one of the nodes in a layer's name "x + y + z".
bool is_about(const std::string& sentence, const std::string& layer);
/// What follows "node 'x' (Op): "; the whole sentence where it begins otherwise.
std::string reason_of(const std::string& sentence);

}  // namespace burnish::cli
