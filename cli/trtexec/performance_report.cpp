#include "cli/trtexec/performance_report.h"

#include <fmt/format.h>

#include <array>

namespace burnish::cli::trtexec {

constexpr size_t most_groups = 200;  // at either end of the trace

static void report_trace(const Trace& trace, int64_t runs, const Log& log) {
  log.info("");
  log.info("=== Trace details ===");
  log.info(fmt::format("Trace averages of {} runs:", runs));
  const auto size = static_cast<size_t>(runs), groups = trace.queries.size() / size;
  for (size_t g = 0; g < groups; ++g) {
    if (groups > 2 * most_groups && g == most_groups) {
      log.info(fmt::format("... Omitting {} lines", groups - 2 * most_groups));
      g = groups - most_groups;
    }
    double compute = 0, latency = 0, enqueue = 0;
    for (size_t i = g * size; i < (g + 1) * size; ++i) {
      compute += trace.queries[i].compute();
      latency += trace.queries[i].latency();
      enqueue += trace.queries[i].enqueue();
    }
    const auto average = [&](double sum) { return number_text(sum / static_cast<double>(size)); };
    log.info(fmt::format("Average on {} runs - GPU latency: {} ms - Host latency: {} ms (enqueue {} ms)",
                         runs, average(compute), average(latency), average(enqueue)));
  }
}

static std::string summary_line(const Summary& s, const std::vector<double>& percents) {
  std::string text = fmt::format("min = {} ms, max = {} ms, mean = {} ms, median = {} ms", number_text(s.min),
                                 number_text(s.max), number_text(s.mean), number_text(s.median));
  for (size_t i = 0; i < percents.size(); ++i)
    text += fmt::format(", percentile({}%) = {} ms", number_text(percents[i]), number_text(s.percentiles[i]));
  return text;
}

/// The quantities of the summary, in its order.
struct Quantity {
  const char* name;
  double (Query::*value)() const;
};
constexpr std::array<Quantity, 5> quantities = {{{"Latency", &Query::latency},
                                                 {"Enqueue Time", &Query::enqueue},
                                                 {"H2D Latency", &Query::h2d},
                                                 {"GPU Compute Time", &Query::compute},
                                                 {"D2H Latency", &Query::d2h}}};

static double throughput(const Trace& trace) {
  const double wall = trace.wall_seconds();
  return wall > 0 ? static_cast<double>(trace.queries.size()) / wall : 0;
}

static void warn_of_limits(const std::array<Summary, 5>& summaries, const Options& options, const Log& log) {
  const auto& [latency, enqueue, h2d, compute, d2h] = summaries;
  const bool eleven = options.compat == 11;
  const char* transfers = eleven ? "  Leave --includeDataTransfers away to measure the compute alone."
                                 : "  Add --noDataTransfers to measure the compute alone.";
  if (enqueue.median > 0.8 * compute.median) {
    log.warn(
        "* Throughput may be bound by Enqueue Time: the CPU hands queries over hardly faster than they are "
        "computed.");
    log.warn(eleven ? "  Leave --noCudaGraph away: launches as a graph cost the CPU less."
                    : "  Add --useCudaGraph: launches as a graph cost the CPU less.");
  }
  if (h2d.median >= compute.median) {
    log.warn(
        "* Throughput may be bound by host-to-device transfers: inputs take as long to copy as to compute "
        "on.");
    log.warn(transfers);
  }
  if (d2h.median >= compute.median) {
    log.warn(
        "* Throughput may be bound by device-to-host transfers: outputs take as long to copy as to compute.");
    log.warn(transfers);
  }
  if (compute.variance > 2.5) {
    log.warn(fmt::format("* GPU compute time is unstable, with coefficient of variance = {}%.",
                         number_text(compute.variance)));
    log.warn(eleven ? "  Lock the GPU's clocks for figures that repeat."
                    : "  Lock the GPU's clocks, or add --useSpinWait, for figures that repeat.");
  }
}

static void explain_metrics(const Log& log) {
  log.detail("=== Explanations of the performance metrics ===");
  log.detail(
      "Total Host Walltime: from the first query's input copy to the end of the last query's output copy.");
  log.detail("GPU Compute Time: how long the GPU worked on the kernels of a query.");
  log.detail(
      "Total GPU Compute Time: the compute times of all queries together; far below the walltime, the GPU "
      "had nothing to do.");
  log.detail(
      "Enqueue Time: how long the host took to hand a query over; longer than the compute, it is the limit.");
  log.detail("H2D Latency: how long the inputs of a query took to the GPU.");
  log.detail("D2H Latency: how long the outputs of a query took from the GPU.");
  log.detail("Latency: H2D Latency, GPU Compute Time and D2H Latency of a query together.");
  log.detail("Throughput: queries by walltime; queries overlap, so it is not one by the latency.");
}

void report_performance(const Trace& trace, const Options& options, bool on_gpu, const Log& log) {
  report_trace(trace, options.reporting.averages, log);
  const std::vector<double>& percents = options.reporting.percentiles;
  std::array<Summary, 5> summaries;
  for (size_t i = 0; i < summaries.size(); ++i)
    summaries[i] = summarise(values_of(trace, quantities[i].value), percents);
  const double wall = trace.wall_seconds(), count = static_cast<double>(trace.queries.size());
  log.info("");
  log.info("=== Performance summary ===");
  log.info(fmt::format("Throughput: {} qps", number_text(throughput(trace))));
  for (size_t i = 0; i < summaries.size(); ++i)
    log.info(fmt::format("{}: {}", quantities[i].name, summary_line(summaries[i], percents)));
  log.info(fmt::format("Total Host Walltime: {} s", number_text(wall)));
  log.info(fmt::format("Total GPU Compute Time: {} s", number_text(summaries[3].mean * count / 1000)));
  if (on_gpu) warn_of_limits(summaries, options, log);
  if (options.inference.streams > 1)
    log.warn(
        "* Multiple inference streams are used. Latencies include waiting for each other; go by the "
        "throughput.");
  log.info("What these metrics mean is in the verbose log: --verbose.");
  explain_metrics(log);
  log.info("");
}

nlohmann::ordered_json performance_json(const Trace& trace, const ReportingOptions& options) {
  nlohmann::ordered_json json = {{"Throughput", throughput(trace)}};
  for (const Quantity& quantity : quantities) {
    const Summary s = summarise(values_of(trace, quantity.value), options.percentiles);
    nlohmann::ordered_json& one =
        json[quantity.name] = {{"min", s.min}, {"max", s.max}, {"mean", s.mean}, {"median", s.median}};
    for (size_t i = 0; i < options.percentiles.size(); ++i)
      one["percentile"][number_text(options.percentiles[i])] = s.percentiles[i];
  }
  return json;
}

std::string trace_json(const Trace& trace) {
  std::string text = "[\n";
  for (const Query& q : trace.queries) {
    const std::pair<const char*, double> fields[] = {{"startEnqMs", q.enqueue_start},
                                                     {"endEnqMs", q.enqueue_end},
                                                     {"startH2dMs", q.h2d_start},
                                                     {"endH2dMs", q.h2d_end},
                                                     {"startComputeMs", q.compute_start},
                                                     {"endComputeMs", q.compute_end},
                                                     {"startD2hMs", q.d2h_start},
                                                     {"endD2hMs", q.d2h_end},
                                                     {"h2dMs", q.h2d()},
                                                     {"computeMs", q.compute()},
                                                     {"d2hMs", q.d2h()},
                                                     {"latencyMs", q.latency()}};
    text += text.size() > 2 ? ", {" : "  {";
    bool first = true;
    for (const auto& [key, value] : fields) {
      text += fmt::format("{} \"{}\" : {}", first ? "" : ",", key, value);
      first = false;
    }
    text += " }\n";
  }
  return text + "]\n";
}

}  // namespace burnish::cli::trtexec
