#include "onnx/import.h"

#include <algorithm>

#include "ir/op.h"
#include "onnx/graph_importer.h"
#include "onnx/profiles.h"

namespace burnish::onnx {

namespace {

constexpr int64_t oldest_opset = 7, newest_opset = 27, oldest_ir = 3;

Result<> check_versions(const Model& model) {
  if (model.ir_version < oldest_ir)
    return Error(Code::unsupported, "the model has IR version " + std::to_string(model.ir_version) +
                                        "; Burnish reads 3 and newer")
        .remedy("convert it with onnx.version_converter");
  for (const OpsetImport& import : model.opset_imports)
    if ((import.domain.empty() || import.domain == "ai.onnx") &&
        (import.version < oldest_opset || import.version > newest_opset))
      return Error(Code::unsupported, "the model imports opset " + std::to_string(import.version) +
                                          "; Burnish reads opsets " + std::to_string(oldest_opset) + " to " +
                                          std::to_string(newest_opset))
          .remedy("convert it with onnx.version_converter");
  return {};
}

std::string list_of_inputs(const Graph& graph) {
  std::string names;
  for (const ValueInfo& input : graph.inputs) names += (names.empty() ? "'" : ", '") + input.name + "'";
  return names;
}

// The model's inputs that are not merely places for initializers (IR 3 lists those too).
std::vector<const ValueInfo*> real_inputs(const Graph& graph) {
  std::set<std::string> stored;
  for (const Literal& literal : graph.initializers) stored.insert(literal.name);
  std::vector<const ValueInfo*> inputs;
  for (const ValueInfo& input : graph.inputs)
    if (!stored.contains(input.name)) inputs.push_back(&input);
  return inputs;
}

class Inputs {
 public:
  Inputs(const Model& model, const ImportOptions& options, const ProfileExtents& profiles,
         burnish::Graph& graph)
      : model_(model), shapes_(options.shapes), profiles_(profiles), graph_(graph), dims_(*graph.dims) {
    shapes_.insert(profiles.fixed.begin(), profiles.fixed.end());
  }

  Result<> add(GraphImporter& importer) {
    TRY(check_shape_options());
    for (const ValueInfo* input : real_inputs(model_.graph)) TRY(fix_names(*input));
    for (const ValueInfo* input :
         real_inputs(model_.graph))  // named ones first, so that made-up names avoid them
      for (const Dimension& d : input->shape.value_or(std::vector<Dimension>()))
        if (!d.value && !d.param.empty() && !fixed_.contains(d.param))
          dims_.symbol(d.param, range_of(d.param));
    for (const ValueInfo* input : real_inputs(model_.graph)) TRY(add_one(*input, importer));
    return {};
  }

 private:
  Result<> check_shape_options() {
    for (const auto& [name, shape] : shapes_) {
      const std::string option = "--shapes " + name;
      const auto at = std::find_if(model_.graph.inputs.begin(), model_.graph.inputs.end(),
                                   [&](const ValueInfo& input) { return input.name == name; });
      if (at == model_.graph.inputs.end())
        return Error(Code::invalid_argument, option + ": the model has no input '" + name + "'")
            .remedy("its inputs are " + list_of_inputs(model_.graph));
      if (at->shape && at->shape->size() != shape.size())
        return Error(Code::invalid_argument, option + ": " + std::to_string(shape.size()) +
                                                 " extents are given, input '" + name + "' has rank " +
                                                 std::to_string(at->shape->size()))
            .remedy("give one extent for each axis; ? leaves one free");
      for (size_t axis = 0; at->shape && axis < shape.size(); ++axis) {
        const Dimension& d = (*at->shape)[axis];
        if (shape[axis] != -1 && shape[axis] < 1)
          return Error(Code::invalid_argument, option + ": axis " + std::to_string(axis) + " has extent " +
                                                   std::to_string(shape[axis]))
              .remedy("extents are 1 or more; ? leaves one free");
        if (d.value && shape[axis] != -1 && shape[axis] != *d.value)
          return Error(Code::invalid_argument, option + ": axis " + std::to_string(axis) + " is " +
                                                   std::to_string(*d.value) + " in the model, not " +
                                                   std::to_string(shape[axis]))
              .remedy("only free extents can be fixed; export the model again with that axis dynamic");
      }
    }
    return {};
  }

  Result<> fix_names(const ValueInfo& input) {
    auto it = shapes_.find(input.name);
    if (it == shapes_.end() || !input.shape) return {};
    for (size_t axis = 0; axis < input.shape->size(); ++axis) {
      const Dimension& d = (*input.shape)[axis];
      if (d.value || d.param.empty() || it->second[axis] == -1) continue;
      auto [at, fresh] = fixed_.emplace(d.param, it->second[axis]);
      if (!fresh && at->second != it->second[axis])
        return Error(Code::invalid_argument, "--shapes " + input.name + ": axis " + std::to_string(axis) +
                                                 " is '" + d.param + "', which is " +
                                                 std::to_string(at->second) + " in another input, not " +
                                                 std::to_string(it->second[axis]))
            .remedy("axes of one name have one extent");
    }
    return {};
  }

  Result<> add_one(const ValueInfo& input, GraphImporter& importer) {
    if (input.kind != TypeKind::tensor)
      return Error(Code::unsupported, "input '" + input.name + "' is of kind " +
                                          std::string(type_kind_name(input.kind)) + "; Burnish takes tensors")
          .remedy("export the model with tensor inputs");
    const auto dtype = dtype_of(input.elem_type);
    if (!dtype)
      return Error(Code::unsupported, "input '" + input.name + "' has elements of type " +
                                          std::string(data_type_name(input.elem_type)) +
                                          ", which Burnish does not compute with");
    auto option = shapes_.find(input.name);
    TensorType type{*dtype, {}};
    if (!input.shape && option == shapes_.end())
      return Error(Code::unsupported, "input '" + input.name + "' has no shape in the model, not even a rank")
          .remedy("give it with --shapes " + input.name + ":1x3x224x224");
    const size_t rank = input.shape ? input.shape->size() : option->second.size();
    for (size_t axis = 0; axis < rank; ++axis) {
      const Dimension d = input.shape ? (*input.shape)[axis] : Dimension{};
      const int64_t given = option != shapes_.end() ? option->second[axis] : -1;
      if (d.value) type.shape.push_back(dims_.constant(*d.value));
      else if (given != -1) type.shape.push_back(dims_.constant(given));
      else if (auto known = fixed_.find(d.param); known != fixed_.end())
        type.shape.push_back(dims_.constant(known->second));
      else if (!d.param.empty()) type.shape.push_back(dims_.symbol(d.param));
      else
        type.shape.push_back(
            dims_.fresh_symbol(input.name + "." + std::to_string(axis), range_of(input.name, axis)));
    }
    const ValueId v = graph_.add_value(type, input.name);
    graph_.inputs.push_back(v);
    for (uint32_t axis = 0; axis < type.shape.size(); ++axis)
      if (dims_.op(type.shape[axis]) == DimOp::symbol)
        graph_.origins.try_emplace(type.shape[axis], SymbolOrigin{SymbolOrigin::Kind::input, v, axis});
    return importer.define(input.name, v, "the list of inputs");
  }

  static constexpr Range any{1, DimTable::unbounded};
  Range range_of(const std::string& axis_name) const {
    const auto at = profiles_.named.find(axis_name);
    return at == profiles_.named.end() ? any : at->second;
  }
  Range range_of(const std::string& input, size_t axis) const {
    const auto at = profiles_.ranges.find(input);
    return at == profiles_.ranges.end() ? any : at->second[axis];
  }

  const Model& model_;
  std::map<std::string, std::vector<int64_t>> shapes_;  // asked for, or left no choice by the profiles
  const ProfileExtents& profiles_;
  burnish::Graph& graph_;
  DimTable& dims_;
  std::map<std::string, int64_t> fixed_;
};

Result<> add_outputs(const Model& model, GraphImporter& importer) {
  burnish::Graph& graph = importer.graph();
  std::set<std::string> seen;
  if (model.graph.outputs.empty()) return Error(Code::invalid_model, "the model has no outputs");
  for (const ValueInfo& output : model.graph.outputs) {
    if (!seen.insert(output.name).second)
      return Error(Code::invalid_model, "output '" + output.name + "' is listed twice");
    ValueId v = TRY(importer.find(output.name, "the list of outputs"));
    if (graph.values[v].name != output.name || graph.constant(v) ||
        std::find(graph.inputs.begin(), graph.inputs.end(), v) != graph.inputs.end()) {
      const ValueId own =
          graph.add_value(graph.values[v].type, output.name);  // an output is a value of its own
      graph.nodes.push_back({.op = importer.state().ops.at("Identity"),
                             .inputs = {v},
                             .outputs = {own},
                             .provenance = {output.name}});
      v = own;
    }
    graph.outputs.push_back(v);
  }
  return {};
}

}  // namespace

Result<burnish::Graph> import_model(const Model& model, const ImportOptions& options, ThreadPool& pool) {
  TRY(check_versions(model));
  ImportState state{
      .model = model, .pool = pool, .plugins = options.plugins, .plugin_override = options.plugin_override};
  for (const OpDef* op : all_ops()) state.ops[std::string(op->name)] = op;
  for (const Function& function : model.functions)
    state.functions[function.domain + ":" + function.name] = &function;
  burnish::Graph graph;
  graph.name = model.graph.name.empty() ? "model" : model.graph.name;
  GraphImporter importer(state, graph, nullptr, model.opset_imports);
  TRY(importer.add_initializers(model.graph));
  const ProfileExtents profiles = TRY(read_profiles(model, options));
  TRY(Inputs(model, options, profiles, graph).add(importer));
  TRY(importer.import_nodes(model.graph.nodes));
  TRY(add_outputs(model, importer));
  graph.index();
  graph.resolve_dims();
  return graph;
}

}  // namespace burnish::onnx
