#include "cli/failure.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/interrupt.h"

namespace burnish::cli {

static std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

void fail(std::string cause, std::string remedy) {
  throw Failure{one_line(std::move(cause)), one_line(std::move(remedy))};
}

static const char* usual_remedy(burnish_status status) {
  switch (status) {
    case BURNISH_INVALID_ARGUMENT: return "burnish COMMAND --help says what each option takes";
    case BURNISH_INVALID_MODEL: return "check the model with onnx.checker, or export it again";
    case BURNISH_UNSUPPORTED: return "another export of the model, or --target cpu";
    case BURNISH_OUT_OF_MEMORY: return "smaller inputs, or a device with more free memory";
    case BURNISH_DEVICE_ERROR:
      return "see whether nvidia-smi works, then run again with --device cpu to compare";
    case BURNISH_INCOMPATIBLE_ENGINE:
      return "build the engine again with this version of Burnish, for this device";
    case BURNISH_IO_ERROR: return "check the path, its permissions and the space left";
    default: return "this is a defect of Burnish: please report it with the model and what --verbose prints";
  }
}

void check(burnish_status status, burnish_error* const& error) {
  if (status == BURNISH_OK) return;
  std::string cause = error ? burnish_error_cause(error) : "";
  std::string remedy = error ? burnish_error_remedy(error) : "";
  burnish_error_free(error);
  if (status == BURNISH_CANCELLED && interrupted()) throw Interrupted{interrupted()};
  if (cause.empty()) cause = "status " + std::to_string(status) + " without a reason";
  fail(std::move(cause), remedy.empty() ? usual_remedy(status) : std::move(remedy));
}

std::string system_error() { return std::strerror(errno); }

void require_readable(const std::string& path, const std::string& what) {
  struct stat about;
  if (stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode))
    fail("the " + what + " '" + path + "' is a folder", "name a file in it");
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    std::string remedy = errno == ENOENT ? "check the path; relative ones start at the current folder"
                                         : "check who may read it: ls -l '" + path + "'";
    fail("cannot read the " + what + " '" + path + "': " + system_error(), remedy);
  }
  close(file);
}

void require_writable(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path target(path);
  if (std::filesystem::is_directory(target, ignored))
    fail("cannot write '" + path + "': it is a folder", "name a file in it");
  std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  bool special =
      std::filesystem::exists(target, ignored) && !std::filesystem::is_regular_file(target, ignored);
  if (access(special ? path.c_str() : folder.c_str(), W_OK) == 0) return;
  std::string remedy = errno == ENOENT ? "make its folder first: mkdir -p '" + folder.string() + "'"
                                       : "choose a folder that you may write to";
  fail("cannot write '" + path + "': " + system_error(), remedy);
}

}  // namespace burnish::cli
