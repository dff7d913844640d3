#include "base/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace burnish {

static Error failed(const std::string& path, int error) {
  const char* remedy = error == ENOSPC || error == EDQUOT  ? "make room on the disk, or write elsewhere"
                       : error == ENOENT                   ? "make the folder first, or write elsewhere"
                       : error == EACCES || error == EROFS ? "write to a folder that this user may write to"
                                                           : "check the path and its disk";
  return Error(Code::io_error, "cannot write '" + path + "': " + std::strerror(error)).remedy(remedy);
}

NewFile::~NewFile() {
  if (number_ >= 0) close(number_);
  if (!beside_.empty()) unlink(beside_.c_str());
}

Result<> NewFile::create() {
  for (int i = 0; number_ < 0; ++i) {
    const std::string name = path_ + ".part" + std::to_string(getpid()) + "-" + std::to_string(i);
    number_ = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (number_ >= 0) beside_ = name;
    else if (errno != EEXIST) return failed(path_, errno);
  }
  return {};
}

Result<> NewFile::write(std::span<const std::byte> bytes) {
  TRY(write_at(size_, bytes));
  size_ += bytes.size();
  return {};
}

Result<> NewFile::write_at(uint64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t done =
        pwrite(number_, bytes.data(), std::min<size_t>(bytes.size(), 16 << 20), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return failed(path_, errno);
    bytes = bytes.subspan(static_cast<size_t>(done));
    at += static_cast<uint64_t>(done);
  }
  return {};
}

Result<> NewFile::sync() {
  if (fsync(number_) != 0) return failed(path_, errno);
  return {};
}

Result<> NewFile::commit() {
  const int closed = close(std::exchange(number_, -1));
  if (closed != 0) return failed(path_, errno);
  if (rename(beside_.c_str(), path_.c_str()) != 0) return failed(path_, errno);
  beside_.clear();
  return {};
}

Result<> write_file(const std::string& path, std::span<const std::byte> bytes) {
  NewFile file(path);
  TRY(file.create());
  TRY(file.write(bytes));
  TRY(file.sync());
  return file.commit();
}

}  // namespace burnish
