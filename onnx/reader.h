#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "onnx/model.h"

namespace burnish::onnx {

/// Reads a model and the external data files it names, which are sought relative to the model's folder. Files are
/// mapped, so that a model of many GB costs memory only for what is touched.
/// Errors: io_error for files that cannot be read, invalid_model for what is damaged, out_of_memory.
Result<Model> read_file(const std::string& path);

/// The same for a model in memory. The bytes are copied. An empty `folder`: external data is refused.
Result<Model> read_bytes(std::span<const std::byte> bytes, const std::string& folder);

/// A model whose initialisers lie elsewhere (see weights.h): `values` gives those of one, by its name, type and shape.
using Values = std::function<Result<Tensor>(const Literal& initializer)>;
Result<Model> read_without_weights(std::span<const std::byte> bytes, const Values& values);

}  // namespace burnish::onnx
