#pragma once

#include <set>
#include <string>

#include "onnx/model.h"

namespace burnish::onnx {

/// The model's bytes, the initialisers `names` without their values, which `read_without_weights` asks for. Other initialisers that
/// lie in files of their own are written into the bytes.
std::string without_weights(const Model& model, const std::set<std::string>& names);

}  // namespace burnish::onnx
