#include "cli/trtexec/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>

#include "api/burnish.h"
#include "cli/trtexec/build_routes.h"

namespace burnish::cli::trtexec {

const Files& InferenceOptions::inputs() const {
  static const Files none;
  return pairs.empty() ? none : pairs.front().inputs;
}

bool Options::has(std::string_view name) const {
  return std::ranges::any_of(given, [&](const auto& one) { return one.first->name == name; });
}

namespace {

constexpr std::pair<std::string_view, burnish_dtype> type_names[] = {
    {"fp32", BURNISH_F32},  {"fp16", BURNISH_F16}, {"bf16", BURNISH_BF16}, {"int32", BURNISH_I32},
    {"int64", BURNISH_I64}, {"int8", BURNISH_I8},  {"uint8", BURNISH_U8},  {"bool", BURNISH_BOOL}};
constexpr std::string_view layout_names[] = {"chw",      "chw2",  "hwc8",   "chw4", "chw16",
                                             "chw32",    "dhwc8", "cdhw32", "hwc",  "dla_linear",
                                             "dla_hwc4", "hwc16", "dhwc"};

/// "fp16:hwc", "hwc", "fp32:chw+hwc": of several layouts the first that there is.
IoFormat parse_format(std::string_view flag, const std::string& text) {
  IoFormat format{.text = text};
  std::string layouts = text;
  if (const size_t colon = text.find(':'); colon != text.npos) {
    const auto* type =
        std::ranges::find(type_names, text.substr(0, colon), [](const auto& t) { return t.first; });
    if (type == std::end(type_names)) throw BadValue{fmt::format("{}: '{}' begins with no type", flag, text)};
    format.dtype = type->second;
    layouts = text.substr(colon + 1);
  }
  bool found = false;
  for (const std::string& layout : split_list(layouts, '+')) {
    if (std::ranges::find(layout_names, layout) == std::end(layout_names))
      throw BadValue{fmt::format("{}: '{}' is no layout", flag, layout)};
    const bool last = layout == "hwc" || layout == "dhwc";
    if (!found && (last || layout == "chw")) found = true, format.channels_last = last;
  }
  if (!found)
    throw BadValue{fmt::format("{}: '{}' has no layout that Burnish knows: chw, hwc and dhwc", flag, text)};
  return format;
}

std::string one_of(std::string_view flag, const std::string& text,
                   std::span<const std::string_view> allowed) {
  if (std::ranges::find(allowed, text) == allowed.end())
    throw BadValue{fmt::format("{}: '{}' is none of {}", flag, text, fmt::join(allowed, ", "))};
  return text;
}

constexpr std::string_view pool_names[] = {"workspace", "dlaSRAM", "dlaLocalDRAM", "dlaGlobalDRAM",
                                           "tacticSharedMem"};
constexpr std::string_view layer_types[] = {"fp32", "fp16", "bf16", "int32", "int8"};
constexpr std::string_view verbosities[] = {"layer_names_only", "detailed", "none", "default", "verbose"};

/// Takes the flags one by one, in order, for some refer to those before.
class Reader {
 public:
  explicit Reader(Options& options) : o(options) {}

  void read(std::string_view name, const std::string& value) {
    read_model_and_build(name, value) || read_precision(name, value) || read_tactics(name, value) ||
        read_tuning(name, value) || read_inference(name, value) || read_reporting(name, value);
  }

  void finish() {
    finish_profiles();
    if (!o.reporting.folder.empty()) name_all_files();
    if (o.build.fp8 && o.build.int8) throw BadValue{"--fp8 and --int8 exclude each other"};
    if (o.build.best && o.build.strongly_typed)
      throw BadValue{"--best and --stronglyTyped exclude each other"};
    if (!o.tuning.routes.empty()) (void)parse_route_knobs("--tuneBuildRoutes", o.tuning.routes);
    if (o.tuning.save_all && o.build.save_engine.empty())
      throw BadValue{"--saveAllEngines needs --saveEngine"};
    if (o.tuning.resume && o.tuning.cache_file.empty()) throw BadValue{"--continue needs --tuningCacheFile"};
    if (o.has("--dumpKernelText") && !o.has("--safe")) throw BadValue{"--dumpKernelText needs --safe"};
    const auto profiles = std::max<int64_t>(1, static_cast<int64_t>(o.build.profiles.size()));
    if (o.build.calib_profile < 0 || o.build.calib_profile >= profiles)
      throw BadValue{
          fmt::format("--calibProfile={}: there are {} profiles", o.build.calib_profile, profiles)};
    const bool refused = std::ranges::any_of(
        o.given, [](const auto& one) { return one.first->treatment == Treatment::refused; });
    if (o.model.onnx.empty() && o.build.load_engine.empty() && !o.help && !o.route_help && !refused)
      throw BadValue{"neither a model nor an engine is given: --onnx=<file> or --loadEngine=<file>"};
  }

 private:
  bool read_model_and_build(std::string_view name, const std::string& value) {
    BuildOptions& b = o.build;
    if (name == "--onnx") o.model.onnx = value;
    else if (name == "--profile") open_profile(parse_integer(name, value));
    else if (name == "--minShapes") shapes_of(name, &ProfileSpec::min, value);
    else if (name == "--optShapes") shapes_of(name, &ProfileSpec::opt, value);
    else if (name == "--maxShapes") shapes_of(name, &ProfileSpec::max, value);
    else if (name.ends_with("ShapesCalib")) (void)parse_shape_spec(name, value);
    else if (name == "--calibProfile") b.calib_profile = parse_integer(name, value);
    else if (name == "--inputIOFormats") formats(name, b.input_formats, value);
    else if (name == "--outputIOFormats") formats(name, b.output_formats, value);
    else if (name == "--saveEngine") b.save_engine = value;
    else if (name == "--loadEngine") b.load_engine = value;
    else if (name == "--getPlanVersionOnly") b.version_only = true;
    else if (name == "--skipInference" || name == "--buildOnly") b.skip_inference = true;
    else if (name == "--refit") b.refit = true;
    else if (name == "--stripWeights" || name == "--weightless") b.strip_weights = true;
    else if (name == "--stripAllWeights") b.refit = b.strip_weights = true;
    else if (name == "--refitFromOnnx") b.refit_from = value;
    else if (name == "--versionCompatible" || name == "--vc") b.version_compatible = true;
    else if (name == "--markDebug") b.debug_tensors = split_list(value, ',');
    else if (name == "--markUnfusedTensorsAsDebugTensors") b.debug_unfused = true;
    else if (name == "--target") b.target = value;
    else if (name == "--staticPlugins" || name == "--plugins") b.static_plugins.push_back(value);
    else if (name == "--dynamicPlugins") b.dynamic_plugins.push_back(value);
    else if (name == "--enablePluginOverride") b.plugin_override = true;
    else if (name == "--hardwareCompatibilityLevel")
      b.hardware =
          one_of(name, value, std::array<std::string_view, 3>{"none", "ampere+", "sameComputeCapability"});
    else if (name == "--runtimePlatform")
      b.platform = one_of(name, value, std::array<std::string_view, 2>{"SameAsBuild", "WindowsAMD64"});
    else if (name == "--useRuntime")
      (void)one_of(name, value, std::array<std::string_view, 3>{"full", "lean", "dispatch"});
    else if (name == "--profilingVerbosity" || name == "--nvtxMode") b.verbosity = verbosity(name, value);
    else return false;
    return true;
  }

  bool read_precision(std::string_view name, const std::string& value) {
    BuildOptions& b = o.build;
    if (name == "--noTF32") b.tf32 = false;
    else if (name == "--fp16") b.fp16 = true;
    else if (name == "--bf16") b.bf16 = true;
    else if (name == "--int8") b.int8 = true;
    else if (name == "--fp8") b.fp8 = true;
    else if (name == "--int4") b.int4 = true;
    else if (name == "--best") b.best = b.fp16 = b.bf16 = b.int8 = true;
    else if (name == "--stronglyTyped") b.strongly_typed = true;
    else if (name == "--calib") b.calib = value;
    else if (name == "--precisionConstraints")
      b.precision_constraints =
          one_of(name, value, std::array<std::string_view, 3>{"none", "prefer", "obey"});
    else if (name == "--sparsity")
      b.sparsity = one_of(name, value, std::array<std::string_view, 3>{"disable", "enable", "force"});
    else if (name == "--layerPrecisions")
      for (const auto& [layer, type] : parse_pairs(name, value))
        b.layer_precisions.emplace_back(layer, one_of(name, type, layer_types));
    else if (name == "--layerOutputTypes") output_types(name, value);
    else if (name == "--layerDeviceTypes") (void)parse_pairs(name, value);
    else if (name == "--decomposableAttentions") b.decomposable_attentions = split_list(value, ',');
    else return false;
    return true;
  }

  bool read_tactics(std::string_view name, const std::string& value) {
    BuildOptions& b = o.build;
    if (name == "--memPoolSize") pools(name, value);
    else if (name == "--workspace") b.pools["workspace"] = parse_size(name, value);
    else if (name == "--avgTiming") b.avg_timing = within(name, value, 1, 1000);
    else if (name == "--builderOptimizationLevel") b.level = within(name, value, 0, 5);
    else if (name == "--maxTactics") b.max_tactics = parse_integer(name, value);
    else if (name == "--maxAuxStreams") b.max_aux_streams = within(name, value, -1, 1000);
    else if (name == "--tilingOptimizationLevel") (void)within(name, value, 0, 3);
    else if (name == "--tacticSources") sources(name, value);
    else if (name == "--timingCacheFile") b.timing_cache = value;
    else if (name == "--noBuilderCache") b.builder_cache = false;
    else if (name == "--noCompilationCache") b.compilation_cache = false;
    else if (name == "--tempdir") b.temporary_folder = value;
    else if (name == "--tempfileControls") temporary_files(name, value);
    else if (name == "--errorOnTimingCacheMiss") b.error_on_cache_miss = true;
    else if (name == "--heuristic") b.heuristic = true;
    else if (name == "--cpuOnly") b.cpu_only = true;
    else if (name == "--monitorMemory") b.monitor_memory = true;
    else if (name == "--helpBuildRoute") o.route_help = value;
    else return false;
    return true;
  }

  bool read_tuning(std::string_view name, const std::string& value) {
    TuningOptions& t = o.tuning;
    if (name == "--setBuildRoute") t.route = value;
    else if (name == "--tuneBuildRoutes") t.routes = value;
    else if (name == "--tuneBuildRouteFile") t.routes = text_of_file(name, value);
    else if (name == "--tuningSearch")
      t.search = one_of(name, value, std::array<std::string_view, 3>{"fast", "full", "mixed"});
    else if (name == "--tuningCacheFile") t.cache_file = value;
    else if (name == "--tuningTimeOut") t.time_out = parse_real(name, value);
    else if (name == "--saveAllEngines") t.save_all = true;
    else if (name == "--dryRun") t.dry_run = true;
    else if (name == "--continue") t.resume = true;
    else return false;
    return true;
  }

  bool read_inference(std::string_view name, const std::string& value) {
    InferenceOptions& i = o.inference;
    if (name == "--shapes") i.shapes = parse_shape_spec(name, value);
    else if (name == "--loadInputs") add_files(pair().inputs, name, value);
    else if (name == "--loadRefOutputs") add_files(pair().outputs, name, value);
    else if (name == "--saveDebugTensors") add_files(i.debug_files, name, value);
    else if (name == "--saveAllDebugTensors") debug_formats(name, value);
    else if (name == "--refPair") open_pair(parse_integer(name, value));
    else if (name == "--accuracyAlgorithm")
      i.algorithm = one_of(name, value, std::array<std::string_view, 5>{"l0", "l1", "l2", "lInf", "cos"});
    else if (name == "--atol") i.atol = not_negative(name, value);
    else if (name == "--rtol") i.rtol = not_negative(name, value);
    else if (name == "--accuracyThreshold") i.threshold = parse_real(name, value);
    else if (name == "--iterations") i.iterations = within(name, value, 0, INT32_MAX);
    else if (name == "--warmUp") i.warm_up = not_negative(name, value);
    else if (name == "--duration") i.duration = parse_real(name, value);
    else if (name == "--sleepTime") i.sleep = not_negative(name, value);
    else if (name == "--idleTime") i.idle = not_negative(name, value);
    else if (name == "--infStreams" || name == "--streams") i.streams = within(name, value, 1, 64);
    else if (name == "--exposeDMA") i.expose_dma = true;
    else if (name == "--noDataTransfers") i.transfers = false;
    else if (name == "--includeDataTransfers") i.transfers = true;
    else if (name == "--useManagedMemory") i.managed_memory = true;
    else if (name == "--persistentCacheRatio") i.persistent_cache = share(name, value);
    else if (name == "--allocationStrategy")
      i.allocation = one_of(name, value, std::array<std::string_view, 3>{"static", "profile", "runtime"});
    else if (name == "--useSpinWait") i.spin = true;
    else if (name == "--noSpinWait") i.spin = false;
    else if (name == "--threads") i.threads = true;
    else if (name == "--useCudaGraph") i.graphs = true;
    else if (name == "--noCudaGraph") i.graphs = false;
    else if (name == "--timeDeserialize") i.time_deserialize = true;
    else if (name == "--timeRefit") i.time_refit = true;
    else if (name == "--separateProfileRun") i.separate_profile = true;
    else if (name == "--useProfile") i.profile = within(name, value, 0, INT32_MAX), i.profile_given = true;
    else return false;
    return true;
  }

  bool read_reporting(std::string_view name, const std::string& value) {
    ReportingOptions& r = o.reporting;
    if (name == "--verbose") r.verbose = true;
    else if (name == "--avgRuns") r.averages = within(name, value, 1, INT32_MAX);
    else if (name == "--percentile") percentiles(name, value);
    else if (name == "--dumpRefit") r.refit = true;
    else if (name == "--dumpOutput") r.output = true;
    else if (name == "--dumpRawBindingsToFile") r.raw_bindings = true;
    else if (name == "--dumpProfile") r.profile = true;
    else if (name == "--dumpLayerInfo") r.layers = true;
    else if (name == "--dumpOptimizationProfile") r.profiles = true;
    else if (name == "--exportTimes") r.times_file = value;
    else if (name == "--exportOutput") r.output_file = value;
    else if (name == "--exportProfile") r.profile_file = value;
    else if (name == "--exportLayerInfo") r.layers_file = value;
    else if (name == "--exportAll") r.folder = value;
    else if (name == "--device") o.device = static_cast<int>(within(name, value, 0, INT32_MAX));
    else if (name == "--layerInfoSchema") o.layer_schema = static_cast<int>(version(name, value));
    else if (name == "--help") o.help = true;
    else return false;
    return true;
  }

  /// The four files that tools for exploring engines read, where none is named otherwise.
  void name_all_files() {
    ReportingOptions& r = o.reporting;
    const auto name = [&](std::string& file, const char* usual) {
      if (file.empty()) file = r.folder + "/" + usual;
    };
    name(r.times_file, "timing.json");
    name(r.profile_file, "profile.json");
    name(r.layers_file, "graph.json");
    name(r.metadata_file, "metadata.json");
    o.build.verbosity = "detailed";
    o.inference.separate_profile = true;
  }

  int64_t within(std::string_view name, const std::string& value, int64_t least, int64_t most) {
    const int64_t number = parse_integer(name, value);
    if (number < least || number > most)
      throw BadValue{fmt::format("{}={}: it is from {} to {}", name, value, least, most)};
    return number;
  }
  double share(std::string_view name, const std::string& value) {
    const double number = parse_real(name, value);
    if (!(number >= 0 && number <= 1)) throw BadValue{fmt::format("{}={}: it is from 0 to 1", name, value)};
    return number;
  }
  double not_negative(std::string_view name, const std::string& value) {
    const double number = parse_real(name, value);
    if (number < 0) throw BadValue{fmt::format("{}={}: it is not negative", name, value)};
    return number;
  }
  std::string verbosity(std::string_view name, const std::string& value) {
    const std::string text = one_of(name, value, verbosities);
    return text == "default" ? "layer_names_only" : text == "verbose" ? "detailed" : text;
  }
  int64_t version(std::string_view name, const std::string& value) { return within(name, value, 10, 11); }

  void open_profile(int64_t index) {
    if (index < 0 || index > static_cast<int64_t>(o.build.profiles.size()))
      throw BadValue{fmt::format("--profile={}: profiles are numbered from 0, one after the other", index)};
    opened_ = true;
    profile_ = static_cast<size_t>(index);
    if (profile_ == o.build.profiles.size()) o.build.profiles.emplace_back();
  }
  void shapes_of(std::string_view name, ShapeSpec ProfileSpec::* which, const std::string& value) {
    if (o.build.profiles.empty()) o.build.profiles.emplace_back();
    ShapeSpec& spec = o.build.profiles[profile_].*which;
    if (!spec.empty() && !opened_)
      throw BadValue{fmt::format("{} is given twice: several profiles need --profile=<N> before each", name)};
    spec = parse_shape_spec(name, value);
  }
  void finish_profiles() {
    for (size_t i = 0; i < o.build.profiles.size(); ++i) {
      ProfileSpec& p = o.build.profiles[i];
      if (p.empty()) throw BadValue{fmt::format("profile {} has no shapes", i)};
      if (!p.opt.empty() && p.min.empty() && p.max.empty()) p.min = p.max = p.opt;
      if (p.opt.empty() || p.min.empty() || p.max.empty())
        throw BadValue{fmt::format(
            "profile {} needs --minShapes, --optShapes and --maxShapes, or --optShapes alone", i)};
    }
  }
  void formats(std::string_view name, std::vector<IoFormat>& list, const std::string& value) {
    for (const std::string& one : split_list(value, ',')) list.push_back(parse_format(name, one));
  }
  void pools(std::string_view name, const std::string& value) {
    for (const auto& [pool, size] : parse_pairs(name, value)) {
      if (std::ranges::find(pool_names, pool) == std::end(pool_names))
        throw BadValue{fmt::format("{}: there is no pool '{}'", name, pool)};
      o.build.pools[pool] = parse_size(name, size);
    }
  }
  /// "head:fp16+fp32,*:fp32": of several results one type each.
  void output_types(std::string_view name, const std::string& value) {
    for (const auto& [layer, types] : parse_pairs(name, value)) {
      std::vector<std::string>& list =
          o.build.layer_output_types.emplace_back(layer, split_list(types, '+')).second;
      for (const std::string& type : list) (void)one_of(name, type, layer_types);
    }
  }
  void sources(std::string_view name, const std::string& value) {
    for (const std::string& one : split_list(value, ',')) {
      if (one.size() < 2 || (one[0] != '+' && one[0] != '-'))
        throw BadValue{fmt::format("{}: '{}' begins with neither + nor -", name, one)};
      const std::string library = one.substr(1);
      (void)one_of(name, library,
                   std::array<std::string_view, 5>{"CUBLAS", "CUBLAS_LT", "CUDNN", "EDGE_MASK_CONVOLUTIONS",
                                                   "JIT_CONVOLUTIONS"});
      if (library == "CUBLAS_LT") o.build.cublaslt = one[0] == '+';
      if (library == "CUDNN") o.build.cudnn = one[0] == '+';
    }
    o.build.tactic_sources = value;
  }
  static std::string text_of_file(std::string_view name, const std::string& path) {
    std::ifstream file(path);
    if (!file) throw BadValue{fmt::format("{}: cannot read '{}'", name, path)};
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void temporary_files(std::string_view name, const std::string& value) {
    for (const auto& [kind, allowed] : parse_pairs(name, value)) {
      (void)one_of(name, kind, std::array<std::string_view, 2>{"in_memory", "temporary"});
      (void)one_of(name, allowed, std::array<std::string_view, 2>{"allow", "deny"});
      if (kind == "temporary") o.build.temporary_files = allowed == "allow";
    }
  }
  void debug_formats(std::string_view name, const std::string& value) {
    for (const std::string& one : split_list(value, ','))
      o.inference.debug_formats.push_back(
          one_of(name, one, std::array<std::string_view, 4>{"summary", "numpy", "string", "raw"}));
  }
  void percentiles(std::string_view name, const std::string& value) {
    o.reporting.percentiles.clear();
    for (const std::string& one : split_list(value, ',')) {
      const double p = parse_real(name, one);
      if (p < 0 || p > 100) throw BadValue{fmt::format("{}={}: percentiles are from 0 to 100", name, one)};
      o.reporting.percentiles.push_back(p);
    }
  }
  ReferencePair& pair() {
    if (o.inference.pairs.empty()) o.inference.pairs.emplace_back();
    return o.inference.pairs[pair_];
  }
  void open_pair(int64_t index) {
    if (index < 0 || index > static_cast<int64_t>(o.inference.pairs.size()))
      throw BadValue{fmt::format("--refPair={}: pairs are numbered from 0, one after the other", index)};
    pair_ = static_cast<size_t>(index);
    if (pair_ == o.inference.pairs.size()) o.inference.pairs.emplace_back();
  }
  void add_files(Files& files, std::string_view name, const std::string& value) {
    for (auto& one : parse_pairs(name, value)) files.push_back(std::move(one));
  }

  Options& o;
  bool opened_ = false;
  size_t profile_ = 0, pair_ = 0;
};

/// What version 11 has on that version 10 has off.
void set_defaults(Options& o) {
  if (o.compat != 11) return;
  o.inference.graphs = o.inference.spin = o.inference.separate_profile = true;
  o.inference.transfers = false;
  o.build.strongly_typed = false;  // its models are typed; here a precision flag asks for more
}

}  // namespace

Options parse_options(const std::vector<std::string>& words) {
  Options o;
  UnknownFlags unknown;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    const Flag* flag = find_flag(std::string_view(word).substr(0, equals));
    const std::string value = equals == word.npos ? "" : word.substr(equals + 1);
    if (flag) o.given.emplace_back(flag, value);
    else unknown.flags.push_back(equals == word.npos ? word : word.substr(0, equals) + " " + value);
  }
  if (!unknown.flags.empty()) throw unknown;
  Reader reader(o);
  for (const auto& [flag, value] : o.given)
    if (flag->name == "--compat") {
      const int64_t version = parse_integer("--compat", value);
      if (version != 10 && version != 11) throw BadValue{"--compat is 10 or 11"};
      o.compat = static_cast<int>(version);
    }
  set_defaults(o);
  for (const auto& [flag, value] : o.given) {
    if (value.empty() && !flag->value.empty() && flag->value.front() == '<')
      throw BadValue{fmt::format("{} needs a value: {}={}", flag->name, flag->name, flag->value)};
    reader.read(flag->name, value);
  }
  reader.finish();
  return o;
}

}  // namespace burnish::cli::trtexec
