#pragma once

#include "runtime/cuda/device.h"

namespace burnish::cuda {

/// What a GPU does at this moment.
struct Sensors {
  double sm_clock_mhz = 0;
  double power_watts = 0;
};

/// Read through the driver's management library, libnvidia-ml.so.1, which is opened by the first call. Error unsupported where
/// it is not installed or does not tell.
Result<Sensors> read_sensors(const Device& device);

}  // namespace burnish::cuda
