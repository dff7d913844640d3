#pragma once

#include <cuda.h>

#include "base/result.h"

namespace burnish::cuda {

static_assert(CUDA_VERSION == 13000, "the driver's functions are asked for, and declared, as of CUDA 13.0");

// What the driver gives under this name as of 13.0; unlike for the others, cuda.h has no macro that leads there.
#define cuCtxGetDevice cuCtxGetDevice_v2

/// Every driver function that we call: our name, its symbol.
#define BURNISH_DRIVER_FUNCTIONS(X)                            \
  X(init, cuInit)                                              \
  X(error_name, cuGetErrorName)                                \
  X(error_string, cuGetErrorString)                            \
  X(device_count, cuDeviceGetCount)                            \
  X(device_get, cuDeviceGet)                                   \
  X(device_name, cuDeviceGetName)                              \
  X(device_attribute, cuDeviceGetAttribute)                    \
  X(device_pci_bus, cuDeviceGetPCIBusId)                       \
  X(device_uuid, cuDeviceGetUuid)                              \
  X(device_total_memory, cuDeviceTotalMem)                     \
  X(primary_context_retain, cuDevicePrimaryCtxRetain)          \
  X(primary_context_release, cuDevicePrimaryCtxRelease)        \
  X(context_current, cuCtxGetCurrent)                          \
  X(context_device, cuCtxGetDevice)                            \
  X(context_push, cuCtxPushCurrent)                            \
  X(context_pop, cuCtxPopCurrent)                              \
  X(context_set_limit, cuCtxSetLimit)                          \
  X(memory_info, cuMemGetInfo)                                 \
  X(memory_allocate, cuMemAlloc)                               \
  X(memory_allocate_managed, cuMemAllocManaged)                \
  X(memory_free, cuMemFree)                                    \
  X(host_allocate, cuMemHostAlloc)                             \
  X(host_free, cuMemFreeHost)                                  \
  X(pointer_attribute, cuPointerGetAttribute)                  \
  X(copy_to_device, cuMemcpyHtoDAsync)                         \
  X(copy_to_host, cuMemcpyDtoHAsync)                           \
  X(copy_on_device, cuMemcpyDtoDAsync)                         \
  X(fill, cuMemsetD8Async)                                     \
  X(stream_create, cuStreamCreate)                             \
  X(stream_destroy, cuStreamDestroy)                           \
  X(stream_set_attribute, cuStreamSetAttribute)                \
  X(stream_synchronize, cuStreamSynchronize)                   \
  X(stream_is_capturing, cuStreamIsCapturing)                  \
  X(stream_wait_event, cuStreamWaitEvent)                      \
  X(stream_begin_capture, cuStreamBeginCapture)                \
  X(stream_end_capture, cuStreamEndCapture)                    \
  X(event_create, cuEventCreate)                               \
  X(event_destroy, cuEventDestroy)                             \
  X(event_record, cuEventRecord)                               \
  X(event_synchronize, cuEventSynchronize)                     \
  X(event_elapsed, cuEventElapsedTime)                         \
  X(module_load, cuModuleLoadData)                             \
  X(module_unload, cuModuleUnload)                             \
  X(module_function, cuModuleGetFunction)                      \
  X(function_load, cuFuncLoad)                                 \
  X(function_attribute, cuFuncGetAttribute)                    \
  X(function_set_attribute, cuFuncSetAttribute)                \
  X(launch, cuLaunchKernel)                                    \
  X(tensor_map_encode, cuTensorMapEncodeTiled)                 \
  X(tensor_map_encode_windows, cuTensorMapEncodeIm2col)        \
  X(graph_create, cuGraphCreate)                               \
  X(graph_destroy, cuGraphDestroy)                             \
  X(graph_add_kernel, cuGraphAddKernelNode)                    \
  X(graph_kernel_set_attribute, cuGraphKernelNodeSetAttribute) \
  X(graph_add_copy, cuGraphAddMemcpyNode)                      \
  X(graph_add_fill, cuGraphAddMemsetNode)                      \
  X(graph_add_empty, cuGraphAddEmptyNode)                      \
  X(graph_add_child, cuGraphAddChildGraphNode)                 \
  X(graph_add_dependencies, cuGraphAddDependencies)            \
  X(graph_instantiate, cuGraphInstantiateWithFlags)            \
  X(graph_exec_destroy, cuGraphExecDestroy)                    \
  X(graph_exec_set_kernel, cuGraphExecKernelNodeSetParams)     \
  X(graph_exec_set_copy, cuGraphExecMemcpyNodeSetParams)       \
  X(graph_exec_set_fill, cuGraphExecMemsetNodeSetParams)       \
  X(graph_exec_set_enabled, cuGraphNodeSetEnabled)             \
  X(graph_upload, cuGraphUpload)                               \
  X(graph_launch, cuGraphLaunch)

/// The CUDA driver: libcuda.so.1, opened at run time and never linked. Functions keep the meaning they have in
/// CUDA 13.0 whatever the driver's own version.
class Driver {
 public:
  /// The process's driver, opened and initialised by the first call. Error device_error when there is no driver,
  /// it is older than 580, or it finds no GPU.
  static Result<const Driver*> get();

  /// Opens and initialises the driver in `file`. Only tests name another file than libcuda.so.1.
  static Result<Driver> load(const char* file);

  /// An Error "cuMemAlloc: CUDA_ERROR_NAME: description" unless `result` is success. Code out_of_memory for
  /// CUDA_ERROR_OUT_OF_MEMORY, else device_error.
  Result<> check(CUresult result, const char* call) const;

  /// The newest CUDA that the driver supports: 13000 for 13.0.
  int version = 0;

#define BURNISH_DRIVER_FUNCTION(field, symbol) decltype(&::symbol) field = nullptr;
  BURNISH_DRIVER_FUNCTIONS(BURNISH_DRIVER_FUNCTION)
#undef BURNISH_DRIVER_FUNCTION
};

}  // namespace burnish::cuda
