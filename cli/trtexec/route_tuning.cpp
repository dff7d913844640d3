#include "cli/trtexec/route_tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>

#include "cli/compiler.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/trtexec/build_routes.h"
#include "cli/trtexec/engine_source.h"
#include "cli/trtexec/inference.h"
#include "cli/trtexec/route_results.h"
#include "cli/trtexec/session.h"

namespace burnish::cli::trtexec {

namespace {

constexpr double untold = std::numeric_limits<double>::infinity();

/// The loop over routes: builds, times, and remembers the fastest.
class RouteTuning {
 public:
  RouteTuning(const Options& options, std::string target, std::optional<int> device, const Log& log)
      : options_(options),
        knobs_(parse_route_knobs("--tuneBuildRoutes", options.tuning.routes)),
        target_(std::move(target)),
        device_(device),
        log_(log),
        results_(options.tuning.cache_file),
        folder_(options.build.temporary_folder) {}

  Engine run() {
    const std::string& search = options_.tuning.search;
    const std::vector<Route> first = search == "full" ? all_routes(knobs_) : single_changes(knobs_);
    std::vector<double> times;
    for (const Route& route : first) times.push_back(measure(route));
    if (search == "mixed")
      for (const Route& route : combinations(helpful(first, times)))
        if (std::ranges::find(first, route) == first.end()) measure(route);
    if (fastest_ == untold)
      fail("no build route gave an engine that runs",
           "see the errors above, or allow more time by --tuningTimeOut");
    log_.info(fmt::format("Fastest of {} build routes: '{}', median compute {} ms", tried_, best_,
                          number_text(fastest_)));
    return keep_best();
  }

 private:
  /// The values of each knob that were faster than the first one, and that.
  std::vector<std::vector<size_t>> helpful(const std::vector<Route>& routes,
                                           const std::vector<double>& times) const {
    std::vector<std::vector<size_t>> allowed(knobs_.size(), {0});
    for (size_t i = 1; i < routes.size(); ++i)
      for (size_t k = 0; k < knobs_.size(); ++k)
        if (routes[i][k] != 0 && times[i] < times[0]) allowed[k].push_back(routes[i][k]);
    return allowed;
  }

  bool is_late() const {
    const double limit = options_.tuning.time_out;
    return limit > 0 &&
           std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count() > limit;
  }

  /// Median compute time in ms; infinity for a route that failed, or that there was no time for.
  double measure(const Route& route) {
    const std::string text = route_text(knobs_, route);
    double time = untold;
    if (const auto known =
            options_.tuning.resume ? results_.known(options_.model.onnx, text) : std::nullopt) {
      log_.info(fmt::format("Build route '{}' is known from {}", text, options_.tuning.cache_file));
      time = *known;
    } else if (is_late()) {
      log_.warn(fmt::format("Build route '{}' is left out: --tuningTimeOut is over.", text));
      return untold;
    } else {
      time = build_and_time(text);
    }
    ++tried_;
    if (time < fastest_) fastest_ = time, best_ = text;
    return time;
  }

  double build_and_time(const std::string& route) {
    const size_t iteration = iterations_++;
    print_task("TASK_BEGIN", iteration, route);
    try {
      const Options one = options_for(route, iteration);
      Engine engine = build_engine_of(one, target_, log_);
      const Session session(std::move(engine), device_, one, log_);
      const Trace trace = run_inference(session, one.inference);
      const double time = median(values_of(trace, &Query::compute));
      results_.add_measured(one.model.onnx, route, std::filesystem::file_size(one.build.save_engine), trace);
      log_.info(fmt::format("Build route '{}': median compute {} ms", route, number_text(time)));
      if (time < fastest_) best_file_ = one.build.save_engine;
      print_task("TASK_END", iteration, route);
      return time;
    } catch (const Failure& failure) {
      log_.error(failure.cause + "; try: " + failure.remedy);
      results_.add_failed(options_.model.onnx, route, failure.cause);
      print_task("TASK_ABORT", iteration, route);
      return untold;
    }
  }

  Options options_for(const std::string& route, size_t iteration) const {
    Options one = options_;
    one.tuning.route = route;
    one.build.skip_inference = false;  // an engine without weights gets them
    const std::string number = fmt::format(".iter{}", iteration);
    one.build.save_engine = options_.tuning.save_all ? options_.build.save_engine + number
                                                     : (folder_.path() / ("model.engine" + number)).string();
    return one;
  }

  Engine keep_best() const {
    Options best = options_;
    best.tuning.route = best_;
    if (best_file_.empty()) return build_engine_of(best, target_, log_);  // known from an earlier session
    if (best.build.save_engine.empty()) return open_for(best, best_file_, log_);
    copy_engine(best_file_, best.build.save_engine);
    return open_for(best, best.build.save_engine, log_);
  }

  const Options& options_;
  const std::vector<RouteKnob> knobs_;
  const std::string target_;
  const std::optional<int> device_;
  const Log& log_;
  RouteResults results_;
  const TemporaryFolder folder_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  size_t iterations_ = 0, tried_ = 0;
  double fastest_ = untold;
  std::string best_, best_file_;
};

}  // namespace

Engine tune_build_routes(const Options& options, const std::string& target, std::optional<int> device,
                         const Log& log) {
  if (!device && target != "cpu")
    fail("build routes are timed on the GPU, and there is none here for " + target,
         "say --target=cpu, or tune where the GPU is");
  return RouteTuning(options, target, device, log).run();
}

void list_build_routes(const TuningOptions& tuning, const Log& log) {
  const std::vector<RouteKnob> knobs = parse_route_knobs("--tuneBuildRoutes", tuning.routes);
  size_t iteration = 0;
  for (const Route& route : tuning.search == "full" ? all_routes(knobs) : single_changes(knobs))
    log.info(fmt::format("[iter={}] BuildRoute = '{}'", iteration++, route_text(knobs, route)));
  if (tuning.search == "mixed") log.info("Then all combinations of the values that helped.");
}

int print_build_knobs(const std::string& knob) {
  auto json = nlohmann::ordered_json::parse(build_knobs_json().get());
  if (!knob.empty()) {
    auto& all = json["tuner_options"];
    const auto found = std::ranges::find_if(all, [&](const auto& one) { return one["option"] == knob; });
    all = found == all.end() ? nlohmann::ordered_json::array() : nlohmann::ordered_json::array({*found});
  }
  fmt::print("{}\n", json.dump());
  return json["tuner_options"].empty() ? 1 : 0;
}

}  // namespace burnish::cli::trtexec
