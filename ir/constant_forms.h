#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/tensor.h"

namespace burnish {

/// Constants in the forms that kernels want them in, each made once however often a graph is lowered.
class ConstantForms {
 public:
  /// `form` says all that the result of `make` depends on besides the tensor.
  Tensor find(const Tensor& from, const std::string& form, const std::function<Tensor()>& make) {
    const auto [it, fresh] = made_.try_emplace({from.storage(), form});
    if (fresh) it->second = std::make_unique<Tensor>(make());
    return *it->second;
  }

 private:
  std::map<std::pair<std::shared_ptr<const std::byte>, std::string>, std::unique_ptr<Tensor>> made_;
};

}  // namespace burnish
