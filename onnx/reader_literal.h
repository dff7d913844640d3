#pragma once

#include "onnx/model.h"
#include "onnx/reader_source.h"

namespace burnish::onnx {

/// Reads a TensorProto with its values, wherever they are. Errors name the tensor and, for external data, the file.
Result<Literal> read_literal(Source& source, Message message);

}  // namespace burnish::onnx
