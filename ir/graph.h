#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "ir/attrs.h"
#include "shape/dim.h"

namespace burnish {

struct OpDef;

using ValueId = uint32_t;
/// An operand that the node leaves out (ONNX's empty name).
inline constexpr ValueId no_value = ~ValueId{0};
inline constexpr uint32_t no_node = ~uint32_t{0};

struct TensorType {
  DType dtype = DType::f32;
  std::vector<Dim> shape;
  bool operator==(const TensorType&) const = default;
};

/// One tensor of a graph: written once, by its producer, or an input, or a constant.
struct Value {
  TensorType type;
  std::string name;
  uint32_t producer = no_node;             // index into Graph::nodes; kept by Graph::index()
  std::shared_ptr<const Tensor> constant;  // set: this value is that tensor
  std::optional<std::vector<Dim>>
      content;  // elements, where a small integer or bool tensor is known symbolically
};

struct Graph;

struct Node {
  const OpDef* op = nullptr;
  Attrs attrs;
  std::vector<ValueId> inputs;   // may hold no_value
  std::vector<ValueId> outputs;  // may hold no_value
  std::vector<Graph> regions;    // bodies of If, Loop, Scan, Fused; a region sees nothing but its own inputs
  std::vector<std::string> provenance;  // names of the ONNX nodes it came from
  bool dead = false;                    // dropped by Graph::index()
};

/// Where the number behind a symbol comes from at run time.
struct SymbolOrigin {
  enum class Kind : uint8_t {
    input,  // extent `index` of graph input `value`
    extent,  // extent `index` of `value`, which its producer decides when it runs (NonZero, NonMaxSuppression, If, …)
    content,  // element `index` of the integer tensor `value`
  };
  Kind kind;
  ValueId value;
  uint32_t index;
  auto operator<=>(const SymbolOrigin&) const = default;
};

/// A tensor program in SSA form; `nodes` is in topological order. Value ids are stable, node indices are not.
struct Graph {
  std::string name;
  std::shared_ptr<DimTable> dims = std::make_shared<DimTable>();  // shared with its regions
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<Dim, SymbolOrigin> origins;  // of the symbols that belong to this graph

  ValueId add_value(TensorType type, std::string name = {});
  /// Constants of at most 4096 integers (or bools) get their content too.
  ValueId add_constant(Tensor tensor, std::string name = {});
  const Tensor* constant(ValueId v) const { return v == no_value ? nullptr : values[v].constant.get(); }
  /// Elements of v as Dims, where known.
  const std::vector<Dim>* content(ValueId v) const {
    return v != no_value && values[v].content ? &*values[v].content : nullptr;
  }
  const Node* producer(ValueId v) const {
    return values[v].producer == no_node ? nullptr : &nodes[values[v].producer];
  }

  /// Drops dead nodes and writes every Value::producer afresh. Call after changing `nodes`.
  void index();
  /// How many times each value is read (by nodes and as graph output), by value id.
  std::vector<uint32_t> use_counts() const;
  /// Every use of `from` (by nodes and as output) becomes a use of `to`.
  void replace_uses(ValueId from, ValueId to);
  void replace_uses(const std::vector<ValueId>& forward);
  /// Rewrites every type, content and Dim attribute through DimTable::resolve.
  void resolve_dims();
};

}  // namespace burnish
