#include "cli/npz.h"

#include <minizip/unzip.h>
#include <minizip/zip.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "cli/failure.h"
#include "cli/interrupt.h"

namespace burnish::cli {

namespace {

constexpr size_t most_at_once = size_t{1} << 30;  // minizip counts in unsigned int and answers in int

[[noreturn]] void fail_damaged(const std::string& path, const std::string& what) {
  fail("'" + path + "': " + what, "write the file again with numpy.savez");
}

std::vector<std::byte> read_entry(unzFile zip, size_t size, const std::string& path,
                                  const std::string& name) {
  if (unzOpenCurrentFile(zip) != UNZ_OK) fail_damaged(path, "cannot unpack '" + name + "'");
  std::vector<std::byte> bytes;
  // The size in the archive's directory is only a claim, so memory is taken as data comes.
  while (true) {
    size_t before = bytes.size(),
           part = std::clamp(size - std::min(size, before), size_t{1}, most_at_once >> 4);
    bytes.resize(before + part);
    int got = unzReadCurrentFile(zip, &bytes[before], static_cast<unsigned>(part));
    bytes.resize(before + std::max(got, 0));
    if (got < 0) fail_damaged(path, "'" + name + "' is damaged");
    if (got == 0) break;
  }
  if (unzCloseCurrentFile(zip) != UNZ_OK || bytes.size() != size)
    fail_damaged(path, "'" + name + "' is damaged");
  return bytes;
}

/// A file that zips are written to. It remembers the first failure's errno, which minizip does not pass on.
class ZipSink {
 public:
  explicit ZipSink(const std::string& path) : path_(path) {}
  int error() const { return error_; }

  zlib_filefunc64_def functions() {
    zlib_filefunc64_def table{};
    table.opaque = this;
    table.zopen64_file = [](voidpf self, const void*, int) { return voidpf(of(self).open()); };
    table.zwrite_file = [](voidpf self, voidpf file, const void* data, uLong size) -> uLong {
      return of(self).noted(std::fwrite(data, 1, size, stream(file)), size);
    };
    table.zread_file = [](voidpf, voidpf file, void* data, uLong size) -> uLong {
      return std::fread(data, 1, size, stream(file));
    };
    table.ztell64_file = [](voidpf, voidpf file) -> ZPOS64_T { return ftello(stream(file)); };
    table.zseek64_file = [](voidpf self, voidpf file, ZPOS64_T offset, int origin) -> long {
      return of(self).noted(fseeko(stream(file), static_cast<off_t>(offset), origin), 0);
    };
    table.zclose_file = [](voidpf self, voidpf file) -> int {
      return of(self).noted(std::fclose(stream(file)), 0);
    };
    table.zerror_file = [](voidpf, voidpf file) -> int { return std::ferror(stream(file)); };
    return table;
  }

 private:
  static ZipSink& of(voidpf self) { return *static_cast<ZipSink*>(self); }
  static FILE* stream(voidpf file) { return static_cast<FILE*>(file); }
  FILE* open() {
    FILE* file = std::fopen(path_.c_str(), "wb+");
    if (!file) error_ = errno;
    return file;
  }
  template <class T>
  T noted(T got, T wanted) {
    if (got != wanted && !error_) error_ = errno;
    return got;
  }

  std::string path_;
  int error_ = 0;
};

bool write_entry(zipFile zip, const std::string& name, const Array& array) {
  std::string header = npy_header(array);
  zip_fileinfo undated{};
  undated.tmz_date.tm_mday = 1;
  undated.tmz_date.tm_year = 1980;
  constexpr uLong made_by = 20, utf8_name = 1 << 11;
  int zip64 = header.size() + array.bytes.size() >= 0xffffffff;
  if (zipOpenNewFileInZip4_64(zip, (name + ".npy").c_str(), &undated, nullptr, 0, nullptr, 0, nullptr, 0, 0,
                              0, -MAX_WBITS, DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY, nullptr, 0, made_by,
                              utf8_name, zip64) != ZIP_OK)
    return false;
  bool good = zipWriteInFileInZip(zip, header.data(), static_cast<unsigned>(header.size())) == ZIP_OK;
  for (size_t at = 0; good && at < array.bytes.size(); at += most_at_once)
    good =
        zipWriteInFileInZip(zip, &array.bytes[at],
                            static_cast<unsigned>(std::min(most_at_once, array.bytes.size() - at))) == ZIP_OK;
  return zipCloseFileInZip(zip) == ZIP_OK && good;
}

}  // namespace

Arrays read_npz(const std::string& path) {
  require_readable(path, "file of arrays");
  std::unique_ptr<void, int (*)(unzFile)> zip(unzOpen64(path.c_str()), unzClose);
  if (!zip) fail_damaged(path, "this is no .npz file, or not all of it");
  unz_global_info64 about;
  if (unzGetGlobalInfo64(zip.get(), &about) != UNZ_OK) fail_damaged(path, "its directory is damaged");
  Arrays arrays;
  int found = about.number_entry ? unzGoToFirstFile(zip.get()) : UNZ_END_OF_LIST_OF_FILE;
  for (; found == UNZ_OK; found = unzGoToNextFile(zip.get())) {
    char name[4096] = {};
    unz_file_info64 info;
    if (unzGetCurrentFileInfo64(zip.get(), &info, name, sizeof name - 1, nullptr, 0, nullptr, 0) != UNZ_OK)
      fail_damaged(path, "its directory is damaged");
    std::string key = name;
    if (key.ends_with(".npy")) key.resize(key.size() - 4);
    std::vector<std::byte> bytes = read_entry(zip.get(), info.uncompressed_size, path, key);
    arrays[key] = read_npy(std::move(bytes), "'" + path + "': '" + key + "'");
  }
  if (found != UNZ_END_OF_LIST_OF_FILE) fail_damaged(path, "its directory is damaged");
  return arrays;
}

void write_npz(const std::string& path, const Arrays& arrays) {
  require_writable(path);
  PartialFile partial(path);
  ZipSink sink(partial.path());
  zlib_filefunc64_def functions = sink.functions();
  zipFile zip = zipOpen2_64(partial.path().c_str(), APPEND_STATUS_CREATE, nullptr, &functions);
  bool good = zip != nullptr;
  for (auto array = arrays.begin(); good && array != arrays.end(); ++array)
    good = write_entry(zip, array->first, widened(array->second));
  if (zip && zipClose(zip, nullptr) != ZIP_OK) good = false;
  if (!good || sink.error()) {
    errno = sink.error();
    fail("cannot write '" + path + "': " + (errno ? system_error() : "the archive cannot hold these arrays"),
         errno == ENOSPC ? "free some space, or choose a file on another disk"
                         : "check the path and its permissions");
  }
  partial.commit();
}

}  // namespace burnish::cli
