#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/npz.h"
#include "cli/shapes.h"

namespace burnish::cli {

/// Where the inputs of a run come from.
struct InputChoices {
  std::string file;              // .npz; "" for none
  Shapes shapes;                 // free extents of the inputs that are not in the file
  Shapes usual;                  // the same where nothing else is said
  std::optional<int64_t> batch;  // of inputs that nothing is said of
  uint64_t seed = 0;
};

/// Throws Failure where `shapes` names something that is no input, or that has other extents.
void check_shapes(const std::vector<burnish_port>& ports, const Shapes& shapes);

/// One array for each port: the file's where it has one, else random. Throws Failure, among others when the file or
/// `shapes` names something that is no input.
Arrays make_inputs(const std::vector<burnish_port>& ports, const InputChoices& choices);

/// Floats of a normal distribution; bytes (u8) and booleans over their whole range; other integers 0 or 1, which index any
/// table. A function of type, shape, name and seed.
Array random_array(burnish_dtype dtype, std::vector<int64_t> shape, const std::string& name, uint64_t seed);

}  // namespace burnish::cli
