#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/progress.h"
#include "cli/report/document.h"
#include "cli/report/exported.h"
#include "cli/report/match.h"
#include "cli/report/page.h"
#include "cli/timing.h"

namespace burnish::cli {

struct ReportRequest {
  std::vector<std::string> engines, layers, profiles, times, shapes, plugins;
  std::string device, output;
  InputChoices inputs;
  bool no_run = false;
  bool verbose = false;
};

static Json read_json(const std::string& path, const std::string& what) {
  require_readable(path, what);
  std::ifstream file(path, std::ios::binary);
  try {
    return Json::parse(file);
  } catch (const Json::parse_error& error) {
    fail(fmt::format("the {} '{}' is no JSON from byte {} on", what, path, error.byte), "export it again");
  }
}

/// Uses a file by `work`, whose complaints get its name.
static void with_file(const std::string& path, const std::string& what,
                      const std::function<void(const Json&)>& work) {
  const Json json = read_json(path, what);
  const std::string prefix = fmt::format("cannot use the {} '{}': ", what, path);
  try {
    work(json);
  } catch (const Failure& failure) {
    fail(prefix + failure.cause, failure.remedy);
  } catch (const Json::exception& error) {
    std::string why = error.what();  // "[json.exception.type_error.302] type must be …"
    fail(prefix + why.substr(why.find("] ") + 2), "export it again; burnish report --help says with what");
  }
}

/// Extents of free axes by their names, as far as the shapes of inputs tell.
static report::Extents extents_of(const std::vector<burnish_port>& ports, const Shapes& shapes) {
  report::Extents extents;
  for (const burnish_port& port : ports)
    if (auto found = shapes.find(port.name); found != shapes.end())
      for (int axis = 0; axis < port.rank && axis < std::ssize(found->second); ++axis)
        if (port.shape[axis] < 0 && found->second[axis] >= 0)
          extents.try_emplace(port.axes[axis], found->second[axis]);
  return extents;
}

/// A profile is taken some times, and each step's median kept: one alone has what else happened in it.
static Json median_profile(burnish_context* context) {
  std::vector<Json> profiles;
  for (int i = 0; i < 5; ++i) profiles.push_back(steps_of(context));
  for (size_t step = 0; step < profiles[0].size(); ++step) {
    std::vector<double> values;
    for (const Json& profile : profiles) values.push_back(profile.at(step).value("ms", 0.0));
    profiles[0][step]["ms"] = quantiles(std::move(values)).median;
  }
  return profiles[0];
}

static report::Measurement measure_engine(const ReportRequest& request, const std::string& file,
                                          burnish_engine* engine) {
  Progress progress("timing " + file, request.verbose);
  InputChoices choices = request.inputs;
  choices.shapes = parse_shapes(request.shapes);
  const std::vector<burnish_port> ports = inputs_of(engine);
  Arrays inputs = in_engine_order(engine, make_inputs(ports, choices));
  Place place = place_engine(engine, file, parse_device(request.device));
  set_inputs(place.context.get(), inputs);
  time_runs(place.context.get(), 3, 0, progress, "warming up");
  const std::vector<burnish_timing> timings = time_runs(place.context.get(), 0, 1, progress, "measuring");
  report::Measurement measured;
  measured.device = place.device;
  measured.times = {{"host", json_of(quantiles_of(timings, &burnish_timing::host_ms))},
                    {"runs", timings.size()}};
  if (place.device != "cpu") measured.times["gpu"] = json_of(quantiles_of(timings, &burnish_timing::gpu_ms));
  double spent = 0;
  for (const burnish_timing& timing : timings) spent += timing.host_ms;
  measured.times["runs_per_second"] = 1e3 * static_cast<double>(timings.size()) / spent;
  measured.steps = median_profile(place.context.get());
  measured.context = description_of(place.context.get());
  Shapes shapes;
  for (const auto& [name, array] : inputs) shapes[name] = array.shape;
  measured.extents = extents_of(ports, shapes);
  return measured;
}

static bool has_target(const burnish_engine* engine, const std::string& target) {
  return fmt::format(" {} ", burnish_engine_targets(engine)).find(" " + target + " ") != std::string::npos;
}

/// What is known of a run that is not made here: the extents that were asked for, and where files of bench are among the figures
/// that are given, which plan ran, with which extents, and in what memory. Times are added later.
static report::Measurement run_elsewhere(const ReportRequest& request, size_t subject,
                                         const burnish_engine* engine) {
  const std::vector<burnish_port> ports = inputs_of(engine);
  const Shapes asked = parse_shapes(request.shapes);
  check_shapes(ports, asked);
  report::Measurement run{.extents = extents_of(ports, asked)};
  for (const auto& [files, what] : {std::pair(&request.profiles, "profile"), {&request.times, "times"}})
    if (subject < files->size())
      with_file((*files)[subject], what, [&](const Json& json) {
        if (!json.is_object() || !json.contains("inputs")) return;
        if (const std::string target = json.value("target", "");
            !target.empty() && !has_target(engine, target))
          fail(fmt::format("it was measured on {}, and the engine is built for {}", target,
                           burnish_engine_targets(engine)),
               "measure this engine: burnish bench ENGINE --profile --json FILE");
        Shapes shapes;
        for (const auto& [name, input] : json["inputs"].items()) input.at("shape").get_to(shapes[name]);
        run.extents = extents_of(ports, shapes);
        run.context = json;
      });
  return run;
}

/// The plan for a target; without one, for the first GPU, else the CPU.
static const Json& choose_plan(const Json& plans, const std::string& target) {
  for (const Json& plan : plans)
    if (target.empty() ? plan.value("target", "") != "cpu" : plan.value("target", "") == target) return plan;
  return plans.at(0);
}

/// Why an engine cannot run here though nobody said where; "" where it can.
static std::string why_not_here(const ReportRequest& request, const burnish_engine* engine) {
  if (!request.device.empty() || has_target(engine, "cpu")) return "";
  burnish_error* error = nullptr;
  const bool none = burnish_device_count(&error) == 0;
  const std::string why = error ? burnish_error_cause(error) : "there is no GPU";
  burnish_error_free(error);
  return none ? why : "";
}

/// Where its times come from files it need not run. `subject`: its place among those that files are given for.
static Json report_engine(const ReportRequest& request, const std::string& file, size_t subject) {
  Engine engine = open_engine(file);
  char* text = nullptr;
  burnish_error* error = nullptr;
  check(burnish_engine_describe(engine.get(), &text, &error), error);
  const Json description = Json::parse(Text(text, burnish_text_free).get());
  const std::string why_not = why_not_here(request, engine.get());
  const bool known = subject < std::max(request.profiles.size(), request.times.size());
  const report::Measurement measured = request.no_run || known || !why_not.empty()
                                           ? run_elsewhere(request, subject, engine.get())
                                           : measure_engine(request, file, engine.get());
  const std::string asked = request.device == "cpu" ? "cpu" : "";
  const std::string target = measured.context.is_null() ? asked : measured.context.value("target", asked);
  Json document = report::engine_document(description, choose_plan(description["plans"], target), measured);
  document["file"] = file;
  if (!why_not.empty()) document["not_run"] = why_not;
  return document;
}

static Json report_layers(const std::string& file) {
  Json engine;
  with_file(file, "layer file", [&](const Json& json) { engine = report::exported_engine(json); });
  engine["file"] = file;
  return engine;
}

static Json collect(const ReportRequest& request) {
  Json engines = Json::array();
  for (size_t i = 0; i < request.engines.size(); ++i)
    engines.push_back(report_engine(request, request.engines[i], request.layers.size() + i));
  for (const std::string& file : request.layers) engines.push_back(report_layers(file));
  // Layer files have no times of their own, so what is given is theirs first.
  auto subject = [&](size_t i) -> Json& {
    const size_t layers = request.layers.size();
    return engines[i < layers ? request.engines.size() + i : i - layers];
  };
  for (size_t i = 0; i < request.profiles.size(); ++i)
    with_file(request.profiles[i], "profile",
              [&](const Json& json) { report::add_profile(subject(i), json); });
  for (size_t i = 0; i < request.times.size(); ++i)
    with_file(request.times[i], "times", [&](const Json& json) { report::add_times(subject(i), json); });
  Json document = {{"schema", 1}, {"burnish", burnish_version()}};
  if (engines.size() == 2)
    document["comparison"] = report::match_layers(engines[0]["layers"], engines[1]["layers"]);
  document["engines"] = std::move(engines);
  return document;
}

static void check_counts(const ReportRequest& request) {
  const size_t subjects = request.engines.size() + request.layers.size();
  if (subjects == 0)
    fail("burnish report: there is nothing to report on",
         "name an engine, or a file of layers: --layers graph.json");
  if (subjects > 2)
    fail(fmt::format("burnish report shows one engine or compares two, and {} are given", subjects),
         "compare them in pairs");
  for (const auto& [option, files] : {std::pair("--profile", &request.profiles), {"--times", &request.times}})
    if (files->size() > subjects)
      fail(fmt::format("{} is given {} times for {} engine{}", option, files->size(), subjects,
                       subjects == 1 ? "" : "s"),
           "give it once for each");
}

static int report_on(const ReportRequest& request) {
  check_counts(request);
  parse_device(request.device);
  require_writable(request.output);
  load_plugins(request.plugins);
  const std::string html = report::page(collect(request));
  Progress::clear_line();
  write_text(request.output, html);
  fmt::print("{}\n", request.output);
  return 0;
}

void add_report(CLI::App& app, Action& action) {
  auto request = std::make_shared<ReportRequest>();
  CLI::App& command =
      add_command(app, "report", "Write a page about an engine, or two side by side, for a browser",
                  "  burnish report resnet50.engine -o report.html\n"
                  "  burnish report old.engine new.engine -o report.html          layer by layer\n"
                  "  burnish report --layers graph.json --profile profile.json -o report.html\n");
  command.add_option("ENGINE", request->engines, "The engine, or two to compare")
      ->type_name("")
      ->expected(0, 2);
  command.add_option("-o,--output", request->output, "The page")
      ->type_name("FILE")
      ->required()
      ->group("Outputs");
  auto files = [&](const char* name, std::vector<std::string>& list, const char* help) {
    command.add_option(name, list, help)
        ->type_name("FILE")
        ->allow_extra_args(false)
        ->group("What is known already");
  };
  files("--layers", request->layers, "Layers in place of an engine: trtexec's --exportLayerInfo");
  files("--profile", request->profiles,
        "Times of layers: trtexec's --exportProfile; or bench --profile --json, which says all. For each "
        "--layers, then each ENGINE");
  files("--times", request->times, "Times of runs: trtexec's --exportTimes, or bench --json. Likewise");
  command
      .add_flag("--no-run", request->no_run,
                "Show what the engine says without running it, as where --profile or --times is given")
      ->group("Where");
  add_input_options(command, request->inputs);
  add_shapes_option(
      command, request->shapes,
      fmt::format("Free extents of random inputs; other free axes are {}", FreeExtents::otherwise));
  add_device_option(command, request->device,
                    "GPU 0 if it is there and the engine is built for it, else cpu");
  add_plugin_option(command, request->plugins);
  add_verbose_option(command, request->verbose);
  command.callback([request, &action] { action = [request] { return report_on(*request); }; });
}

}  // namespace burnish::cli
