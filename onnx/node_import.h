#pragma once

#include "onnx/graph_importer.h"

namespace burnish::onnx {

/// One ONNX node as an op's `import` sees it.
class NodeImport final : public ImportCtx {
 public:
  NodeImport(GraphImporter& importer, const Node& node)
      : importer_(importer), node_(node), provenance_{importer.name_of(node)} {}
  /// Resolves the operands' names.
  Result<> read_inputs();
  /// Runs op's import, or the default one, and binds what it made.
  Result<> run(const OpDef& op);

  burnish::Graph& graph() override { return importer_.graph_; }
  std::string_view op_type() const override { return node_.op_type; }
  int64_t opset() const override { return importer_.opset(node_.domain); }
  size_t input_count() const override { return inputs_.size(); }
  size_t output_count() const override { return node_.outputs.size(); }
  ValueId input(size_t i) const override { return i < inputs_.size() ? inputs_[i] : no_value; }
  bool wants_output(size_t i) const override { return i < node_.outputs.size() && !node_.outputs[i].empty(); }
  bool has_attribute(std::string_view name) const override { return node_.attribute(name) != nullptr; }
  Result<int64_t> integer(std::string_view name, std::optional<int64_t> otherwise) const override;
  Result<float> real(std::string_view name, std::optional<float> otherwise) const override;
  Result<std::string> string(std::string_view name, std::optional<std::string> otherwise) const override;
  Result<std::vector<int64_t>> integers(std::string_view name) const override;
  Result<std::vector<float>> reals(std::string_view name) const override;
  Result<std::vector<std::string>> strings(std::string_view name) const override;
  Result<Tensor> tensor(std::string_view name) const override;
  Result<Attrs> attributes(const AttrSchema* schema,
                           std::span<const std::string_view> ignored) const override;
  using ImportCtx::emit;
  Result<std::vector<ValueId>> emit(std::string_view op, Attrs attrs, std::vector<ValueId> inputs,
                                    size_t outputs) override;
  void bind(size_t output, ValueId value) override;
  Error error(Code code, std::string what) const override;

 private:
  Result<const Attribute*> typed(std::string_view name, AttributeType type) const;
  Result<> set_field(Attrs& attrs, const Field& field, const Attribute& attribute) const;

  GraphImporter& importer_;
  const Node& node_;
  std::vector<std::string> provenance_;
  std::vector<ValueId> inputs_;
  std::map<size_t, ValueId> bound_;
};

}  // namespace burnish::onnx
