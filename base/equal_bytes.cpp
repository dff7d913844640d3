#include "base/equal_bytes.h"

#include <algorithm>

namespace burnish {

size_t EqualBytes::add(std::span<const std::byte> block) {
  constexpr size_t beginning = 256;
  const size_t number = blocks_.size();
  blocks_.push_back(block);
  const auto first = block.first(std::min(block.size(), beginning));
  std::vector<size_t>& alike = by_beginning_[{first.begin(), first.end()}];
  for (size_t i : alike)
    if (std::ranges::equal(blocks_[i], block)) return i;
  alike.push_back(number);
  return number;
}

}  // namespace burnish
