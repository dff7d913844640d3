#include <gtest/gtest.h>

#include <cmath>

#include "ops/testing.h"

namespace burnish {
namespace {

using testing::infer_op;
using testing::random_tensor;
using testing::run_op;
using testing::tensor;

constexpr int64_t steps = 5, batch = 3, inputs = 4, hidden = 6;

using Strings = std::vector<std::string>;
using Floats = std::vector<float>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Operands {
  Tensor x, w, r, b, lengths, h, c, p;
  double wx(int64_t d, int64_t gates, int64_t gate, int64_t unit, int64_t at,
            int64_t n) const {  // one row of W times one input
    double sum = b.data<float>()[(d * 2 * gates + gate) * hidden + unit];
    for (int64_t k = 0; k < inputs; ++k)
      sum += static_cast<double>(w.data<float>()[((d * gates + gate) * hidden + unit) * inputs + k]) *
             static_cast<double>(x.data<float>()[(at * batch + n) * inputs + k]);
    return sum;
  }
  double rh(int64_t d, int64_t gates, int64_t gate, int64_t unit, const std::vector<double>& state) const {
    double sum = b.data<float>()[(d * 2 * gates + gates + gate) * hidden + unit];
    for (size_t k = 0; k < hidden; ++k)
      sum += static_cast<double>(
                 r.data<float>()[static_cast<size_t>((d * gates + gate) * hidden + unit) * hidden + k]) *
             state[k];
    return sum;
  }
};

Operands make(int64_t gates, int64_t directions) {
  return {random_tensor({steps, batch, inputs}, 1),
          random_tensor({directions, gates * hidden, inputs}, 2),
          random_tensor({directions, gates * hidden, hidden}, 3),
          random_tensor({directions, 2 * gates * hidden}, 4),
          tensor<int32_t>({batch}, {5, 2, 0}),
          random_tensor({directions, batch, hidden}, 5),
          random_tensor({directions, batch, hidden}, 6),
          random_tensor({directions, 3 * hidden}, 7)};
}

// Walks the sequences one by one; step(d, at, n, h, c) replaces the states.
template <class S>
void expect_states(const Operands& o, const std::vector<Tensor>& got, int64_t directions, bool reverse,
                   const S& step) {
  for (int64_t d = 0; d < directions; ++d)
    for (int64_t n = 0; n < batch; ++n) {
      std::vector<double> h(hidden), c(hidden);
      for (size_t k = 0; k < hidden; ++k) {
        h[k] = o.h.data<float>()[static_cast<size_t>(d * batch + n) * hidden + k];
        c[k] = o.c.data<float>()[static_cast<size_t>(d * batch + n) * hidden + k];
      }
      const int64_t length = o.lengths.data<int32_t>()[n];
      for (int64_t s = 0; s < steps; ++s) {
        const bool backward = reverse || d == 1;
        const int64_t at = s < length && backward ? length - 1 - s : s;
        if (s < length) step(d, at, n, h, c);
        for (size_t k = 0; k < hidden; ++k)
          ASSERT_NEAR(
              got[0].data<float>()[static_cast<size_t>((at * directions + d) * batch + n) * hidden + k],
              s < length ? h[k] : 0.0, 1e-5)
              << "step " << at << ", sequence " << n;
      }
      for (size_t k = 0; k < hidden; ++k) {
        ASSERT_NEAR(got[1].data<float>()[static_cast<size_t>(d * batch + n) * hidden + k], h[k], 1e-5);
        if (got.size() > 2) {
          ASSERT_NEAR(got[2].data<float>()[static_cast<size_t>(d * batch + n) * hidden + k], c[k], 1e-5);
        }
      }
    }
}

Strings repeat(const Strings& names, int64_t directions) {
  Strings all;
  for (int64_t i = 0; i < directions; ++i) all.insert(all.end(), names.begin(), names.end());
  return all;
}

TEST(Lstm, AgainstItsEquations) {
  for (const std::string direction : {"forward", "reverse", "bidirectional"}) {
    const int64_t directions = direction == "bidirectional" ? 2 : 1;
    const Operands o = make(4, directions);
    const Strings names = repeat({"Sigmoid", "Tanh", "Tanh"}, directions);
    auto y = run_op("LSTM", {o.x, o.w, o.r, o.b, o.lengths, o.h, o.c, o.p},
                    {{"direction", direction},
                     {"activations", names},
                     {"alpha", Floats(names.size())},
                     {"beta", Floats(names.size())}},
                    3);
    ASSERT_TRUE(y) << y.error().cause();
    expect_states(o, *y, directions, direction == "reverse",
                  [&](int64_t d, int64_t at, int64_t n, std::vector<double>& h, std::vector<double>& c) {
                    std::vector<double> next(hidden);
                    for (int64_t k = 0; k < hidden; ++k) {
                      auto gate = [&](int64_t g) { return o.wx(d, 4, g, k, at, n) + o.rh(d, 4, g, k, h); };
                      auto peephole = [&](int64_t g) {
                        return static_cast<double>(o.p.data<float>()[(d * 3 + g) * hidden + k]);
                      };
                      double& cell = c[static_cast<size_t>(k)];
                      const double i = sigmoid(gate(0) + peephole(0) * cell),
                                   f = sigmoid(gate(2) + peephole(2) * cell);
                      cell = f * cell + i * std::tanh(gate(3));
                      next[static_cast<size_t>(k)] = sigmoid(gate(1) + peephole(1) * cell) * std::tanh(cell);
                    }
                    h = next;
                  });
  }
}

TEST(Gru, BothPlacesOfTheReset) {
  for (bool before : {false, true}) {
    const Operands o = make(3, 2);
    auto y = run_op("GRU", {o.x, o.w, o.r, o.b, o.lengths, o.h},
                    {{"direction", std::string("bidirectional")},
                     {"activations", repeat({"Sigmoid", "Tanh"}, 2)},
                     {"alpha", Floats(4)},
                     {"beta", Floats(4)},
                     {"linear_before_reset", before}},
                    2);
    ASSERT_TRUE(y) << y.error().cause();
    expect_states(o, *y, 2, false,
                  [&](int64_t d, int64_t at, int64_t n, std::vector<double>& h, std::vector<double>&) {
                    std::vector<double> next(hidden), reset(hidden), r(hidden);
                    for (int64_t k = 0; k < hidden; ++k) {
                      const auto i = static_cast<size_t>(k);
                      r[i] = sigmoid(o.wx(d, 3, 1, k, at, n) + o.rh(d, 3, 1, k, h));
                      reset[i] = r[i] * h[i];
                    }
                    for (int64_t k = 0; k < hidden; ++k) {
                      const auto i = static_cast<size_t>(k);
                      const double z = sigmoid(o.wx(d, 3, 0, k, at, n) + o.rh(d, 3, 0, k, h));
                      const double part = before ? r[i] * o.rh(d, 3, 2, k, h) : o.rh(d, 3, 2, k, reset);
                      next[i] = (1 - z) * std::tanh(o.wx(d, 3, 2, k, at, n) + part) + z * h[i];
                    }
                    h = next;
                  });
  }
}

TEST(Rnn, ClipsAndActivates) {
  const Operands o = make(1, 1);
  auto y = run_op("RNN", {o.x, o.w, o.r, o.b, o.lengths, o.h},
                  {{"direction", std::string("reverse")},
                   {"activations", Strings{"LeakyRelu"}},
                   {"alpha", Floats{0.1f}},
                   {"beta", Floats{0}},
                   {"clip", 0.5f}},
                  2);
  ASSERT_TRUE(y) << y.error().cause();
  expect_states(o, *y, 1, true,
                [&](int64_t d, int64_t at, int64_t n, std::vector<double>& h, std::vector<double>&) {
                  std::vector<double> next(hidden);
                  for (int64_t k = 0; k < hidden; ++k) {
                    const double v = std::clamp(o.wx(d, 1, 0, k, at, n) + o.rh(d, 1, 0, k, h), -0.5, 0.5);
                    next[static_cast<size_t>(k)] = v < 0 ? 0.1f * v : v;
                  }
                  h = next;
                });
}

TEST(Lstm, Infers) {
  const testing::NamedAttributes attrs = {
      {"activations", Strings{"Sigmoid", "Tanh", "Tanh"}}, {"alpha", Floats(3)}, {"beta", Floats(3)}};
  auto y =
      infer_op("LSTM", {"f32[s, b, 64]", "f32[1, 512, 64]", "f32[1, 512, 128]", "f32[1, 1024]"}, attrs, 3);
  ASSERT_TRUE(y);
  EXPECT_EQ(*y, (Strings{"f32[s, 1, b, 128]", "f32[1, b, 128]", "f32[1, b, 128]"}));
  auto wrong = infer_op("LSTM", {"f32[s, b, 64]", "f32[1, 512, 32]", "f32[1, 512, 128]"}, attrs);
  EXPECT_EQ(
      wrong.error().cause(),
      "node 't' (LSTM): axis 2 of operand 1 does not fit the other operands: 32 and 64 are never equal");
}

}  // namespace
}  // namespace burnish
