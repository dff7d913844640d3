#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "base/deferred_tensor.h"
#include "ir/infer.h"
#include "passes/pass.h"

namespace burnish {

namespace {

/// x·W, or x·W + b, with constant W and b.
struct Product {
  uint32_t node;
  uint32_t last;  // the node that adds b, or the product itself
  ValueId result;
  ValueId weight;
  ValueId bias = no_value;
};

/// Products that can become one: the same x, operator, attributes and element type, all with a bias or all without.
using Kind = std::tuple<ValueId, std::string_view, std::string, DType, bool>;

Shape extents_of(const Graph& g, ValueId v) { return g.constant(v)->shape(); }

class Merger {
 public:
  explicit Merger(Graph& g) : g_(g), readers_(g.values.size()), kept_(g.values.size()) {
    for (uint32_t n = 0; n < g.nodes.size(); ++n)
      for (ValueId v : g.nodes[n].inputs)
        if (v != no_value) readers_[v].push_back(n);
    for (ValueId v : g.outputs) kept_[v] = true;
  }

  Result<bool> run() {
    std::map<Kind, std::vector<Product>> kinds;
    for (uint32_t n = 0; n < g_.nodes.size(); ++n)
      if (const std::optional<Product> p = product(n)) kinds[kind(*p)].push_back(*p);
    std::map<uint32_t, std::vector<Node>> merged;  // by the first product, whose place they take
    for (auto& [kind, products] : kinds) {
      while (const std::optional<std::vector<Product>> pair = take_unit(products))
        merged[pair->front().node] = TRY(merge(*pair));
      const int64_t columns = columns_of(products);
      std::erase_if(products, [&](const Product& p) { return !is_read_as_view(p, columns); });
      if (products.size() > 1) merged[products[0].node] = TRY(merge(products));
    }
    if (merged.empty()) return false;
    std::vector<Node> nodes;
    for (uint32_t n = 0; n < g_.nodes.size(); ++n) {
      if (auto it = merged.find(n); it != merged.end())
        std::move(it->second.begin(), it->second.end(), std::back_inserter(nodes));
      if (!g_.nodes[n].dead) nodes.push_back(std::move(g_.nodes[n]));
    }
    g_.nodes = std::move(nodes);
    g_.index();
    return true;
  }

 private:
  static bool transposes(const Node& node) {
    const bool* flag = node.attrs.find<bool>("trans_b");
    return flag && *flag;
  }

  Kind kind(const Product& p) const {
    const Node& node = g_.nodes[p.node];
    return {node.inputs[0], node.op->name, node.attrs.text(*g_.dims), g_.values[p.weight].type.dtype,
            p.bias != no_value};
  }

  int64_t columns(const Product& p) const {
    return extents_of(g_, p.weight)[transposes(g_.nodes[p.node]) ? 0 : 1];
  }
  int64_t columns_of(const std::vector<Product>& products) const {
    int64_t all = 0;
    for (const Product& p : products) all += columns(p);
    return all;
  }

  bool is_vector(ValueId v, int64_t count) const {
    return g_.constant(v) && extents_of(g_, v) == Shape{count};
  }

  std::optional<Product> product(uint32_t n) const {
    const Node& node = g_.nodes[n];
    if (node.dead || (node.op->name != "MatMul" && node.op->name != "Gemm")) return std::nullopt;
    const Tensor* w = g_.constant(node.inputs[1]);
    if (!w || w->shape().size() != 2 || g_.constant(node.inputs[0]) ||
        g_.values[node.inputs[0]].type.shape.size() < 2)
      return std::nullopt;
    Product p{n, n, node.outputs[0], node.inputs[1]};
    if (node.inputs.size() > 2 && node.inputs[2] != no_value) {
      p.bias = node.inputs[2];
      return is_vector(p.bias, columns(p)) ? std::optional(p) : std::nullopt;
    }
    if (readers_[p.result].size() != 1 || kept_[p.result]) return p;
    const uint32_t reader = readers_[p.result][0];
    const Node& add = g_.nodes[reader];
    if (add.op->name != "Add") return p;
    const ValueId other = add.inputs[add.inputs[0] == p.result ? 1 : 0];
    if (!is_vector(other, columns(p))) return p;
    return Product{n, reader, add.outputs[0], p.weight, other};
  }

  // Two products whose results are the halves of a gated unit, which the pass `fuse` brings together in the kernel of one; they leave
  // `products`.
  std::optional<std::vector<Product>> take_unit(std::vector<Product>& products) const {
    for (size_t i = 0; i < products.size(); ++i)
      for (size_t j = i + 1; j < products.size(); ++j)
        if (columns(products[i]) == columns(products[j]) && come_together(products[i], products[j])) {
          std::vector<Product> pair{products[i], products[j]};
          products.erase(products.begin() + static_cast<int64_t>(j));
          products.erase(products.begin() + static_cast<int64_t>(i));
          return pair;
        }
    return std::nullopt;
  }

  bool is_pointwise(uint32_t n, const std::vector<Dim>& shape) const {
    const Node& node = g_.nodes[n];
    return node.op->scalar && node.outputs.size() == 1 && g_.values[node.outputs[0]].type.shape == shape;
  }

  // Whether pointwise nodes alone read both results, and what these make, as far as one value.
  bool come_together(const Product& p, const Product& q) const {
    const std::vector<Dim>& shape = g_.values[p.result].type.shape;
    std::map<ValueId, size_t> open;  // how many reads are still to come
    for (const ValueId v : {p.result, q.result}) {
      open[v] = readers_[v].size();
      const auto follows = [&](uint32_t n) { return is_pointwise(n, shape); };
      if (kept_[v] || readers_[v].empty() || !std::ranges::all_of(readers_[v], follows)) return false;
    }
    for (uint32_t n = p.last + 1; n < g_.nodes.size(); ++n) {
      const Node& node = g_.nodes[n];
      const auto is_open = [&](ValueId v) { return open.contains(v); };
      if (node.dead || !is_pointwise(n, shape) || std::ranges::none_of(node.inputs, is_open)) continue;
      for (const ValueId v : node.inputs)
        if (const auto it = open.find(v); it != open.end() && --it->second == 0) open.erase(it);
      const ValueId y = node.outputs[0];
      if (open.empty()) return true;
      if (readers_[y].empty() || kept_[y]) return false;
      open[y] = readers_[y].size();
    }
    return false;
  }

  // Every reader takes the columns as they lie among `all` columns, without a copy.
  bool is_read_as_view(const Product& p, int64_t all) const {
    if (kept_[p.result]) return false;
    DimTable& dims = *g_.dims;
    const std::vector<Dim>& shape = g_.values[p.result].type.shape;
    std::vector<Dim> wide = shape;
    wide.back() = dims.constant(all);
    const StridedView view{dims.constant(0), dense_strides(dims, wide)};
    return std::all_of(readers_[p.result].begin(), readers_[p.result].end(), [&](uint32_t n) {
      const Node& reader = g_.nodes[n];
      if (reader.op->name == "MatMul") return true;
      if (!reader.op->view || reader.inputs[0] != p.result) return false;
      std::vector<StridedView> out(reader.outputs.size());
      ViewCtx ctx{g_, reader, dims, shape, view, out};
      return reader.op->view(ctx);
    });
  }

  // Matrices side by side (rows below each other, where they are transposed), or vectors one after the other.
  ValueId joined(const std::vector<Product>& products, ValueId Product::* which, bool stacked) {
    const Tensor& first = *g_.constant(products[0].*which);
    Shape shape = first.shape();
    int64_t& extent = stacked ? shape.front() : shape.back();
    extent = columns_of(products);
    const auto rows = static_cast<size_t>(stacked ? 1 : shape.front());
    const size_t pitch = static_cast<size_t>(element_count(shape)) / rows * size_of(first.dtype());
    std::vector<Tensor> parts;
    for (const Product& p : products) parts.push_back(*g_.constant(p.*which));
    return g_.add_constant(deferred_tensor(first.dtype(), shape, [=](std::byte* to, ThreadPool& pool) {
      for (const Tensor& part : parts) {
        const size_t bytes = part.byte_size() / rows;
        for (size_t row = 0; row < rows; ++row)
          std::memcpy(to + row * pitch, part.bytes(pool) + row * bytes, bytes);
        to += bytes;
      }
    }));
  }

  Result<ValueId> append(std::vector<Node>& nodes, Node node) {
    const ValueId v = g_.add_value({});
    node.outputs = {v};
    TRY(infer(g_, node));
    nodes.push_back(std::move(node));
    return v;
  }

  Result<std::vector<Node>> merge(const std::vector<Product>& products) {
    std::vector<Node> nodes;
    const Node& first = g_.nodes[products[0].node];
    const bool biased = products[0].bias != no_value, adds = products[0].last != products[0].node;
    Node product{.op = first.op, .attrs = first.attrs};
    product.inputs = {first.inputs[0], joined(products, &Product::weight, transposes(first))};
    const ValueId bias = biased ? joined(products, &Product::bias, true) : no_value;
    if (biased && !adds) product.inputs.push_back(bias);
    std::vector<int64_t> sizes;
    Node split{.op = find_op("Split"), .attrs = Attrs(find_op("Split")->attrs)};
    for (const Product& p : products) {
      for (uint32_t n : {p.node, p.last}) {
        for (const std::string& name : g_.nodes[n].provenance)
          if (std::find(product.provenance.begin(), product.provenance.end(), name) ==
              product.provenance.end())
            product.provenance.push_back(name);
        g_.nodes[n].dead = true;
      }
      sizes.push_back(columns(p));
      split.outputs.push_back(p.result);
    }
    split.provenance = product.provenance;
    const std::vector<std::string> names = product.provenance;
    ValueId y = TRY(append(nodes, std::move(product)));
    if (adds) y = TRY(append(nodes, {.op = find_op("Add"), .inputs = {y, bias}, .provenance = names}));
    const auto count = static_cast<int64_t>(sizes.size());
    split.inputs = {y, g_.add_constant(Tensor::of<int64_t>(DType::i64, {count}, sizes))};
    TRY(split.attrs.parse_field("axis", std::to_string(g_.values[y].type.shape.size() - 1), *g_.dims));
    TRY(infer(g_, split));
    nodes.push_back(std::move(split));
    return nodes;
  }

  Graph& g_;
  std::vector<std::vector<uint32_t>> readers_;  // by value
  std::vector<bool> kept_;                      // results of the graph
};

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) { return Merger(g).run(); });
}

}  // namespace

extern const Pass pass_merge_products;
const Pass pass_merge_products = {"merge_products",
                                  "makes one matrix product of several with the same left operand", run};

}  // namespace burnish
