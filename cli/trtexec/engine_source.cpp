#include "cli/trtexec/engine_source.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/compiler.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/trtexec/calibration_cache.h"
#include "cli/trtexec/interface_version.h"
#include "cli/trtexec/model_inputs.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string mebibytes(double bytes) { return number_text(bytes / (1 << 20)) + " MiB"; }

double file_bytes(const std::string& path) {
  std::error_code ignored;
  return static_cast<double>(std::filesystem::file_size(path, ignored));
}

/// A calibration is read and checked, whatever becomes of it.
void check_calibration(const BuildOptions& b, const Log& log) {
  if (b.calib.empty()) return;
  if (std::filesystem::is_directory(b.calib)) {
    const auto files = std::distance(std::filesystem::directory_iterator(b.calib), {});
    if (files == 0)
      fail("the folder of calibration data '" + b.calib + "' is empty", "put .npz or raw files there");
    log.info(fmt::format("Calibration data: {} files in {}", files, b.calib));
    return;
  }
  const CalibrationCache cache = read_calibration_cache(b.calib);
  log.info(
      fmt::format("Calibration cache {}: {} tensors, by {}", b.calib, cache.scales.size(), cache.made_by));
}

void refuse_quantised_kernels(const Options& o) {
  const BuildOptions& b = o.build;
  if (!b.int8 && !b.fp8) return;
  fail(std::string(b.best  ? "--best"
                   : b.fp8 ? "--fp8"
                           : "--int8") +
           " asks for quantised kernels, which Burnish does not have yet",
       "build with --fp16");
}

/// What is asked of the types of layers: FP32, or the half precision that the build is in. Of the rest a wish may go unheeded, what is
/// to be obeyed may not.
class LayerTypes {
 public:
  LayerTypes(const Options& o, BuildChoices& choices, const Log& log)
      : b_(o.build),
        choices_(choices),
        log_(log),
        half_(choices.fp16   ? "fp16"
              : choices.bf16 ? "bf16"
                             : "") {}

  void settle() {
    if (b_.precision_constraints == "none") {
      if (!b_.layer_precisions.empty()) warn_unbound("--layerPrecisions");
      if (!b_.layer_output_types.empty()) warn_unbound("--layerOutputTypes");
      return;
    }
    for (const auto& [layer, type] : b_.layer_precisions) ask("--layerPrecisions", layer, type, 0);
    for (const auto& [layer, types] : b_.layer_output_types)
      for (size_t i = 0; i < types.size(); ++i)
        ask("--layerOutputTypes", layer, types[i], static_cast<int>(i) + 1);
  }

 private:
  void warn_unbound(const char* flag) {
    log_.warn(fmt::format("{} has no effect without --precisionConstraints=prefer or obey.", flag));
  }
  void ask(const char* flag, const std::string& layer, const std::string& type, int result) {
    const std::string what = fmt::format("{}={}:{}", flag, layer, type);
    if (type == "fp32" && half_.empty()) return;  // as it is anyway
    if (type != "fp32" && type != half_) return unheeded(what, why_not(type));
    choices_.node_precisions.push_back({layer,
                                        type == "fp32"  ? BURNISH_F32
                                        : choices_.fp16 ? BURNISH_F16
                                                        : BURNISH_BF16,
                                        result});
    if (result == 0) log_.info(fmt::format("Set layer {} to precision {}", layer, type));
    else log_.info(fmt::format("Set output {} of layer {} to type {}", result - 1, layer, type));
  }
  std::string why_not(const std::string& type) const {
    if (type != "fp16" && type != "bf16") return "floating-point layers are stored in FP32, FP16 or BF16";
    if (half_.empty()) return "the build is in FP32 without --" + type;
    return "the build is in FP32 and " + std::string(choices_.fp16 ? "FP16" : "BF16");
  }
  void unheeded(const std::string& what, const std::string& why) {
    if (b_.precision_constraints == "obey")
      fail("--precisionConstraints=obey cannot be kept: " + what + ": " + why,
           "say --precisionConstraints=prefer, or leave that away");
    log_.warn(fmt::format("{} has no effect: {}.", what, why));
  }

  const BuildOptions& b_;
  BuildChoices& choices_;
  const Log& log_;
  const std::string half_;
};

/// With --stronglyTyped the model's types count and flags of precision go, one by one.
void settle_precision(const BuildOptions& b, BuildChoices& choices, const Log& log) {
  choices.tf32 = b.tf32;
  choices.fp16 = b.fp16 && !b.strongly_typed;
  choices.bf16 = b.bf16 && !b.strongly_typed;
  if (choices.fp16 && choices.bf16) log.info("Of --fp16 and --bf16 FP16 is taken, which has more digits.");
  if (b.strongly_typed)
    for (const auto& [on, name] : {std::pair(b.fp16, "--fp16"),
                                   {b.bf16, "--bf16"},
                                   {b.int8, "--int8"},
                                   {b.fp8, "--fp8"},
                                   {b.int4, "--int4"}})
      if (on)
        log.warn(fmt::format("{} is switched off: with --stronglyTyped the types are the model's.", name));
  if (b.tf32) log.info("TF32 is on for FP32 products, as by default; --noTF32 keeps them in FP32.");
}

/// One format for all ports, or one each in their order.
Formats formats_of(const char* flag, const std::vector<IoFormat>& given,
                   const std::vector<ModelPort>& ports) {
  Formats formats;
  if (given.empty()) return formats;
  if (given.size() != 1 && given.size() != ports.size())
    fail(fmt::format("{} has {} formats, and the model has {} of these", flag, given.size(), ports.size()),
         "give one for all, or one each");
  for (size_t i = 0; i < ports.size(); ++i) {
    const IoFormat& format = given[given.size() == 1 ? 0 : i];
    const bool same =
        format.dtype >= 0 && ports[i].dtype == burnish_dtype_name(static_cast<burnish_dtype>(format.dtype));
    const bool last = format.channels_last && (ports[i].axes.size() >= 3 || given.size() != 1);
    if ((!same && format.dtype >= 0) || last)
      formats[ports[i].name] = {same ? -1 : format.dtype, last ? BURNISH_CHANNELS_LAST : BURNISH_ROW_MAJOR};
  }
  return formats;
}

std::string libraries_of(const BuildOptions& b) {
  std::string names;
  if (b.cublaslt.value_or(false)) names += "cublaslt";
  if (b.cudnn.value_or(false)) names += names.empty() ? "cudnn" : ",cudnn";
  return names.empty() ? "none" : names;
}

void settle_tactics(const BuildOptions& b, BuildChoices& choices) {
  const bool estimate = b.heuristic || b.cpu_only;
  choices.level = estimate                            ? 1
                  : b.level >= 0                      ? static_cast<int>(b.level)
                  : can_time_kernels(choices.targets) ? 3
                                                      : 1;
  if (b.max_tactics > 0) choices.max_tactics = static_cast<int>(std::min<int64_t>(b.max_tactics, 1000));
  choices.averaged_timings = static_cast<int>(b.avg_timing);
  choices.max_branches = static_cast<int>(b.max_aux_streams) + 1;  // beside the stream of the run
  choices.libraries = libraries_of(b);
  if (b.builder_cache) choices.timing_cache = b.timing_cache;
  choices.timing_cache_mode = b.error_on_cache_miss ? "strict" : "append";
  if (const auto pool = b.pools.find("workspace"); pool != b.pools.end())
    choices.workspace_bytes = static_cast<uint64_t>(std::max<int64_t>(pool->second, 1));
  if (const auto pool = b.pools.find("tacticSharedMem"); pool != b.pools.end())
    choices.shared_bytes = static_cast<uint64_t>(std::max<int64_t>(pool->second, 1));
}

BuildChoices choices_for(const Options& o, const std::string& target, const ModelPorts& ports,
                         const Log& log) {
  const BuildOptions& b = o.build;
  BuildChoices choices{.targets = {target}};
  if (b.hardware == "ampere+" && target != "cpu")
    choices.targets = {"sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"};
  settle_precision(b, choices, log);
  LayerTypes(o, choices, log).settle();
  choices.decomposed_attention = b.decomposable_attentions;
  choices.debug_tensors = b.debug_tensors;
  choices.debug_unfused = b.debug_unfused;
  settle_tactics(b, choices);
  choices.build_route = o.tuning.route;
  if (!o.tunes_routes()) choices.time_budget = std::max(0.0, o.tuning.time_out);
  choices.profiles = profiles_for(ports.inputs, o, log);
  choices.plugins = b.static_plugins;
  choices.plugins.insert(choices.plugins.end(), b.dynamic_plugins.begin(), b.dynamic_plugins.end());
  choices.plugin_override = b.plugin_override;
  choices.input_formats = formats_of("--inputIOFormats", b.input_formats, ports.inputs);
  choices.output_formats = formats_of("--outputIOFormats", b.output_formats, ports.outputs);
  choices.refittable = b.refit;
  choices.strip_weights = b.strip_weights;
  return choices;
}

void report_profiles(const std::vector<Profile>& profiles, const Log& log) {
  for (size_t i = 0; i < profiles.size(); ++i)
    for (const auto& [name, range] : profiles[i])
      log.info(
          fmt::format("Set shape of input tensor {} for optimization profile {} to: MIN={} OPT={} MAX={}",
                      name, i, dims_text(range.min), dims_text(range.opt), dims_text(range.max)));
}

Engine open(const std::string& path, const Log& log) {
  require_readable(path, "engine");
  const Clock::time_point begin = Clock::now();
  Engine engine = open_engine(path);
  log.info(fmt::format("Engine deserialized in {} sec.", number_text(seconds_since(begin))));
  return engine;
}

void require_temporary_files(const BuildOptions& b, const char* which, const char* remedy) {
  if (!b.temporary_files)
    fail(fmt::format("an engine that is {} lies in a temporary file, which --tempfileControls denies", which),
         remedy);
}

/// The model whose weights the engine gets before it runs; nothing if it keeps its own.
std::optional<std::string> refit_model(const Options& o) {
  const BuildOptions& b = o.build;
  if (!b.refit_from.empty()) return b.refit_from;
  if (b.skip_inference) return {};
  if (b.strip_weights && b.load_engine.empty()) return o.model.onnx;
  if (o.inference.time_refit) return b.load_engine.empty() ? o.model.onnx : "";  // its own again
  return {};
}

}  // namespace

Engine open_for(const Options& o, const std::string& path, const Log& log) {
  const std::optional<std::string> model = refit_model(o);
  if (!model) return open(path, log);
  std::optional<TemporaryFolder> folder;
  std::string refitted = o.build.load_engine.empty() ? "" : o.build.save_engine;
  if (refitted.empty()) {
    require_temporary_files(o.build, "refitted", "allow it");
    refitted = (folder.emplace(o.build.temporary_folder).path() / "refitted.engine").string();
  }
  const int count = o.inference.time_refit ? 10 : 1;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < count; ++i) refit_engine(path, *model, refitted, false);
  log.info(fmt::format("Engine refitted in {} ms.", number_text(seconds_since(begin) * 1000 / count)));
  return open(refitted, log);
}

Engine build_engine_of(const Options& o, const std::string& target, const Log& log) {
  require_readable(o.model.onnx, "model");
  check_calibration(o.build, log);
  if (!o.build.strongly_typed) refuse_quantised_kernels(o);
  if (o.build.platform != "SameAsBuild")
    fail("--runtimePlatform=" + o.build.platform + " is refused: engines are for Linux", "leave it away");
  log.info("Start parsing network model.");
  const Clock::time_point begin = Clock::now();
  const ModelPorts ports = read_model_ports(o.model.onnx);
  log.info(fmt::format("Finished parsing network model. Parse time: {}", number_text(seconds_since(begin))));
  const BuildChoices choices = choices_for(o, target, ports, log);
  report_profiles(choices.profiles, log);
  std::optional<TemporaryFolder> folder;
  std::string path = o.build.save_engine;
  if (path.empty()) {
    require_temporary_files(o.build, "not saved", "add --saveEngine=<file>, or allow it");
    path = (folder.emplace(o.build.temporary_folder).path() / "model.engine").string();
  }
  const Clock::time_point build_begin = Clock::now();
  for (const std::string& note : build_engine(o.model.onnx, path, choices)) log.library(Severity::info, note);
  log.info(fmt::format("Created engine with size: {}", mebibytes(file_bytes(path))));
  log.info(fmt::format("Engine built in {} sec.", number_text(seconds_since(build_begin))));
  if (o.build.monitor_memory) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    log.info(fmt::format("Peak host memory of the build: {} MiB", usage.ru_maxrss / 1024));
  }
  return open_for(o, path, log);
}

Engine load_engine_of(const Options& o, const Log& log) {
  const Clock::time_point begin = Clock::now();
  const std::string& path = o.build.load_engine;
  require_readable(path, "engine");
  log.info(fmt::format("Engine loaded in {} sec.", number_text(seconds_since(begin))));
  log.info(fmt::format("Loaded engine with size: {}", mebibytes(file_bytes(path))));
  Engine engine = open_for(o, path, log);
  if (!refit_model(o) && !o.build.save_engine.empty()) copy_engine(path, o.build.save_engine);
  return engine;
}

void copy_engine(const std::string& from, const std::string& to) {
  PartialFile file(to);
  std::error_code error;
  std::filesystem::copy_file(from, file.path(), std::filesystem::copy_options::overwrite_existing, error);
  if (error) fail("cannot write '" + to + "': " + error.message(), "name another file");
  file.commit();
}

void time_loading(const std::string& path, const Log& log) {
  constexpr int iterations = 20;
  const auto load = [&] {
    const Clock::time_point begin = Clock::now();
    (void)open_engine(path);
    return seconds_since(begin) * 1000;
  };
  log.info("Begin deserialization warmup...");
  const double first = load();
  log.info("Begin deserialization engine timing...");
  log.info(fmt::format("First deserialization time = {} milliseconds", number_text(first)));
  double total = 0;
  for (int i = 0; i < iterations; ++i) total += load();
  log.info(fmt::format(
      "Total deserialization time = {} milliseconds in {} iterations, average time = {} milliseconds, "
      "first time = {} milliseconds.",
      number_text(total), iterations, number_text(total / iterations), number_text(first)));
  log.info(fmt::format("Deserialization Bandwidth = {} GB/s",
                       number_text(file_bytes(path) * iterations / total / 1e6)));
}

void report_version(const std::string& path, const Log& log) {
  require_readable(path, "engine");
  const Engine engine = open_engine(path);
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_engine_describe(engine.get(), &json, &error), error);
  const Text text(json, burnish_text_free);
  log.info(fmt::format("Plan was created with Burnish version {}, which follows TensorRT version {}.0",
                       nlohmann::json::parse(json)["burnish"].get<std::string>(), interface_version));
}

}  // namespace burnish::cli::trtexec
