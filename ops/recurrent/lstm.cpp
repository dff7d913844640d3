#include "ops/recurrent/recurrent_eval.h"
#include "ops/recurrent/recurrent_kernel.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) { return import_recurrent(c, {"Sigmoid", "Tanh", "Tanh"}); }
Result<> infer(InferCtx& c) { return infer_recurrent(c, 4, 3, 8); }

template <class T>
void run(EvalCtx& c) {
  const RecurrentAttrs& attrs = c.attrs<RecurrentAttrs>();
  const int64_t hidden = c.in(2).shape[2];
  auto cell = [&](int64_t d, int64_t, const CellStep<T>& step) {
    const Activations<T> f(attrs, static_cast<size_t>(3 * d));
    const T* peephole = c.has(7) ? c.in(7).data<T>() + d * 3 * hidden : nullptr;
    for (int64_t k = 0; k < hidden; ++k) {
      auto gate = [&](int64_t g) { return step.x[g * hidden + k] + step.h[g * hidden + k]; };
      auto peep = [&](int64_t p, T state) { return peephole ? peephole[p * hidden + k] * state : T(0); };
      const T before = step.cell[k];
      const T i = f(0, gate(0) + peep(0, before));
      const T forget = attrs.input_forget ? 1 - i : f(0, gate(2) + peep(2, before));
      const T state = forget * before + i * f(1, gate(3));
      const T o = f(0, gate(1) + peep(1, state));
      step.cell[k] = state;
      step.hidden[k] = o * f(2, state);
    }
  };
  run_recurrent<T>(c, 4, cell);
}

Result<> eval(EvalCtx& c) {
  if (c.in(0).dtype == DType::f64) run<double>(c);
  else run<float>(c);
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  const bool couple = ctx.attrs<RecurrentAttrs>().input_forget;
  return RecurrentKernel(ctx,
                         {.header = "ops/recurrent/lstm.cuh",
                          .type = couple ? "LstmCell<Activations, true>" : "LstmCell<Activations, false>",
                          .gates = 4,
                          .states = 2,
                          .parameters = {{.operand = 7, .extent = 3, .first = 0}}})
      .run();
}

}  // namespace

extern const OpDef op_lstm;
const OpDef op_lstm = {.name = "LSTM",
                       .attrs = &attr_schema<RecurrentAttrs>,
                       .import = import,
                       .infer = infer,
                       .eval = eval,
                       .kernel = kernel,
                       .exact_operands = recurrent_data};

}  // namespace burnish
