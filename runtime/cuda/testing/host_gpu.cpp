// A driver whose one GPU is this machine: its memory is the host's, copies are done when they are given, kernels do nothing,
// and what is captured or put into a graph is lost. For tests of what does its work in calls: libraries.
#include <cuda.h>

#include <cstdlib>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

template <class T>
T handle() {
  static int something;
  return reinterpret_cast<T>(&something);
}

CUresult anything_else() { return CUDA_SUCCESS; }
CUresult error_name(CUresult, const char** name) { return *name = "CUDA_ERROR_UNKNOWN", CUDA_SUCCESS; }
CUresult error_string(CUresult, const char** text) { return *text = "unknown error", CUDA_SUCCESS; }
CUresult device_count(int* count) { return *count = 1, CUDA_SUCCESS; }
CUresult device_get(CUdevice* device, int) { return *device = 0, CUDA_SUCCESS; }
CUresult device_name(char* name, int size, CUdevice) {
  return std::strncpy(name, "Host GPU", static_cast<size_t>(size)), CUDA_SUCCESS;
}
CUresult device_attribute(int* value, CUdevice_attribute which, CUdevice) {
  *value = which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? 9
           : which == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? 0
                                                                   : 1 << 16;
  return CUDA_SUCCESS;
}
CUresult device_total_memory(size_t* bytes, CUdevice) { return *bytes = size_t{1} << 30, CUDA_SUCCESS; }
CUresult primary_context_retain(CUcontext* context, CUdevice) {
  return *context = handle<CUcontext>(), CUDA_SUCCESS;
}
CUresult context_current(CUcontext* context) { return *context = handle<CUcontext>(), CUDA_SUCCESS; }
CUresult context_device(CUdevice* device, CUcontext) { return *device = 0, CUDA_SUCCESS; }
CUresult memory_info(size_t* free, size_t* total) { return *free = *total = size_t{1} << 30, CUDA_SUCCESS; }
CUresult memory_allocate(CUdeviceptr* address, size_t bytes) {
  void* block = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  *address = reinterpret_cast<CUdeviceptr>(block);
  return block ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult memory_allocate_managed(CUdeviceptr* address, size_t bytes, unsigned) {
  return memory_allocate(address, bytes);
}
CUresult memory_free(CUdeviceptr address) {
  return std::free(reinterpret_cast<void*>(address)), CUDA_SUCCESS;
}
CUresult host_allocate(void** block, size_t bytes, unsigned) {
  return (*block = std::malloc(bytes)) ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult host_free(void* block) { return std::free(block), CUDA_SUCCESS; }
CUresult copy_to_device(CUdeviceptr to, const void* from, size_t bytes, CUstream) {
  return std::memcpy(reinterpret_cast<void*>(to), from, bytes), CUDA_SUCCESS;
}
CUresult copy_to_host(void* to, CUdeviceptr from, size_t bytes, CUstream) {
  return std::memcpy(to, reinterpret_cast<void*>(from), bytes), CUDA_SUCCESS;
}
CUresult copy_on_device(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream) {
  return std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes), CUDA_SUCCESS;
}
CUresult fill(CUdeviceptr to, unsigned char value, size_t bytes, CUstream) {
  return std::memset(reinterpret_cast<void*>(to), value, bytes), CUDA_SUCCESS;
}
CUresult stream_create(CUstream* stream, unsigned) { return *stream = handle<CUstream>(), CUDA_SUCCESS; }
CUresult stream_is_capturing(CUstream, CUstreamCaptureStatus* status) {
  return *status = CU_STREAM_CAPTURE_STATUS_NONE, CUDA_SUCCESS;
}
CUresult event_create(CUevent* event, unsigned) { return *event = handle<CUevent>(), CUDA_SUCCESS; }
CUresult event_elapsed(float* milliseconds, CUevent, CUevent) { return *milliseconds = 1, CUDA_SUCCESS; }
CUresult module_load(CUmodule* module, const void*) { return *module = handle<CUmodule>(), CUDA_SUCCESS; }
CUresult module_function(CUfunction* function, CUmodule, const char*) {
  return *function = handle<CUfunction>(), CUDA_SUCCESS;
}
CUresult function_attribute(int* value, CUfunction_attribute, CUfunction) {
  return *value = 1024, CUDA_SUCCESS;
}

struct Entry {
  const char* name;
  void* function;
};
#define ENTRY(symbol, function) {#symbol, reinterpret_cast<void*>(&function)}
const Entry entries[] = {
    ENTRY(cuGetErrorName, error_name),
    ENTRY(cuGetErrorString, error_string),
    ENTRY(cuDeviceGetCount, device_count),
    ENTRY(cuDeviceGet, device_get),
    ENTRY(cuDeviceGetName, device_name),
    ENTRY(cuDeviceGetAttribute, device_attribute),
    ENTRY(cuDeviceTotalMem, device_total_memory),
    ENTRY(cuDevicePrimaryCtxRetain, primary_context_retain),
    ENTRY(cuCtxGetCurrent, context_current),
    ENTRY(cuCtxGetDevice, context_device),
    ENTRY(cuMemGetInfo, memory_info),
    ENTRY(cuMemAlloc, memory_allocate),
    ENTRY(cuMemAllocManaged, memory_allocate_managed),
    ENTRY(cuMemFree, memory_free),
    ENTRY(cuMemHostAlloc, host_allocate),
    ENTRY(cuMemFreeHost, host_free),
    ENTRY(cuMemcpyHtoDAsync, copy_to_device),
    ENTRY(cuMemcpyDtoHAsync, copy_to_host),
    ENTRY(cuMemcpyDtoDAsync, copy_on_device),
    ENTRY(cuMemsetD8Async, fill),
    ENTRY(cuStreamCreate, stream_create),
    ENTRY(cuStreamIsCapturing, stream_is_capturing),
    ENTRY(cuEventCreate, event_create),
    ENTRY(cuEventElapsedTime, event_elapsed),
    ENTRY(cuModuleLoadData, module_load),
    ENTRY(cuModuleGetFunction, module_function),
    ENTRY(cuFuncGetAttribute, function_attribute),
};

}  // namespace

EXPORT CUresult cuDriverGetVersion(int* version) { return *version = 13000, CUDA_SUCCESS; }

EXPORT CUresult cuGetProcAddress_v2(const char* symbol, void** address, int, cuuint64_t,
                                    CUdriverProcAddressQueryResult* found) {
  *found = CU_GET_PROC_ADDRESS_SUCCESS;
  *address = reinterpret_cast<void*>(&anything_else);
  for (const Entry& entry : entries)
    if (std::strcmp(symbol, entry.name) == 0) *address = entry.function;
  return CUDA_SUCCESS;
}
