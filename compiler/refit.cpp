#include "compiler/refit.h"

#include <algorithm>

#include "base/version.h"
#include "compiler/refit_record.h"
#include "onnx/reader.h"
#include "onnx/weights.h"
#include "providers/nvrtc/device_headers.h"

namespace burnish {

namespace {

using Weight = RefitRecord::Weight;

std::string type_text(DType dtype, const Shape& shape) {
  std::string text(name_of(dtype));
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "[") + std::to_string(shape[i]);
  return text + (shape.empty() ? "[]" : "]");
}

/// "'a', 'b' and 3 more"
std::string list_of(const std::vector<std::string>& names) {
  constexpr size_t most = 4;
  const size_t shown = names.size() <= most ? names.size() : most - 1;
  std::string text;
  for (size_t i = 0; i < shown; ++i) text += (i == 0 ? "'" : ", '") + names[i] + "'";
  return text + (shown < names.size() ? " and " + std::to_string(names.size() - shown) + " more" : "");
}

std::string plural(const std::vector<std::string>& names) {
  return names.size() == 1 ? "weight " : "weights ";
}

const Weight* find(const RefitRecord& record, const std::string& name) {
  const auto found = std::ranges::find(record.weights, name, &Weight::name);
  return found == record.weights.end() ? nullptr : &*found;
}

Error unknown_weight(const RefitRecord& record, const std::string& name, const std::string& whose) {
  std::vector<std::string> names;
  for (const Weight& weight : record.weights) names.push_back(weight.name);
  return Error(Code::invalid_argument, whose + " weight '" + name + "', which the engine does not have")
      .remedy("the engine has " + plural(names) + list_of(names));
}

Result<> check_type(const Weight& weight, DType dtype, const Shape& shape) {
  if (weight.dtype == dtype && weight.shape == shape) return {};
  return Error(Code::invalid_argument, "weight '" + weight.name + "' is " +
                                           type_text(weight.dtype, weight.shape) +
                                           " in the engine, and is given as " + type_text(dtype, shape))
      .remedy("give weights of the types and shapes that the engine was built with, or build it again");
}

Result<> check_named(const RefitRecord& record, const std::map<std::string, Tensor>& named) {
  for (const auto& [name, tensor] : named) {
    const Weight* weight = find(record, name);
    if (!weight) return unknown_weight(record, name, "there is given a");
    TRY(check_type(*weight, tensor.dtype(), tensor.shape()));
  }
  return {};
}

/// The model as it was built from, with the weights that are named and, for the others, those that the engine keeps.
Result<onnx::Model> own_model(const EngineFile& engine, const std::map<std::string, Tensor>& named) {
  std::vector<std::string> missing;
  for (const Weight& weight : engine.refit->weights)
    if (!weight.stored && !named.contains(weight.name)) missing.push_back(weight.name);
  if (!missing.empty())
    return Error(Code::invalid_argument, plural(missing) + list_of(missing) +
                                             (missing.size() == 1 ? " is" : " are") +
                                             " missing, and the engine does not keep its own")
        .remedy("give all weights, or the model that has them");
  const auto values = [&](const onnx::Literal& literal) -> Result<Tensor> {
    const Weight* weight = find(*engine.refit, literal.name);
    if (!weight) return unknown_weight(*engine.refit, literal.name, "the model that it keeps has a");
    if (const auto given = named.find(literal.name); given != named.end()) return given->second;
    return engine.tensor(*weight);
  };
  return onnx::read_without_weights(std::as_bytes(std::span(engine.refit->model)), values);
}

/// Another model with the weights of the engine, by name.
Result<> check_model(const RefitRecord& record, const onnx::Model& model) {
  std::map<std::string, const onnx::Literal*> there;
  for (const onnx::Literal& literal : model.graph.initializers) {
    there[literal.name] = &literal;
    if (is_weight(model.graph, literal) && !find(record, literal.name))
      return unknown_weight(record, literal.name, "the model has a");
  }
  std::vector<std::string> missing;
  for (const Weight& weight : record.weights) {
    const auto found = there.find(weight.name);
    if (found == there.end()) missing.push_back(weight.name);
    else if (found->second->dtype) TRY(check_type(weight, *found->second->dtype, found->second->dims));
  }
  if (missing.empty()) return {};
  return Error(Code::invalid_argument,
               "the model lacks " + plural(missing) + list_of(missing) + " of the engine")
      .remedy("refit from the model that the engine was built from, with other weights, or build again");
}

/// Of the model's weights those that the record does not have the checksum of.
std::vector<const Weight*> changed(const RefitRecord& record, const onnx::Model& model) {
  std::vector<const Weight*> list;
  for (const onnx::Literal& literal : model.graph.initializers)
    if (const Weight* weight = find(record, literal.name);
        weight && checksum_of(literal.payload) != weight->checksum)
      list.push_back(weight);
  return list;
}

Result<> check_fixed(const RefitRecord& record, const std::vector<const Weight*>& changed) {
  for (const Weight* weight : changed)
    if (weight->fixed)
      return Error(Code::invalid_argument, "weight '" + weight->name +
                                               "' is another one, and the engine takes only the one that "
                                               "it was built with")
          .remedy(record.is_identical()
                      ? "refit from the very model that it was built from; with --refit it takes others"
                      : "leave it as it is, or list it among the weights that may be refitted");
  return {};
}

Error another_version(const EngineFile& engine) {
  return Error(Code::incompatible_engine, "the engine was built by another version of Burnish (" +
                                              engine.identity.burnish_version +
                                              "), whose kernels or plans differ")
      .remedy("refit it with the version that built it, or build it again");
}

Result<> check_kernels(const EngineFile& engine) {
  const bool on_device =
      std::ranges::any_of(engine.plans, [](const Plan& plan) { return plan.target != "cpu"; });
  if (!on_device || engine.refit->kernels == nvrtc::device_text_digest()) return {};
  return another_version(engine);
}

std::vector<const Step*> all_steps(const Plan& plan) {
  std::vector<const Step*> steps;
  for_each_step(plan.steps, [&](const Step& step) { steps.push_back(&step); });
  return steps;
}

uint64_t source_of(const Plan& plan, const Step& step) {
  const auto* launch = std::get_if<KernelLaunch>(&step.what);
  return launch ? plan.modules[launch->module].source : 0;
}

/// What of a plan is another one than it was; nothing if it does the same by the same kernels.
std::optional<std::string> difference(const Plan& was, const Plan& is) {
  const std::vector<const Step*> a = all_steps(was), b = all_steps(is);
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const Step& step = *(i < b.size() ? b[i] : a[i]);
    if (i >= a.size() || i >= b.size() || !(*a[i] == *b[i]) || source_of(was, *a[i]) != source_of(is, *b[i]))
      return "step '" + step.name + "'";
  }
  Plan before = was, after = is;
  for (Plan* plan : {&before, &after}) {
    for (ConstantData& constant : plan->constants) constant.offset = 0;
    for (KernelModule& module : plan->modules) module.offset = module.bytes = 0;
  }
  if (before == after) return {};
  return "the memory";
}

/// One try to make the engine from a model.
class Refit {
 public:
  Refit(const EngineFile& engine, const RefitOptions& how) : engine_(engine) {
    options_ = options_of(*engine.refit, engine.plans);
    options_.decided = engine.plans;
    options_.threads = how.threads;
    options_.progress = how.progress;
  }

  Result<EngineContents> run(const onnx::Model& model) {
    Compiled compiled = TRY(compile(model, options_));
    if (const auto what = difference_of(compiled)) return explain(*what, model);
    EngineContents contents{.identity = engine_.identity};
    contents.identity.model = model.graph.name;
    contents.debug = std::move(compiled.text);
    for (CompiledTarget& target : compiled.targets) {
      std::vector<std::vector<std::byte>> code;
      for (const KernelModule& module : engine_.plans[contents.targets.size()].modules)
        code.emplace_back(engine_.module(module).begin(), engine_.module(module).end());
      contents.targets.push_back({std::move(target.plan), std::move(target.constants), std::move(code)});
    }
    contents.refit = TRY(refit_record(model, options_));
    contents.weights = stored_weights(*contents.refit, model);
    return contents;
  }

 private:
  std::optional<std::string> difference_of(const Compiled& compiled) const {
    for (size_t i = 0; i < engine_.plans.size(); ++i)
      if (const auto what = difference(engine_.plans[i], compiled.targets[i].plan))
        return *what + " of the plan for '" + engine_.plans[i].target + "'";
    return {};
  }

  Result<bool> fits(const onnx::Model& model) const { return !difference_of(TRY(compile(model, options_))); }

  /// The weight because of which a plan is another one: of those that are kept, which are put back one after the other.
  Result<const Weight*> culprit(const onnx::Model& model) const {
    std::vector<const Weight*> list = changed(*engine_.refit, model);
    std::erase_if(list, [](const Weight* weight) { return !weight->stored; });
    const auto with = [&](size_t count) {  // the first `count` as they are now, the others as they were
      onnx::Model mixed = model;
      for (onnx::Literal& literal : mixed.graph.initializers)
        for (size_t i = count; i < list.size(); ++i)
          if (list[i]->name == literal.name) literal.payload = engine_.tensor(*list[i]);
      return mixed;
    };
    if (list.empty() || !TRY(fits(with(0)))) return static_cast<const Weight*>(nullptr);
    size_t fit = 0, unfit = list.size();
    while (unfit - fit > 1) {
      const size_t middle = fit + (unfit - fit) / 2;
      (TRY(fits(with(middle))) ? fit : unfit) = middle;
    }
    return list[unfit - 1];
  }

  Error explain(const std::string& what, const onnx::Model& model) const {
    if (engine_.identity.burnish_version != version) return another_version(engine_);
    auto weight = culprit(model);
    if (!weight) return std::move(weight).error();
    if (*weight)
      return Error(Code::invalid_argument,
                   "weight '" + (*weight)->name + "' cannot be refitted: its value is a number in " + what)
          .remedy("build the engine again with the new weights");
    return Error(Code::invalid_argument, "the model does not fit the engine: " + what + " is another one")
        .remedy("refit from the model that the engine was built from, with other weights, or build again");
  }

  const EngineFile& engine_;
  CompileOptions options_;
};

}  // namespace

Result<EngineContents> refit(const EngineFile& engine, NewWeights weights, const RefitOptions& options) {
  if (!engine.refit)
    return Error(Code::invalid_argument, "the engine cannot be refitted: it was not built for it")
        .remedy("build it with --refit, or build again from the new model");
  const RefitRecord& record = *engine.refit;
  TRY(check_kernels(engine));
  TRY(check_named(record, weights.named));
  if (weights.model) {
    weights.model = onnx::with_constants_as_initializers(*std::move(weights.model));
    TRY(check_model(record, *weights.model));
  } else {
    weights.model = TRY(own_model(engine, weights.named));
  }
  for (onnx::Literal& literal : weights.model->graph.initializers)
    if (const auto given = weights.named.find(literal.name); given != weights.named.end())
      literal.payload = given->second;
  TRY(check_fixed(record, changed(record, *weights.model)));
  return Refit(engine, options).run(*weights.model).during("refitting the engine");
}

}  // namespace burnish
