#pragma once

#include "runtime/cuda/device.h"

namespace burnish::cuda {

/// Memory of which a part stays in what is set aside of the L2 cache. No bytes: none.
struct CacheWindow {
  CUdeviceptr address = 0;
  size_t bytes = 0;
  float share = 1;  ///< of its accesses that stay; more than fits would push itself out

  CUaccessPolicyWindow policy() const {
    CUaccessPolicyWindow policy{};
    policy.base_ptr = reinterpret_cast<void*>(address);
    policy.num_bytes = bytes;
    policy.hitRatio = share;
    policy.hitProp = bytes > 0 ? CU_ACCESS_PROPERTY_PERSISTING : CU_ACCESS_PROPERTY_NORMAL;
    policy.missProp = bytes > 0 ? CU_ACCESS_PROPERTY_STREAMING : CU_ACCESS_PROPERTY_NORMAL;
    return policy;
  }
};

/// Sets aside so many bytes of the L2 cache, for all that runs in the device's context; 0: none.
inline Result<> set_persisting_cache(const Device& device, size_t bytes) {
  const ContextScope scope = TRY(device.enter());
  return device.check(device.driver().context_set_limit(CU_LIMIT_PERSISTING_L2_CACHE_SIZE, bytes),
                      "cuCtxSetLimit");
}

}  // namespace burnish::cuda
