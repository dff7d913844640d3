#pragma once

#include <span>
#include <string>
#include <string_view>

namespace burnish::cli::trtexec {

/// What becomes of a flag.
enum class Treatment {
  works,
  silent,   // taken; there is nothing for it to do here
  warns,    // taken; it has no effect, and a line says why
  refused,  // known; its effect cannot be had, so the run fails and says why
};

struct Flag {
  std::string_view name;   // "--onnx"
  std::string_view value;  // "<file>"; empty: a switch
  Treatment treatment;
  std::string_view text;  // what it does; for `silent`, `warns` and `refused`: why it does nothing here
};

struct FlagGroup {
  std::string_view title;
  std::span<const Flag> flags;
};

/// All flags, grouped as the help shows them.
std::span<const FlagGroup> flag_groups();
/// The flag of that name, `-h` included; null: there is none.
const Flag* find_flag(std::string_view name);
std::string help_text();

}  // namespace burnish::cli::trtexec
