#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/tensor.h"
#include "plan/engine_file.h"
#include "tuner/problem.h"

namespace burnish {

/// One problem in the memory of a device.
class TimingRun {
 public:
  virtual ~TimingRun() = default;
  /// Loads a candidate, runs it and compares its results with those of candidate 0, which is admitted first. A refusal says
  /// why it does not count; an error ends the build (the device has failed).
  virtual Result<Verdict> admit(size_t candidate) = 0;
  /// Microseconds that one run of an admitted candidate takes, its data not in the device's cache.
  virtual Result<double> time(size_t candidate) = 0;
};

/// An engine in the memory of a device.
class EngineRun {
 public:
  virtual ~EngineRun() = default;
  /// Microseconds that one run takes, among others like it.
  virtual Result<double> time() = 0;
};

/// What times kernels: a GPU, or in tests a stand-in.
class TimingDevice {
 public:
  virtual ~TimingDevice() = default;
  /// "NVIDIA H200".
  virtual std::string name() const = 0;
  /// Takes the device, which may be a while's work; before that its name is all that can be asked for.
  virtual Result<> open() { return {}; }
  /// Puts the problem's data into memory. Both arguments outlive the run. Error out_of_memory when it does not fit.
  virtual Result<std::unique_ptr<TimingRun>> prepare(const Problem& problem,
                                                     const CompiledKernels& kernels) = 0;
  /// Loads an engine with a plan for the device, its inputs of these shapes. Error out_of_memory when it does not fit,
  /// unsupported when it does not run on the device alone, invalid_argument when it takes no inputs of these shapes.
  virtual Result<std::unique_ptr<EngineRun>> load(const EngineContents& engine,
                                                  std::span<const Shape> inputs) = 0;
};

}  // namespace burnish
