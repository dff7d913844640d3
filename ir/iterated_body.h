#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace burnish {

/// A symbol of a body, and the extent or element outside that it stands for.
struct StandIn {
  Dim symbol, outside;
};
/// Gives input v of the body of a Loop or Scan the type and elements of a value outside. What is no constant becomes a
/// symbol of the body's own: the body can be run from its inputs alone, and what it forces to be equal holds in there only.
std::vector<StandIn> hand_in_isolated(Graph& body, ValueId v, const Value& from);

/// Finds the types that a body of a Loop or Scan has in every iteration: hand in everything, infer the body, and begin anew
/// as long as `widen` says so.
class IteratedBody {
 public:
  /// Inputs of the body that go from iteration to iteration, and the outputs that give them anew.
  struct Carried {
    size_t first_input, first_output, count;
  };
  explicit IteratedBody(Carried carried) : carried_(carried) {}

  /// Input k takes a value outside: its initial one, if it is carried.
  void hand_in(Graph& body, size_t k, const Value& from);
  /// Compares what an iteration gives with what it took: axes that differ change from now on. True if the types of the
  /// body's inputs are others by that.
  bool widen(Graph& body);
  /// d outside, where it means something there.
  std::optional<Dim> outside(Graph& body, Dim d) const;
  /// Whether extent `axis` of carried value i may differ between iterations.
  bool changes(size_t i, uint32_t axis) const { return changing_.contains({carried_.first_input + i, axis}); }

 private:
  using Axis = std::pair<size_t, uint32_t>;  // of an input
  bool is_carried(size_t k) const {
    return k >= carried_.first_input && k < carried_.first_input + carried_.count;
  }
  Carried carried_;
  std::map<size_t, std::vector<StandIn>> fixed_;  // by input that is not carried
  std::map<size_t, std::vector<Dim>> initial_;    // by input that is: the shape outside
  std::map<Axis, StandIn> of_carried_;            // what is missing is a constant inside too
  std::set<Axis> changing_;
};

}  // namespace burnish
