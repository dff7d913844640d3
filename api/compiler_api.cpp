#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <set>

#include <nlohmann/json.hpp>

#include "api/burnish_compiler.h"
#include "api/error.h"
#include "compiler/build.h"
#include "compiler/build_route.h"
#include "compiler/refit.h"
#include "ir/text.h"
#include "onnx/reader.h"
#include "plan/engine_file.h"
#include "runtime/engine.h"
#include "tuner/timing_cache.h"

namespace burnish {

namespace {

Result<TuningOptions> read_tuning(const burnish_build_options& given) {
  using Mode = TuningOptions::CacheMode;
  constexpr std::array<Mode, 4> modes = {Mode::append, Mode::read, Mode::write, Mode::strict};
  const auto mode = static_cast<size_t>(given.timing_cache_mode);
  if (given.optimization_level < 0 || given.optimization_level > 5 || mode >= modes.size() ||
      !(given.time_budget >= 0) || given.max_tactics < 0 || given.averaged_timings < 0)
    return Error(Code::invalid_argument,
                 "optimization_level is from 0 to 5, timing_cache_mode one of its enumeration, and "
                 "time_budget, max_tactics and averaged_timings no less than 0")
        .remedy("set the options to zero before setting those that are wanted");
  return TuningOptions{.level = given.optimization_level,
                       .cache = given.timing_cache ? given.timing_cache : "",
                       .mode = modes[mode],
                       .most_candidates = static_cast<size_t>(given.max_tactics),
                       .averaged = std::max(given.averaged_timings, 1),
                       .budget = given.time_budget};
}

/// "a,b" -> a and b; "none": nothing; "present": whatever there is.
std::optional<std::vector<std::string>> read_libraries(std::string_view text) {
  if (text == "present") return {};
  std::vector<std::string> names;
  if (text == "none") return names;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    names.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

Result<std::vector<onnx::InputRanges>> read_profiles(const burnish_profile* given, int count) {
  std::vector<onnx::InputRanges> profiles;
  for (int p = 0; p < count; ++p) {
    onnx::InputRanges& inputs = profiles.emplace_back();
    for (int i = 0; i < given[p].input_count; ++i) {
      const burnish_shape_range& range = given[p].inputs[i];
      std::vector<ExtentRange> axes;
      for (int axis = 0; axis < range.rank; ++axis)
        axes.push_back({range.min[axis], range.opt[axis], range.max[axis]});
      if (!inputs.emplace(range.name, std::move(axes)).second)
        return Error(Code::invalid_argument,
                     "profile " + std::to_string(p) + " names input '" + range.name + "' twice")
            .remedy("give one range for each input");
    }
  }
  return profiles;
}

Result<PortFormats> read_formats(const char* option, const burnish_port_format* given, int count) {
  PortFormats formats;
  for (int i = 0; i < count; ++i) {
    const burnish_port_format& one = given[i];
    const std::string what = std::string(option) + " " + one.name;
    if (one.dtype < -1 || one.dtype >= dtype_count || one.layout < BURNISH_ROW_MAJOR ||
        one.layout > BURNISH_CHANNELS_LAST)
      return Error(Code::invalid_argument, what + ": there is no such type or layout")
          .remedy("give a burnish_dtype or -1, and a burnish_layout");
    PortFormat format{.layout = static_cast<Layout>(one.layout)};
    if (one.dtype >= 0) format.dtype = static_cast<DType>(one.dtype);
    if (!formats.emplace(one.name, format).second)
      return Error(Code::invalid_argument, what + " is given twice").remedy("give each one format");
  }
  return formats;
}

Result<std::vector<NodePrecision>> read_node_precisions(const burnish_node_precision* given, int count) {
  std::vector<NodePrecision> precisions;
  for (int i = 0; i < count; ++i) {
    const auto& [name, dtype, result] = given[i];
    if ((dtype != BURNISH_F32 && dtype != BURNISH_F16 && dtype != BURNISH_BF16) || result < 0)
      return Error(Code::invalid_argument,
                   "node '" + std::string(name) +
                       "' can be in FP32, FP16 or BF16 only, and results count from 1")
          .remedy("say BURNISH_F32, BURNISH_F16 or BURNISH_BF16, and result 0 for the whole node");
    precisions.push_back(
        {.node = {name}, .dtype = static_cast<DType>(dtype), .result = static_cast<size_t>(result)});
  }
  return precisions;
}

/// A struct of the caller's in this version's form: what an older, shorter one lacks is zero, and all where there is none.
template <class Options>
Result<Options> whole(const Options* asked, size_t least, const std::string& name) {
  Options read{};
  if (!asked) return read;
  if (asked->struct_size < least || asked->struct_size > sizeof read)
    return Error(Code::invalid_argument, name + " has another size than this library's")
        .remedy("set struct_size, and compile against this version's header");
  std::memcpy(&read, asked, asked->struct_size);
  return read;
}

Result<> read_refittable(const burnish_build_options& given, CompileOptions& options) {
  constexpr std::array<Refittable, 4> which = {Refittable::none, Refittable::any, Refittable::identical,
                                               Refittable::listed};
  const auto number = static_cast<size_t>(given.refittable);
  if (number >= which.size())
    return Error(Code::invalid_argument, "refittable is none of its enumeration")
        .remedy("say BURNISH_REFIT_NONE, _ANY, _IDENTICAL or _LISTED");
  options.refittable = which[number];
  options.strip_weights = given.strip_weights != 0;
  if (options.strip_weights && options.refittable == Refittable::none)
    options.refittable = Refittable::identical;
  if (options.refittable == Refittable::listed)
    options.listed_weights.assign(given.refittable_weights,
                                  given.refittable_weights + given.refittable_weight_count);
  return {};
}

Result<CompileOptions> read_options(const burnish_build_options& read) {
  CompileOptions options;
  const burnish_build_options* given = &read;
  TRY(read_refittable(read, options));
  for (int i = 0; i < given->target_count; ++i) options.targets.emplace_back(given->targets[i]);
  std::vector<std::string> sorted = options.targets;
  std::sort(sorted.begin(), sorted.end());
  if (auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    return Error(Code::invalid_argument, "target '" + *twice + "' is given twice")
        .remedy("name each target once");
  if (given->fp16 || given->bf16) options.half = given->fp16 ? DType::f16 : DType::bf16;
  options.tf32 = given->tf32 != 0;
  options.node_precisions = TRY(read_node_precisions(given->node_precisions, given->node_precision_count));
  for (int i = 0; i < given->decomposed_attention_count; ++i)
    options.decomposed_attention.push_back({given->decomposed_attention[i]});
  for (int i = 0; i < given->debug_tensor_count; ++i)
    options.debug_tensors.emplace_back(given->debug_tensors[i]);
  options.debug_unfused = given->debug_unfused != 0;
  for (int i = 0; i < given->shape_count; ++i) {
    const burnish_input_shape& shape = given->shapes[i];
    if (!options.shapes.emplace(shape.name, std::vector<int64_t>(shape.shape, shape.shape + shape.rank))
             .second)
      return Error(Code::invalid_argument, "--shapes names input '" + std::string(shape.name) + "' twice")
          .remedy("give one shape for each input");
  }
  if (given->libraries) options.libraries = read_libraries(given->libraries);
  if (given->cuda_library_directory) options.cuda_library_directory = given->cuda_library_directory;
  options.threads = given->threads;
  options.tuning = TRY(read_tuning(*given));
  options.tuning.libraries_required = options.libraries.has_value();
  options.input_formats =
      TRY(read_formats("--input-formats", given->input_formats, given->input_format_count));
  options.output_formats =
      TRY(read_formats("--output-formats", given->output_formats, given->output_format_count));
  options.profiles = TRY(read_profiles(given->profiles, given->profile_count));
  options.limits = {.workspace = given->workspace_bytes, .shared = given->shared_bytes};
  if (given->max_branches < 0)
    return Error(Code::invalid_argument, "max_branches is negative").remedy("give 0 for no limit");
  options.max_branches = static_cast<uint32_t>(given->max_branches);
  if (given->build_route) TRY(apply_build_route(given->build_route, options));
  if (given->note)
    options.note = [note = given->note, user = given->note_user](const std::string& text) {
      note(user, text.c_str());
    };
  if (given->progress)
    options.progress = [progress = given->progress, user = given->progress_user](std::string_view stage,
                                                                                 int done, int total) {
      return progress(user, std::string(stage).c_str(), done, total) == 0;
    };
  return options;
}

/// What a build was asked for, and the plugins that it may take operators from.
struct Request {
  CompileOptions options;
  plugin::Plugins plugins;
};

Result<std::unique_ptr<Request>> read_request(const burnish_build_options* asked) {
  auto request = std::make_unique<Request>();
  const burnish_build_options given =
      TRY(whole(asked, offsetof(burnish_build_options, optimization_level), "burnish_build_options"));
  request->options = TRY(read_options(given));
  request->options.plugins = &request->plugins;
  request->options.plugin_override = given.plugin_override != 0;
  for (int i = 0; i < given.plugin_count; ++i) TRY(request->plugins.add(given.plugins[i]));
  return request;
}

Result<Tensor> read_weight(const burnish_weight& given) {
  const burnish_tensor& t = given.tensor;
  const auto refused = [&](const std::string& why) {
    return Error(Code::invalid_argument, "weight '" + std::string(given.name) + "' " + why)
        .remedy("give dtype, rank, shape, and all of its bytes in host memory");
  };
  if (t.dtype < 0 || static_cast<int>(t.dtype) >= dtype_count || t.rank < 0 || t.rank > BURNISH_MAX_RANK)
    return refused("has no valid element type or rank");
  const Shape shape(t.shape, t.shape + t.rank);
  uint64_t bytes = size_of(static_cast<DType>(t.dtype));
  for (int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes))
      return refused("has an extent of " + std::to_string(extent));
  if (!t.data || t.memory != BURNISH_HOST || t.bytes != bytes)
    return refused("needs " + std::to_string(bytes) + " bytes in host memory, and has " +
                   std::to_string(t.data ? t.bytes : 0));
  return Tensor::of<std::byte>(static_cast<DType>(t.dtype), shape,
                               {static_cast<const std::byte*>(t.data), t.bytes});
}

Result<NewWeights> read_new_weights(const burnish_refit_options& given) {
  NewWeights weights;
  if (given.model_path) weights.model = TRY(onnx::read_file(given.model_path));
  else if (given.model)
    weights.model = TRY(onnx::read_bytes({static_cast<const std::byte*>(given.model), given.model_bytes},
                                         given.model_folder ? given.model_folder : ""));
  for (int i = 0; i < given.weight_count; ++i)
    if (!weights.named.emplace(given.weights[i].name, TRY(read_weight(given.weights[i]))).second)
      return Error(Code::invalid_argument,
                   "weight '" + std::string(given.weights[i].name) + "' is given twice")
          .remedy("give each weight once");
  return weights;
}

Result<EngineContents> refitted(const EngineFile& engine, const burnish_refit_options* asked) {
  TRY(api::expect(asked, "options"));
  const burnish_refit_options given = TRY(whole(asked, sizeof(size_t), "burnish_refit_options"));
  RefitOptions options{.threads = given.threads};
  if (given.progress)
    options.progress = [&given](std::string_view stage, int done, int total) {
      return given.progress(given.progress_user, std::string(stage).c_str(), done, total) == 0;
    };
  return refit(engine, TRY(read_new_weights(given)), options);
}

/// Bytes that the caller frees with burnish_bytes_free.
Result<> give_bytes(const std::vector<std::byte>& bytes, void** out, size_t* size) {
  *out = std::malloc(bytes.size());
  if (!*out)
    return Error(Code::out_of_memory,
                 "no memory for an engine of " + std::to_string(bytes.size()) + " bytes");
  std::memcpy(*out, bytes.data(), bytes.size());
  *size = bytes.size();
  return {};
}

void count_operators(const onnx::Graph& graph, std::map<std::string, int>& counts) {
  for (const onnx::Node& node : graph.nodes) {
    ++counts[node.domain.empty() ? node.op_type : node.domain + "::" + node.op_type];
    for (const onnx::Attribute& attribute : node.attributes) {
      if (attribute.g) count_operators(*attribute.g, counts);
      for (const onnx::Graph& inner : attribute.graphs) count_operators(inner, counts);
    }
  }
}

nlohmann::json describe_port(const onnx::ValueInfo& value) {
  nlohmann::json axes = nlohmann::json::array();
  for (const onnx::Dimension& d : value.shape.value_or(std::vector<onnx::Dimension>()))
    axes.push_back(d.value ? nlohmann::json(*d.value) : nlohmann::json(d.param.empty() ? "?" : d.param));
  const auto dtype = onnx::dtype_of(value.elem_type);
  return {
      {"name", value.name},
      {"dtype", dtype ? std::string(name_of(*dtype)) : std::string(onnx::data_type_name(value.elem_type))},
      {"shape", axes}};
}

Result<std::string> describe_model(const std::string& path) {
  const onnx::Model model = TRY(onnx::read_file(path));
  nlohmann::json json = {
      {"name", model.graph.name},
      {"ir_version", model.ir_version},
      {"producer",
       model.producer_name + (model.producer_version.empty() ? "" : " " + model.producer_version)},
      {"nodes", model.graph.nodes.size()}};
  for (const onnx::OpsetImport& import : model.opset_imports)
    json["opsets"][import.domain.empty() ? "ai.onnx" : import.domain] = import.version;
  json["inputs"] = json["outputs"] = nlohmann::json::array();
  std::set<std::string> stored;
  int64_t weights = 0;
  for (const onnx::Literal& literal : model.graph.initializers) {
    stored.insert(literal.name);
    weights += static_cast<int64_t>(literal.payload.byte_size());
  }
  json["initializer_bytes"] = weights;
  for (const onnx::ValueInfo& input : model.graph.inputs)
    if (!stored.contains(input.name)) json["inputs"].push_back(describe_port(input));
  for (const onnx::ValueInfo& output : model.graph.outputs) json["outputs"].push_back(describe_port(output));
  std::map<std::string, int> counts;
  count_operators(model.graph, counts);
  json["operators"] = counts;
  for (const auto& [key, value] : model.metadata_props)
    json["metadata"][key] = value.size() > 200 ? value.substr(0, 200) + "…" : value;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

}  // namespace burnish

using namespace burnish;

extern "C" {

burnish_status burnish_build(const char* model_path, const char* engine_path,
                             const burnish_build_options* options, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    const auto request = TRY(read_request(options));
    const CompileOptions& wanted = request->options;
    const EngineContents contents = TRY(build(TRY(onnx::read_file(model_path)), wanted));
    return write_engine(engine_path, contents,
                        [&] { return wanted.progress && !wanted.progress("writing", 0, 1); });
  });
}

burnish_status burnish_build_bytes(const void* model_data, size_t model_bytes, const char* folder,
                                   const burnish_build_options* options, void** engine, size_t* engine_size,
                                   burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    const auto request = TRY(read_request(options));
    onnx::Model model =
        TRY(onnx::read_bytes({static_cast<const std::byte*>(model_data), model_bytes}, folder ? folder : ""));
    return give_bytes(TRY(engine_bytes(TRY(build(std::move(model), request->options)))), engine, engine_size);
  });
}

burnish_status burnish_refit(const char* engine_path, const char* output_path,
                             const burnish_refit_options* options, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(engine_path, "engine_path"));
    TRY(api::expect(output_path, "output_path"));
    const EngineFile engine = TRY(open_engine(engine_path));
    return write_engine(output_path, TRY(refitted(engine, options)));
  });
}

burnish_status burnish_refit_bytes(const void* engine, size_t engine_size,
                                   const burnish_refit_options* options, void** refitted_engine,
                                   size_t* refitted_size, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(engine, "engine"));
    const auto opened = TRY(Engine::from_bytes({static_cast<const std::byte*>(engine), engine_size}));
    return give_bytes(TRY(engine_bytes(TRY(refitted(opened->file(), options)))), refitted_engine,
                      refitted_size);
  });
}

void burnish_bytes_free(void* bytes) noexcept { std::free(bytes); }

burnish_status burnish_timing_cache_merge(const char* const* paths, int count, const char* output_path,
                                          burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TimingCache all;
    for (int i = 0; i < count; ++i) all.merge(TRY(TimingCache::read(paths[i])));
    return all.write(output_path);
  });
}

burnish_status burnish_model_text(const char* model_path, const burnish_build_options* options, char** text,
                                  burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    const auto request = TRY(read_request(options));
    const onnx::Model model = TRY(onnx::read_file(model_path));
    ThreadPool pool(request->options.threads);
    return api::give_text(print(TRY(optimise(model, request->options, pool))), text);
  });
}

burnish_status burnish_build_knobs(char** json, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> { return api::give_text(build_knobs(), json); });
}

burnish_status burnish_model_describe(const char* model_path, char** json, burnish_error** error) noexcept {
  return api::guard(error,
                    [&]() -> Result<> { return api::give_text(TRY(describe_model(model_path)), json); });
}

}  // extern "C"
