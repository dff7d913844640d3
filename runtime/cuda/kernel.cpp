#include "runtime/cuda/kernel.h"

#include <algorithm>

namespace burnish::cuda {

static std::string extents_text(const std::array<uint32_t, 3>& extents) {
  return std::to_string(extents[0]) + "x" + std::to_string(extents[1]) + "x" + std::to_string(extents[2]);
}

bool LaunchShape::empty() const {
  for (int axis = 0; axis < 3; ++axis)
    if (grid[axis] == 0 || block[axis] == 0) return true;
  return false;
}

std::string LaunchShape::text() const {
  return "grid " + extents_text(grid) + ", block " + extents_text(block) + ", " +
         std::to_string(shared_bytes) + " bytes of shared memory";
}

Result<> Kernel::allow_shared(const Device& device, size_t bytes) const {
  const ContextScope scope = TRY(device.enter());
  const size_t limit = device.info().shared_per_block;
  if (bytes + static_shared > limit)
    return Error(Code::unsupported, "kernel '" + name + "' needs " + std::to_string(bytes + static_shared) +
                                        " bytes of shared memory per block, and GPU " +
                                        std::to_string(device.info().ordinal) + " (" + device.info().name +
                                        ") has " + std::to_string(limit))
        .remedy("build the engine for this GPU");
  return device
      .check(device.driver().function_set_attribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                                    static_cast<int>(bytes)),
             "cuFuncSetAttribute")
      .during("giving kernel '" + name + "' " + std::to_string(bytes) + " bytes of shared memory");
}

uint32_t early_shared_bytes(const DeviceInfo& device, const Kernel& kernel, uint32_t used, uint64_t blocks) {
  constexpr uint32_t small = 27 << 10;
  if (blocks > static_cast<uint64_t>(device.multiprocessors) || used <= small ||
      kernel.static_shared > static_cast<int>(small))
    return used;
  return std::max(used, static_cast<uint32_t>(device.shared_per_block) - small);
}

Result<Module> Module::load(const Device& device, const void* image, const std::string& name) {
  const ContextScope scope = TRY(device.enter());
  CUmodule module = nullptr;
  const CUresult result = device.driver().module_load(&module, image);
  if (result == CUDA_ERROR_NO_BINARY_FOR_GPU)
    return Error(Code::incompatible_engine,
                 "the device code of '" + name + "' is not for GPU " + std::to_string(device.info().ordinal) +
                     " (" + device.info().name + ", " + device.info().architecture() + ")")
        .remedy("build the engine for this GPU");
  TRY(device.check(result, "cuModuleLoadData").during("loading the device code of '" + name + "'"));
  return Module(Handle<CUmodule>(device, module, device.driver().module_unload), name);
}

static Result<int> attribute(const Device& device, CUfunction function, CUfunction_attribute which) {
  int value = 0;
  TRY(device.check(device.driver().function_attribute(&value, which, function), "cuFuncGetAttribute"));
  return value;
}

static Result<Kernel> load_kernel(const Device& device, CUmodule module, const std::string& symbol) {
  Kernel kernel;
  kernel.name = symbol;
  TRY(device.check(device.driver().module_function(&kernel.function, module, symbol.c_str()),
                   "cuModuleGetFunction"));
  TRY(device.check(device.driver().function_load(kernel.function), "cuFuncLoad"));
  kernel.registers = TRY(attribute(device, kernel.function, CU_FUNC_ATTRIBUTE_NUM_REGS));
  kernel.spilled_bytes = TRY(attribute(device, kernel.function, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES));
  kernel.static_shared = TRY(attribute(device, kernel.function, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
  kernel.max_threads = TRY(attribute(device, kernel.function, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK));
  return kernel;
}

Result<Kernel> Module::kernel(const std::string& symbol) const {
  const Device& device = module_.device();
  const ContextScope scope = TRY(device.enter());
  Kernel kernel = TRY(load_kernel(device, module_.get(), symbol)
                          .during("loading function '" + symbol + "' of '" + name_ + "'"));
  kernel.name = name_;
  return kernel;
}

Result<> launch(const Stream& stream, const Kernel& kernel, const LaunchShape& shape,
                std::span<void* const> arguments) {
  if (shape.empty()) return {};
  const auto& [grid, block, shared] = shape;
  const CUresult result = stream.device().driver().launch(kernel.function, grid[0], grid[1], grid[2],
                                                          block[0], block[1], block[2], shared, stream.get(),
                                                          const_cast<void**>(arguments.data()), nullptr);
  if (result == CUDA_SUCCESS) return {};  // the common way builds no strings
  return stream.device()
      .check(result, "cuLaunchKernel")
      .during("launching kernel '" + kernel.name + "' (" + shape.text() + ")");
}

}  // namespace burnish::cuda
