#include "ops/recurrent/recurrent_eval.h"
#include "ops/recurrent/recurrent_kernel.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) { return import_recurrent(c, {"Sigmoid", "Tanh"}); }
Result<> infer(InferCtx& c) { return infer_recurrent(c, 3, 2, 6); }

template <class T>
void run(EvalCtx& c) {
  const RecurrentAttrs& attrs = c.attrs<RecurrentAttrs>();
  const int64_t batch = c.in(0).shape[1], hidden = c.in(2).shape[2], rows = 3 * hidden;
  // Unless the reset comes after the product, the candidate's product is with the reset state: it cannot be
  // shared with the other gates'.
  std::vector<T> reset(static_cast<size_t>(batch * hidden));
  auto cell = [&](int64_t d, int64_t b, const CellStep<T>& step) {
    const Activations<T> f(attrs, static_cast<size_t>(2 * d));
    const T* weights = c.in(2).data<T>() + (d * 3 + 2) * hidden * hidden;
    const T* bias = c.has(3) ? c.in(3).data<T>() + d * 2 * rows + rows + 2 * hidden : nullptr;
    T* state = reset.data() + b * hidden;
    auto gate = [&](int64_t g, int64_t k) { return step.x[g * hidden + k] + step.h[g * hidden + k]; };
    for (int64_t k = 0; k < hidden; ++k)
      state[k] = f(0, gate(1, k)) * (attrs.linear_before_reset ? step.h[2 * hidden + k] : step.hidden[k]);
    std::vector<T> candidate(static_cast<size_t>(hidden));
    if (attrs.linear_before_reset) {
      std::copy_n(state, hidden, candidate.begin());
    } else {
      if (bias) std::copy_n(bias, hidden, candidate.begin());
      matrix_product(c.pool, 1, hidden, hidden, MatrixRef<T>{state, hidden, 1},
                     MatrixRef<T>{weights, 1, hidden}, candidate.data(), hidden, true);
    }
    for (int64_t k = 0; k < hidden; ++k) {
      const T z = f(0, gate(0, k)), n = f(1, step.x[2 * hidden + k] + candidate[static_cast<size_t>(k)]);
      step.hidden[k] = (1 - z) * n + z * step.hidden[k];
    }
  };
  run_recurrent<T>(c, 3, cell);
}

Result<> eval(EvalCtx& c) {
  if (c.in(0).dtype == DType::f64) run<double>(c);
  else run<float>(c);
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  RecurrentCell cell{
      .header = "ops/recurrent/gru.cuh", .type = "GruCell<Activations, false>", .gates = 3, .states = 1};
  if (ctx.attrs<RecurrentAttrs>().linear_before_reset) {
    // The reset scales R's bias of the candidate with the product.
    cell.type = "GruCell<Activations, true>";
    cell.summed_biases = 2;
    cell.parameters = {.operand = 3, .extent = 6, .first = 5};
  }
  return RecurrentKernel(ctx, std::move(cell)).run();
}

}  // namespace

extern const OpDef op_gru;
const OpDef op_gru = {.name = "GRU",
                      .attrs = &attr_schema<RecurrentAttrs>,
                      .import = import,
                      .infer = infer,
                      .eval = eval,
                      .kernel = kernel,
                      .exact_operands = recurrent_data};

}  // namespace burnish
