#include "cli/trtexec/calibration_cache.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <fstream>

#include "cli/failure.h"

namespace burnish::cli::trtexec {

/// "tensor: 3f800000"; the name may hold colons and blanks.
static bool read_scale(std::string_view line, CalibrationCache& cache) {
  const size_t at = line.rfind(": ");
  if (at == line.npos || at == 0 || line.size() != at + 10) return false;
  uint32_t bits = 0;
  const char* const end = line.data() + line.size();
  if (const auto read = std::from_chars(line.data() + at + 2, end, bits, 16); read.ptr != end) return false;
  const float scale = std::bit_cast<float>(bits);
  cache.scales[std::string(line.substr(0, at))] = scale;
  return std::isfinite(scale) && scale >= 0;
}

CalibrationCache read_calibration_cache(const std::string& path) {
  require_readable(path, "calibration cache");
  std::ifstream file(path);
  CalibrationCache cache;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (number == 1) cache.made_by = line;
    else if (!line.empty() && !read_scale(line, cache))
      fail(fmt::format("'{}' is no calibration cache: line {} is not 'tensor: 8 hexadecimal digits'", path,
                       number),
           "name a cache that a calibrator wrote, or a folder of data");
  }
  if (!cache.made_by.starts_with("TRT-") || cache.scales.empty())
    fail(fmt::format("'{}' is no calibration cache: {}", path,
                     cache.scales.empty() ? "it names no tensor" : "it does not begin with TRT-"),
         "name a cache that a calibrator wrote, or a folder of data");
  return cache;
}

}  // namespace burnish::cli::trtexec
