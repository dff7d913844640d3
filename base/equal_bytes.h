#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

namespace burnish {

/// Finds blocks of bytes that are equal. Blocks stay where they are; of most of them the first bytes are all that is read.
class EqualBytes {
 public:
  /// The number, counted from 0 in the order of calls, of the first block that is equal to this one; its own if it is new.
  size_t add(std::span<const std::byte> block);

 private:
  std::vector<std::span<const std::byte>> blocks_;
  std::map<std::vector<std::byte>, std::vector<size_t>> by_beginning_;
};

}  // namespace burnish
