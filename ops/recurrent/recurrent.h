#pragma once

#include "ops/emit.h"

namespace burnish {

/// LSTM, GRU and RNN. Gates in ONNX's order: LSTM i o f c, GRU z r h.
/// Operands: x [steps, batch, inputs], w [directions, gates * hidden, inputs], r [directions, gates * hidden,
/// hidden], b [directions, 2 * gates * hidden], lengths i32 [batch], initial hidden state [directions, batch,
/// hidden]; for LSTM also initial cell state and peepholes [directions, 3 * hidden].
/// The weights w and r may be f16 or bf16 where the rest is f32.
/// Results: y [steps, directions, batch, hidden], last hidden state [directions, batch, hidden], for LSTM last
/// cell state.
struct RecurrentAttrs {
  std::string direction = "forward";     // forward, reverse, bidirectional
  std::vector<std::string> activations;  // per direction; complete, in ONNX's spelling
  std::vector<float> alpha, beta;        // one per activation
  float clip = 0;                        // bound of what goes into an activation; 0: none
  bool input_forget = false;             // LSTM: f = 1 - i
  bool linear_before_reset = false;      // GRU
  BURNISH_REFLECT(RecurrentAttrs, direction, activations, alpha, beta, clip, input_forget,
                  linear_before_reset)
};

/// For OpDef::exact_operands: all but w and r. What goes through the steps again and again keeps FP32, also in FP16.
inline constexpr uint32_t recurrent_data = 0b11111001;

namespace recurrent_detail {

struct Activation {
  std::string_view name;
  float alpha, beta;  // defaults
  bool takes_alpha, takes_beta;
};
inline constexpr Activation activations[] = {
    {"Relu", 0, 0, false, false},         {"Tanh", 0, 0, false, false},
    {"Sigmoid", 0, 0, false, false},      {"Affine", 1, 0, true, true},
    {"LeakyRelu", 0.01f, 0, true, false}, {"ThresholdedRelu", 1, 0, true, false},
    {"ScaledTanh", 1, 1, true, true},     {"HardSigmoid", 0.2f, 0.5f, true, true},
    {"Elu", 1, 0, true, false},           {"Softsign", 0, 0, false, false},
    {"Softplus", 0, 0, false, false}};

inline const Activation* find_activation(std::string_view name) {
  auto lower = [](std::string_view s) {
    std::string t(s);
    for (char& ch : t) ch = static_cast<char>(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
    return t;
  };
  for (const Activation& a : activations)
    if (lower(a.name) == lower(name)) return &a;
  return nullptr;
}

// The attributes with every activation spelt out; alphas and betas are given only for those that take them.
inline Result<RecurrentAttrs> complete(ImportCtx& c, const std::vector<std::string>& defaults) {
  RecurrentAttrs attrs;
  attrs.direction = TRY(c.string("direction", "forward"));
  attrs.clip = TRY(c.real("clip", 0.0f));
  attrs.input_forget = TRY(c.integer("input_forget", 0)) != 0;
  attrs.linear_before_reset = TRY(c.integer("linear_before_reset", 0)) != 0;
  attrs.activations = TRY(c.strings("activations"));
  const size_t directions = attrs.direction == "bidirectional" ? 2 : 1;
  if (attrs.activations.empty())
    for (size_t i = 0; i < directions; ++i)
      attrs.activations.insert(attrs.activations.end(), defaults.begin(), defaults.end());
  const std::vector<float> alpha = TRY(c.reals("activation_alpha")), beta = TRY(c.reals("activation_beta"));
  size_t next_alpha = 0, next_beta = 0;
  for (std::string& name : attrs.activations) {
    const Activation* a = find_activation(name);
    if (!a) return c.error(Code::unsupported, "activation '" + name + "' is not known");
    name = a->name;
    attrs.alpha.push_back(a->takes_alpha && next_alpha < alpha.size() ? alpha[next_alpha++] : a->alpha);
    attrs.beta.push_back(a->takes_beta && next_beta < beta.size() ? beta[next_beta++] : a->beta);
  }
  return attrs;
}

}  // namespace recurrent_detail

/// Completes the activations (from `defaults`, one direction's); turns layout=1 (batch first) into transposes.
inline Result<> import_recurrent(ImportCtx& c, const std::vector<std::string>& defaults) {
  const RecurrentAttrs attrs = TRY(recurrent_detail::complete(c, defaults));
  const bool batch_first = TRY(c.integer("layout", 0)) != 0;
  auto transpose = [&](ValueId v, std::vector<int64_t> perm) {
    return emit_op(c, "Transpose", {v}, {{"perm", std::move(perm)}});
  };
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < c.input_count(); ++i) {
    inputs.push_back(c.input(i));
    if (batch_first && c.has_input(i) && (i == 0 || i == 5 || i == 6))
      inputs[i] = TRY(transpose(inputs[i], {1, 0, 2}));
  }
  while (inputs.back() == no_value) inputs.pop_back();
  size_t outputs = 1;
  for (size_t i = 1; i < c.output_count(); ++i)
    if (c.wants_output(i)) outputs = i + 1;
  auto results = TRY(c.emit(c.op_type(), attrs, std::move(inputs), outputs));
  for (size_t i = 0; i < results.size(); ++i) {
    if (!c.wants_output(i)) continue;
    if (batch_first)
      results[i] = TRY(
          transpose(results[i], i == 0 ? std::vector<int64_t>{2, 0, 1, 3} : std::vector<int64_t>{1, 0, 2}));
    c.bind(i, results[i]);
  }
  return {};
}

/// `per_direction`: how many activations a direction has.
inline Result<> infer_recurrent(InferCtx& c, int64_t gates, size_t per_direction, size_t operands) {
  TRY(c.expect_inputs(3, operands));
  const RecurrentAttrs& a = c.attrs<RecurrentAttrs>();
  if (a.direction != "forward" && a.direction != "reverse" && a.direction != "bidirectional")
    return c.error("direction '" + a.direction + "' is none of forward, reverse, bidirectional");
  const int64_t directions = a.direction == "bidirectional" ? 2 : 1;
  const size_t activations = per_direction * static_cast<size_t>(directions);
  if (a.activations.size() != activations || a.alpha.size() != activations || a.beta.size() != activations)
    return c.error("activations must have " + std::to_string(activations) + " elements, got " +
                   std::to_string(a.activations.size()));
  for (const std::string& name : a.activations)
    if (!recurrent_detail::find_activation(name)) return c.error("activation '" + name + "' is not known");
  if (!is_float(c.in(0).dtype)) return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
  static constexpr int64_t ranks[] = {3, 3, 3, 2, 1, 3, 3, 2};
  for (size_t i = 0; i < c.input_count(); ++i) {
    if (!c.has(i)) continue;
    if (c.rank(i) != ranks[i])
      return c.error("operand " + std::to_string(i) + " must have " + std::to_string(ranks[i]) +
                     " axes, got shape " + c.dims.text(c.shape(i)));
    const DType wanted = i == 4 ? DType::i32 : c.in(0).dtype, given = c.in(i).dtype;
    const bool narrow_weights =
        (i == 1 || i == 2) && wanted == DType::f32 && (given == DType::f16 || given == DType::bf16);
    if (given != wanted && !narrow_weights)
      return c.error("operand " + std::to_string(i) + " is of type " + std::string(name_of(c.in(i).dtype)));
  }
  const Dim steps = c.shape(0)[0], batch = c.shape(0)[1], inputs = c.shape(0)[2], hidden = c.shape(2)[2];
  const Dim d = c.dims.constant(directions), rows = c.dims.mul(hidden, c.dims.constant(gates));
  const std::vector<Dim> expected[] = {{steps, batch, inputs},
                                       {d, rows, inputs},
                                       {d, rows, hidden},
                                       {d, c.dims.mul(rows, c.dims.constant(2))},
                                       {batch},
                                       {d, batch, hidden},
                                       {d, batch, hidden},
                                       {d, c.dims.mul(hidden, c.dims.constant(3))}};
  for (size_t i = 1; i < c.input_count(); ++i)
    for (size_t k = 0; c.has(i) && k < expected[i].size(); ++k)
      TRY(c.unify(c.shape(i)[k], expected[i][k],
                  "axis " + std::to_string(k) + " of operand " + std::to_string(i) +
                      " does not fit the other operands"));
  c.out(0, c.in(0).dtype, {steps, d, batch, hidden});
  for (size_t i = 1; i < c.output_count(); ++i) c.out(i, c.in(0).dtype, {d, batch, hidden});
  return {};
}

}  // namespace burnish
