#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/burnish_compiler.h"
#include "cli/npy.h"

namespace burnish::cli {

/// What an input or output is to be in memory; see burnish_port_format.
struct Format {
  int dtype = -1;
  burnish_layout layout = BURNISH_ROW_MAJOR;
};
using Formats = std::map<std::string, Format>;  // by name

/// Reads "images:fp16:nhwc,scores:fp16" (one or several of these): after each name a type, a layout, or both. A name may hold
/// ':'. `option` names the option in errors. Throws Failure.
Formats parse_formats(const std::string& option, const std::vector<std::string>& texts);

/// A row-major array with its elements moved to where they lie when the axes go from the slowest to the fastest as in `order`,
/// which may be null: row-major; and back. The shape stays.
Array into_order(Array array, const int* order);
Array from_order(Array array, const int* order);

/// "nhwc"-like for people: "axes 0 2 3 1"; "" for row-major.
std::string order_text(const int* order, int rank);

}  // namespace burnish::cli
