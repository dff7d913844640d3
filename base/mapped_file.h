#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"

namespace burnish {

/// The bytes of a regular file, read-only and mapped: only pages that are touched cost memory. `bytes` keeps the
/// mapping alive; aliasing copies of it keep it alive too. Null when the file is empty.
struct MappedFile {
  std::shared_ptr<const std::byte> bytes;
  size_t size = 0;
};

/// Errors: io_error when there is no such file, it may not be read, or it is a folder, pipe or device.
Result<MappedFile> map_file(const std::string& path);

}  // namespace burnish
