#pragma once

#include <string>

namespace burnish::cli {

/// What a sentence of a plan is about, as names of layers have it: x of "node 'x' (Op): why", copy of x of "copy of 'x': why"; ""
/// for a sentence of another form.
std::string subject_of(const std::string& sentence);
/// The why.
std::string reason_of(const std::string& sentence);
/// Whether a sentence is about a layer of this name, or one of the nodes in "x + y + z".
bool is_about(const std::string& sentence, const std::string& layer);

}  // namespace burnish::cli
