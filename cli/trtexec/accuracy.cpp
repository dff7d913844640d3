#include "cli/trtexec/accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/elements.h"
#include "cli/failure.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

double accuracy_loss(const Array& output, const Array& reference, const InferenceOptions& options) {
  const auto count = static_cast<uint64_t>(output.elements());
  double outside = 0, absolute = 0, squared = 0, largest = 0, dot = 0, of_output = 0, of_reference = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const double x = load_element(output, i), r = load_element(reference, i), error = std::fabs(x - r);
    outside += !(error <= options.atol + options.rtol * std::fabs(r));  // NaN is outside
    absolute += error, squared += error * error;
    largest = std::isnan(error) ? error : std::max(largest, error);
    dot += x * r, of_output += x * x, of_reference += r * r;
  }
  const double n = std::max<double>(1, static_cast<double>(count));
  if (options.algorithm == "l0") return outside / n;
  if (options.algorithm == "l1") return absolute / n;
  if (options.algorithm == "l2") return squared / n;
  if (options.algorithm == "lInf") return largest;
  const double lengths = std::sqrt(of_output) * std::sqrt(of_reference);
  return lengths == 0 ? (of_output == of_reference ? 0 : 1) : 1 - dot / lengths;
}

bool check_accuracy(Session& session, const InferenceOptions& options, const Log& log) {
  bool good = true;
  for (const ReferencePair& pair : options.pairs) {
    if (pair.outputs.empty()) continue;
    const Arrays outputs = session.run(pair.inputs);
    for (const auto& [name, file] : pair.outputs) {
      const auto output = outputs.find(name);
      if (output == outputs.end())
        fail(
            "--loadRefOutputs names '" + name + "', which is no output of the engine",
            "its outputs are: " + [&] {
              std::string known;
              for (const auto& [other, array] : outputs) known += (known.empty() ? "" : ", ") + other;
              return known;
            }());
      const Array reference = read_raw(file, output->second.dtype, output->second.shape, name);
      const double loss = accuracy_loss(output->second, reference, options);
      const bool failed = options.threshold && !(loss < *options.threshold);
      const std::string text =
          fmt::format("Accuracy loss for tensor {} ({}): {:.6f}", name, options.algorithm, loss);
      if (failed) log.error(fmt::format("{} [FAIL: >= threshold {}]", text, number_text(*options.threshold)));
      else log.info(text);
      good = good && !failed;
    }
  }
  return good;
}

}  // namespace burnish::cli::trtexec
