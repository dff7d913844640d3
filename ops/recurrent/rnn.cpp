#include "ops/recurrent/recurrent_eval.h"
#include "ops/recurrent/recurrent_kernel.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) { return import_recurrent(c, {"Tanh"}); }
Result<> infer(InferCtx& c) { return infer_recurrent(c, 1, 1, 6); }

template <class T>
void run(EvalCtx& c) {
  const RecurrentAttrs& attrs = c.attrs<RecurrentAttrs>();
  const int64_t hidden = c.in(2).shape[2];
  auto cell = [&](int64_t d, int64_t, const CellStep<T>& step) {
    const Activations<T> f(attrs, static_cast<size_t>(d));
    for (int64_t k = 0; k < hidden; ++k) step.hidden[k] = f(0, step.x[k] + step.h[k]);
  };
  run_recurrent<T>(c, 1, cell);
}

Result<> eval(EvalCtx& c) {
  if (c.in(0).dtype == DType::f64) run<double>(c);
  else run<float>(c);
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  return RecurrentKernel(
             ctx,
             {.header = "ops/recurrent/rnn.cuh", .type = "RnnCell<Activations>", .gates = 1, .states = 1})
      .run();
}

}  // namespace

extern const OpDef op_rnn;
const OpDef op_rnn = {.name = "RNN",
                      .attrs = &attr_schema<RecurrentAttrs>,
                      .import = import,
                      .infer = infer,
                      .eval = eval,
                      .kernel = kernel,
                      .exact_operands = recurrent_data};

}  // namespace burnish
