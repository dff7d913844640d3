#pragma once

#include <map>
#include <string>

#include "cli/npy.h"

namespace burnish::cli {

/// Arrays by name, as numpy.savez keeps them.
using Arrays = std::map<std::string, Array>;

/// Reads what numpy.savez or numpy.savez_compressed wrote. Throws Failure naming file and array.
Arrays read_npz(const std::string& path);

/// Writes arrays so that numpy.load gives them back: complete, or not at all. The bytes depend on the arrays alone.
/// Throws Failure.
void write_npz(const std::string& path, const Arrays& arrays);

}  // namespace burnish::cli
