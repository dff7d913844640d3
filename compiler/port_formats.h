#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace burnish {

/// How the axes of a tensor follow each other in memory.
enum class Layout : uint8_t {
  row_major = 0,      // as the model declares them: NCHW
  channels_last = 1,  // axis 1 is the fastest: NHWC
};

/// What an input or output of the engine is to be in memory, where the model's own form is not wanted.
struct PortFormat {
  std::optional<DType> dtype;  // none: as the model declares it
  Layout layout = Layout::row_major;
};
using PortFormats = std::map<std::string, PortFormat>;  // by name

/// Inputs and outputs get the element types asked for, with casts between them and the model. Error invalid_argument for a name
/// that is none, a type that is no float, or an order of channels where there are none.
Result<> apply_port_formats(Graph& graph, const PortFormats& inputs, const PortFormats& outputs);

/// Of each port its axes from the slowest to the fastest in memory; empty: row-major.
std::vector<std::vector<int>> port_orders(const Graph& graph, const std::vector<ValueId>& ports,
                                          const PortFormats& formats);

}  // namespace burnish
