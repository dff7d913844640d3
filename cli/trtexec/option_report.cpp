#include "cli/trtexec/option_report.h"

#include <fmt/format.h>

#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

static std::string enabled(bool yes) { return yes ? "Enabled" : "Disabled"; }

static std::string pools_text(const BuildOptions& b) {
  std::string text;
  for (const char* pool : {"workspace", "dlaSRAM", "dlaLocalDRAM", "dlaGlobalDRAM", "tacticSharedMem"}) {
    const auto at = b.pools.find(pool);
    const bool shared = pool == std::string_view("tacticSharedMem");
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", pool,
                        at == b.pools.end()
                            ? "default"
                            : number_text(static_cast<double>(at->second) / (shared ? 1024 : 1 << 20)) +
                                  (shared ? " KiB" : " MiB"));
  }
  return text;
}

static std::string precision_text(const BuildOptions& b) {
  if (b.strongly_typed) return "Strongly Typed";
  std::string text = "FP32";
  if (b.fp16) text += "+FP16";
  if (b.bf16) text += "+BF16";
  if (b.int8) text += "+INT8";
  if (b.fp8) text += "+FP8";
  if (b.int4) text += "+INT4";
  if (b.precision_constraints != "none") text += " (" + b.precision_constraints + " precision constraints)";
  return text;
}

static std::string formats_text(const std::vector<IoFormat>& formats, int compat) {
  if (formats.empty()) return compat == 11 ? "CHW" : "fp32:CHW";
  std::string text;
  for (const IoFormat& f : formats) text += (text.empty() ? "" : ",") + f.text;
  return text;
}

static std::string value_of(const Options& o, std::string_view name, const std::string& otherwise = "") {
  std::string text = otherwise;
  for (const auto& [flag, value] : o.given)
    if (flag->name == name) text = value;
  return text;
}

static void add_build_shapes(const BuildOptions& b, Lines& lines) {
  if (b.profiles.empty()) lines.emplace_back("Input build shapes", "model");
  for (size_t i = 0; i < b.profiles.size(); ++i)
    for (const auto& [name, opt] : b.profiles[i].opt) {
      const Extents *min = find_shape(b.profiles[i].min, name), *max = find_shape(b.profiles[i].max, name);
      lines.emplace_back(fmt::format("Input build shape (profile {})", i),
                         fmt::format("{}={}+{}+{}", name, dims_text(min ? *min : opt), dims_text(opt),
                                     dims_text(max ? *max : opt)));
    }
  lines.emplace_back("Input calibration shapes", "model");
}

static Lines build_lines(const Options& o) {
  const BuildOptions& b = o.build;
  const int verbosity = b.verbosity == "layer_names_only" ? 0 : b.verbosity == "none" ? 1 : 2;
  Lines lines = {
      {"Memory Pools", pools_text(b)},
      {"avgTiming", std::to_string(b.avg_timing)},
      {"Precision", precision_text(b)},
      {"LayerPrecisions", value_of(o, "--layerPrecisions")},
      {"Layer Device Types", value_of(o, "--layerDeviceTypes")},
      {"Decomposable Attentions", value_of(o, "--decomposableAttentions")},
      {"Calibration", b.int8 ? b.calib.empty() ? "Dynamic" : b.calib : ""},
      {"Refit", enabled(b.refit)},
      {"Strip weights", enabled(b.strip_weights)},
      {"Version Compatible", enabled(b.version_compatible)},
      {"ONNX Plugin InstanceNorm", enabled(o.has("--pluginInstanceNorm") || o.has("--pi"))},
      {"ONNX kENABLE_UINT8_AND_ASYMMETRIC_QUANTIZATION_DLA flag",
       enabled(o.has("--uint8AsymmetricQuantizationDLA"))},
      {"ONNX kREPORT_CAPABILITY_DLA flag", enabled(o.has("--reportCapabilityDLA"))},
      {"ONNX kADJUST_FOR_DLA flag", enabled(o.has("--adjustForDLA"))},
      {"ONNX kENABLE_PLUGIN_OVERRIDE flag", enabled(b.plugin_override)},
      {"TensorRT runtime", value_of(o, "--useRuntime", "full")},
      {"Lean DLL Path", value_of(o, "--leanDLLPath")},
      {"Tempfile Controls",
       fmt::format("{{ in_memory: allow, temporary: {} }}", b.temporary_files ? "allow" : "deny")},
      {"Exclude Lean Runtime", enabled(o.has("--excludeLeanRuntime"))},
      {"Sparsity", b.sparsity == "disable"  ? "Disabled"
                   : b.sparsity == "enable" ? "Enabled"
                                            : "Forced"},
      {"Safe mode", enabled(o.has("--safe"))},
      {"Build DLA standalone loadable", enabled(o.has("--buildDLAStandalone"))},
      {"Allow GPU fallback for DLA", enabled(o.has("--allowGPUFallback"))},
      {"DirectIO mode", enabled(o.has("--directIO"))},
      {"Restricted mode", enabled(o.has("--restricted"))},
      {"Skip inference", enabled(b.skip_inference)},
      {"Save engine", b.save_engine},
      {"Load engine", b.load_engine},
      {"Profiling verbosity", std::to_string(verbosity)},
      {"Tactic sources", b.tactic_sources.empty() ? "Using default tactic sources" : b.tactic_sources},
      {"timingCacheMode", !b.builder_cache         ? "disable"
                          : b.timing_cache.empty() ? "local"
                                                   : "global"},
      {"timingCacheFile", b.timing_cache},
      {"Enable Compilation Cache", enabled(b.compilation_cache)},
      {"Enable Monitor Memory", enabled(b.monitor_memory)},
      {"CPU Only Mode", enabled(b.cpu_only)},
      {"errorOnTimingCacheMiss", enabled(b.error_on_cache_miss)},
      {"Preview Features", value_of(o, "--preview", "Use default preview flags.")},
      {"MaxAuxStreams", std::to_string(b.max_aux_streams)},
      {"BuilderOptimizationLevel", std::to_string(b.level)},
      {"MaxTactics", std::to_string(b.max_tactics)},
      {"Calibration Profile Index", std::to_string(b.calib_profile)},
      {"Weight Streaming", enabled(o.has("--allowWeightStreaming"))},
      {"Runtime Platform", b.platform == "SameAsBuild" ? "Same As Build" : b.platform},
      {"Debug Tensors", value_of(o, "--markDebug")},
      {"Distributive Independence", enabled(o.has("--distributiveIndependence"))},
      {"Mark Unfused Tensors As Debug Tensors", enabled(o.has("--markUnfusedTensorsAsDebugTensors"))},
      {"Input(s)s format", formats_text(b.input_formats, o.compat)},
      {"Output(s)s format", formats_text(b.output_formats, o.compat)}};
  add_build_shapes(b, lines);
  return lines;
}

static void add_files(const char* title, const Files& files, Lines& lines) {
  lines.emplace_back(title, "");
  for (const auto& [name, file] : files) lines.emplace_back(name + "<-" + file, std::nullopt);
}

static Lines inference_lines(const Options& o) {
  const InferenceOptions& i = o.inference;
  Lines lines = {{"Batch", "Explicit"}};
  if (i.shapes.empty()) lines.emplace_back("Input inference shapes", "model");
  for (const auto& [name, shape] : i.shapes)
    lines.emplace_back("Input inference shape ", name + "=" + dims_text(shape));
  const Lines rest = {
      {"Iterations", std::to_string(i.iterations)},
      {"Duration", fmt::format("{}s (+ {}ms warm up)", number_text(i.duration), number_text(i.warm_up))},
      {"Sleep time", number_text(i.sleep) + "ms"},
      {"Idle time", number_text(i.idle) + "ms"},
      {"Inference Streams", std::to_string(i.streams)},
      {"ExposeDMA", enabled(i.expose_dma)},
      {"Data transfers", enabled(i.transfers)},
      {"Spin-wait", enabled(i.spin)},
      {"Multithreading", enabled(i.threads)},
      {"CUDA Graph", enabled(i.graphs)},
      {"Separate profiling", enabled(i.separate_profile)},
      {"Time Deserialize", enabled(i.time_deserialize)},
      {"Time Refit", enabled(o.inference.time_refit)},
      {"NVTX verbosity", o.build.verbosity == "detailed" ? "2"
                         : o.build.verbosity == "none"   ? "1"
                                                         : "0"},
      {"Persistent Cache Ratio", value_of(o, "--persistentCacheRatio", "0")},
      {"Optimization Profile Index", std::to_string(i.profile)},
      {"Weight Streaming Budget", "Disabled"}};
  lines.insert(lines.end(), rest.begin(), rest.end());
  add_files("Inputs", i.inputs(), lines);
  add_files("Debug Tensor Save Destinations", i.debug_files, lines);
  lines.emplace_back("Dump All Debug Tensor in Formats", fmt::format("{}", fmt::join(i.debug_formats, ", ")));
  if (o.compat == 11) {
    lines.emplace_back("Accuracy Algorithm", i.algorithm);
    lines.emplace_back("Absolute Tolerance (atol)", number_text(i.atol));
    lines.emplace_back("Relative Tolerance (rtol)", number_text(i.rtol));
    lines.emplace_back("Accuracy Threshold", i.threshold ? number_text(*i.threshold) : "");
    add_files("RefOutputs", i.pairs.empty() ? Files() : i.pairs.front().outputs, lines);
  }
  return lines;
}

static Lines reporting_lines(const ReportingOptions& r) {
  std::string percents;
  for (const double p : r.percentiles) percents += (percents.empty() ? "" : ",") + number_text(p);
  return {{"Verbose", enabled(r.verbose)},
          {"Averages", std::to_string(r.averages) + " inferences"},
          {"Percentiles", percents},
          {"Dump refittable layers:" + enabled(r.refit), std::nullopt},
          {"Dump output", enabled(r.output)},
          {"Profile", enabled(r.profile)},
          {"Export timing to JSON file", r.times_file},
          {"Export output to JSON file", r.output_file},
          {"Export profile to JSON file", r.profile_file}};
}

std::vector<OptionBlock> option_blocks(const Options& o) {
  return {{"Model Options",
           {{"Format", o.model.onnx.empty() ? "*" : "ONNX"}, {"Model", o.model.onnx}, {"Output", ""}}},
          {"Build Options", build_lines(o)},
          {"System Options",
           {{"Device", std::to_string(o.device)},
            {"DLACore", ""},
            {"Loaded static plugins", fmt::format("{}", fmt::join(o.build.static_plugins, " "))},
            {"setPluginsToSerialize", value_of(o, "--setPluginsToSerialize")},
            {"dynamicPlugins", fmt::format("{}", fmt::join(o.build.dynamic_plugins, " "))},
            {"ignoreParsedPluginLibs", o.has("--ignoreParsedPluginLibs") ? "1" : "0"}}},
          {"Inference Options", inference_lines(o)},
          {"Reporting Options", reporting_lines(o.reporting)}};
}

void report_options(const Options& o, const Log& log) {
  for (const OptionBlock& block : option_blocks(o)) {
    if (block.title == "Build Options" && !o.build.load_engine.empty()) {
      log.info("");
      continue;
    }
    log.info(fmt::format("=== {} ===", block.title));
    print_lines(block.lines, log);
  }
  log.info("");
  log.info(fmt::format("Defaults are those of version {}.x; --compat={} has the other ones.", o.compat,
                       o.compat == 10 ? 11 : 10));
}

/// Flags that mean something only with others, or an older name of one.
static void warn_of_names(const Options& o, const Log& log) {
  const std::pair<std::string_view, const char*> newer[] = {{"--buildOnly", "--skipInference"},
                                                            {"--nvtxMode", "--profilingVerbosity"},
                                                            {"--streams", "--infStreams"},
                                                            {"--workspace", "--memPoolSize=workspace:<MiB>"}};
  for (const auto& [old, name] : newer)
    if (o.has(old)) log.warn(fmt::format("{} is an old name: say {}.", old, name));
  if (o.build.sparsity != "disable") log.warn("--sparsity has no effect: 2:4 weights run as dense ones.");
  for (const auto& [pool, size] : o.build.pools)
    if (pool.starts_with("dla"))
      log.warn(fmt::format("--memPoolSize={} has no effect: there is no such pool here.", pool));
  for (const auto& [flag, value] : o.given)
    if (flag->name.ends_with("ShapesCalib") && !o.build.int8)
      log.warn(fmt::format("{} has no effect: nothing is calibrated.", flag->name));
  if (o.inference.duration == -1) log.warn("--duration=-1: the run goes on until Ctrl-C.");
}

void warn_of_idle_flags(const Options& o, const Log& log) {
  for (const auto& [flag, value] : o.given) {
    if (flag->treatment == Treatment::warns)
      log.warn(fmt::format("{} has no effect: {}.", flag->name, flag->text));
    if (flag->treatment == Treatment::silent)
      log.detail(fmt::format("{} changes nothing: {}.", flag->name, flag->text));
  }
  warn_of_names(o, log);
}

}  // namespace burnish::cli::trtexec
