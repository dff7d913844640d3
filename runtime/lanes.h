#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace burnish {

/// Keeps work that could run side by side to so many lanes: what is in one lane runs one after the other.
class Lanes {
 public:
  /// 0: as many as there is work for.
  explicit Lanes(uint32_t count) : last_(count, nobody) {}

  /// Puts `who`, which comes after all that are in already and must wait for those in `after`, into a lane: behind one it waits
  /// for, if that is the last of its lane, else into an empty one, else behind whoever has been last of its lane for longest. Adds to
  /// `after` whom it is behind.
  void enter(uint32_t who, std::vector<uint32_t>& after) {
    if (last_.empty()) return;
    auto lane = std::ranges::find_if(last_, [&](uint32_t last) {
      return last != nobody && std::ranges::find(after, last) != after.end();
    });
    if (lane == last_.end()) lane = std::ranges::find(last_, nobody);
    if (lane == last_.end()) lane = std::ranges::min_element(last_);
    if (*lane != nobody) after.push_back(*lane);
    *lane = who;
  }

 private:
  static constexpr uint32_t nobody = ~uint32_t{0};
  std::vector<uint32_t> last_;  // of each lane
};

}  // namespace burnish
