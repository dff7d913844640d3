#include "base/shared_library.h"

#include <dlfcn.h>
#include <link.h>

namespace burnish {

namespace {

std::string path_of(void* handle) {
  const link_map* map = nullptr;
  return dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map->l_name ? map->l_name : "";
}

Error not_found(const LibrarySought& sought, const std::vector<std::string>& folders,
                const std::string& reason) {
  std::string looked;
  for (const std::string& folder : folders)
    looked += (looked.empty() ? "" : ", ") + (folder.empty() ? "the default search path" : folder);
  return Error(Code::io_error,
               sought.file + ", " + sought.what + ", cannot be opened from " + looked + ": " + reason)
      .remedy(sought.remedy);
}

}  // namespace

Result<SharedLibrary> SharedLibrary::open(const LibrarySought& sought, const std::string& directory) {
  SharedLibrary library;
  library.file_ = sought.file;
  library.remedy_ = sought.remedy;
  const std::vector<std::string> folders =
      directory.empty() ? sought.folders : std::vector<std::string>{directory};
  if (directory.empty()) library.handle_ = dlopen(sought.file.c_str(), RTLD_NOW | RTLD_NOLOAD);
  std::string reason;
  for (const std::string& folder : folders) {
    if (library.handle_) break;
    const std::string path = folder.empty() ? sought.file : folder + "/" + sought.file;
    library.handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library.handle_) reason = dlerror();
  }
  if (!library.handle_) return not_found(sought, folders, reason);
  library.path_ = path_of(library.handle_);
  return library;
}

Result<void*> SharedLibrary::symbol(const char* name) const {
  void* address = dlsym(handle_, name);
  if (!address) return Error(Code::io_error, file_ + " has no function " + name).remedy(remedy_);
  return address;
}

std::string folder_of_code(const void* address) {
  Dl_info info;
  if (!dladdr(const_cast<void*>(address), &info) || !info.dli_fname) return {};
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace burnish
