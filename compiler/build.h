#pragma once

#include "compiler/compile.h"
#include "plan/engine_file.h"

namespace burnish {

/// ONNX model -> what its engine file holds: plans, constants, kernels and, where the options ask for it, the record that refits need.
Result<EngineContents> build(onnx::Model model, CompileOptions options);

}  // namespace burnish
