#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace burnish {
namespace {

Error cannot_open(const std::string& path, int error) {
  const char* remedy = error == ENOENT   ? "Check the path."
                       : error == EACCES ? "Make the file readable for this user."
                                         : "Check that the file and its disk are readable.";
  return Error(Code::io_error, "cannot open '" + path + "': " + std::strerror(error)).remedy(remedy);
}

struct Descriptor {
  int number = -1;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

}  // namespace

Result<MappedFile> map_file(const std::string& path) {
  // Non-blocking, so that opening a pipe nobody writes to returns.
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info;
  if (file.number < 0 || fstat(file.number, &info) != 0) return cannot_open(path, errno);
  if (!S_ISREG(info.st_mode))
    return Error(Code::io_error, "'" + path + "' is not a regular file")
        .remedy("Name a file, not a folder or pipe.");
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) return MappedFile{};
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED) return cannot_open(path, errno);
  const auto unmap = [size](const std::byte* bytes) { munmap(const_cast<std::byte*>(bytes), size); };
  return MappedFile{{static_cast<const std::byte*>(address), unmap}, size};
}

}  // namespace burnish
