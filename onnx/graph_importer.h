#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/iterated_body.h"
#include "ir/op.h"
#include "onnx/import.h"
#include "onnx/model.h"
#include "plugin/plugins.h"

namespace burnish::onnx {

/// What all scopes of one import share.
struct ImportState {
  const Model& model;
  ThreadPool& pool;
  std::map<std::string, const OpDef*, std::less<>> ops;
  std::map<std::string, const Function*, std::less<>> functions;  // "domain:name"
  const plugin::Plugins* plugins = nullptr;                       // null: none
  bool plugin_override = false;
  int depth = 0;  // of functions and subgraphs, against endless recursion
};

/// Writes one ONNX graph, subgraph or function body into an IR graph. A body that is inlined writes into its caller's graph
/// under names of its own; a region has a graph of its own and captures what it reads from outside.
class GraphImporter {
 public:
  GraphImporter(ImportState& state, burnish::Graph& graph, GraphImporter* outer,
                std::vector<OpsetImport> opsets, bool isolated = false)
      : state_(state), graph_(graph), outer_(outer), opsets_(std::move(opsets)), isolated_(isolated) {}

  burnish::Graph& graph() { return graph_; }
  ImportState& state() { return state_; }

  Result<> add_initializers(const Graph& graph);
  /// Says which value a name stands for; an error if the name is taken.
  Result<> define(const std::string& name, ValueId value, const std::string& by);
  Result<> import_nodes(const std::vector<Node>& nodes);
  /// The value of that name, captured from outside if need be; `reader` is for the error.
  Result<ValueId> find(const std::string& name, const std::string& reader);

  Result<std::vector<ValueId>> emit(std::string_view op, Attrs attrs, std::vector<ValueId> inputs,
                                    size_t outputs, const std::vector<std::string>& provenance);
  int64_t opset(const std::string& domain) const;
  /// Outer values read by this region, in the order of the inputs added for them.
  const std::vector<ValueId>& captures() const { return captures_; }
  const std::vector<OpsetImport>& opsets() const { return opsets_; }

 private:
  friend class NodeImport;
  Result<> import_node(const Node& node);
  Result<> import_if(const Node& node);
  void look_up_names(const Graph& body);
  burnish::Graph failing_branch(const burnish::Graph& other, const std::string& why) const;
  Result<> import_loop(const Node& node);
  Result<> import_function(const Node& node, const Function& function);
  // plugin_import.cpp
  Result<std::optional<plugin::Found>> find_plugin(const Node& node) const;
  Result<> import_plugin(const Node& node, const plugin::Found& found);
  bool in_loop_body() const;
  Result<> inline_graph(const Node& node, const Graph& body);
  /// Fills a region, whose inputs are there already; `isolated`: it sees nothing but its inputs, extents included.
  Result<> import_region(const Node& node, const Graph& body, burnish::Graph& region, bool isolated,
                         std::vector<ValueId>& captures);
  Result<std::vector<Value>> loop_operands(const Node& node, const Graph& body,
                                           const std::vector<ValueId>& inputs,
                                           const IteratedBody::Carried& carried) const;
  Result<> import_loop_body(const Node& node, const Graph& body, const IteratedBody::Carried& carried,
                            burnish::Node& loop);
  Result<> bind(const Node& node, size_t output, ValueId value);
  std::optional<ValueId> lookup(const std::string& name, Result<>& status);
  std::string name_of(const Node& node) const;

  ImportState& state_;
  burnish::Graph& graph_;
  GraphImporter* outer_;
  std::vector<OpsetImport> opsets_;
  bool isolated_;              // a function body: sees no name of its caller
  bool owns_extents_ = false;  // the body of a Loop or Scan: its captures' extents are symbols of its own
  std::map<std::string, ValueId> names_;
  std::map<std::string, const Literal*> initializers_;
  std::set<std::string> sparse_;
  std::vector<ValueId> captures_;
  const std::vector<Node>* body_ = nullptr;  // being imported, for messages
};

}  // namespace burnish::onnx
