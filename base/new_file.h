#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"

namespace burnish {

/// A file that appears complete or not at all: it is written beside its place and moved there by `commit`; without that it
/// is gone again. Errors: io_error (no such folder, disk full).
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  Result<> create();
  Result<> write(std::span<const std::byte> bytes);
  /// On the disk, and in its place.
  Result<> commit();

 private:
  std::string path_, beside_;
  int number_ = -1;
};

/// All of it at once.
Result<> write_file(const std::string& path, std::span<const std::byte> bytes);

}  // namespace burnish
