#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/plugins.h"
#include "cli/progress.h"
#include "cli/roofline.h"
#include "cli/table.h"
#include "cli/timing.h"

namespace burnish::cli {

struct BenchRequest {
  std::string engine, device, json;
  std::vector<std::string> shapes, plugins;
  InputChoices inputs;
  int iterations = 0;  // 0: as many as fit into `seconds`
  double seconds = 3;
  int warmup = 10;
  bool batch = false;
  bool profile = false;
  bool flush_l2 = false;
  bool verbose = false;
};

static std::vector<std::string> row_of(const char* name, const Quantiles& q) {
  auto ms = [](double value) { return fmt::format("{:.4f}", value); };
  return {name, ms(q.median), ms(q.p90), ms(q.p99), ms(q.mean), ms(q.min)};
}

static std::string percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f}", 100 * part / whole) : "";
}

/// Steps, and layer by layer how much of its time would be left at the GPU's peak.
static std::string profile_table(const Json& steps, const std::vector<Layer>& layers) {
  double total = 0;
  for (const Layer& layer : layers) total += layer.ms;
  bool known = least_ms(layers).has_value();
  std::vector<std::vector<std::string>> rows{{"ms", "%", "kind", "step"}};
  if (known) rows[0].insert(rows[0].begin() + 2, "% of roofline");
  auto layer = layers.begin();
  for (size_t i = 0; i < steps.size(); ++i) {
    const Json& step = steps[i];
    std::string name = step.value("name", "");
    bool first = i == 0 || steps[i - 1].value("name", "") != name;
    if (first && i > 0) ++layer;
    std::vector<std::string>& row = rows.emplace_back();
    row = {fmt::format("{:.4f}", step.value("ms", 0.0)), percent(step.value("ms", 0.0), total),
           step.value("kind", ""), name};
    if (known)
      row.insert(row.begin() + 2, first && layer->least_ms ? percent(*layer->least_ms, layer->ms) : "");
  }
  return fmt::format("\n{} steps one by one, {:.4f} ms together:\n{}", steps.size(), total, table(rows));
}

/// Clock and power of a GPU, where the driver tells.
static std::optional<burnish_device_sensors> read_sensors(int device) {
  burnish_device_sensors sensors{};
  burnish_error* error = nullptr;
  burnish_status status = burnish_device_read_sensors(device, &sensors, &error);
  burnish_error_free(error);
  return status == BURNISH_OK ? std::optional(sensors) : std::nullopt;
}

/// --batch means something only where an input leaves axis 0 free.
static void require_free_batch(const std::vector<burnish_port>& ports) {
  for (const burnish_port& port : ports)
    if (port.rank > 0 && port.shape[0] < 0) return;
  fail("--batch: axis 0 of every input is fixed in this engine",
       "build it without fixing that axis: --shapes NAME:?x…");
}

/// What was measured, and what it was measured on.
struct Measured {
  Engine engine;
  std::vector<burnish_port> ports;
  Arrays inputs;
  std::string device;
  bool on_gpu = false;
  std::optional<Quantiles> flushed;  // on the GPU, of runs that find nothing in its L2 cache
  Quantiles gpu, host;
  size_t runs = 0;
  double rate = 0;  // runs per second
  std::optional<burnish_device_sensors> before, after;
  Json description, steps;
  std::vector<Layer> layers;

  int64_t batch() const { return !ports.empty() && ports[0].rank ? inputs.at(ports[0].name).shape[0] : 1; }
};

static void time_all(const BenchRequest& request, burnish_context* context, int gpu, Progress& progress,
                     Measured& m) {
  if (request.warmup) time_runs(context, request.warmup, 0, progress, "warming up");
  if (m.on_gpu) m.before = read_sensors(gpu);
  auto begin = std::chrono::steady_clock::now();
  std::vector<burnish_timing> timings =
      time_runs(context, request.iterations, request.seconds, progress, "measuring");
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (m.on_gpu) m.after = read_sensors(gpu);
  m.runs = timings.size();
  m.rate = static_cast<double>(timings.size()) / seconds;
  m.gpu = quantiles_of(timings, &burnish_timing::gpu_ms);
  m.host = quantiles_of(timings, &burnish_timing::host_ms);
  if (request.flush_l2)
    m.flushed = quantiles_of(time_runs(context, request.iterations, request.seconds, progress,
                                       "measuring with a flushed cache", burnish_context_time_flushed),
                             &burnish_timing::gpu_ms);
  if (m.on_gpu || request.profile) m.steps = steps_of(context);
  m.description = description_of(context);
  m.layers = layers_of(m.steps);
}

static Measured measure(const BenchRequest& request) {
  InputChoices choices = request.inputs;
  choices.shapes = parse_shapes(request.shapes);
  DeviceChoice device = parse_device(request.device);
  if (!request.json.empty()) require_writable(request.json);
  Progress progress("timing " + request.engine, request.verbose);
  load_plugins(request.plugins);
  progress.stage("opening the engine");
  Measured m{.engine = open_engine(request.engine)};
  m.ports = inputs_of(m.engine.get());
  choices.usual = opt_shapes(m.engine.get());
  if (request.batch) require_free_batch(m.ports);
  m.inputs = in_engine_order(m.engine.get(), make_inputs(m.ports, choices));
  progress.stage("loading");
  Place place = place_engine(m.engine.get(), request.engine, device);
  m.device = place.device;
  m.on_gpu = place.device != "cpu";
  set_inputs(place.context.get(), m.inputs);
  time_all(request, place.context.get(), device.value_or(0), progress, m);
  return m;
}

static std::string memory_line(const Json& description) {
  auto bytes = [&](const char* key) { return description["memory"].value(key, uint64_t{0}); };
  return fmt::format(
      "  {} on the GPU: weights {}, arena {}, code {}, inputs and outputs {}\n",
      bytes_text(bytes("constants") + bytes("device_arena") + bytes("code") + bytes("bindings")),
      bytes_text(bytes("constants")), bytes_text(bytes("device_arena")), bytes_text(bytes("code")),
      bytes_text(bytes("bindings")));
}

/// Clocks that moved while it was measured make figures that cannot be compared.
static std::string clock_line(const Measured& m) {
  if (!m.before || !m.after) return "";
  double from = m.before->sm_clock_mhz, to = m.after->sm_clock_mhz;
  bool moved = std::fabs(to - from) > 0.02 * from;
  return fmt::format("  SM clock {:.0f} MHz before, {:.0f} MHz after, {:.0f} W{}\n", from, to,
                     m.after->power_watts, moved ? ": it moved, so measure again after more --warmup" : "");
}

static void print(const BenchRequest& request, const Measured& m) {
  std::vector<std::vector<std::string>> shapes, rows{{"ms", "median", "p90", "p99", "mean", "min"}};
  for (const burnish_port& port : m.ports)
    shapes.push_back({port.name, burnish_dtype_name(port.dtype), shape_text(m.inputs.at(port.name).shape)});
  if (m.on_gpu) rows.push_back(row_of("GPU", m.gpu));
  if (m.flushed) rows.push_back(row_of("GPU, L2 flushed", *m.flushed));
  rows.push_back(row_of("host", m.host));
  Progress::clear_line();
  fmt::print("{} on {}, {} runs after {} to warm up\n{}\n{}\n", request.engine, m.device, m.runs,
             request.warmup, table(shapes), table(rows));
  int64_t batch = m.batch();
  fmt::print("  {:.1f} runs/s{}\n", m.rate,
             batch > 1
                 ? fmt::format(", {:.1f} items/s at batch {}", m.rate * static_cast<double>(batch), batch)
                 : "");
  if (m.on_gpu) fmt::print("{}{}", memory_line(m.description), clock_line(m));
  if (auto least = least_ms(m.layers))
    fmt::print("  {} % of the roofline: at the GPU's peak its layers take {:.4f} ms\n",
               percent(*least, m.gpu.median), *least);
  if (request.profile) fmt::print("{}", profile_table(m.steps, m.layers));
}

static Json json_of(const BenchRequest& request, const Measured& m) {
  Json result{{"engine", request.engine}, {"device", m.device},       {"version", burnish_version()},
              {"runs", m.runs},           {"warmup", request.warmup}, {"batch", m.batch()}};
  for (const burnish_port& port : m.ports)
    result["inputs"][port.name] = {{"dtype", burnish_dtype_name(port.dtype)},
                                   {"shape", m.inputs.at(port.name).shape}};
  if (m.on_gpu) result["gpu_ms"] = json_of(m.gpu);
  if (m.flushed) result["gpu_flushed_ms"] = json_of(*m.flushed);
  result["host_ms"] = json_of(m.host);
  result["runs_per_second"] = m.rate;
  for (const char* key : {"target", "memory", "peak"})
    if (m.description.contains(key)) result[key] = m.description[key];
  if (auto least = least_ms(m.layers)) result["roofline_ms"] = *least;
  if (m.before && m.after) {
    result["sm_clock_mhz"] = {m.before->sm_clock_mhz, m.after->sm_clock_mhz};
    result["power_watts"] = m.after->power_watts;
  }
  if (request.profile) {
    result["steps"] = m.steps;
    result["storage"] = m.description["storage"];
  }
  return result;
}

static int bench(const BenchRequest& request) {
  const Measured measured = measure(request);
  print(request, measured);
  if (!request.json.empty()) write_text(request.json, json_of(request, measured).dump(1) + "\n");
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
  command
      .add_flag("--flush-l2", request->flush_l2,
                "Time runs that find nothing in the GPU's L2 cache as well, as after other work")
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
  add_plugin_option(command, request->plugins);
  add_verbose_option(command, request->verbose);
  command.callback([request, batch, &action] {
    request->batch = batch->count() > 0;
    action = [request] { return bench(*request); };
  });
}

}  // namespace burnish::cli
