#include "cli/output.h"

#include <cstdio>

#include "cli/failure.h"
#include "cli/interrupt.h"

namespace burnish::cli {

void write_text(const std::string& path, std::string_view text) {
  require_writable(path);
  PartialFile partial(path);
  FILE* file = std::fopen(partial.path().c_str(), "wb");
  bool good = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file && std::fclose(file) != 0) good = false;
  if (!good)
    fail("cannot write '" + path + "': " + system_error(), "free some space, or choose another file");
  partial.commit();
}

void finish_stdout() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    fail("cannot write standard output: " + system_error(), "free some space, or send the output elsewhere");
}

}  // namespace burnish::cli
