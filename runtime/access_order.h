#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace burnish {

/// Says, access by access in program order, which earlier accesses a new one must wait for: reads for the last write of the
/// same bytes, writes for that and for the reads since. Bytes are named by address, so buffers that share memory, whatever
/// the reason, are ordered too.
class AccessOrder {
 public:
  /// Notes that `who` reads or writes [begin, end), and adds to `after` whom it must wait for (with repetitions).
  void access(uintptr_t begin, uintptr_t end, bool writes, uint32_t who, std::vector<uint32_t>& after) {
    if (begin >= end) return;
    split(begin);
    split(end);
    fill_gaps(begin, end);
    for (auto it = pieces_.find(begin); it != pieces_.end() && it->first < end; ++it) {
      Piece& piece = it->second;
      if (piece.writer != nobody && piece.writer != who) after.push_back(piece.writer);
      if (!writes) {
        if (piece.readers.empty() || piece.readers.back() != who) piece.readers.push_back(who);
        continue;
      }
      for (uint32_t reader : piece.readers)
        if (reader != who) after.push_back(reader);
      piece.readers.clear();
      piece.writer = who;
    }
  }

 private:
  static constexpr uint32_t nobody = ~uint32_t{0};
  struct Piece {
    uintptr_t end;
    uint32_t writer = nobody;
    std::vector<uint32_t> readers;
  };

  void split(uintptr_t at) {
    auto it = pieces_.upper_bound(at);
    if (it == pieces_.begin()) return;
    --it;
    if (it->first == at || it->second.end <= at) return;
    Piece right = it->second;
    it->second.end = at;
    pieces_.emplace(at, std::move(right));
  }
  void fill_gaps(uintptr_t begin, uintptr_t end) {
    while (begin < end) {
      const auto it = pieces_.lower_bound(begin);
      if (it != pieces_.end() && it->first == begin) {
        begin = it->second.end;
        continue;
      }
      const uintptr_t gap_end = it == pieces_.end() || it->first > end ? end : it->first;
      pieces_.emplace(begin, Piece{gap_end});
      begin = gap_end;
    }
  }
  std::map<uintptr_t, Piece> pieces_;  // by begin; disjoint
};

}  // namespace burnish
