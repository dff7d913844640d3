#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace burnish::nvrtc {

/// A GPU architecture that device code is compiled for.
struct Architecture {
  std::string_view target;  ///< what a user names: "sm_90"
  std::string_view code;    ///< what NVRTC is asked for: "sm_90a"
};

/// The six architectures that every kernel must compile for, oldest first.
std::span<const Architecture> architectures();

/// The architecture spelled `name`, by either of its two names. Error unsupported, listing the known ones.
Result<Architecture> architecture_named(std::string_view name);

/// One translation unit of device code. Its includes are the embedded device headers and nothing else.
struct Program {
  std::string name;  ///< of the kernel; only errors use it
  std::string text;
  std::vector<std::string> options;  ///< besides the standard ones, e.g. "--maxrregcount=128"
};

/// NVRTC, opened at run time. Cheap to copy; all of it may be used from any number of threads at once.
class Compiler {
 public:
  /// Opens libnvrtc.so.13: from `directory` alone if one is given; else the copy this process already has,
  /// the PyPI wheel beside this library, the default search path, the CUDA toolkit.
  /// Error io_error when there is none.
  static Result<Compiler> open(const std::string& directory = {});

  /// Compiles to a cubin for one of `architectures()` (either name). The same program gives the same bytes.
  /// Error internal with NVRTC's log when the program is wrong, unsupported for an unknown architecture.
  Result<std::vector<std::byte>> compile(const Program& program, std::string_view architecture) const;

  /// "13.0.88": all of the version, for what it compiles depends on it. Costs one small compilation.
  Result<std::string> version() const;

  /// The file NVRTC was loaded from.
  const std::string& path() const;

 private:
  struct Library;
  explicit Compiler(std::shared_ptr<const Library> library) : library_(std::move(library)) {}
  std::shared_ptr<const Library> library_;
};

}  // namespace burnish::nvrtc
