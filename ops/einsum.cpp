#include <algorithm>

#include "ops/emit.h"

namespace burnish {

namespace {

// Lowered to Transpose, Reshape, MatMul and ReduceSum, two operands at a time from the left.

// A letter, or for an axis under the ellipsis its number counted from the first of the widest ellipsis.
using Label = int;
using Labels = std::vector<Label>;

bool holds(const Labels& labels, Label l) {
  return std::find(labels.begin(), labels.end(), l) != labels.end();
}

struct Term {
  ValueId value;
  Labels labels;  // one per axis
};

struct Equation {
  std::vector<std::string> operands;
  std::string result;
  bool has_result = false;
};

Equation split(const std::string& text) {
  Equation e;
  std::string now;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] == ',' || (text[i] == '-' && i + 1 < text.size() && text[i + 1] == '>')) {
      e.operands.push_back(std::exchange(now, {}));
      if (text[i] == '-') {
        e.has_result = true;
        ++i;
      }
    } else {
      now += text[i];
    }
  }
  if (e.has_result) e.result = now;
  else e.operands.push_back(now);
  return e;
}

// "b...ij" with `ellipsis` axes under the dots, the last of `widest`.
Result<Labels> labels_of(ImportCtx& c, const std::string& text, int64_t ellipsis, int64_t widest) {
  Labels labels;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "...") == 0) {
      for (int64_t k = widest - ellipsis; k < widest; ++k) labels.push_back(static_cast<Label>(k));
      i += 2;
    } else if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z')) {
      if (holds(labels, text[i]))
        return c.error(Code::unsupported,
                       "the equation names '" + std::string(1, text[i]) + "' twice in one operand");
      labels.push_back(text[i]);
    } else {
      return c.error(Code::invalid_model,
                     "the equation has '" + std::string(1, text[i]) + "' where a letter or '...' must be");
    }
  }
  return labels;
}

// Without "->": the ellipsis, then the letters that occur once, in order.
std::string implicit_result(const Equation& e) {
  std::string all, once;
  for (const std::string& operand : e.operands) all += operand;
  for (char ch = 'A'; ch <= 'z'; ++ch)
    if (std::count(all.begin(), all.end(), ch) == 1) once += ch;
  return all.find('.') == all.npos ? once : "..." + once;
}

Result<Term> summed(ImportCtx& c, Term t, const Labels& kept) {
  std::vector<int64_t> axes;
  Labels rest;
  for (size_t i = 0; i < t.labels.size(); ++i)
    if (holds(kept, t.labels[i])) rest.push_back(t.labels[i]);
    else axes.push_back(static_cast<int64_t>(i));
  if (axes.empty()) return t;
  return Term{TRY(emit_op(c, "ReduceSum", {t.value}, {{"axes", axes}, {"keepdims", false}})), rest};
}

Result<Term> ordered(ImportCtx& c, Term t, const Labels& order) {
  if (t.labels == order) return t;
  std::vector<int64_t> perm;
  for (Label l : order) perm.push_back(std::find(t.labels.begin(), t.labels.end(), l) - t.labels.begin());
  return Term{TRY(emit_op(c, "Transpose", {t.value}, {{"perm", perm}})), order};
}

// Extents [begin, end) of x as a vector; as one number, their product, with `merged`.
Result<ValueId> extents(ImportCtx& c, ValueId x, size_t begin, size_t end, bool merged) {
  if (begin == end) return c.constant_integers(merged ? std::vector<int64_t>{1} : std::vector<int64_t>{});
  const ValueId all = TRY(
      emit_op(c, "Shape", {x}, {{"start", static_cast<int64_t>(begin)}, {"end", static_cast<int64_t>(end)}}));
  if (!merged || end == begin + 1) return all;
  return emit_op(c, "ReduceProd", {all}, {{"axes", std::vector<int64_t>{0}}, {"keepdims", true}});
}

// x with axes [batch…, first…, second…] as [batch…, product, product].
Result<ValueId> as_matrices(ImportCtx& c, ValueId x, size_t batch, size_t first, size_t second) {
  if (first == 1 && second == 1) return x;
  const ValueId shape =
      TRY(emit_op(c, "Concat",
                  {TRY(extents(c, x, 0, batch, false)), TRY(extents(c, x, batch, batch + first, true)),
                   TRY(extents(c, x, batch + first, batch + first + second, true))},
                  {{"axis", int64_t{0}}}));
  return emit_op(c, "Reshape", {x, shape});
}

Result<Term> product(ImportCtx& c, Term a, Term b, const Labels& kept) {
  Labels for_a = kept, for_b = kept;
  for_a.insert(for_a.end(), b.labels.begin(), b.labels.end());
  for_b.insert(for_b.end(), a.labels.begin(), a.labels.end());
  a = TRY(summed(c, a, for_a));
  b = TRY(summed(c, b, for_b));
  Labels batch, contracted, a_free, b_free;
  for (Label l : a.labels) (!holds(b.labels, l) ? a_free : holds(kept, l) ? batch : contracted).push_back(l);
  for (Label l : b.labels)
    if (!holds(a.labels, l)) b_free.push_back(l);
  auto joined = [&](const Labels& x, const Labels& y) {
    Labels all = batch;
    all.insert(all.end(), x.begin(), x.end());
    all.insert(all.end(), y.begin(), y.end());
    return all;
  };
  a = TRY(ordered(c, a, joined(a_free, contracted)));
  b = TRY(ordered(c, b, joined(contracted, b_free)));
  const size_t n = batch.size();
  ValueId y = TRY(emit_op(c, "MatMul",
                          {TRY(as_matrices(c, a.value, n, a_free.size(), contracted.size())),
                           TRY(as_matrices(c, b.value, n, contracted.size(), b_free.size()))}));
  if (a_free.size() != 1 || b_free.size() != 1) {
    const size_t from = n + contracted.size();
    const ValueId shape =
        TRY(emit_op(c, "Concat",
                    {TRY(extents(c, y, 0, n, false)), TRY(extents(c, a.value, n, n + a_free.size(), false)),
                     TRY(extents(c, b.value, from, from + b_free.size(), false))},
                    {{"axis", int64_t{0}}}));
    y = TRY(emit_op(c, "Reshape", {y, shape}));
  }
  return Term{y, joined(a_free, b_free)};
}

Result<> import(ImportCtx& c) {
  const std::string text = TRY(c.string("equation", {}));
  const Equation e = split(text);
  if (e.operands.size() != c.input_count())
    return c.error(Code::invalid_model, "the equation '" + text + "' has " +
                                            std::to_string(e.operands.size()) + " operands, the node " +
                                            std::to_string(c.input_count()));
  std::vector<int64_t> dotted;
  int64_t widest = 0;
  for (size_t i = 0; i < e.operands.size(); ++i) {
    const auto rank = static_cast<int64_t>(c.type(i).shape.size());
    const bool dots = e.operands[i].find("...") != std::string::npos;
    const int64_t letters = static_cast<int64_t>(e.operands[i].size()) - (dots ? 3 : 0);
    if (dots ? letters > rank : letters != rank)
      return c.error(Code::invalid_model, "'" + e.operands[i] + "' of the equation does not fit operand " +
                                              std::to_string(i) + " of rank " + std::to_string(rank));
    dotted.push_back(rank - letters);
    widest = std::max(widest, rank - letters);
  }
  const Labels result = TRY(labels_of(c, e.has_result ? e.result : implicit_result(e), widest, widest));
  std::vector<Term> terms;
  for (size_t i = 0; i < e.operands.size(); ++i)
    terms.push_back({c.input(i), TRY(labels_of(c, e.operands[i], dotted[i], widest))});
  for (Label l : result) {
    const bool known =
        std::any_of(terms.begin(), terms.end(), [&](const Term& t) { return holds(t.labels, l); });
    if (!known)
      return c.error(Code::invalid_model,
                     "the equation '" + text + "' has a result axis that no operand has");
  }
  Term all = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) {
    Labels kept = result;  // what later operands or the result still need
    for (size_t k = i + 1; k < terms.size(); ++k)
      kept.insert(kept.end(), terms[k].labels.begin(), terms[k].labels.end());
    all = TRY(product(c, all, terms[i], kept));
  }
  all = TRY(summed(c, all, result));
  c.bind(0, TRY(ordered(c, all, result)).value);
  return {};
}

}  // namespace

extern const OpDef op_einsum;
const OpDef op_einsum = {.name = "Einsum", .import = import};

}  // namespace burnish
