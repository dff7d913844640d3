#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace burnish::cli {

using Json = nlohmann::ordered_json;

struct BenchRequest {
  std::string engine, device, json;
  std::vector<std::string> shapes;
  InputChoices inputs;
  int iterations = 0;  // 0: as many as fit into `seconds`
  double seconds = 3;
  int warmup = 10;
  bool batch = false;
  bool profile = false;
  bool verbose = false;
};

/// The times of `count` runs, in portions of a quarter of a second, so that progress can be seen.
static std::vector<burnish_timing> time_runs(burnish_context* context, int count, double seconds,
                                             Progress& progress, const char* stage) {
  std::vector<burnish_timing> timings;
  auto begin = std::chrono::steady_clock::now();
  double spent = 0;
  for (int portion = 1; count ? static_cast<int>(timings.size()) < count : spent < seconds;) {
    if (count) progress.stage(stage, static_cast<int>(timings.size()), count);
    else progress.stage(stage, static_cast<int>(spent * 10), static_cast<int>(std::ceil(seconds * 10)));
    if (count) portion = std::min(portion, count - static_cast<int>(timings.size()));
    timings.resize(timings.size() + portion);
    burnish_error* error = nullptr;
    check(burnish_context_time(context, portion, &timings[timings.size() - portion], &error), error);
    spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    double quarter = 0.25 * static_cast<double>(timings.size()) / std::max(spent, 1e-9);
    portion = static_cast<int>(std::clamp(quarter, 1.0, 1e5));
  }
  return timings;
}

struct Quantiles {
  double median, p90, p99, mean, min;
};

/// The value below which the fraction lies, the nearest one measured.
static Quantiles quantiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  auto at = [&](double fraction) {
    return values[static_cast<size_t>(std::ceil(fraction * static_cast<double>(values.size()))) - 1];
  };
  return {at(0.5), at(0.9), at(0.99),
          std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()),
          values.front()};
}

static Json json_of(const Quantiles& q) {
  return {{"median", q.median}, {"p90", q.p90}, {"p99", q.p99}, {"mean", q.mean}, {"min", q.min}};
}

static std::vector<std::string> row_of(const char* name, const Quantiles& q) {
  auto ms = [](double value) { return fmt::format("{:.4f}", value); };
  return {name, ms(q.median), ms(q.p90), ms(q.p99), ms(q.mean), ms(q.min)};
}

static std::string profile_table(burnish_context* context) {
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_context_profile(context, &json, &error), error);
  Text text(json, burnish_text_free);
  Json steps = Json::parse(json);
  double total = 0;
  for (const Json& step : steps) total += step.value("ms", 0.0);
  std::vector<std::vector<std::string>> rows{{"ms", "%", "kind", "step"}};
  for (const Json& step : steps)
    rows.push_back({fmt::format("{:.4f}", step.value("ms", 0.0)),
                    fmt::format("{:.1f}", total > 0 ? 100 * step.value("ms", 0.0) / total : 0),
                    step.value("kind", ""), step.value("name", "")});
  return fmt::format("\n{} steps one by one, {:.4f} ms together:\n{}", steps.size(), total, table(rows));
}

/// --batch means something only where an input leaves axis 0 free.
static void require_free_batch(const std::vector<burnish_port>& ports) {
  for (const burnish_port& port : ports)
    if (port.rank > 0 && port.shape[0] < 0) return;
  fail("--batch: axis 0 of every input is fixed in this engine",
       "build it without fixing that axis: --shapes NAME:?x…");
}

static int bench(const BenchRequest& request) {
  InputChoices choices = request.inputs;
  choices.shapes = parse_shapes(request.shapes);
  DeviceChoice device = parse_device(request.device);
  if (!request.json.empty()) require_writable(request.json);

  Progress progress("timing " + request.engine, request.verbose);
  progress.stage("opening the engine");
  Engine engine = open_engine(request.engine);
  std::vector<burnish_port> ports = inputs_of(engine.get());
  if (request.batch) require_free_batch(ports);
  Arrays inputs = make_inputs(ports, choices);
  progress.stage("loading");
  Place place = place_engine(engine.get(), request.engine, device);
  set_inputs(place.context.get(), inputs);
  if (request.warmup) time_runs(place.context.get(), request.warmup, 0, progress, "warming up");
  auto begin = std::chrono::steady_clock::now();
  std::vector<burnish_timing> timings =
      time_runs(place.context.get(), request.iterations, request.seconds, progress, "measuring");
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  std::vector<double> gpu, host;
  for (const burnish_timing& timing : timings) gpu.push_back(timing.gpu_ms), host.push_back(timing.host_ms);
  Quantiles of_gpu = quantiles(gpu), of_host = quantiles(host);
  double rate = static_cast<double>(timings.size()) / seconds;
  bool on_gpu = place.device != "cpu";
  std::vector<std::vector<std::string>> shapes, rows{{"ms", "median", "p90", "p99", "mean", "min"}};
  for (const burnish_port& port : ports)
    shapes.push_back({port.name, burnish_dtype_name(port.dtype), shape_text(inputs.at(port.name).shape)});
  if (on_gpu) rows.push_back(row_of("GPU", of_gpu));
  rows.push_back(row_of("host", of_host));
  int64_t batch = !ports.empty() && ports[0].rank ? inputs.at(ports[0].name).shape[0] : 1;

  Progress::clear_line();
  fmt::print("{} on {}, {} runs after {} to warm up\n{}\n{}\n", request.engine, place.device, timings.size(),
             request.warmup, table(shapes), table(rows));
  fmt::print(
      "  {:.1f} runs/s{}\n", rate,
      batch > 1 ? fmt::format(", {:.1f} items/s at batch {}", rate * static_cast<double>(batch), batch) : "");
  if (request.profile) fmt::print("{}", profile_table(place.context.get()));

  if (request.json.empty()) return 0;
  Json result{{"engine", request.engine}, {"device", place.device},   {"version", burnish_version()},
              {"runs", timings.size()},   {"warmup", request.warmup}, {"batch", batch}};
  for (const burnish_port& port : ports)
    result["inputs"][port.name] = {{"dtype", burnish_dtype_name(port.dtype)},
                                   {"shape", inputs.at(port.name).shape}};
  if (on_gpu) result["gpu_ms"] = json_of(of_gpu);
  result["host_ms"] = json_of(of_host);
  result["runs_per_second"] = rate;
  write_text(request.json, result.dump(1) + "\n");
  return 0;
}

void add_bench(CLI::App& app, Action& action) {
  auto request = std::make_shared<BenchRequest>();
  CLI::App& command =
      add_command(app, "bench", "Time an engine: median, p90, p99 on the GPU and on the host",
                  "  burnish bench resnet50.engine\n"
                  "  burnish bench resnet50.engine --batch 32 --iterations 500\n"
                  "  burnish bench bert.engine --shapes input_ids:1x128 --profile     where the time goes\n");
  command.add_option("ENGINE", request->engine, "The engine")->required()->type_name("");
  auto* iterations = command.add_option("--iterations", request->iterations, "Time this many runs")
                         ->type_name("N")
                         ->check(CLI::Range(1, 10'000'000).description(""))
                         ->group("How long");
  command.add_option("--duration", request->seconds, "Time runs for this many seconds. Default: 3")
      ->type_name("S")
      ->check(CLI::Range(0.001, 86400.0).description(""))
      ->group("How long")
      ->excludes(iterations);
  command.add_option("--warmup", request->warmup, "Runs before the timed ones. Default: 10")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""))
      ->group("How long");
  add_input_options(command, request->inputs);
  auto* batch = command
                    .add_option("--batch", request->inputs.batch,
                                "Extent of a free axis 0 of random inputs. Default: 1")
                    ->type_name("N")
                    ->check(CLI::Range(1, 1'000'000).description(""))
                    ->group("Inputs");
  add_shapes_option(
      command, request->shapes,
      fmt::format("Free extents of random inputs; other free axes are {}", FreeExtents::otherwise));
  command.add_option("--json", request->json, "Keep the figures in a file")
      ->type_name("FILE")
      ->group("Outputs");
  command.add_flag("--profile", request->profile, "A table of steps, each run by itself")->group("Outputs");
  add_device_option(command, request->device,
                    "GPU 0 if it is there and the engine is built for it, else cpu");
  add_verbose_option(command, request->verbose);
  command.callback([request, batch, &action] {
    request->batch = batch->count() > 0;
    action = [request] { return bench(*request); };
  });
}

}  // namespace burnish::cli
