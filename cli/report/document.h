#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/report/work.h"

namespace burnish::cli::report {

using Json = nlohmann::ordered_json;

/// What a run of an engine has shown.
struct Measurement {
  std::string device;
  Json steps;    // burnish_context_profile; null: none
  Json context;  // burnish_context_describe; null: none
  Json times;    // {"gpu" or "host": quantiles in ms, "runs", "runs_per_second"}; null: none
  Extents extents;
};

/// What the page shows of one engine:
///   file, source, model, version, options, providers, file_bytes, constant_bytes, code_bytes, targets   as far as they are known
///   target, precision, inputs, outputs [{name, dtype, shape}]
///   extents {axis: number}                                                                              of free axes, where they are known
///   device, memory, peak {flops, bytes_per_second}, times                                               where it was measured
///   layers    [{name, nodes, kind, steps, op, ops, dtype, shape, inputs, outputs, ms, flops, bytes_read, bytes_written,
///              estimated, least_ms}]: neighbouring steps of one name; inputs and outputs are places in tensors
///   tensors   [{kind, space, bytes, offset, stage, first_layer, last_layer, name, dtype, shape}]
///   decisions [{layer, tactic, timed_on, candidates}]
///   lint      [{rule, layer, what, remedy}]: see lint.h
/// `plan` is one of burnish_engine_describe's plans. A list of steps longer or shorter than the plan's, as where an If takes one
/// branch, leaves the other layers without a time.
Json engine_document(const Json& description, const Json& plan, const Measurement& measured);

/// ONNX nodes in a layer's name, "x + y".
std::vector<std::string> nodes_in(const std::string& layer);

}  // namespace burnish::cli::report
