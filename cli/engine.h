#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/burnish.h"
#include "cli/npz.h"

namespace burnish::cli {

using Engine = std::unique_ptr<burnish_engine, decltype(&burnish_engine_free)>;
using Context = std::unique_ptr<burnish_context, decltype(&burnish_context_free)>;
using Text = std::unique_ptr<char, decltype(&burnish_text_free)>;

/// Whether the file begins as an engine does.
bool looks_like_engine(const std::string& path);
/// Opens an engine file. Throws Failure, an ONNX model given instead included.
Engine open_engine(const std::string& path);
std::vector<burnish_port> inputs_of(const burnish_engine* engine);
std::vector<burnish_port> outputs_of(const burnish_engine* engine);
std::vector<burnish_port> debug_tensors_of(const burnish_engine* engine);

/// --device: nothing given, or `cpu` or the number of a GPU. -1 is the CPU.
using DeviceChoice = std::optional<int>;
/// Throws Failure on anything else.
DeviceChoice parse_device(const std::string& text);

/// A context and where it runs.
struct Place {
  Context context;
  std::string device;  // "cpu", "GPU 0 (NVIDIA H200, sm_90)"
};
/// A context on the device asked for. Without a choice: GPU 0 if it is there and the engine has a plan for it, else the CPU
/// if the engine has a plan for that. `name` names the engine in errors. Throws Failure.
Place place_engine(burnish_engine* engine, const std::string& name, DeviceChoice choice);

/// Row-major arrays, their elements moved to where the engine has them.
Arrays in_engine_order(const burnish_engine* engine, Arrays arrays);
/// Sets every input. The arrays must outlive the runs.
void set_inputs(burnish_context* context, Arrays& arrays);
/// Copies every output to the host, row-major.
Arrays read_outputs(const burnish_engine* engine, burnish_context* context);

}  // namespace burnish::cli
