#include "compiler/refit_record.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "onnx/reader.h"
#include "onnx/weights.h"
#include "providers/nvrtc/device_headers.h"

namespace burnish {

namespace {

/// What scripts for TensorRT call operand `index` of a node; empty where they name the constant itself.
std::string_view role_of(const onnx::Node& node, size_t index) {
  constexpr std::string_view kernels[] = {"Conv", "ConvTranspose"},
                             scales[] = {"BatchNormalization", "InstanceNormalization", "LayerNormalization",
                                         "GroupNormalization"};
  const auto is_one_of = [&](std::span<const std::string_view> names) {
    return std::ranges::find(names, node.op_type) != names.end();
  };
  if (is_one_of(kernels)) return index == 1 ? "KERNEL" : index == 2 ? "BIAS" : "";
  if (is_one_of(scales)) return index == 1 ? "SCALE" : index == 2 ? "SHIFT" : "";
  return "";
}

/// By layer and role: of the first node that reads it.
void name_layer(const onnx::Graph& graph, RefitRecord::Weight& weight) {
  weight.layer = weight.name;
  weight.role = "CONSTANT";
  for (const onnx::Node& node : graph.nodes) {
    const auto operand = std::ranges::find(node.inputs, weight.name);
    if (operand == node.inputs.end()) continue;
    const std::string_view role = role_of(node, static_cast<size_t>(operand - node.inputs.begin()));
    if (role.empty()) return;
    weight.layer = node.name.empty() ? node.outputs.front() : node.name;
    weight.role = role;
    return;
  }
}

Result<std::vector<RefitRecord::Weight>> weights_of(const onnx::Model& model, const CompileOptions& options) {
  const std::vector<std::string>& listed = options.listed_weights;
  std::vector<RefitRecord::Weight> weights;
  for (const onnx::Literal& literal : model.graph.initializers) {
    if (!is_weight(model.graph, literal)) continue;
    const bool is_listed = std::ranges::find(listed, literal.name) != listed.end();
    RefitRecord::Weight weight{.name = literal.name,
                               .dtype = *literal.dtype,
                               .shape = literal.dims,
                               .fixed = options.refittable == Refittable::identical ||
                                        (options.refittable == Refittable::listed && !is_listed),
                               .checksum = checksum_of(literal.payload)};
    name_layer(model.graph, weight);
    weights.push_back(std::move(weight));
  }
  for (const std::string& name : listed)
    if (std::ranges::find(weights, name, &RefitRecord::Weight::name) == weights.end())
      return Error(Code::invalid_argument, "the model has no weight '" + name + "' that could be refitted")
          .remedy("name initialisers of a floating-point type");
  if (weights.empty() || (options.refittable == Refittable::listed && listed.empty()))
    return Error(Code::unsupported, weights.empty() ? "the model has no weights that could be refitted"
                                                    : "no weight is listed that may be refitted")
        .remedy("weights are initialisers of a floating-point type; without them, build without refitting");
  return weights;
}

std::vector<RefitRecord::Format> formats_of(const PortFormats& formats) {
  std::vector<RefitRecord::Format> list;
  for (const auto& [port, format] : formats)
    list.push_back({port, format.dtype.has_value(), format.dtype.value_or(DType::f32),
                    format.layout == Layout::channels_last});
  return list;
}

PortFormats formats_of(const std::vector<RefitRecord::Format>& list) {
  PortFormats formats;
  for (const auto& [port, typed, dtype, channels_last] : list) {
    PortFormat& format = formats[port];
    if (typed) format.dtype = dtype;
    if (channels_last) format.layout = Layout::channels_last;
  }
  return formats;
}

void add_options(RefitRecord& record, const CompileOptions& options) {
  record.half = options.half.value_or(DType::f32);
  record.tf32 = options.tf32;
  for (const NodePrecision& asked : options.node_precisions)
    record.node_precisions.push_back({asked.node.text, asked.dtype, asked.result});
  for (const NodePattern& node : options.decomposed_attention)
    record.decomposed_attention.push_back(node.text);
  record.debug_tensors = options.debug_tensors;
  record.debug_unfused = options.debug_unfused;
  for (const auto& [input, extents] : options.shapes) record.shapes.push_back({input, extents});
  for (const onnx::InputRanges& inputs : options.profiles) {
    RefitRecord::Profile& profile = record.profiles.emplace_back();
    for (const auto& [input, axes] : inputs) profile.inputs.push_back({input, axes});
  }
  record.input_formats = formats_of(options.input_formats);
  record.output_formats = formats_of(options.output_formats);
  record.workspace_bytes = options.limits.workspace;
  record.shared_bytes = options.limits.shared;
  record.max_branches = options.max_branches;
  record.level = options.tuning.level;
  record.any_library = !options.libraries;
  record.libraries = options.libraries.value_or(std::vector<std::string>());
}

}  // namespace

bool is_weight(const onnx::Graph& graph, const onnx::Literal& literal) {
  if (!literal.dtype || !is_float(*literal.dtype) || element_count(literal.dims) == 0) return false;
  return std::ranges::none_of(graph.nodes, [&](const onnx::Node& node) {
    const bool resizes = !node.inputs.empty() && (node.op_type == "Resize" || node.op_type == "Upsample");
    return resizes &&
           std::find(node.inputs.begin() + 1, node.inputs.end(), literal.name) != node.inputs.end();
  });
}

uint64_t checksum_of(const Tensor& tensor) { return XXH3_64bits(tensor.bytes(), tensor.byte_size()); }

Result<RefitRecord> refit_record(const onnx::Model& model, const CompileOptions& options) {
  RefitRecord record{.stripped = options.strip_weights,
                     .weights = TRY(weights_of(model, options)),
                     .kernels = nvrtc::device_text_digest()};
  std::set<std::string> names;
  for (const RefitRecord::Weight& weight : record.weights) names.insert(weight.name);
  record.model = onnx::without_weights(model, names);
  const auto zeros = [](const onnx::Literal& literal) -> Result<Tensor> {
    return Tensor(*literal.dtype, literal.dims, nullptr);
  };
  TRY(onnx::read_without_weights(std::as_bytes(std::span(record.model)), zeros)
          .during("reading the model as the engine would keep it for refits"));
  add_options(record, options);
  return record;
}

std::vector<Tensor> stored_weights(const RefitRecord& record, const onnx::Model& model) {
  const bool all = !record.stripped && !record.is_identical();
  std::vector<Tensor> stored;
  for (const onnx::Literal& literal : model.graph.initializers)
    if (is_weight(model.graph, literal))
      stored.push_back(all || literal.payload.count() == 1 ? literal.payload : Tensor());
  return stored;
}

CompileOptions options_of(const RefitRecord& record, std::span<const Plan> plans) {
  CompileOptions options{.tf32 = record.tf32};
  if (record.half == DType::f16 || record.half == DType::bf16) options.half = record.half;
  for (const Plan& plan : plans) options.targets.push_back(plan.target);
  for (const RefitRecord::Weight& weight : record.weights)
    if (!weight.fixed) options.listed_weights.push_back(weight.name);
  options.refittable = record.is_identical() ? Refittable::identical : Refittable::listed;
  for (const auto& [pattern, dtype, result] : record.node_precisions)
    options.node_precisions.push_back({.node = {pattern}, .dtype = dtype, .result = result});
  for (const std::string& pattern : record.decomposed_attention)
    options.decomposed_attention.push_back({pattern});
  options.debug_tensors = record.debug_tensors;
  options.debug_unfused = record.debug_unfused;
  for (const auto& [input, extents] : record.shapes) options.shapes[input] = extents;
  for (const RefitRecord::Profile& profile : record.profiles) {
    onnx::InputRanges& inputs = options.profiles.emplace_back();
    for (const auto& [input, axes] : profile.inputs) inputs[input] = axes;
  }
  options.input_formats = formats_of(record.input_formats);
  options.output_formats = formats_of(record.output_formats);
  options.limits = {.workspace = record.workspace_bytes, .shared = record.shared_bytes};
  options.max_branches = record.max_branches;
  options.tuning.level = static_cast<int>(record.level);
  options.libraries = record.libraries;
  if (record.any_library) options.libraries.reset();
  return options;
}

}  // namespace burnish
