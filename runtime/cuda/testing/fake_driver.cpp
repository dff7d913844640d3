// A driver that can be opened and initialised, and does nothing else.
#include <cuda.h>

#include <cstring>

#ifndef FAKE_MISSING
#define FAKE_MISSING ""
#endif

#define EXPORT extern "C" __attribute__((visibility("default")))

static CUresult init(unsigned) { return FAKE_INIT; }

static CUresult error_name(CUresult error, const char** name) {
  *name = error == CUDA_ERROR_NO_DEVICE       ? "CUDA_ERROR_NO_DEVICE"
          : error == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
                                              : nullptr;
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult error_string(CUresult error, const char** text) {
  *text = error == CUDA_ERROR_NO_DEVICE       ? "no CUDA-capable device is detected"
          : error == CUDA_ERROR_OUT_OF_MEMORY ? "out of memory"
                                              : nullptr;
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult anything_else() { return CUDA_ERROR_NOT_SUPPORTED; }

EXPORT CUresult cuDriverGetVersion(int* version) {
  *version = FAKE_VERSION;
  return CUDA_SUCCESS;
}

EXPORT CUresult cuGetProcAddress_v2(const char* symbol, void** address, int version, cuuint64_t,
                                    CUdriverProcAddressQueryResult* found) {
  const auto is = [symbol](const char* name) { return std::strcmp(symbol, name) == 0; };
  *address = nullptr;
  // Functions are asked for by their plain names and as of CUDA 13.0, never as of the newest version.
  if (version != 13000 || std::strstr(symbol, "_v") || is(FAKE_MISSING)) {
    *found = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    return CUDA_ERROR_NOT_FOUND;
  }
  *found = CU_GET_PROC_ADDRESS_SUCCESS;
  *address = is("cuInit")             ? reinterpret_cast<void*>(&init)
             : is("cuGetErrorName")   ? reinterpret_cast<void*>(&error_name)
             : is("cuGetErrorString") ? reinterpret_cast<void*>(&error_string)
                                      : reinterpret_cast<void*>(&anything_else);
  return CUDA_SUCCESS;
}
