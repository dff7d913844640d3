#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/evaluate_graph.h"
#include "ir/infer.h"
#include "ir/text.h"
#include "ops/testing.h"

/// Helpers for the tests of ops with bodies: graphs in the text form, types inferred afresh.
namespace burnish::testing {

inline Result<Graph> inferred_graph(std::string_view text) {
  Graph graph = TRY(parse(text));
  TRY(infer(graph));
  return graph;
}

/// The types of the outputs in text, "f32[n, 3], i64[2]", or "error: " and the cause.
inline std::string output_types(std::string_view text) {
  const auto graph = inferred_graph(text);
  if (!graph) return "error: " + graph.error().cause();
  std::string all;
  for (ValueId v : graph->outputs) {
    const TensorType& type = graph->values[v].type;
    all += (all.empty() ? "" : ", ") + std::string(name_of(type.dtype)) + graph->dims->text(type.shape);
  }
  return all;
}

inline Result<std::vector<Tensor>> run_graph(std::string_view text, const std::vector<Tensor>& inputs) {
  const Graph graph = TRY(inferred_graph(text));
  ThreadPool pool(1);
  return evaluate_graph(graph, inputs, pool);
}
/// The cause of the error that it must give.
inline std::string failure_of(std::string_view text, const std::vector<Tensor>& inputs) {
  const auto done = run_graph(text, inputs);
  return done ? "no error" : done.error().cause();
}

}  // namespace burnish::testing
