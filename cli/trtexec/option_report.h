#pragma once

#include "cli/trtexec/lines.h"
#include "cli/trtexec/options.h"

namespace burnish::cli::trtexec {

struct OptionBlock {
  std::string title;  // "Build Options"
  Lines lines;
};
/// Every option as asked for, or by default.
std::vector<OptionBlock> option_blocks(const Options& options);
/// The blocks that say what every option is, as asked for or by default, and which defaults these are.
void report_options(const Options& options, const Log& log);
/// A line for each flag that is taken without effect, and why.
void warn_of_idle_flags(const Options& options, const Log& log);

}  // namespace burnish::cli::trtexec
