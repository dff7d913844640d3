#pragma once

#include <map>
#include <string>

namespace burnish::cli::trtexec {

/// What a text file of calibration says: of each tensor the scale of its INT8 values.
struct CalibrationCache {
  std::string made_by;  // "TRT-8501-EntropyCalibration2"
  std::map<std::string, float> scales;
};

/// Throws Failure naming the line where the file is no calibration cache.
CalibrationCache read_calibration_cache(const std::string& path);

}  // namespace burnish::cli::trtexec
