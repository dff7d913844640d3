#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace burnish {

/// What is opened, where it is sought and what messages call it.
struct LibrarySought {
  std::string file;                  // "libnvrtc.so.13"
  std::string what;                  // "the CUDA runtime compiler"
  std::string remedy;                // what to do where it is missing
  std::vector<std::string> folders;  // in this order; an empty one is the default search of dlopen
};

/// A library opened at run time. It stays open for the life of the process: it may have started threads of its own.
class SharedLibrary {
 public:
  /// From `directory` alone where one is named. Else a copy that the process uses already (a Python framework's) is kept, for
  /// two versions side by side clash; else the first found in the folders. Error io_error that says where it was sought.
  static Result<SharedLibrary> open(const LibrarySought& sought, const std::string& directory = {});

  /// Error io_error when the library lacks the function.
  template <class Function>
  Result<> resolve(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(TRY(symbol(name)));
    return {};
  }
  /// The file it was loaded from.
  const std::string& path() const { return path_; }

 private:
  Result<void*> symbol(const char* name) const;
  void* handle_ = nullptr;
  std::string path_, file_, remedy_;
};

/// The folder that the code at `address` was loaded from; empty when unknown.
std::string folder_of_code(const void* address);

}  // namespace burnish
