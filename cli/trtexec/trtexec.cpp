#include "cli/trtexec/trtexec.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/compiler.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/trtexec/accuracy.h"
#include "cli/trtexec/debug_tensors.h"
#include "cli/trtexec/device_report.h"
#include "cli/trtexec/engine_source.h"
#include "cli/trtexec/inference.h"
#include "cli/trtexec/interface_version.h"
#include "cli/trtexec/layer_info.h"
#include "cli/trtexec/layer_profile.h"
#include "cli/trtexec/metadata.h"
#include "cli/trtexec/option_report.h"
#include "cli/trtexec/outputs.h"
#include "cli/trtexec/performance_report.h"
#include "cli/trtexec/route_results.h"
#include "cli/trtexec/route_tuning.h"
#include "cli/trtexec/session.h"

namespace burnish::cli::trtexec {

namespace {

/// Work that ends the program with this line if it fails.
struct StageFailed {
  std::string line;
};
template <class Work>
auto stage(const char* line, const Log& log, const Work& work) {
  try {
    return work();
  } catch (const Failure& failure) {
    log.error(failure.cause + "; try: " + failure.remedy);
    throw StageFailed{line};
  }
}

/// What the engine is built for, and where it runs.
struct Place {
  std::string target;         // "cpu", "sm_90"
  std::optional<int> device;  // none: the CPU
};

Place place_of(const Options& o) {
  if (o.build.target == "cpu") return {"cpu", {}};
  burnish_error* error = nullptr;
  if (burnish_device_count(&error) == 0) {
    const std::string why = error ? burnish_error_cause(error) : "no device";
    burnish_error_free(error);
    if (!o.build.target.empty() && o.build.skip_inference) return {o.build.target, {}};
    fail("there is no GPU here: " + why, "--target=cpu builds for the CPU and runs there");
  }
  burnish_error_free(error);
  error = nullptr;
  burnish_device_info info{};
  check(burnish_device_describe(o.device, &info, &error), error);
  return {o.build.target.empty() ? info.target : o.build.target, o.device};
}

std::string context_target(const Session& session) {
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_context_describe(session.context(), &json, &error), error);
  const Text text(json, burnish_text_free);
  return nlohmann::json::parse(json)["target"];
}

std::vector<burnish_weight_info> weights_of(const burnish_engine* engine) {
  std::vector<burnish_weight_info> weights(static_cast<size_t>(burnish_engine_weight_count(engine)));
  for (size_t i = 0; i < weights.size(); ++i) burnish_engine_weight(engine, static_cast<int>(i), &weights[i]);
  return weights;
}

void report_refittable(const burnish_engine* engine, const Log& log) {
  const std::vector<burnish_weight_info> weights = weights_of(engine);
  if (weights.empty()) log.info("Refittable layers: none; the engine was not built with --refit.");
  for (const burnish_weight_info& w : weights)
    log.info(fmt::format("Refittable: ({}, {}), weights {} of {} values{}", w.layer, w.role, w.name,
                         w.bytes / burnish_dtype_size(w.dtype), w.fixed ? ", by themselves alone" : ""));
}

/// An engine without weights that nothing was said to refit from.
void require_weights(const burnish_engine* engine, const Log& log) {
  if (burnish_engine_is_stripped(engine) == 0) return;
  for (const burnish_weight_info& w : weights_of(engine))
    if (!w.data) log.error(fmt::format("Missing ({}, {}) for refitting.", w.layer, w.role));
  fail("the engine has no weights", "add --refitFromOnnx=<file>, or --skipInference");
}

void report_layers(const burnish_engine* engine, const std::string& target, const Options& o,
                   const Log& log) {
  const ReportingOptions& r = o.reporting;
  if (r.refit) report_refittable(engine, log);
  if (r.layers) log.info("Layer Information:\n" + layer_text(engine, target, o.build.verbosity));
  if (r.profiles) log.info("Optimization Profile Information:\n" + profiles_text(engine));
  if (!r.layers_file.empty())
    write_text(r.layers_file, layer_json(engine, target, o.build.verbosity, o.layer_schema));
}

void report_graphs(const Session& session, const std::string& target, const Options& o, const Log& log) {
  if (!o.inference.graphs || !session.device()) return;
  log.info("Capturing CUDA graph for the current execution context");
  if (all_on_gpu(session.engine(), target)) {
    log.info("Successfully captured CUDA graph for the current execution context");
    return;
  }
  log.warn("The engine holds operations that cannot be captured: steps between graphs run on the host.");
  log.warn(o.compat == 11 ? "CUDA graph capture failed. What lies between those steps runs as graphs."
                          : "--useCudaGraph holds only for what lies between those steps.");
}

uint64_t engine_bytes(const burnish_engine* engine) {
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_engine_describe(engine, &json, &error), error);
  const Text text(json, burnish_text_free);
  return nlohmann::json::parse(json)["file_bytes"];
}

void time_queries(const Session& session, const Options& o, const Log& log) {
  log.info("Starting inference");
  const Trace trace = run_inference(session, o.inference);
  log.info(fmt::format("Warmup completed {} queries over {} ms", trace.warm_up_queries,
                       number_text(trace.warm_up_ms)));
  log.info(fmt::format("Timing trace has {} queries over {} s", trace.queries.size(),
                       number_text(trace.wall_seconds())));
  report_performance(trace, o, session.device().has_value(), log);
  if (!o.tuning.route.empty() && o.build.load_engine.empty())
    RouteResults(o.tuning.cache_file)
        .add_measured(o.model.onnx, o.tuning.route, engine_bytes(session.engine()), trace);
  if (!o.reporting.times_file.empty()) write_text(o.reporting.times_file, trace_json(trace));
  if (!o.reporting.metadata_file.empty())
    write_text(o.reporting.metadata_file, metadata_json(trace, o, session.device(), context_target(session)));
}

void profile(const Session& session, const Options& o, const Log& log) {
  const LayerProfile layers = profile_layers(session, o.inference);
  if (o.reporting.profile) report_profile(layers, log);
  if (!o.reporting.profile_file.empty()) write_text(o.reporting.profile_file, profile_json(layers));
}

void write_outputs(Session& session, const Options& o, const Log& log) {
  const ReportingOptions& r = o.reporting;
  if (!r.output && !r.raw_bindings && r.output_file.empty()) return;
  const Arrays outputs = session.run({});
  if (r.output) dump_outputs(session, outputs, log);
  if (!r.output_file.empty()) write_text(r.output_file, outputs_json(session, outputs));
  if (r.raw_bindings) write_raw_bindings(session, outputs, log);
}

/// The profiler runs layer by layer, so what it runs is no measure of the whole.
void measure(Session& session, const Options& o, const Log& log) {
  const bool apart = o.inference.separate_profile || !o.reporting.wants_profile();
  if (apart) time_queries(session, o, log);
  else log.info("Starting inference");
  if (!apart) {
    log.info(
        "The end-to-end performance report is left out: the layer profiler runs the engine layer by layer.");
    log.info("Add --separateProfileRun for both, in two runs.");
  }
  if (o.reporting.wants_profile()) profile(session, o, log);
  write_outputs(session, o, log);
  save_debug_tensors(session, o.inference, log);
}

/// What only a GPU can do.
void warn_without_gpu(const Options& o, const Log& log) {
  for (const char* flag : {"--useManagedMemory", "--persistentCacheRatio"})
    if (o.has(flag)) log.warn(fmt::format("{} has no effect on the CPU.", flag));
}

void infer(Engine engine, const Place& place, const Options& o, const Log& log) {
  if (!place.device) warn_without_gpu(o, log);
  std::string target;
  Session session = stage("Inference set up failed", log, [&] {
    require_weights(engine.get(), log);
    Session made(std::move(engine), place.device, o, log);
    require_debug_tensors(made, o.inference);
    target = context_target(made);
    report_layers(made.engine(), target, o, log);
    report_graphs(made, target, o, log);
    return made;
  });
  const bool accurate = stage("Error occurred during inference", log, [&] {
    measure(session, o, log);
    return check_accuracy(session, o.inference, log);
  });
  if (!accurate) throw StageFailed{"The accuracy loss is at or over --accuracyThreshold"};
}

void refuse_flags(const Options& o, const Log& log) {
  bool refused = false;
  for (const auto& [flag, value] : o.given)
    if (flag->treatment == Treatment::refused) {
      log.error(fmt::format("{} is refused: {}.", flag->name, flag->text));
      refused = true;
    }
  if (refused) throw StageFailed{"The command asks for what Burnish does not have"};
}

void report_versions(const Log& log) {
  log.info(fmt::format("TensorRT version: {}", interface_version));
  log.info(fmt::format("Burnish version: {} (this is Burnish, which follows the interface of that version)",
                       burnish_version()));
  log.info("Loading standard plugins");
}

/// Before the engine, which may be loaded rather than built.
void load_plugins_of(const BuildOptions& b, const Log& log) {
  for (const std::vector<std::string>& files : {b.static_plugins, b.dynamic_plugins})
    for (const std::string& file : files) {
      log.info(fmt::format("Loading supplied plugin library: {}", file));
      load_plugins({file});
    }
}

void require_writable_files(const Options& o) {
  if (const std::string& folder = o.reporting.folder; !folder.empty()) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) fail("cannot make the folder '" + folder + "': " + error.message(), "name another one");
  }
  for (const std::string& file : {o.build.save_engine, o.reporting.times_file, o.reporting.output_file,
                                  o.reporting.profile_file, o.reporting.layers_file})
    if (!file.empty()) require_writable(file);
}

void work(const Options& o, Log& log) {
  report_options(o, log);
  log.verbose = o.reporting.verbose;
  warn_of_idle_flags(o, log);
  refuse_flags(o, log);
  const char* set_up = "Engine set up failed";
  if (o.tunes_routes() && o.tuning.dry_run) return list_build_routes(o.tuning, log);
  if (o.build.version_only) return stage(set_up, log, [&] { report_version(o.build.load_engine, log); });
  const Place place = stage(set_up, log, [&] {
    require_writable_files(o);
    return place_of(o);
  });
  stage(set_up, log, [&] { report_device(place.device, place.target, log); });
  log.info("");
  report_versions(log);
  stage(set_up, log, [&] { load_plugins_of(o.build, log); });
  Engine engine = stage(set_up, log, [&] {
    if (o.tunes_routes()) return tune_build_routes(o, place.target, place.device, log);
    return o.build.load_engine.empty() ? build_engine_of(o, place.target, log) : load_engine_of(o, log);
  });
  if (o.build.skip_inference) {
    stage(set_up, log, [&] { report_layers(engine.get(), place.target, o, log); });
    return log.info("Skipped inference phase since --skipInference is added.");
  }
  if (o.inference.time_deserialize) {
    const std::string& path = o.build.load_engine.empty() ? o.build.save_engine : o.build.load_engine;
    return stage(set_up, log, [&] {
      if (path.empty())
        fail("--timeDeserialize needs an engine in a file", "add --loadEngine=<file> or --saveEngine=<file>");
      time_loading(path, log);
    });
  }
  infer(std::move(engine), place, o, log);
}

int helpless(const std::vector<std::string>& messages, int compat, const std::string& command,
             const Log& log) {
  fmt::print("{}", help_text());
  std::fflush(stdout);
  for (const std::string& message : messages) log.error(message);
  if (compat != 11) print_state(State::failed, command);
  return 1;
}

bool wants_eleven(const std::vector<std::string>& words) {
  return std::ranges::find(words, "--compat=11") != words.end();
}

}  // namespace

int run(const std::string& name, const std::vector<std::string>& words) {
  std::string command = name;
  for (const std::string& word : words) command += " " + word;
  Log log;
  print_state(State::running, command);
  const int compat = wants_eleven(words) ? 11 : 10;
  try {
    if (words.empty()) {
      fmt::print("{}", help_text());
      if (compat == 10) print_state(State::passed, command);
      return 0;
    }
    const Options options = parse_options(words);
    if (options.help) return fmt::print("{}", help_text()), 0;
    if (options.route_help)
      return stage("The compiler cannot be asked", log,
                   [&] { return print_build_knobs(*options.route_help); });
    work(options, log);
    print_state(State::passed, command);
    return 0;
  } catch (const UnknownFlags& unknown) {
    std::vector<std::string> messages;
    for (const std::string& flag : unknown.flags) messages.push_back("Unknown option: " + flag);
    return helpless(messages, compat, command, log);
  } catch (const BadValue& bad) {
    return helpless({bad.what}, compat, command, log);
  } catch (const StageFailed& failed) {
    log.error(failed.line);
  } catch (const std::exception& unexpected) {
    log.error(fmt::format("Uncaught exception detected: {}", unexpected.what()));
  }
  print_state(State::failed, command);
  return 1;
}

}  // namespace burnish::cli::trtexec
