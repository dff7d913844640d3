#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/burnish.h"

namespace burnish::cli {

/// A tensor in host memory, dense and row-major.
struct Array {
  burnish_dtype dtype = BURNISH_F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  int64_t elements() const;
};

/// Decodes the bytes of a .npy file. Column-major arrays are brought into row-major order; bfloat16 is what numpy keeps as
/// two-byte voids. `place` names the array in errors. Throws Failure.
Array read_npy(std::vector<std::byte> file, const std::string& place);

/// What a .npy file starts with, before the elements. numpy has no bfloat16: see widened().
std::string npy_header(const Array& array);

/// A bfloat16 array as the float32 values it stands for; others as they are.
Array widened(Array array);

}  // namespace burnish::cli
