#include "cli/inputs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>

#include "cli/elements.h"
#include "cli/failure.h"

namespace burnish::cli {

static const burnish_port* find(const std::vector<burnish_port>& ports, const std::string& name) {
  auto port = std::find_if(ports.begin(), ports.end(), [&](const burnish_port& p) { return p.name == name; });
  return port == ports.end() ? nullptr : &*port;
}

static std::string names_of(const std::vector<burnish_port>& ports) {
  std::string names;
  for (const burnish_port& port : ports) names += (names.empty() ? "" : ", ") + std::string(port.name);
  return names.empty() ? "none" : names;
}

void check_shapes(const std::vector<burnish_port>& ports, const Shapes& shapes) {
  for (const auto& [name, shape] : shapes) {
    const burnish_port* port = find(ports, name);
    if (!port)
      fail("--shapes: '" + name + "' is no input of the engine", "its inputs are: " + names_of(ports));
    if (port->rank != static_cast<int>(shape.size()))
      fail("--shapes: '" + name + "' has " + std::to_string(port->rank) + " axes, " + shape_text(shape) +
               " has " + std::to_string(shape.size()),
           "give it as " + name + ":" + shape_text(port->shape, port->rank));
    for (int axis = 0; axis < port->rank; ++axis)
      if (port->shape[axis] >= 0 && shape[axis] >= 0 && port->shape[axis] != shape[axis])
        fail("--shapes: axis " + std::to_string(axis) + " of '" + name + "' is fixed at " +
                 std::to_string(port->shape[axis]) + " in this engine, not " + std::to_string(shape[axis]),
             "give " + std::to_string(port->shape[axis]) +
                 " or ?, or build the engine without fixing that axis");
  }
}

Array random_array(burnish_dtype dtype, std::vector<int64_t> shape, const std::string& name, uint64_t seed) {
  Array array{dtype, std::move(shape), {}};
  uint64_t elements = 1;
  for (int64_t extent : array.shape)
    if (__builtin_mul_overflow(elements, static_cast<uint64_t>(extent), &elements) || elements > uint64_t{1}
                                                                                                     << 40)
      fail("the random input '" + name + "' would be " + shape_text(array.shape),
           "give smaller extents: --shapes " + name + ":…");
  array.bytes.resize(elements * burnish_dtype_size(dtype));
  std::vector<uint32_t> words{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  words.insert(words.end(), name.begin(), name.end());
  std::seed_seq sequence(words.begin(), words.end());
  std::mt19937_64 random(sequence);
  auto uniform = [&] { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; };  // in (0, 1)
  for (uint64_t i = 0; i < elements; ++i) {
    double value = 0;
    if (is_float(dtype))
      value = std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
    else value = static_cast<double>(random() >> (dtype == BURNISH_U8 ? 56 : 63));
    store_element(array, i, value);
  }
  return array;
}

Arrays make_inputs(const std::vector<burnish_port>& ports, const InputChoices& choices) {
  Arrays arrays;
  if (!choices.file.empty()) arrays = read_npz(choices.file);
  for (const auto& [name, array] : arrays)
    if (!find(ports, name))
      fail("'" + choices.file + "' holds '" + name + "', which is no input of the engine",
           "its inputs are: " + names_of(ports));
  check_shapes(ports, choices.shapes);
  FreeExtents extents(choices.batch.value_or(1));
  for (const burnish_port& port : ports) {
    if (auto array = arrays.find(port.name); array != arrays.end()) extents.learn(port, array->second.shape);
    else if (auto shape = choices.shapes.find(port.name); shape != choices.shapes.end())
      extents.learn(port, shape->second);
  }
  for (const burnish_port& port : ports)
    if (auto usual = choices.usual.find(port.name); usual != choices.usual.end()) {
      std::vector<int64_t> shape = usual->second;
      if (choices.batch && !shape.empty()) shape[0] = -1;
      extents.learn(port, shape);
    }
  for (const burnish_port& port : ports) {
    auto shape = choices.shapes.find(port.name);
    if (!arrays.contains(port.name))
      arrays[port.name] = random_array(
          port.dtype, extents.decide(port, shape == choices.shapes.end() ? nullptr : &shape->second),
          port.name, choices.seed);
  }
  return arrays;
}

}  // namespace burnish::cli
