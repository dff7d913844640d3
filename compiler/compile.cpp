#include "compiler/compile.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <future>
#include <mutex>

#include "compiler/debug_tensors.h"
#include "compiler/lowering.h"
#include "ir/text.h"
#include "ops/plugin.h"
#include "passes/fusion_reasons.h"
#include "providers/cublaslt/library.h"
#include "providers/cudnn/library.h"
#include "providers/nvrtc/backend.h"
#include "providers/nvrtc/device_headers.h"
#include "tuner/cuda_timing.h"

namespace burnish {

namespace {

class Progress {
 public:
  explicit Progress(const CompileOptions& options) : options_(options) {}
  Result<> report(std::string_view stage, int done, int total) {
    std::lock_guard lock(mutex_);
    if (cancelled_ || (options_.progress && !options_.progress(stage, done, total))) {
      cancelled_ = true;
      return Error(Code::cancelled, "the build was cancelled");
    }
    return {};
  }

 private:
  const CompileOptions& options_;
  std::mutex mutex_;
  bool cancelled_ = false;
};

// What memory is planned for where an extent is free: the opt of the first profile, else one item of a batch, and a middling
// length or size.
int64_t usual_extent(const Graph& graph, const std::vector<onnx::InputRanges>& profiles, const DimTable& dims,
                     Dim symbol) {
  constexpr int64_t middling = 256;
  for (ValueId v : profiles.empty() ? std::vector<ValueId>() : graph.inputs) {
    const auto ranges = profiles.front().find(graph.values[v].name);
    const std::vector<Dim>& shape = graph.values[v].type.shape;
    if (const auto at = std::ranges::find(shape, symbol);
        at != shape.end() && ranges != profiles.front().end())
      return ranges->second[static_cast<size_t>(at - shape.begin())].opt;
  }
  const auto origin = graph.origins.find(symbol);
  const bool batch = origin != graph.origins.end() && origin->second.kind == SymbolOrigin::Kind::input &&
                     origin->second.index == 0;
  const Range r = dims.range(symbol);
  return std::clamp<int64_t>(batch ? 1 : middling, r.lo, r.hi);
}

UsualExtent usual_extents(const Graph& graph, const CompileOptions& options) {
  return
      [&](const DimTable& dims, Dim symbol) { return usual_extent(graph, options.profiles, dims, symbol); };
}

/// The profiles by the inputs of the plan. Inputs that they leave out are as free as their ports.
std::vector<Profile> plan_profiles(const Graph& graph, const std::vector<onnx::InputRanges>& given,
                                   const LowerOptions& lowering) {
  const DimTable& dims = *graph.dims;
  std::vector<Profile> profiles;
  for (const onnx::InputRanges& inputs : given) {
    Profile& profile = profiles.emplace_back();
    for (ValueId v : graph.inputs) {
      Profile::Input& input = profile.inputs.emplace_back();
      if (const auto ranges = inputs.find(graph.values[v].name); ranges != inputs.end()) {
        input.axes = ranges->second;
        continue;
      }
      for (Dim d : graph.values[v].type.shape) {
        const Range r = dims.range(d);
        const int64_t usual = dims.evaluate(d, [&](Dim symbol) { return lowering.optimum(dims, symbol); });
        input.axes.push_back({r.lo, std::clamp(usual, r.lo, r.hi), r.hi});
      }
    }
  }
  return profiles;
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// NVRTC, and what version it is.
struct Nvrtc {
  nvrtc::CompilerPool compilers;
  std::string version;
};

Result<Nvrtc> open_nvrtc(const std::string& folder, int threads) {
  constexpr int most_prepared = 16;  // a small model has no more kernels
  const nvrtc::Compiler compiler = TRY(nvrtc::Compiler::open(folder));
  const nvrtc::CompilerPool compilers(compiler);
  compilers.prepare(std::min(threads, most_prepared));
  return Nvrtc{compilers, TRY(compiler.version())};
}

/// Opens NVRTC on a thread of its own if a kernel is to be compiled: that takes a while, and so does importing.
std::shared_future<Result<Nvrtc>> begin_nvrtc(const CompileOptions& options, int threads) {
  const bool on_host =
      std::ranges::all_of(options.targets, [](const std::string& target) { return target == "cpu"; });
  if (on_host || !options.decided.empty()) return {};
  return std::async(std::launch::async, open_nvrtc, options.cuda_library_directory, threads);
}

/// "fp32", "fp16" or "bf16".
std::string name_in_builds(DType dtype) {
  return dtype == DType::f16 ? "fp16" : dtype == DType::bf16 ? "bf16" : "fp32";
}

std::string upper_name(DType dtype) {
  std::string name = name_in_builds(dtype);
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string precision_of(const CompileOptions& options) {
  return options.half ? name_in_builds(*options.half) : options.tf32 ? "tf32" : "fp32";
}

/// The libraries that the options allow; none is opened yet.
Result<std::vector<std::unique_ptr<Library>>> libraries_of(const CompileOptions& options,
                                                           std::string_view architecture) {
  std::vector<std::unique_ptr<Library>> known, allowed;
  known.push_back(std::make_unique<cublaslt::CublasLt>(options.cuda_library_directory));
  known.push_back(std::make_unique<cudnn::Cudnn>(architecture, options.cuda_library_directory));
  if (!options.libraries) return known;
  for (const std::string& name : *options.libraries) {
    const auto found = std::ranges::find_if(known, [&](const auto& l) { return l && l->name() == name; });
    if (found == known.end())
      return Error(Code::invalid_argument, "there is no library '" + name + "'")
          .remedy("name cublaslt, cudnn, present or none");
    allowed.push_back(std::move(*found));
  }
  return allowed;
}

/// Which version of which library the plan's calls were made for.
std::map<std::string, std::string> libraries_called(const Plan& plan) {
  std::map<std::string, std::string> versions;
  for_each_step(plan.steps, [&](const Step& step) {
    if (const auto* call = std::get_if<LibraryCall>(&step.what))
      versions[call->library] = call->text.substr(0, call->text.find(' '));
  });
  return versions;
}

/// Outputs beyond the model's own are there to be looked at: first those that were named.
void tell_roles(Plan& plan, size_t own, size_t named) {
  for (size_t i = own; i < plan.outputs.size(); ++i)
    plan.outputs[i].role = i < own + named ? Port::Role::debug : Port::Role::unfused;
}

/// For a GPU: its kernels' tactics are chosen, and the kernels compiled; where they were `decided` neither.
Result<CompiledTarget> compile_for_device(Graph& graph, const nvrtc::Architecture& architecture,
                                          LowerOptions lowering, const CompileOptions& options,
                                          const Plan* decided,
                                          const std::shared_future<Result<Nvrtc>>& opening, ThreadPool& pool,
                                          Progress& progress, std::map<std::string, std::string>& identity) {
  const std::vector<std::unique_ptr<Library>> libraries = TRY(libraries_of(options, architecture.target));
  std::vector<Library*> allowed;
  for (const auto& library : libraries) allowed.push_back(library.get());
  lowering.libraries = allowed;
  if (decided) {
    const nvrtc::NvrtcBackend backend({}, architecture);
    lowering.backend = &backend;
    Lowered lowered = TRY(lower_as_decided(graph, lowering, options.tuning.level, decided->decisions));
    return CompiledTarget{std::move(lowered.plan), std::move(lowered.constants), {}};
  }
  const Nvrtc nvrtc = TRY(Result(opening.get()));
  identity["nvrtc"] = nvrtc.version;
  const nvrtc::NvrtcBackend backend(nvrtc.compilers, architecture);
  lowering.backend = &backend;
  KernelCompiler compiler(backend, pool, [&](std::string_view stage, int done, int total) {
    return progress.report(stage, done, total);
  });
  TuningContext tuning{
      .options = options.tuning,
      .compiler = compiler,
      .version = "nvrtc " + nvrtc.version + ", kernels " + nvrtc::device_text_digest(),
      .open =
          [&](std::string_view target) { return open_cuda_timing(target, options.cuda_library_directory); },
      .clock = seconds_now,
      .note = options.note ? options.note : [](const std::string&) {}};
  TRY(progress.report("choosing kernels for " + std::string(architecture.target), 0, 1));
  Lowered lowered = TRY(lower_tuned(graph, std::move(lowering), tuning));
  for (const auto& [library, version] : libraries_called(lowered.plan)) {
    identity[library] = version;
    tuning.note("the engine calls " + library + " " + version + " and runs only where that library is");
  }
  std::vector<std::vector<std::byte>> binaries = TRY(compiler.binaries(lowered.sources));
  return CompiledTarget{std::move(lowered.plan), std::move(lowered.constants), std::move(binaries)};
}

Result<CompiledTarget> compile_target(Graph& graph, const std::string& target, const CompileOptions& options,
                                      const Plan* decided, const std::shared_future<Result<Nvrtc>>& nvrtc,
                                      ThreadPool& pool, Progress& progress,
                                      std::map<std::string, std::string>& identity) {
  LowerOptions lowering{.tf32 = options.tf32,
                        .weights_vary = weights_vary(options.refittable),
                        .optimum = usual_extents(graph, options),
                        .limits = options.limits,
                        .max_branches = options.max_branches,
                        .input_orders = port_orders(graph, graph.inputs, options.input_formats),
                        .output_orders = port_orders(graph, graph.outputs, options.output_formats),
                        .pool = &pool};
  const std::vector<Profile> profiles = plan_profiles(graph, options.profiles, lowering);
  CompiledTarget out;
  if (target == "cpu") {
    Lowered lowered = TRY(lower(graph, lowering));
    out = {std::move(lowered.plan), std::move(lowered.constants), {}};
  } else {
    out = TRY(compile_for_device(graph, TRY(nvrtc::architecture_named(target)), std::move(lowering), options,
                                 decided, nvrtc, pool, progress, identity));
  }
  for (const NeededPlugin& plugin : out.plan.plugins) identity["plugin " + plugin.name] = plugin.version;
  out.plan.profiles = profiles;
  out.plan.precision = precision_of(options);
  return out;
}

/// Whether a name fits one of `nodes`, or one in their bodies; those of a function are below the node that calls it.
bool has_node(const onnx::Model& model, const std::vector<onnx::Node>& nodes, const std::string& below,
              const NodePattern& asked) {
  return std::ranges::any_of(nodes, [&](const onnx::Node& node) {
    const auto output = std::ranges::find_if(node.outputs, [](const std::string& o) { return !o.empty(); });
    const std::string name =
        below + (node.name.empty() && output != node.outputs.end() ? *output : node.name);
    return asked.fits(name) ||
           std::ranges::any_of(
               node.attributes,
               [&](const onnx::Attribute& a) { return a.g && has_node(model, a.g->nodes, below, asked); }) ||
           std::ranges::any_of(model.functions, [&](const onnx::Function& f) {
             return f.name == node.op_type && f.domain == node.domain &&
                    has_node(model, f.nodes, name + "/", asked);
           });
  });
}

Result<> expect_node(const onnx::Model& model, const NodePattern& asked) {
  if (has_node(model, model.graph.nodes, "", asked)) return {};
  return Error(Code::invalid_argument, "the model has no node named '" + asked.text + "'")
      .remedy("`burnish inspect` of an engine shows the names of its nodes; one * stands for anything");
}

/// For models that have been imported, so that their functions are known to end. What is folded away may be named all the same.
Result<> check_nodes(const onnx::Model& model, const CompileOptions& options) {
  if (!options.node_precisions.empty() && !options.half)
    return Error(Code::invalid_argument,
                 "precisions of nodes are given, and the build is not in FP16 or BF16")
        .remedy("build with --fp16 or --bf16, or leave them away");
  for (const NodePrecision& asked : options.node_precisions) {
    TRY(expect_node(model, asked.node));
    if (asked.dtype != DType::f32 && asked.dtype != options.half)
      return Error(Code::invalid_argument, "node '" + asked.node.text + "' cannot be in " +
                                               upper_name(asked.dtype) + " in a build in " +
                                               upper_name(*options.half))
          .remedy("say FP32, or leave it away");
  }
  for (const NodePattern& asked : options.decomposed_attention) TRY(expect_node(model, asked));
  return {};
}

/// A refit would have to ask the plugins again.
Result<> refuse_plugins(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (node.op->name == "Plugin")
      return Error(Code::unsupported, "node '" + name_of(node) + "' (" + node.attrs.as<PluginAttrs>().op[1] +
                                          "): engines with operators of plugins cannot be refitted")
          .remedy("build without refitting");
    for (const Graph& region : node.regions) TRY(refuse_plugins(region));
  }
  return {};
}

std::string text_of(std::span<const NodePrecision> nodes) {
  std::string text;
  for (const NodePrecision& p : nodes)
    text += (text.empty() ? "" : ",") + p.node.text +
            (p.result > 0 ? " result " + std::to_string(p.result) : "") + ":" + name_in_builds(p.dtype);
  return text;
}

}  // namespace

Result<Graph> optimise(const onnx::Model& model, const CompileOptions& options, ThreadPool& pool) {
  Graph graph = TRY(onnx::import_model(model,
                                       {.shapes = options.shapes,
                                        .profiles = options.profiles,
                                        .plugins = options.plugins,
                                        .plugin_override = options.plugin_override},
                                       pool));
  TRY(add_debug_tensors(graph, options.debug_tensors));
  TRY(apply_port_formats(graph, options.input_formats, options.output_formats));
  if (options.refittable != Refittable::none) TRY(refuse_plugins(graph));
  TRY(check_nodes(model, options));
  TRY(run_pipeline(graph, {.pool = pool,
                           .half = options.half,
                           .nodes = options.node_precisions,
                           .decomposed = options.decomposed_attention,
                           .weights_vary = weights_vary(options.refittable),
                           .usual = usual_extents(graph, options)}));
  if (options.debug_unfused) add_unfused_tensors(graph);
  return graph;
}

Result<Compiled> compile(const onnx::Model& model, const CompileOptions& options) {
  if (options.targets.empty())
    return Error(Code::invalid_argument, "no target is given")
        .remedy("name one with --target: cpu, sm_80, sm_86, sm_89, sm_90, sm_100, sm_120");
  ThreadPool pool(options.threads);
  Progress progress(options);
  const std::shared_future<Result<Nvrtc>> nvrtc = begin_nvrtc(options, pool.size());
  TRY(progress.report("importing", 0, 1));
  Graph graph = TRY(optimise(model, options, pool));
  TRY(progress.report("importing", 1, 1));
  Compiled out;
  out.identity["precision"] = precision_of(options);
  if (!options.node_precisions.empty())
    out.identity["precision"] += " but " + text_of(options.node_precisions);
  for (const std::string& target : options.targets) {
    const Plan* decided = options.decided.empty() ? nullptr : &options.decided[out.targets.size()];
    auto compiled = compile_target(graph, target, options, decided, nvrtc, pool, progress, out.identity);
    if (!compiled) return std::move(compiled).during("building for target '" + target + "'").error();
    tell_roles(compiled->plan, model.graph.outputs.size(), options.debug_tensors.size());
    out.targets.push_back(*std::move(compiled));
  }
  if (std::vector<std::string> reasons = fusion_reasons(graph, usual_extents(graph, options));
      !reasons.empty())
    for (CompiledTarget& target : out.targets)
      if (target.plan.target != "cpu") target.plan.fusion_reasons = reasons;
  out.text = print(graph);
  return out;
}

}  // namespace burnish
