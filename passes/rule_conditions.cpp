#include <algorithm>

#include "base/half.h"
#include "ir/op.h"
#include "ops/squeeze_excite/squeeze_excite.h"
#include "passes/rule.h"

namespace burnish {

namespace {

using Variables = std::span<const Variable>;

// What the match found before must agree.
bool set_number(RuleMatch& m, Variable x, double number) {
  if (m.numbers[x] && *m.numbers[x] != number) return false;
  m.numbers[x] = number;
  return true;
}

// number(%a): %a is a constant of one element, of a float type that rules compute with.
bool number(RuleMatch& m, Variables x) {
  const Tensor* t = m.graph.constant(m.values[x[0]]);
  if (!t || t->count() != 1) return false;
  switch (t->dtype()) {
    case DType::f32: return set_number(m, x[0], static_cast<double>(t->data<float>()[0]));
    case DType::f16: return set_number(m, x[0], static_cast<double>(to_float(t->data<half>()[0])));
    default: return false;
  }
}

// constant(%a)
bool constant(RuleMatch& m, Variables x) { return m.graph.constant(m.values[x[0]]) != nullptr; }

const std::vector<int64_t>* reduced_axes(const RuleMatch& m, Variable reduction) {
  return m.graph.producer(m.values[reduction])->attrs.find<std::vector<int64_t>>("axes");
}

// last_axes(%mean, %axis): the reduction %mean goes over all axes from number %axis on.
bool last_axes(RuleMatch& m, Variables x) {
  const std::vector<int64_t>& axes = *reduced_axes(m, x[0]);
  const auto rank = static_cast<int64_t>(m.value(x[0]).type.shape.size());
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != rank - static_cast<int64_t>(axes.size() - i)) return false;
  return !axes.empty() && set_number(m, x[1], static_cast<double>(axes.front()));
}

// channel_axis(%mean): the reduction %mean goes over axis 1 of images.
bool channel_axis(RuleMatch& m, Variables x) {
  return *reduced_axes(m, x[0]) == std::vector<int64_t>{1} && m.value(x[0]).type.shape.size() == 4;
}

// over_positions(%mean): the reduction %mean goes over all axes but the first two.
bool over_positions(RuleMatch& m, Variables x) {
  const std::vector<Dim>& shape = m.value(x[0]).type.shape;
  std::vector<int64_t> wanted;
  for (size_t axis = 2; axis < shape.size(); ++axis) wanted.push_back(static_cast<int64_t>(axis));
  return !wanted.empty() && *reduced_axes(m, x[0]) == wanted;
}

// one_element(%c): the convolution %c has windows of one element and adds nothing around its image.
bool one_element(RuleMatch& m, Variables x) {
  const Node& conv = *m.graph.producer(m.values[x[0]]);
  const std::vector<Dim>& w = m.graph.values[conv.inputs[1]].type.shape;
  const auto& pads = *conv.attrs.find<std::vector<int64_t>>("pads");
  return std::all_of(w.begin() + 2, w.end(), [&](Dim d) { return m.graph.dims->is_constant(d, 1); }) &&
         std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
}

// can_be_squeezed(%mean, %h): the channels of %mean, and those that are left of them in %h, are as few as kernels take.
bool can_be_squeezed(RuleMatch& m, Variables x) {
  const auto most = [&](Variable v, int64_t n) {
    const auto channels = m.graph.dims->value(m.value(v).type.shape[1]);
    return channels && *channels <= n;
  };
  return most(x[0], most_squeezed_channels) && most(x[1], most_hidden_channels);
}

// Each extent of `shape` is 1 or that of `like`, counted from the last axis.
bool broadcasts_to(const Graph& g, std::span<const Dim> shape, std::span<const Dim> like) {
  if (shape.size() > like.size()) return false;
  for (size_t i = 1; i <= shape.size(); ++i)
    if (shape[shape.size() - i] != like[like.size() - i] && !g.dims->is_constant(shape[shape.size() - i], 1))
      return false;
  return true;
}

// fits(%a, %x, %axis): %a is a constant that broadcasts to the axes of %x from number %axis on.
bool fits(RuleMatch& m, Variables x) {
  const std::span<const Dim> shape = m.value(x[1]).type.shape;
  return constant(m, x) && m.numbers[x[2]] &&
         broadcasts_to(m.graph, m.value(x[0]).type.shape,
                       shape.subspan(static_cast<size_t>(*m.numbers[x[2]])));
}

// per_channel(%a, %x): %a is a constant with one element for each channel (axis 1) of %x.
bool per_channel(RuleMatch& m, Variables x) {
  const std::vector<Dim>&shape = m.value(x[0]).type.shape, &image = m.value(x[1]).type.shape;
  if (!constant(m, x) || image.size() < 3 || shape.size() + 1 < image.size() || shape.size() > image.size())
    return false;
  std::vector<Dim> wanted(image.size(), m.graph.dims->constant(1));
  wanted[1] = image[1];
  return std::equal(shape.begin(), shape.end(), wanted.end() - static_cast<std::ptrdiff_t>(shape.size()));
}

// groups(%r, %x, %count): %r is %x with the channels and all that follows cut into %count groups.
bool groups(RuleMatch& m, Variables x) {
  const std::vector<Dim>&cut = m.value(x[0]).type.shape, &whole = m.value(x[1]).type.shape;
  if (cut.size() != 3 || whole.size() < 3 || cut[0] != whole[0]) return false;
  const auto count = m.graph.dims->value(cut[1]), channels = m.graph.dims->value(whole[1]);
  return count && channels && *count > 0 && *channels % *count == 0 &&
         set_number(m, x[2], static_cast<double>(*count));
}

}  // namespace

const RuleCondition* find_condition(std::string_view name) {
  static const RuleCondition conditions[] = {
      {"number", 1, number},
      {"constant", 1, constant},
      {"last_axes", 2, last_axes},
      {"channel_axis", 1, channel_axis},
      {"fits", 3, fits},
      {"per_channel", 2, per_channel},
      {"groups", 3, groups},
      {"over_positions", 1, over_positions},
      {"one_element", 1, one_element},
      {"can_be_squeezed", 2, can_be_squeezed},
  };
  const auto it = std::find_if(std::begin(conditions), std::end(conditions),
                               [&](const RuleCondition& c) { return c.name == name; });
  return it == std::end(conditions) ? nullptr : it;
}

}  // namespace burnish
