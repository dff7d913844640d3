// The reader on any bytes: a model or an error, never more. The same function under libFuzzer and tests/fuzz/driver.cpp.

#include <cstdint>
#include <cstdlib>
#include <span>

#include "onnx/reader.h"

namespace {

using namespace burnish;

/// What a reader of the payload would do: touch all of it, as the dims say.
uint64_t sum(const onnx::Literal& literal) {
  uint64_t total = 0;
  if (!literal.dtype) return total;
  for (size_t i = 0; i < literal.payload.byte_size(); ++i)
    total += static_cast<uint64_t>(literal.payload.bytes()[i]);
  return total;
}

uint64_t sum(const onnx::Graph& graph) {
  uint64_t total = 0;
  for (const onnx::Literal& literal : graph.initializers) total += sum(literal);
  for (const onnx::Node& node : graph.nodes) {
    for (const onnx::Attribute& attribute : node.attributes) {
      total += onnx::attribute_type_name(attribute.type).size();
      if (attribute.t) total += sum(*attribute.t);
      if (attribute.g) total += sum(*attribute.g);
      for (const onnx::Literal& literal : attribute.tensors) total += sum(literal);
      for (const onnx::Graph& inner : attribute.graphs) total += sum(inner);
    }
  }
  return total;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t* data,
                                                                             size_t size) {
  Result<onnx::Model> model = onnx::read_bytes(std::as_bytes(std::span(data, size)), "");
  if (model) {
    const uint64_t total = sum(model->graph);
    asm volatile("" : : "r"(total));  // not to be optimised away
  } else if (model.error().what().empty() || model.error().remedy().empty()) {
    std::abort();
  }
  return 0;
}
