#include "cli/trtexec/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace burnish::cli::trtexec {

constexpr double nothing = std::numeric_limits<double>::infinity();

double Trace::wall_seconds() const {
  if (queries.empty()) return 0;
  double begin = nothing, end = 0;
  for (const Query& q : queries) begin = std::min(begin, q.h2d_start), end = std::max(end, q.d2h_end);
  return (end - begin) / 1000;
}

double median(std::vector<double> values) {
  if (values.empty()) return nothing;
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double percentile(double percent, std::vector<double> values) {
  if (values.empty()) return nothing;
  std::ranges::sort(values);
  const auto count = static_cast<int64_t>(values.size());
  const auto above = static_cast<int64_t>((1 - percent / 100) * static_cast<double>(count));
  return values[static_cast<size_t>(std::max<int64_t>(count - 1 - above, 0))];
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double coefficient_of_variance(std::span<const double> values) {
  const double average = mean(values);
  if (values.empty() || average == 0) return nothing;
  double squares = 0;
  for (const double v : values) squares += (v - average) * (v - average);
  return std::sqrt(squares / static_cast<double>(values.size())) / average * 100;
}

Summary summarise(const std::vector<double>& values, std::span<const double> percents) {
  Summary summary{.min = nothing, .max = nothing, .mean = nothing, .median = median(values)};
  if (!values.empty()) {
    const auto [least, most] = std::ranges::minmax(values);
    summary.min = least, summary.max = most, summary.mean = mean(values);
    summary.variance = coefficient_of_variance(values);
  }
  for (const double p : percents) summary.percentiles.push_back(percentile(p, values));
  return summary;
}

std::vector<double> values_of(const Trace& trace, double (Query::*quantity)() const) {
  std::vector<double> values;
  for (const Query& query : trace.queries) values.push_back((query.*quantity)());
  return values;
}

std::string number_text(double value) { return fmt::format("{:g}", value); }

}  // namespace burnish::cli::trtexec
