#include <algorithm>
#include <numeric>
#include <set>

#include "base/equal_bytes.h"
#include "base/parallel.h"
#include "compiler/lowering.h"
#include "compiler/remap.h"

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

}  // namespace

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
