#include "providers/nvrtc/device_headers.h"

#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace burnish::nvrtc {

std::string device_text_digest() {
  uint64_t digest = 0;
  for (const DeviceHeader& header : device_headers())
    for (std::string_view text : {header.path, header.text})
      digest = XXH3_64bits_withSeed(text.data(), text.size(), digest);
  char name[17];
  std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(digest));
  return name;
}

}  // namespace burnish::nvrtc
