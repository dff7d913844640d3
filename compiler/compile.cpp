#include "compiler/compile.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "ir/text.h"
#include "onnx/import.h"
#include "passes/pass.h"
#include "providers/nvrtc/backend.h"

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

// What memory is planned for where an extent is free: one item of a batch, and a middling length or size.
int64_t usual_extent(const Graph& graph, const DimTable& dims, Dim symbol) {
  constexpr int64_t middling = 256;
  const auto origin = graph.origins.find(symbol);
  const bool batch = origin != graph.origins.end() && origin->second.kind == SymbolOrigin::Kind::input &&
                     origin->second.index == 0;
  const Range r = dims.range(symbol);
  return std::clamp<int64_t>(batch ? 1 : middling, r.lo, r.hi);
}

Result<std::vector<std::vector<std::byte>>> compile_kernels(const Backend& backend,
                                                            const std::vector<std::string>& sources,
                                                            ThreadPool& pool, Progress& progress) {
  std::vector<std::vector<std::byte>> binaries(sources.size());
  std::vector<std::optional<Error>> errors(sources.size());
  std::atomic<int> done = 0;
  const int total = static_cast<int>(sources.size());
  std::atomic<bool> stop = false;
  pool.parallel_for(total, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && !stop; ++i) {
      const auto k = static_cast<size_t>(i);
      auto binary = backend.compile(sources[k]);
      Result<> told =
          progress.report("compiling kernels for " + std::string(backend.target()), ++done, total);
      if (binary && told) {
        binaries[k] = *std::move(binary);
      } else {
        errors[k] = binary ? std::move(told).error() : std::move(binary).error();
        stop = true;
      }
    }
  });
  for (std::optional<Error>& error : errors)
    if (error) return *std::move(error);
  return binaries;
}

Result<CompiledTarget> compile_target(Graph& graph, const std::string& target, const CompileOptions& options,
                                      ThreadPool& pool, Progress& progress,
                                      std::map<std::string, std::string>& identity) {
  std::optional<nvrtc::NvrtcBackend> backend;
  if (target != "cpu") {
    const nvrtc::Architecture architecture = TRY(nvrtc::architecture_named(target));
    nvrtc::Compiler compiler = TRY(nvrtc::Compiler::open(options.cuda_library_directory));
    identity["nvrtc"] = TRY(compiler.version());
    backend.emplace(std::move(compiler), architecture);
  }
  LowerOptions lowering{
      .backend = backend ? &*backend : nullptr,
      .tf32 = options.tf32,
      .optimum = [&](const DimTable& dims, Dim symbol) { return usual_extent(graph, dims, symbol); }};
  Lowered lowered = TRY(lower(graph, lowering));
  CompiledTarget out{.plan = std::move(lowered.plan), .constants = std::move(lowered.constants)};
  out.plan.precision = options.fp16 ? "fp16" : options.tf32 ? "tf32" : "fp32";
  if (backend) out.binaries = TRY(compile_kernels(*backend, lowered.sources, pool, progress));
  return out;
}

}  // namespace

Result<Graph> optimise(const onnx::Model& model, const CompileOptions& options, ThreadPool& pool) {
  Graph graph = TRY(onnx::import_model(model, {.shapes = options.shapes}, pool));
  TRY(run_pipeline(graph, {.pool = pool, .fp16 = options.fp16}));
  return graph;
}

Result<Compiled> compile(const onnx::Model& model, const CompileOptions& options) {
  if (options.targets.empty())
    return Error(Code::invalid_argument, "no target is given")
        .remedy("name one with --target: cpu, sm_80, sm_86, sm_89, sm_90, sm_100, sm_120");
  ThreadPool pool(options.threads);
  Progress progress(options);
  TRY(progress.report("importing", 0, 1));
  Graph graph = TRY(optimise(model, options, pool));
  TRY(progress.report("importing", 1, 1));
  Compiled out;
  out.identity["precision"] = options.fp16 ? "fp16" : options.tf32 ? "tf32" : "fp32";
  for (const std::string& target : options.targets) {
    auto compiled = compile_target(graph, target, options, pool, progress, out.identity);
    if (!compiled) return std::move(compiled).during("building for target '" + target + "'").error();
    out.targets.push_back(*std::move(compiled));
  }
  out.text = print(graph);
  return out;
}

}  // namespace burnish
