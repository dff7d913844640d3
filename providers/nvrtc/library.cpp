#include "providers/nvrtc/library.h"

#include <dlfcn.h>

#include <string_view>
#include <vector>

#ifndef BURNISH_CUDA_LIB_DIRS
#define BURNISH_CUDA_LIB_DIRS ""
#endif

namespace burnish::nvrtc {

static constexpr const char* file_name = "libnvrtc.so.13";
static constexpr const char* remedy =
    "install the CUDA 13.0 toolkit or the PyPI package nvidia-cuda-nvrtc 13.0, or name the folder that "
    "holds ";

static std::string folder_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

/// Where the code at `address` was loaded from.
static std::string file_holding(void* address) {
  Dl_info info;
  return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "";
}

/// Folders tried by name, in order; an empty one stands for the default search of dlopen.
static std::vector<std::string> folders_to_search() {
  const std::string here = folder_of(file_holding(reinterpret_cast<void*>(&folders_to_search)));
  std::vector<std::string> folders = {here + "/../nvidia/cu13/lib", "", "/usr/local/cuda/lib64"};
  std::string_view configured = BURNISH_CUDA_LIB_DIRS;
  while (!configured.empty()) {
    const size_t end = std::min(configured.find(':'), configured.size());
    if (end > 0) folders.emplace_back(configured.substr(0, end));
    configured.remove_prefix(std::min(end + 1, configured.size()));
  }
  return folders;
}

static Error not_found(const std::vector<std::string>& folders, const std::string& reason) {
  std::string looked;
  for (const std::string& folder : folders)
    looked += (looked.empty() ? "" : ", ") + (folder.empty() ? "the default search path" : folder);
  return Error(Code::io_error, std::string(file_name) +
                                   ", the CUDA runtime compiler, cannot be opened from " + looked + ": " +
                                   reason)
      .remedy(std::string(remedy) + file_name);
}

static Result<void*> open_handle(const std::string& directory) {
  std::vector<std::string> folders = {directory};
  if (directory.empty()) {
    // A copy that the process already uses (a Python framework's) is kept: two versions side by side clash.
    if (void* handle = dlopen(file_name, RTLD_NOW | RTLD_NOLOAD)) return handle;
    folders = folders_to_search();
  }
  std::string reason;
  for (const std::string& folder : folders) {
    const std::string path = folder.empty() ? file_name : folder + "/" + file_name;
    if (void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    reason = dlerror();
  }
  return not_found(folders, reason);
}

template <class Function>
static Result<> resolve(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  if (!function)
    return Error(Code::io_error, std::string(file_name) + " has no function " + name)
        .remedy(std::string(remedy) + file_name);
  return {};
}

/// NVRTC opens its builtins by bare name, which fails when its folder is on no search path. Having them
/// loaded already makes that name resolve; without them only few programs fail, and say so.
static void load_builtins(const LoadedLibrary& library) {
  int major = 0, minor = 0;
  if (library.call.version(&major, &minor) != NVRTC_SUCCESS) return;
  const std::string path = folder_of(library.path) + "/libnvrtc-builtins.so." + std::to_string(major) + "." +
                           std::to_string(minor);
  dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

Result<LoadedLibrary> load_library(const std::string& directory) {
  void* handle = TRY(open_handle(directory));
  LoadedLibrary library;
  Functions& call = library.call;
  TRY(resolve(handle, "nvrtcVersion", call.version));
  TRY(resolve(handle, "nvrtcGetErrorString", call.error_string));
  TRY(resolve(handle, "nvrtcCreateProgram", call.create_program));
  TRY(resolve(handle, "nvrtcDestroyProgram", call.destroy_program));
  TRY(resolve(handle, "nvrtcCompileProgram", call.compile_program));
  TRY(resolve(handle, "nvrtcGetProgramLogSize", call.log_size));
  TRY(resolve(handle, "nvrtcGetProgramLog", call.log));
  TRY(resolve(handle, "nvrtcGetCUBINSize", call.cubin_size));
  TRY(resolve(handle, "nvrtcGetCUBIN", call.cubin));
  TRY(resolve(handle, "nvrtcGetPTXSize", call.ptx_size));
  TRY(resolve(handle, "nvrtcGetPTX", call.ptx));
  library.path = file_holding(reinterpret_cast<void*>(call.version));
  load_builtins(library);
  return library;
}

}  // namespace burnish::nvrtc
