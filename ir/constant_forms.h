#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/tensor.h"

namespace burnish {

/// Constants in the forms that kernels want them in, each made once however often a graph is lowered.
class ConstantForms {
 public:
  /// `form` says all that the result of `make` depends on besides the tensors.
  Tensor find(std::initializer_list<Tensor> from, const std::string& form,
              const std::function<Tensor()>& make) {
    Key key(std::vector<Identity>(), form);
    for (const Tensor& t : from) std::get<0>(key).emplace_back(t.storage(), t.dtype(), t.shape());
    const auto [it, fresh] = made_.try_emplace(std::move(key));
    if (fresh) it->second = make();
    return it->second;
  }

 private:
  // Tensors of other shapes may share the bytes, which the key keeps from being used for something else.
  using Identity = std::tuple<std::shared_ptr<const std::byte>, DType, Shape>;
  using Key = std::tuple<std::vector<Identity>, std::string>;
  std::map<Key, Tensor> made_;
};

}  // namespace burnish
