#include "cli/report/work.h"

#include <charconv>
#include <functional>
#include <numeric>
#include <span>

namespace burnish::cli::report {

std::optional<std::vector<int64_t>> numbers(const TextType& type, const Extents& extents) {
  std::vector<int64_t> shape;
  for (const std::string& text : type.shape) {
    int64_t extent = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc() || end != text.data() + text.size()) {
      auto found = extents.find(text);
      if (found == extents.end()) return {};
      extent = found->second;
    }
    shape.push_back(extent);
  }
  return shape;
}

static int64_t element_bytes(const std::string& dtype) {
  if (dtype == "bool") return 1;
  size_t digits = dtype.find_first_of("0123456789");
  return digits == dtype.npos ? 0 : std::max(std::stoi(dtype.substr(digits)) / 8, 1);
}

static int64_t product(std::span<const int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// Multiplications of a contraction; 0 for what is none.
static int64_t multiplications(const std::string& op, const std::vector<std::vector<int64_t>>& in,
                               std::span<const int64_t> out) {
  if (in.size() < 2 || in[0].empty() || in[1].empty()) return 0;
  if (op == "Conv") return product(out) * product(std::span(in[1]).subspan(1));
  if (op == "ConvTranspose") return product(in[0]) * product(std::span(in[1]).subspan(1));
  if (op == "MatMul" || op == "Gemm") return product(out) * in[0].back();
  if (op == "SqueezeExcite" && in.size() > 3) return in[0][0] * (product(in[1]) + product(in[3]));
  if (op == "Attention" && in.size() > 2 && in[1].size() > 1 && !in[2].empty() && !out.empty())
    return product(out.first(out.size() - 1)) * in[1][in[1].size() - 2] * (in[0].back() + in[2].back());
  return 0;
}

std::optional<EstimatedWork> estimate_work(const TextNode& node, const Extents& extents) {
  EstimatedWork work;
  std::vector<std::vector<int64_t>> in, out;
  for (const TextType& type : node.inputs) {
    auto shape = numbers(type, extents);
    if (!shape) return {};
    if (!type.dtype.empty()) work.bytes_read += product(*shape) * element_bytes(type.dtype);
    in.push_back(*std::move(shape));
  }
  for (const TextType& type : node.outputs) {
    auto shape = numbers(type, extents);
    if (!shape) return {};
    work.bytes_written += product(*shape) * element_bytes(type.dtype);
    out.push_back(*std::move(shape));
  }
  if (!node.ops.empty() && !out.empty()) work.flops = 2 * multiplications(node.ops[0], in, out[0]);
  return work;
}

}  // namespace burnish::cli::report
