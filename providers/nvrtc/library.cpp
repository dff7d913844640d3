#include "providers/nvrtc/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <string_view>

#include "base/shared_library.h"

#ifndef BURNISH_CUDA_LIB_DIRS
#define BURNISH_CUDA_LIB_DIRS ""
#endif

namespace burnish::nvrtc {

/// Where it is looked for, in order.
static LibrarySought nvrtc() {
  LibrarySought sought{
      .file = "libnvrtc.so.13",
      .what = "the CUDA runtime compiler",
      .remedy =
          "install the CUDA 13.0 toolkit or the PyPI package nvidia-cuda-nvrtc 13.0, "
          "or name the folder that holds libnvrtc.so.13",
      .folders = {folder_of_code(reinterpret_cast<const void*>(&load_library)) + "/../../nvidia/cu13/lib", "",
                  "/usr/local/cuda/lib64"}};
  std::string_view configured = BURNISH_CUDA_LIB_DIRS;
  while (!configured.empty()) {
    const size_t end = std::min(configured.find(':'), configured.size());
    if (end > 0) sought.folders.emplace_back(configured.substr(0, end));
    configured.remove_prefix(std::min(end + 1, configured.size()));
  }
  return sought;
}

/// NVRTC opens its builtins by bare name, which fails when its folder is on no search path. Having them
/// loaded already makes that name resolve; without them only few programs fail, and say so.
static void load_builtins(const LoadedLibrary& library) {
  int major = 0, minor = 0;
  if (library.call.version(&major, &minor) != NVRTC_SUCCESS) return;
  const std::string path = library.path.substr(0, library.path.find_last_of('/')) + "/libnvrtc-builtins.so." +
                           std::to_string(major) + "." + std::to_string(minor);
  dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

Result<LoadedLibrary> load_library(const std::string& directory) {
  const SharedLibrary opened = TRY(SharedLibrary::open(nvrtc(), directory));
  LoadedLibrary library;
  Functions& call = library.call;
  TRY(opened.resolve("nvrtcVersion", call.version));
  TRY(opened.resolve("nvrtcGetErrorString", call.error_string));
  TRY(opened.resolve("nvrtcCreateProgram", call.create_program));
  TRY(opened.resolve("nvrtcDestroyProgram", call.destroy_program));
  TRY(opened.resolve("nvrtcCompileProgram", call.compile_program));
  TRY(opened.resolve("nvrtcGetProgramLogSize", call.log_size));
  TRY(opened.resolve("nvrtcGetProgramLog", call.log));
  TRY(opened.resolve("nvrtcGetCUBINSize", call.cubin_size));
  TRY(opened.resolve("nvrtcGetCUBIN", call.cubin));
  TRY(opened.resolve("nvrtcGetPTXSize", call.ptx_size));
  TRY(opened.resolve("nvrtcGetPTX", call.ptx));
  library.path = opened.path();
  load_builtins(library);
  return library;
}

}  // namespace burnish::nvrtc
