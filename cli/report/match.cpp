#include "cli/report/match.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace burnish::cli::report {

namespace {

/// Sets of layers, joined as nodes that two of them share turn up.
class Groups {
 public:
  explicit Groups(size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }
  size_t of(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(size_t i, size_t j) { parent_[std::max(of(i), of(j))] = std::min(of(i), of(j)); }

 private:
  std::vector<size_t> parent_;
};

}  // namespace

Json match_layers(const Json& a, const Json& b) {
  auto layer = [&](size_t i) -> const Json& { return i < a.size() ? a[i] : b[i - a.size()]; };
  Groups groups(a.size() + b.size());
  std::map<std::string, size_t> owner;  // of a node, the first layer that has it
  for (size_t i = 0; i < a.size() + b.size(); ++i)
    for (const Json& node : layer(i)["nodes"])
      if (auto [at, fresh] = owner.try_emplace(node, i); !fresh) groups.join(i, at->second);
  std::map<size_t, Json> rows;  // by the first layer of each
  for (size_t i = 0; i < a.size() + b.size(); ++i) {
    Json& row = rows[groups.of(i)];
    if (row.is_null()) row = {{"nodes", Json::array()}, {"a", Json::array()}, {"b", Json::array()}};
    if (i < a.size()) row["a"].push_back(i);
    else row["b"].push_back(i - a.size());
    for (const Json& node : layer(i)["nodes"])
      if (std::find(row["nodes"].begin(), row["nodes"].end(), node) == row["nodes"].end())
        row["nodes"].push_back(node);
  }
  Json list = Json::array();
  for (auto& [first, row] : rows) list.push_back(std::move(row));
  return list;
}

}  // namespace burnish::cli::report
