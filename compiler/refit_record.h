#pragma once

#include "compiler/compile.h"
#include "plan/refit_record.h"

namespace burnish {

/// An initialiser of a floating-point type that decides no extent, as the scales of a Resize do.
bool is_weight(const onnx::Graph& graph, const onnx::Literal& literal);

/// What refits of an engine built so will need. Errors: invalid_argument for a listed weight that is none; unsupported for a model
/// without weights, or that cannot be kept in the engine.
Result<RefitRecord> refit_record(const onnx::Model& model, const CompileOptions& options);

/// The values that the engine keeps, by RefitRecord::weights; no bytes for those that it does not. A weight of one element is
/// always kept: it may be a number in a kernel.
std::vector<Tensor> stored_weights(const RefitRecord& record, const onnx::Model& model);

/// The options of the build, for the targets of `plans`.
CompileOptions options_of(const RefitRecord& record, std::span<const Plan> plans);

uint64_t checksum_of(const Tensor& tensor);

}  // namespace burnish
