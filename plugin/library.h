#pragma once

#include <string>

#include "api/burnish_plugin.h"
#include "base/result.h"

namespace burnish::plugin {

/// Opens a library of operators, for the life of the process. Errors: io_error when there is no such file or it does not load;
/// unsupported for a library that is no plugin, is one for TensorRT, or is of another version of the interface.
Result<const burnish_plugin*> open_library(const std::string& path);

/// Error invalid_argument that says what a plugin lacks; `where` is what messages call it.
Result<> check(const burnish_plugin& plugin, const std::string& where);

/// The name of the file that it lies in; empty for one that a program made.
std::string file_of(const burnish_plugin* plugin);

}  // namespace burnish::plugin
