#pragma once

#include <string>
#include <vector>

namespace burnish::cli::trtexec {

/// The command line `trtexec`. `name` is what it was called as, `words` what follows. Gives the exit status; throws Interrupted.
int run(const std::string& name, const std::vector<std::string>& words);

}  // namespace burnish::cli::trtexec
