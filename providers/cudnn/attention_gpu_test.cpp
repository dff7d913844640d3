// Every plan of cuDNN's for an Attention, on a GPU, against sums in double precision.
#include "ir/text.h"
#include "providers/cudnn/graph_of.h"
#include "providers/nvrtc/kernel_testing.h"
#include "runtime/libraries/testing/real_libraries.h"

namespace burnish::cudnn {
namespace {

using nvrtc::testing::FreeOperands;
using nvrtc::testing::Layout;
using testing::Values;

using Extents = std::array<size_t, 4>;

size_t count(const Extents& e) { return e[0] * e[1] * e[2] * e[3]; }
/// Where an element lies in a dense tensor that may have extents of 1 instead.
size_t at(const Extents& e, const Extents& i) {
  size_t place = 0;
  for (size_t a = 0; a < 4; ++a) place = place * e[a] + (e[a] == 1 ? 0 : i[a]);
  return place;
}

struct Case {
  Extents queries, keys;   // values are like the keys
  Extents mask = {};       // none
  size_t hidden_from = 0;  // keys whose mask is -inf
  size_t hidden_to = 0;
};
std::string name(const Case& c) {
  std::string text;
  for (const Extents* e : {&c.queries, &c.keys, &c.mask})
    for (size_t a = 0; a < 4 && count(*e) > 0; ++a) text += (a ? "x" : " ") + std::to_string((*e)[a]);
  return text + " hidden " + std::to_string(c.hidden_from) + " to " + std::to_string(c.hidden_to);
}

class CudnnAttention : public testing::RealLibraries {
 protected:
  static std::string type(const Extents& e) {
    std::string text = "f16[";
    for (size_t a = 0; a < 4; ++a) text += (a ? ", " : "") + std::to_string(e[a]);
    return text + "]";
  }
  static std::string text(const Case& c) {
    const bool masked = count(c.mask) > 0;
    return "graph (%q: " + type(c.queries) + ", %k: " + type(c.keys) + ", %v: " + type(c.keys) +
           (masked ? ", %m: " + type(c.mask) : "") + ") -> (%y) {\n  %y = Attention(%q, %k, %v" +
           (masked ? ", %m" : "") + ") {scale=0.25} : " + type(c.queries) + "\n}";
  }
  static Values mask_of(const Case& c) {
    Values values = random(count(c.mask), 4);
    for (size_t i = 0; i < values.size(); ++i)
      if (const size_t key = i % c.mask[3]; key >= c.hidden_from && key < c.hidden_to)
        values[i] = -std::numeric_limits<double>::infinity();
    return values;
  }
  static Values reference(const Case& c, const Values& q, const Values& k, const Values& v, const Values& m) {
    const auto [batches, heads, rows, dim] = c.queries;
    Values y(count(c.queries)), weights(c.keys[2]);
    for (size_t b = 0; b < batches; ++b)
      for (size_t h = 0; h < heads; ++h)
        for (size_t i = 0; i < rows; ++i) {
          double sum = 0;
          for (size_t j = 0; j < c.keys[2]; ++j) {
            double score = 0;
            for (size_t d = 0; d < dim; ++d)
              score += q[at(c.queries, {b, h, i, d})] * k[at(c.keys, {b, h, j, d})];
            sum += weights[j] = std::exp(0.25 * score + (m.empty() ? 0 : m[at(c.mask, {b, h, i, j})]));
          }
          for (size_t d = 0; d < dim; ++d) {
            double& result = y[at(c.queries, {b, h, i, d})];
            for (size_t j = 0; j < c.keys[2]; ++j) result += weights[j] / sum * v[at(c.keys, {b, h, j, d})];
          }
        }
    return y;
  }
  void check(Planner& planner, const Case& c) {
    SCOPED_TRACE(name(c));
    Graph graph = must(parse(text(c)));
    FreeOperands ctx(graph, graph.nodes.back(), Layout::dense, Layout::dense, "sm_90");
    NodeGraph node;
    const Verdict verdict = graph_of(ctx, node);
    ASSERT_TRUE(verdict) << verdict.reason();
    const Values q = random(count(c.queries), 1), k = random(count(c.keys), 2), v = random(count(c.keys), 3),
                 m = mask_of(c), y = reference(c, q, k, v, m);
    const CUdeviceptr result = upload(nullptr, y.size() * sizeof(half));
    const std::array inputs = {&q, &k, &v, &m};
    std::vector<CUdeviceptr> operands;
    for (const OperandPointer p : node.operands)
      if (p.kind == OperandPointer::Kind::input) {
        operands.push_back(upload(*inputs[p.index]));
      } else if (p.kind == OperandPointer::Kind::output) {
        operands.push_back(result);
      } else {
        const Tensor& constant = *ctx.extra[p.index].tensor;
        operands.push_back(upload(constant.bytes(), constant.byte_size()));
      }
    expect_plans(planner, node.graph, 8, node.tensors, operands, result, y);
  }
};

TEST_F(CudnnAttention, EveryPlan) {
  auto planner = Planner::open(*device, "");
  if (!planner) GTEST_SKIP() << planner.error().cause();
  const Extents window = {16, 3, 49, 32}, image = {2, 12, 197, 64};
  for (const Case& c : {
           Case{image, image},
           Case{{2, 4, 40, 64}, {2, 4, 77, 64}},
           Case{{1, 4, 100, 128}, {1, 4, 333, 128}},
           Case{{2, 8, 50, 40}, {2, 1, 70, 40}},
           Case{{2, 4, 1, 64}, {2, 4, 90, 64}},
           Case{window, window, {1, 3, 49, 49}},
           Case{window, window, {16, 1, 49, 49}},
           Case{{3, 4, 128, 64}, {3, 4, 128, 64}, {3, 1, 1, 128}, 100, 128},
           Case{{1, 4, 160, 64}, {1, 4, 300, 64}, {1, 1, 160, 300}, 0, 256},
           Case{{1, 4, 33, 64}, {1, 4, 333, 64}, {1, 1, 1, 333}, 332, 333},
       })
    check(**planner, c);
}

}  // namespace
}  // namespace burnish::cudnn
