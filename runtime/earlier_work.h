#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace burnish {

/// Remembers who is done when somebody is: all that he waited for, and what those waited for.
class EarlierWork {
 public:
  /// Notes the next one, who waits for those in `waits`, any number of times each. Leaves those of them, in order, that no other
  /// one of them waits for already.
  void add(std::vector<uint32_t>& waits) {
    std::ranges::sort(waits, std::greater());
    waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
    Set done(done_.size() / 64 + 1);
    std::erase_if(waits, [&](uint32_t earlier) {
      if (done[earlier / 64] >> earlier % 64 & 1) return true;
      const Set& with = done_[earlier];
      for (size_t word = 0; word < with.size(); ++word) done[word] |= with[word];
      return false;
    });
    std::ranges::reverse(waits);
    const auto self = static_cast<uint32_t>(done_.size());
    done[self / 64] |= uint64_t{1} << self % 64;
    done_.push_back(std::move(done));
  }

 private:
  using Set = std::vector<uint64_t>;
  std::vector<Set> done_;  // by who is done: a bit for each of those up to him, himself among them
};

}  // namespace burnish
