#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/lower.h"
#include "compiler/port_formats.h"
#include "compiler/tuning.h"
#include "onnx/import.h"
#include "onnx/model.h"
#include "passes/pass.h"

namespace burnish {

/// Which weights of an engine may be replaced once it is built.
enum class Refittable { none, any, identical, listed };
/// Whether some weight may become another one.
constexpr bool weights_vary(Refittable which) {
  return which == Refittable::any || which == Refittable::listed;
}

struct CompileOptions {
  std::vector<std::string> targets;  // "cpu", "sm_90", …
  std::optional<DType> half;         // f16 or bf16: values are stored so
  bool tf32 = false;
  std::vector<NodePrecision> node_precisions;          // in a build in half precision
  std::vector<NodePattern> decomposed_attention;       // these nodes stay spelled out
  std::vector<std::string> debug_tensors;              // of the model, that can be looked at when it runs
  bool debug_unfused = false;                          // and all that are in memory anyway
  std::map<std::string, std::vector<int64_t>> shapes;  // by input; -1 leaves an axis free
  std::vector<onnx::InputRanges> profiles;             // what the free axes may be, and are tuned for
  PortFormats input_formats, output_formats;
  std::string cuda_library_directory;
  /// "cublaslt", …: whose routines are candidates beside our kernels where kernels are timed; nullopt: those that are there.
  std::optional<std::vector<std::string>> libraries = std::vector<std::string>();
  TacticLimits limits;
  uint32_t max_branches = 0;  // of the graph that run side by side on a device at most; 0: no limit
  int threads = 0;            // 0: one per core
  TuningOptions tuning;
  const plugin::Plugins* plugins = nullptr;  // whose operators the model may have; null: none
  bool plugin_override = false;              // and rather than those of ONNX
  Refittable refittable = Refittable::none;
  std::vector<std::string> listed_weights;  // those that may become others, of `listed`
  bool strip_weights = false;               // they are left out of the engine
  /// Plans of an earlier build, by target, whose decisions are taken: nothing is timed, and no kernel is compiled.
  std::span<const Plan> decided;
  /// Told what is being done and how much of it is; false cancels.
  std::function<bool(std::string_view stage, int done, int total)> progress;
  std::function<void(const std::string&)> note;  // told in a line what the user should know
};

/// The model for one target.
struct CompiledTarget {
  Plan plan;
  std::vector<Tensor> constants;                 // by Plan::constants
  std::vector<std::vector<std::byte>> binaries;  // by Plan::modules; none where decisions were taken
};

struct Compiled {
  std::vector<CompiledTarget> targets;
  std::string text;                             // the optimised graph, constants as references
  std::map<std::string, std::string> identity;  // options and provider versions
};

/// ONNX model -> plans. Needs a GPU only to time kernels; without one, or at levels 0 and 1, tactics are estimated. The result
/// is a function of model, options, provider versions and, at the other levels, timing cache.
Result<Compiled> compile(const onnx::Model& model, const CompileOptions& options);
/// The graph after import and passes.
Result<Graph> optimise(const onnx::Model& model, const CompileOptions& options, ThreadPool& pool);

}  // namespace burnish
