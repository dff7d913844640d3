#include <algorithm>
#include <numeric>
#include <set>

#include "base/deferred_tensor.h"
#include "base/equal_bytes.h"
#include "base/parallel.h"
#include "base/strided.h"
#include "compiler/lowering.h"
#include "compiler/remap.h"
#include "ir/anchor.h"

namespace burnish {

namespace {

/// Makes the values of all, large ones first.
void make(std::vector<const Tensor*> tensors, ThreadPool* pool) {
  std::ranges::stable_sort(tensors, std::ranges::greater(), &Tensor::byte_size);
  ThreadPool alone(1);
  ThreadPool& threads = pool ? *pool : alone;
  threads.parallel_for(static_cast<int64_t>(tensors.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) tensors[static_cast<size_t>(i)]->bytes(threads);
  });
}

/// The same elements in memory in that order of axes, from the slowest to the fastest.
Tensor in_order(const Tensor& t, std::span<const int> order) {
  const std::vector<int64_t> dense = dense_strides(t.shape());
  Shape shape;
  std::vector<int64_t> strides;
  for (int axis : order) {
    shape.push_back(t.shape()[static_cast<size_t>(axis)]);
    strides.push_back(dense[static_cast<size_t>(axis)]);
  }
  return deferred_tensor(t.dtype(), shape, [=](std::byte* to, ThreadPool& pool) {
    copy_strided(pool, size_of(t.dtype()), shape, t.bytes(pool), strides, to,
                 dense_strides(std::span<const int64_t>(shape)));
  });
}

/// Whether a node reads operand i element by element with its result: none that the anchor of a Fused node sums over.
bool reads_elements(const Node& node, size_t i) {
  const Node& anchor = anchor_of(node);
  if (anchor.op->scalar) return true;
  return node.op->name == "Fused" && std::ranges::count(anchor.inputs, node.regions[0].inputs[i]) == 0;
}

}  // namespace

void Lowering::order_constants(Scope& scope, const Node& node, const Placed& result,
                               std::vector<std::optional<Placed>>& in) {
  const std::vector<Dim>& whole = scope.graph.values[node.outputs[0]].type.shape;
  const std::vector<int> result_order = memory_order(result, whole);
  for (size_t i = 0; i < in.size(); ++i) {
    const Tensor* t = in[i] ? scope.graph.constant(node.inputs[i]) : nullptr;
    if (!t || t->shape().size() > whole.size() || !reads_elements(node, i)) continue;
    const std::vector<Dim>& shape = scope.graph.values[node.inputs[i]].type.shape;
    const auto missing = static_cast<int>(whole.size() - shape.size());
    std::vector<int> order;
    for (int axis : result_order)
      if (axis >= missing) order.push_back(axis - missing);
    if (lies_in_order(*in[i], shape, order)) continue;
    in[i] = place_constant(in_order(*t, order), Space::device);
    in[i]->view.strides = strides_in_order(order, shape);
  }
}

// Where weights vary only what is the same tensor is one constant, else all that is equal.
void Lowering::merge_constants(const std::vector<bool>& used) {
  Plan& plan = out_.plan;
  std::vector<uint32_t> buffers;
  std::set<uint32_t> constants;
  for (uint32_t i = 0; i < plan.buffers.size(); ++i)
    if (used[i] && plan.buffers[i].kind == Buffer::Kind::constant) {
      buffers.push_back(i);
      constants.insert(plan.buffers[i].index);
    }
  std::vector<const Tensor*> tensors;
  for (uint32_t c : constants) tensors.push_back(&out_.constants[c]);
  make(tensors, options_.pool);

  std::vector<uint32_t> constant(out_.constants.size()), numbers, buffer(plan.buffers.size());
  std::iota(constant.begin(), constant.end(), 0);
  std::iota(buffer.begin(), buffer.end(), 0);
  EqualBytes equal;
  for (uint32_t c : constants) {
    const Tensor& t = out_.constants[c];
    if (options_.weights_vary && is_float(t.dtype())) continue;
    numbers.push_back(c);
    constant[c] = numbers[equal.add({t.bytes(), t.byte_size()})];
  }
  std::map<std::pair<uint32_t, Space>, uint32_t> first;
  for (uint32_t i : buffers) {
    Buffer& b = plan.buffers[i];
    b.index = constant[b.index];
    buffer[i] = first.try_emplace({b.index, b.space}, i).first->second;
  }
  replace_buffers(plan, buffer);
}

}  // namespace burnish
