#pragma once

#include "cli/npz.h"
#include "cli/trtexec/session.h"

namespace burnish::cli::trtexec {

/// "name.1x1000.fp32.raw", without the slashes of a name.
std::string file_name(const std::string& name, const Array& array, const char* extension);
/// In the order of the engine, as all of these.
void dump_outputs(const Session& session, const Arrays& outputs, const Log& log);
/// [{"name", "dimensions" : "1x1000", "values"}]
std::string outputs_json(const Session& session, const Arrays& outputs);
/// Inputs and outputs, raw, each in a file of its name in the current folder. Throws Failure.
void write_raw_bindings(const Session& session, const Arrays& outputs, const Log& log);

}  // namespace burnish::cli::trtexec
