#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace burnish::cli::report {

/// A tensor's type as the text has it: "f16", {"batch", "3", "224", "224"}.
struct TextType {
  std::string dtype;
  std::vector<std::string> shape;
};

/// What a layer of an engine does, from the graph's text.
struct TextNode {
  std::vector<std::string> nodes;  // ONNX nodes it came from
  std::vector<std::string> ops;    // its operator; of a fused node those inside, in order
  std::vector<TextType> inputs;    // of the first of them
  std::vector<TextType> outputs;
  int64_t groups = 1;  // of a convolution

  /// As a step names its layer.
  std::string layer() const;
};

/// The nodes of a graph in the text form of the IR (see burnish_engine_describe), those of the branches of an If after it.
/// Lines that say something else are passed over.
std::vector<TextNode> nodes_of(std::string_view text);

}  // namespace burnish::cli::report
