#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace burnish {

/// What is known about a problem on one device: how long each candidate took and which one is taken.
struct Timing {
  struct Candidate {
    std::string tactic;
    uint64_t nanoseconds = 0;  // 0: not timed
    std::string refused;       // why it does not count; empty: it does
    bool operator==(const Candidate&) const = default;
  };
  std::string winner;
  std::vector<Candidate> candidates;

  /// Whether anything was timed: if not, the winner is an estimate that stood in when the time ran out.
  bool timed() const;
  bool operator==(const Timing&) const = default;
};

/// Timings by problem, device and version of the kernels, as a text file that people can read, edit and merge: a first line
/// that says what it is, then one line for each problem, sorted; the winner has an asterisk. Times are of the candidates alone,
/// so another may have been faster than the winner, which was so in the engine:
///
///     KEY <tab> DEVICE <tab> VERSION <tab> mma 128x64x64 4x1 s3: 8.311 us * <tab> mma 64x64x64 2x2 s4: refused, …
class TimingCache {
 public:
  struct Where {
    std::string key, device, version;
    auto operator<=>(const Where&) const = default;
  };

  /// Error invalid_argument, naming the line, for a text that is none.
  static Result<TimingCache> parse(std::string_view text);
  /// Errors as for map_file and parse.
  static Result<TimingCache> read(const std::string& path);
  /// The same, a file that does not exist being an empty one.
  static Result<TimingCache> read_if_there(const std::string& path);
  Result<> write(const std::string& path) const;
  std::string text() const;

  using Entry = std::pair<const Where, Timing>;
  /// Null if there is none. Without a device that of any device, the first by name.
  const Entry* find(const Where& where) const;
  /// Of the reasons of refusals one short line is kept, as in the file.
  void set(const Where& where, Timing timing);
  /// Takes over what `other` knows; where both know, what was timed counts, and then `other`.
  void merge(const TimingCache& other);
  size_t size() const { return timings_.size(); }

 private:
  std::map<Where, Timing> timings_;
};

}  // namespace burnish
