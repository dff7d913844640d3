#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/burnish.h"

namespace burnish::cli {

/// Input name -> extents; -1 where an axis stays free.
using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Reads "name:1x3x224x224,name2:?x8" (one or several of these). A name may hold ':', so the last one ends it; nothing
/// after it is a scalar; `?` and -1 leave an axis free. Throws Failure.
Shapes parse_shapes(const std::vector<std::string>& texts);

/// "1x3x?x224"; "scalar" for no axes.
std::string shape_text(const int64_t* shape, int rank);
std::string shape_text(const std::vector<int64_t>& shape);
/// The same with the names of free axes: "batch x 3 x height x width".
std::string shape_text(const burnish_port& port);

/// Extents for the free axes of an engine's inputs. An axis known by the same name elsewhere gets the same extent; the rest
/// are `batch` on axis 0 and `otherwise` elsewhere.
class FreeExtents {
 public:
  static constexpr int64_t otherwise = 64;

  explicit FreeExtents(int64_t batch) : batch_(batch) {}
  /// Notes what an input's axes are known to be. -1 in `shape` says nothing.
  void learn(const burnish_port& port, const std::vector<int64_t>& shape);
  /// The shape of `port` with every axis decided.
  std::vector<int64_t> decide(const burnish_port& port, const std::vector<int64_t>* asked);

 private:
  int64_t batch_;
  std::map<std::string, int64_t> known_;
};

}  // namespace burnish::cli
