#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/burnish_plugin.h"
#include "base/result.h"
#include "base/tensor.h"

namespace burnish::plugin {

/// An attribute of a node; one of the lists counts, or the tensor, as `kind` says.
struct Attribute {
  std::string name;
  burnish_attribute_kind kind = BURNISH_ATTRIBUTE_INT;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  Tensor tensor;
};

/// As a plan keeps them: JSON, exact to the bit.
std::string text_of(const std::vector<Attribute>& attributes);
/// Inverse of `text_of`. Error incompatible_engine for any other text.
Result<std::vector<Attribute>> attributes_from(std::string_view text);
/// Copies of what a plugin gives. Error invalid_argument where it is none of the interface's.
Result<std::vector<Attribute>> copies_of(std::span<const burnish_attribute> attributes);

/// Attributes as a plugin reads them, while they and this live.
class AttributeViews {
 public:
  explicit AttributeViews(const std::vector<Attribute>& attributes);
  std::span<const burnish_attribute> all() const { return views_; }

 private:
  struct Strings {
    std::vector<const char*> texts;
    std::vector<size_t> sizes;
  };
  std::vector<Strings> strings_;
  std::vector<burnish_tensor> tensors_;
  std::vector<burnish_attribute> views_;
};

/// A tensor in host memory as the interface has it. Rank at most BURNISH_MAX_RANK.
burnish_tensor view_of(const Tensor& tensor);

}  // namespace burnish::plugin
