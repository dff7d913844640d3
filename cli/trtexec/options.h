#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/trtexec/flags.h"
#include "cli/trtexec/shape_spec.h"

namespace burnish::cli::trtexec {

/// One profile as given; what is not given of min and max is opt.
struct ProfileSpec {
  ShapeSpec min, opt, max;
  bool empty() const { return min.empty() && opt.empty() && max.empty(); }
};

/// Files by the name of an input or output.
using Files = std::vector<std::pair<std::string, std::string>>;
/// Inputs, and what outputs should be for them.
struct ReferencePair {
  Files inputs, outputs;
};

/// A tensor's type and layout: -1, or false where nothing is said.
struct IoFormat {
  std::string text;  // as given
  int dtype = -1;    // a burnish_dtype
  bool channels_last = false;
};

struct ModelOptions {
  std::string onnx;
};

struct BuildOptions {
  std::vector<ProfileSpec> profiles;
  std::vector<IoFormat> input_formats, output_formats;
  bool tf32 = true, fp16 = false, bf16 = false, int8 = false, fp8 = false, int4 = false, best = false;
  bool strongly_typed = false;
  std::vector<std::pair<std::string, std::string>> layer_precisions;
  std::vector<std::pair<std::string, std::vector<std::string>>> layer_output_types;
  std::vector<std::string> decomposable_attentions, debug_tensors;
  bool debug_unfused = false;
  std::string calib, precision_constraints = "none", sparsity = "disable";
  int64_t calib_profile = 0;
  std::map<std::string, int64_t> pools;  // bytes
  int64_t avg_timing = 1, level = -1, max_tactics = -1, max_aux_streams = -1;
  std::optional<bool> cublaslt, cudnn;
  std::string tactic_sources, timing_cache;
  bool builder_cache = true, error_on_cache_miss = false, heuristic = false, monitor_memory = false;
  bool compilation_cache = true, version_compatible = false, cpu_only = false;
  std::string temporary_folder;  // empty: the usual one
  bool temporary_files = true;
  std::string save_engine, load_engine, hardware = "none", platform = "SameAsBuild", target;
  bool skip_inference = false, version_only = false;
  std::vector<std::string> static_plugins, dynamic_plugins;
  bool plugin_override = false;
  bool refit = false, strip_weights = false;
  std::string refit_from;
  std::string verbosity = "layer_names_only";
};

/// Build routes: one that is taken, or several that are tried.
struct TuningOptions {
  std::string route;                    // of --setBuildRoute
  std::string routes, search = "fast";  // to be tried
  std::string cache_file;
  double time_out = -1;  // seconds
  bool save_all = false, dry_run = false, resume = false;
};

struct InferenceOptions {
  ShapeSpec shapes;
  std::vector<ReferencePair> pairs;
  std::string algorithm = "l0";
  double atol = 1e-5, rtol = 1e-5;
  std::optional<double> threshold;
  int64_t iterations = 10, streams = 1, profile = 0;
  bool profile_given = false;
  double warm_up = 200, duration = 3, sleep = 0, idle = 0;  // ms, s, ms, ms
  bool transfers = true, spin = false, graphs = false, expose_dma = false, threads = false;
  Files debug_files;                       // raw, by debug tensor
  std::vector<std::string> debug_formats;  // of all debug tensors
  bool time_deserialize = false, time_refit = false, separate_profile = false, managed_memory = false;
  std::string allocation;       // strategy; empty: what the shapes of the run need
  double persistent_cache = 0;  // share of what the L2 cache may set aside
  /// The first pair's.
  const Files& inputs() const;
};

struct ReportingOptions {
  bool verbose = false, refit = false, output = false, raw_bindings = false, profile = false;
  bool layers = false, profiles = false;
  int64_t averages = 10;
  std::vector<double> percentiles = {90, 95, 99};
  std::string times_file, output_file, profile_file, layers_file, metadata_file, folder;
  bool wants_profile() const { return profile || !profile_file.empty(); }
};

struct Options {
  int compat = 10, layer_schema = 10, device = 0;
  bool help = false;
  std::optional<std::string> route_help;  // the knob, or nothing
  ModelOptions model;
  BuildOptions build;
  TuningOptions tuning;
  InferenceOptions inference;
  ReportingOptions reporting;
  std::vector<std::pair<const Flag*, std::string>> given;  // in order, with their values

  bool has(std::string_view name) const;
  /// Several builds are tried; an engine that is loaded is built already.
  bool tunes_routes() const { return !tuning.routes.empty() && build.load_engine.empty(); }
};

/// Reads the words after the program's name. Throws BadValue for what is wrong with a value, UnknownFlags for what is no flag.
Options parse_options(const std::vector<std::string>& words);
struct UnknownFlags {
  std::vector<std::string> flags;  // "--x v"
};

}  // namespace burnish::cli::trtexec
