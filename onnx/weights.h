#pragma once

#include <set>
#include <string>

#include "onnx/model.h"

namespace burnish::onnx {

/// The model with its Constant nodes that hold tensors of floats as initialisers of their outputs' names, as other exporters write
/// weights. Single numbers stay, and tensors filled with one.
Model with_constants_as_initializers(Model model);

/// The model's bytes, the initialisers `names` without their values, which `read_without_weights` asks for. Other initialisers that
/// lie in files of their own are written into the bytes. What was made an initialiser is one there.
std::string without_weights(const Model& model, const std::set<std::string>& names);

}  // namespace burnish::onnx
