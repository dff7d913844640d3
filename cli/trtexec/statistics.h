#pragma once

#include <span>
#include <string>
#include <vector>

namespace burnish::cli::trtexec {

/// When one query did what, in milliseconds since the run began.
struct Query {
  double enqueue_start = 0, enqueue_end = 0;  // host
  double h2d_start = 0, h2d_end = 0, compute_start = 0, compute_end = 0, d2h_start = 0,
         d2h_end = 0;  // device

  double enqueue() const { return enqueue_end - enqueue_start; }
  double h2d() const { return h2d_end - h2d_start; }
  double compute() const { return compute_end - compute_start; }
  double d2h() const { return d2h_end - d2h_start; }
  double latency() const { return h2d() + compute() + d2h(); }
};

/// The timed queries of a run, and those before them.
struct Trace {
  std::vector<Query> queries;
  size_t warm_up_queries = 0;
  double warm_up_ms = 0;
  /// From the first input copy to the last output copy, in seconds.
  double wall_seconds() const;
};

/// The middle of the values; of an even number the mean of the two in the middle. Of none: infinity.
double median(std::vector<double> values);
/// The value that `percent` % of them do not exceed. Of none: infinity.
double percentile(double percent, std::vector<double> values);
double mean(std::span<const double> values);
/// Standard deviation relative to the mean, in per cent; infinity for a mean of 0.
double coefficient_of_variance(std::span<const double> values);

/// One quantity over all queries.
struct Summary {
  double min = 0, max = 0, mean = 0, median = 0, variance = 0;  // variance: its coefficient, per cent
  std::vector<double> percentiles;
};
Summary summarise(const std::vector<double>& values, std::span<const double> percents);
std::vector<double> values_of(const Trace& trace, double (Query::*quantity)() const);

/// As a C++ stream prints it: six significant digits.
std::string number_text(double value);

}  // namespace burnish::cli::trtexec
