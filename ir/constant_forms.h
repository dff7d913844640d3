#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/tensor.h"

namespace burnish {

/// Constants in the forms that kernels want them in, each made once however often a graph is lowered.
class ConstantForms {
 public:
  /// `form` says all that the result of `make` depends on besides the tensor.
  Tensor find(const Tensor& from, const std::string& form, const std::function<Tensor()>& make) {
    const auto [it, fresh] = made_.try_emplace({from.storage(), from.dtype(), from.shape(), form});
    if (fresh) it->second = make();
    return it->second;
  }

 private:
  // Tensors of other shapes may share the bytes, which the key keeps from being used for something else.
  using Key = std::tuple<std::shared_ptr<const std::byte>, DType, Shape, std::string>;
  std::map<Key, Tensor> made_;
};

}  // namespace burnish
