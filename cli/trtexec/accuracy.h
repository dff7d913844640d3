#pragma once

#include "cli/npy.h"
#include "cli/trtexec/session.h"

namespace burnish::cli::trtexec {

/// How far `output` is from `reference`, by the options' algorithm: l0 the share of elements out of tolerance, l1 the mean absolute error,
/// l2 the mean squared one, lInf the largest, cos one less the cosine.
double accuracy_loss(const Array& output, const Array& reference, const InferenceOptions& options);

/// Runs each pair of inputs and reference outputs, and says how far off outputs are; whether all losses are below the threshold.
/// Throws Failure.
bool check_accuracy(Session& session, const InferenceOptions& options, const Log& log);

}  // namespace burnish::cli::trtexec
