#pragma once

#include <cstddef>
#include <cstdint>
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
  /// The same from byte `at` on, in place of what is there; `write` goes on where it was.
  Result<> write_at(uint64_t at, std::span<const std::byte> bytes);
  /// Waits until the disk has it, so that not even a power failure takes it back.
  Result<> sync();
  /// Moves it to its place.
  Result<> commit();

 private:
  std::string path_, beside_;
  int number_ = -1;
  uint64_t size_ = 0;  // as far as `write` has come
};

/// All of it at once, onto the disk.
Result<> write_file(const std::string& path, std::span<const std::byte> bytes);

}  // namespace burnish
