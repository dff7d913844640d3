#include "ops/squeeze_excite/squeeze_excite.h"

#include "base/primitives.cuh"
#include "ops/normalize.h"
#include "ops/squeeze_excite/squeeze_excite_kernel.h"

namespace burnish {

namespace {

// Models cannot hold this operator: the pass `recover_operators` makes it.
Result<> import(ImportCtx& c) { return c.error(Code::unsupported, "this operator is not supported"); }

Result<> expect_weights(InferCtx& c, size_t i, Dim outputs, Dim inputs) {
  const std::vector<Dim>& w = c.shape(i);
  bool fits = w.size() == c.shape(0).size() && c.in(i).dtype == c.in(0).dtype;
  for (size_t a = 2; a < w.size(); ++a) fits = fits && c.dims.is_constant(w[a], 1);
  if (!fits)
    return c.error("weights " + c.dims.text(w) + " are not those of a convolution of one element over " +
                   c.dims.text(c.shape(0)));
  TRY(c.unify(w[0], outputs, "axis 0 of the weights must be what they give"));
  return c.unify(w[1], inputs, "axis 1 of the weights must be what they read");
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 5));
  if (!c.has(3)) return c.error("the second weights are missing");
  TRY(expect_float(c));
  if (c.rank(0) < 3)
    return c.error("the input must have a batch, a channel and other axes, got shape " +
                   c.dims.text(c.shape(0)));
  const auto& attrs = c.attrs<SqueezeExciteAttrs>();
  if (attrs.activation != "relu" && attrs.activation != "swish")
    return c.error("there is no activation '" + attrs.activation + "'");
  if (attrs.gate != "sigmoid" && attrs.gate != "hard_sigmoid")
    return c.error("there is no gate '" + attrs.gate + "'");
  if (c.rank(1) < 2) return c.error("weights of shape " + c.dims.text(c.shape(1)));
  const Dim channels = c.shape(0)[1], hidden = c.shape(1)[0];
  TRY(expect_weights(c, 1, hidden, channels));
  TRY(expect_vector(c, 2, hidden, "first bias"));
  TRY(expect_weights(c, 3, channels, hidden));
  TRY(expect_vector(c, 4, channels, "second bias"));
  c.out(0, c.in(0));
  return {};
}

/// Sums are taken in double.
template <class T>
class Evaluation {
 public:
  explicit Evaluation(EvalCtx& c)
      : c_(c),
        attrs_(c.attrs<SqueezeExciteAttrs>()),
        channels_(c.in(0).shape[1]),
        planes_(c.in(0).shape[0] * channels_),
        inner_(planes_ == 0 ? 0 : c.in(0).count() / planes_),
        factors_(static_cast<size_t>(planes_)) {}

  void run() {
    each_plane([&](int64_t plane) {
      double sum = 0;
      for (int64_t i = 0; i < inner_; ++i) sum += static_cast<double>(x(plane)[i]);
      factors_[static_cast<size_t>(plane)] = sum / static_cast<double>(inner_);
    });
    for (int64_t image = 0; image * channels_ < planes_; ++image)
      find_gates(&factors_[static_cast<size_t>(image * channels_)]);
    each_plane([&](int64_t plane) {
      const double gate = factors_[static_cast<size_t>(plane)];
      T* y = c_.out(0).template data<T>() + plane * inner_;
      for (int64_t i = 0; i < inner_; ++i) y[i] = static_cast<T>(static_cast<double>(x(plane)[i]) * gate);
    });
  }

 private:
  const T* x(int64_t plane) const { return c_.in(0).template data<T>() + plane * inner_; }

  template <class F>
  void each_plane(const F& f) const {
    c_.pool.parallel_for(planes_, (1 << 13) / (inner_ + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) f(plane);
    });
  }

  // Row `n` of weights w times v, and the bias.
  double row(size_t w, int64_t n, const double* v) const {
    const int64_t count = c_.in(w).shape[1];
    const T* from = c_.in(w).template data<T>() + n * count;
    double sum = c_.has(w + 1) ? static_cast<double>(c_.in(w + 1).template data<T>()[n]) : 0;
    for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(from[i]) * v[i];
    return sum;
  }

  // The means of an image's channels become their gates.
  void find_gates(double* channels) const {
    std::vector<double> hidden(static_cast<size_t>(c_.in(1).shape[0]));
    for (size_t k = 0; k < hidden.size(); ++k) {
      const double sum = row(1, static_cast<int64_t>(k), channels);
      hidden[k] = attrs_.activation == "relu" ? prim::relu(sum) : sum * prim::sigmoid(sum);
    }
    const auto alpha = static_cast<double>(attrs_.alpha), beta = static_cast<double>(attrs_.beta);
    for (int64_t n = 0; n < channels_; ++n) {
      const double sum = row(3, n, hidden.data());
      channels[n] = attrs_.gate == "sigmoid" ? prim::sigmoid(sum) : prim::hard_sigmoid(sum, alpha, beta);
    }
  }

  EvalCtx& c_;
  const SqueezeExciteAttrs& attrs_;
  const int64_t channels_, planes_, inner_;
  std::vector<double> factors_;  // of each plane: its mean, then its gate
};

Result<> eval(EvalCtx& c) {
  visit_float(c.in(0).dtype, [&]<class T>(T*) { Evaluation<T>(c).run(); });
  return {};
}

Verdict kernel(KernelCtx& ctx) { return SqueezeExciteKernel(ctx).run(); }

}  // namespace

extern const OpDef op_squeeze_excite;
const OpDef op_squeeze_excite = {.name = "SqueezeExcite",
                                 .attrs = &attr_schema<SqueezeExciteAttrs>,
                                 .import = import,
                                 .infer = infer,
                                 .eval = eval,
                                 .kernel = kernel,
                                 .keeps_order = true};

}  // namespace burnish
