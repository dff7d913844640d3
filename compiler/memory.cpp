#include "compiler/memory.h"

#include <algorithm>
#include <numeric>

namespace burnish {

namespace {

constexpr int64_t alignment = 256;

bool overlap(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

// Offsets at the optimum: largest first, each at the lowest gap among those in use at the same time.
std::vector<int64_t> greedy(const std::vector<Lifetime>& lifetimes, const std::vector<int64_t>& sizes) {
  std::vector<size_t> by_size(lifetimes.size());
  std::iota(by_size.begin(), by_size.end(), 0);
  std::stable_sort(by_size.begin(), by_size.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<int64_t> offsets(lifetimes.size(), 0);
  std::vector<size_t> placed;
  for (size_t i : by_size) {
    std::vector<size_t> others;
    for (size_t j : placed)
      if (overlap(lifetimes[i], lifetimes[j])) others.push_back(j);
    std::sort(others.begin(), others.end(), [&](size_t a, size_t b) { return offsets[a] < offsets[b]; });
    int64_t at = 0;
    for (size_t j : others) {
      if (offsets[j] - at >= sizes[i]) break;
      at = std::max(at, offsets[j] + sizes[j]);
    }
    offsets[i] = at;
    placed.push_back(i);
  }
  return offsets;
}

}  // namespace

MemoryPlan plan_memory(DimTable& dims, const std::vector<Lifetime>& lifetimes,
                       const std::function<int64_t(Dim)>& at_optimum) {
  const size_t count = lifetimes.size();
  std::vector<Dim> aligned(count);
  std::vector<int64_t> sizes(count);
  for (size_t i = 0; i < count; ++i) {
    aligned[i] = dims.align_up(lifetimes[i].bytes, alignment);
    sizes[i] = std::max<int64_t>(at_optimum(aligned[i]),
                                 alignment);  // an empty one still takes its place in the order
  }
  const std::vector<int64_t> base = greedy(lifetimes, sizes);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return base[a] < base[b]; });

  MemoryPlan plan{std::vector<Dim>(count, dims.constant(0)), dims.constant(0)};
  std::vector<std::vector<bool>> below(count);  // below[rank]: ranks that lie under it, transitively
  for (size_t rank = 0; rank < count; ++rank) {
    const size_t i = order[rank];
    below[rank].assign(rank, false);
    Dim offset = dims.constant(0);
    for (size_t r = rank; r-- > 0;) {  // nearest first: what it already stands on is implied
      const size_t j = order[r];
      if (below[rank][r] || !overlap(lifetimes[i], lifetimes[j])) continue;
      offset = dims.max(offset, dims.add(plan.offsets[j], aligned[j]));
      below[rank][r] = true;
      for (size_t k = 0; k < r; ++k)
        if (below[r][k]) below[rank][k] = true;
    }
    plan.offsets[i] = offset;
    plan.total = dims.max(plan.total, dims.add(offset, aligned[i]));
  }
  return plan;
}

}  // namespace burnish
