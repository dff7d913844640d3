#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace burnish::cli::trtexec {

/// What is wrong with a flag or its value; the help text follows it.
struct BadValue {
  std::string what;
};

using Extents = std::vector<int64_t>;
/// Names, which may hold one `*`, with their shapes, in the order given.
using ShapeSpec = std::vector<std::pair<std::string, Extents>>;

/// "input:1x3x224x224,'a:0':8x?": dims with x between; `scalar` or nothing: no axes. Throws BadValue; `flag` names whose.
ShapeSpec parse_shape_spec(std::string_view flag, std::string_view text);

/// "name:value,name:value" with names quoted or not, split at each name's last colon.
std::vector<std::pair<std::string, std::string>> parse_pairs(std::string_view flag, std::string_view text);

/// Whether `name` is `pattern`, in which one `*` stands for anything.
bool matches(std::string_view pattern, std::string_view name);
/// The last entry whose name is, or whose pattern fits, `name`; exact names count before patterns. Null: none.
const Extents* find_shape(const ShapeSpec& spec, std::string_view name);

/// Elements of a tensor of that shape; of no axes one.
int64_t element_count(const Extents& shape);
/// "1x3x224x224"; no axes: "scalar".
std::string dims_text(const Extents& shape);

/// Parts of `text` between `separator`s; of nothing there are none.
std::vector<std::string> split_list(std::string_view text, char separator);

/// A whole number, or one with a fraction. Throws BadValue.
int64_t parse_integer(std::string_view flag, std::string_view text);
double parse_real(std::string_view flag, std::string_view text);
/// "512", "1.5G", "100B" in bytes; no letter means MiB. Throws BadValue.
int64_t parse_size(std::string_view flag, std::string_view text);

}  // namespace burnish::cli::trtexec
