#pragma once

#include <algorithm>
#include <cmath>

#include "base/matrix_product.h"
#include "ops/recurrent/recurrent.h"

namespace burnish {

/// The activations of one direction, clip included.
template <class T>
class Activations {
 public:
  Activations(const RecurrentAttrs& a, size_t first) : attrs_(a), first_(first) {}
  T operator()(size_t which, T x) const {
    const std::string& name = attrs_.activations[first_ + which];
    const T alpha = static_cast<T>(attrs_.alpha[first_ + which]),
            beta = static_cast<T>(attrs_.beta[first_ + which]);
    if (attrs_.clip > 0) x = std::clamp(x, -static_cast<T>(attrs_.clip), static_cast<T>(attrs_.clip));
    switch (name[0]) {
      case 'R': return x < 0 ? T(0) : x;
      case 'A': return alpha * x + beta;
      case 'L': return x < 0 ? alpha * x : x;
      case 'H': return std::clamp(alpha * x + beta, T(0), T(1));
      case 'E': return x < 0 ? alpha * std::expm1(x) : x;
      case 'T': return name == "Tanh" ? std::tanh(x) : x > alpha ? x : T(0);
      default: break;
    }
    if (name == "Sigmoid") return 1 / (1 + std::exp(-x));
    if (name == "ScaledTanh") return alpha * std::tanh(beta * x);
    if (name == "Softsign") return x / (1 + std::abs(x));
    return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));  // Softplus
  }

 private:
  const RecurrentAttrs& attrs_;
  size_t first_;
};

/// What one step of one sequence sees. `x` and `h`: the two products with their biases, gates * hidden each.
template <class T>
struct CellStep {
  const T* x;
  const T* h;
  T* hidden;  // in: before the step; out: after it
  T* cell;    // LSTM
};

/// Runs all directions. `cell(direction, sequence, step)` computes one step of one sequence of the batch.
template <class T, class Cell>
void run_recurrent(EvalCtx& c, int64_t gates, const Cell& cell) {
  const RecurrentAttrs& attrs = c.attrs<RecurrentAttrs>();
  const Shape& x = c.in(0).shape;
  const int64_t steps = x[0], batch = x[1], inputs = x[2], hidden = c.in(2).shape[2], rows = gates * hidden;
  const int64_t directions = attrs.direction == "bidirectional" ? 2 : 1, states = batch * hidden;
  const bool has_cell = gates == 4;
  T* y = c.wants(0) ? c.out(0).data<T>() : nullptr;
  if (y) std::fill_n(y, steps * directions * states, T(0));
  for (int64_t d = 0; d < directions; ++d) {
    const bool backward = attrs.direction == "reverse" || d == 1;
    auto initial = [&](size_t i) {
      std::vector<T> state(static_cast<size_t>(states));
      if (c.has(i)) std::copy_n(c.in(i).data<T>() + d * states, states, state.begin());
      return state;
    };
    std::vector<T> h = initial(5), s = has_cell ? initial(6) : std::vector<T>(static_cast<size_t>(states));
    std::vector<T> from_x(static_cast<size_t>(steps * batch * rows)),
        from_h(static_cast<size_t>(batch * rows));
    const T* bias = c.has(3) ? c.in(3).data<T>() + d * 2 * rows : nullptr;
    auto project = [&](const T* from, int64_t count, int64_t depth, size_t weights, const T* add,
                       std::vector<T>& to) {
      if (add)
        for (int64_t i = 0; i < count; ++i) std::copy_n(add, rows, to.begin() + i * rows);
      matrix_product(c.pool, count, rows, depth, MatrixRef<T>{from, depth, 1},
                     MatrixRef<T>{c.in(weights).data<T>() + d * rows * depth, 1, depth}, to.data(), rows,
                     add != nullptr);
    };
    project(c.in(0).data<T>(), steps * batch, inputs, 1, bias, from_x);
    for (int64_t step = 0; step < steps; ++step) {
      project(h.data(), batch, hidden, 2, bias ? bias + rows : nullptr, from_h);
      c.pool.parallel_for(batch, 4096 / (rows + 1) + 1, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b) {
          const int64_t length = c.has(4) ? std::clamp<int64_t>(c.in(4).data<int32_t>()[b], 0, steps) : steps;
          if (step >= length) continue;
          const int64_t at = backward ? length - 1 - step : step;
          T* state = h.data() + b * hidden;
          cell(d, b,
               CellStep<T>{from_x.data() + (at * batch + b) * rows, from_h.data() + b * rows, state,
                           s.data() + b * hidden});
          if (y) std::copy_n(state, hidden, y + ((at * directions + d) * batch + b) * hidden);
        }
      });
    }
    if (c.wants(1)) std::copy_n(h.begin(), states, c.out(1).data<T>() + d * states);
    if (has_cell && c.wants(2)) std::copy_n(s.begin(), states, c.out(2).data<T>() + d * states);
  }
}

}  // namespace burnish
