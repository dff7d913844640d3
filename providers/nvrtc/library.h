#pragma once

#include <nvrtc.h>

#include <string>

#include "base/result.h"

namespace burnish::nvrtc {

/// The functions of libnvrtc that we call, with the types of its header.
struct Functions {
  decltype(&::nvrtcVersion) version;
  decltype(&::nvrtcGetErrorString) error_string;
  decltype(&::nvrtcCreateProgram) create_program;
  decltype(&::nvrtcDestroyProgram) destroy_program;
  decltype(&::nvrtcCompileProgram) compile_program;
  decltype(&::nvrtcGetProgramLogSize) log_size;
  decltype(&::nvrtcGetProgramLog) log;
  decltype(&::nvrtcGetCUBINSize) cubin_size;
  decltype(&::nvrtcGetCUBIN) cubin;
  decltype(&::nvrtcGetPTXSize) ptx_size;
  decltype(&::nvrtcGetPTX) ptx;
};

/// libnvrtc as found on this machine. It stays loaded for the life of the process: unloading a compiler that
/// may have started threads of its own gains nothing.
struct LoadedLibrary {
  Functions call;
  std::string path;
};

/// Finds and loads libnvrtc.so.13; `directory` and errors as for Compiler::open.
Result<LoadedLibrary> load_library(const std::string& directory);

}  // namespace burnish::nvrtc
