#include "compiler/tactics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace burnish {

std::vector<KernelLaunch::Argument::Windows> windows_of(const TensorMap& map) {
  std::vector<KernelLaunch::Argument::Windows> list;
  for (const TensorMap::Windows& w : map.windows) list.push_back({w.pad, w.pad_end, w.reach, w.step});
  return list;
}

namespace {

/// What a node's kernel sees while a tactic is only tried: what it asks for reaches no plan.
class TrialOperands final : public KernelCtx {
 public:
  explicit TrialOperands(KernelCtx& real)
      : KernelCtx(real.graph, real.node), real_(real), dense_(real.node.inputs.size()) {
    forms = real.forms;
  }
  std::span<const Dim> in_strides(size_t i) const override {
    return dense_[i] ? std::span<const Dim>(*dense_[i]) : real_.in_strides(i);
  }
  std::span<const Dim> out_strides(size_t i) const override { return real_.out_strides(i); }
  int64_t in_alignment(size_t i) const override { return dense_[i] ? 64 : real_.in_alignment(i); }
  int64_t out_alignment(size_t i) const override { return real_.out_alignment(i); }
  bool tf32() const override { return real_.tf32(); }
  std::string_view architecture() const override { return real_.architecture(); }
  int64_t usual(Dim d) const override { return real_.usual(d); }
  DType pointer_type(OperandPointer p) const override {
    return p.kind == OperandPointer::Kind::extra ? extra_[p.index].dtype : real_.pointer_type(p);
  }
  bool is_constant(OperandPointer p) const override {
    if (p.kind == OperandPointer::Kind::extra) return extra_[p.index].kind == ProblemBuffer::Kind::constant;
    return real_.is_constant(p) && !dense_[p.index];
  }
  void make_dense(size_t i) override {
    std::vector<Dim> dense = dense_strides(dims, in(i).shape);
    for (size_t a = 0; a < dense.size(); ++a)
      if (in_strides(i)[a] != dense[a] && !dims.is_constant(in(i).shape[a], 1)) {
        dense_[i] = std::move(dense);
        return;
      }
  }
  OperandPointer scratch(DType dtype, Dim count) override {
    const int64_t most = dims.range(count).hi;
    most_scratch_ += bytes(most < DimTable::unbounded ? most : usual(count), dtype);
    return add({ProblemBuffer::Kind::scratch, dtype, bytes(usual(count), dtype), {}});
  }
  OperandPointer constant(Tensor tensor) override {
    return add({ProblemBuffer::Kind::constant, tensor.dtype(), tensor.byte_size(), tensor});
  }

  /// Bytes of scratch asked for so far, at the largest extents.
  uint64_t most_scratch() const { return most_scratch_; }

  /// The memory behind a pointer, at the usual extents.
  ProblemBuffer buffer(OperandPointer p) const {
    if (p.kind == OperandPointer::Kind::extra) return extra_[p.index];
    const bool input = p.kind == OperandPointer::Kind::input;
    const TensorType& type = input ? in(p.index) : out(p.index);
    const std::span<const Dim> strides = input ? in_strides(p.index) : out_strides(p.index);
    int64_t count = 1;  // from the first element to the last
    for (size_t a = 0; a < strides.size(); ++a) {
      const int64_t extent = usual(type.shape[a]);
      count = extent == 0 ? 0 : count + (extent - 1) * usual(strides[a]) * (count != 0);
    }
    // Candidates that hold a constant in forms of their own, and those that read it as it is, are to agree.
    const Tensor* constant = input ? constant_operand(p.index) : nullptr;
    return {input ? ProblemBuffer::Kind::input : ProblemBuffer::Kind::output, type.dtype,
            bytes(count, type.dtype), constant ? *constant : Tensor()};
  }

 private:
  static uint64_t bytes(int64_t count, DType dtype) { return static_cast<uint64_t>(count) * size_of(dtype); }
  OperandPointer add(ProblemBuffer buffer) {
    extra_.push_back(std::move(buffer));
    return {OperandPointer::Kind::extra, static_cast<uint32_t>(extra_.size() - 1)};
  }

  KernelCtx& real_;
  std::vector<std::optional<std::vector<Dim>>> dense_;  // by operand, where a copy would be made
  std::vector<ProblemBuffer> extra_;
  uint64_t most_scratch_ = 0;
};

bool same_memory(const ProblemBuffer& a, const ProblemBuffer& b) {
  if (a.kind != b.kind || a.dtype != b.dtype || a.bytes != b.bytes) return false;
  return a.kind != ProblemBuffer::Kind::constant ||
         std::equal(a.constant.bytes(), a.constant.bytes() + a.bytes, b.constant.bytes());
}

/// Collects candidates; they share what they have in common.
class ProblemBuilder {
 public:
  explicit ProblemBuilder(const Makers& makers) : backend_(makers.backend), limits_(makers.limits) {}

  void add(const std::string& tactic, const TrialOperands& trial) {
    Candidate candidate{.tactic = tactic};
    extra_of_candidate_.clear();
    for (const RoutineCall& call : trial.routines) candidate.routines.push_back(routine(trial, call));
    for (const KernelCall& call : trial.calls) candidate.launches.push_back(launch(trial, call));
    for (const auto& [extra, index] : extra_of_candidate_)
      if (problem.buffers[index].kind == ProblemBuffer::Kind::scratch)
        candidate.workspace += problem.buffers[index].bytes;
    problem.candidates.push_back(std::move(candidate));
  }

  Problem problem;

 private:
  ProblemLaunch launch(const TrialOperands& trial, const KernelCall& call) {
    const Backend::Source source = backend_.emit(trial, call);
    ProblemLaunch launch{.source = source.text,
                         .shared_bytes = static_cast<uint32_t>(call.shared_bytes),
                         .starts_early = limits_.start_early(trial)};
    for (size_t k = 0; k < 3; ++k) {
      launch.grid[k] = static_cast<uint32_t>(std::clamp<int64_t>(trial.usual(call.grid[k]), 0, INT32_MAX));
      launch.block[k] = static_cast<uint32_t>(call.block[k]);
    }
    for (const KernelArgument& a : source.arguments) launch.arguments.push_back(argument(trial, a));
    return launch;
  }

  ProblemLaunch::Argument argument(const TrialOperands& trial, const KernelArgument& a) {
    using Kind = ProblemLaunch::Argument::Kind;
    if (const Dim* d = std::get_if<Dim>(&a)) return {Kind::integer, trial.usual(*d)};
    if (const auto* map = std::get_if<TensorMap>(&a))
      return {Kind::tensor_map,
              index_of(trial, map->pointer),
              numbers(trial, map->extents),
              numbers(trial, map->strides),
              map->box,
              windows_of(*map)};
    return {Kind::pointer, index_of(trial, std::get<OperandPointer>(a))};
  }

  static std::vector<uint64_t> numbers(const TrialOperands& trial, std::span<const Dim> dims) {
    std::vector<uint64_t> list;
    for (Dim d : dims) list.push_back(static_cast<uint64_t>(trial.usual(d)));
    return list;
  }

  ProblemRoutine routine(const TrialOperands& trial, const RoutineCall& call) {
    ProblemRoutine routine{.library = call.library, .text = call.text};
    for (const OperandPointer p : call.operands) routine.operands.push_back(index_of(trial, p));
    return routine;
  }

  uint32_t index_of(const TrialOperands& trial, OperandPointer p) {
    const bool extra = p.kind == OperandPointer::Kind::extra;
    auto& known = extra ? extra_of_candidate_ : operands_;
    const std::pair<int, uint32_t> name(static_cast<int>(p.kind), p.index);
    if (auto it = known.find(name); it != known.end()) return it->second;
    const ProblemBuffer buffer = trial.buffer(p);
    const auto taken = [&](uint32_t i) {  // by another scratch buffer of this candidate
      return std::ranges::any_of(extra_of_candidate_, [&](const auto& entry) { return entry.second == i; });
    };
    uint32_t i = 0;
    while (i < problem.buffers.size() && !(extra && !taken(i) && same_memory(problem.buffers[i], buffer)))
      ++i;
    if (i == problem.buffers.size()) problem.buffers.push_back(buffer);
    return known[name] = i;
  }

  using Index = std::map<std::pair<int, uint32_t>, uint32_t>;
  const Backend& backend_;
  const TacticLimits limits_;
  Index operands_, extra_of_candidate_;
};

std::string hexadecimal(XXH128_hash_t hash) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

/// Names all that the time of the default candidate depends on, the device aside.
std::string argument_text(const ProblemLaunch::Argument& a) {
  std::string text = (a.kind == ProblemLaunch::Argument::Kind::integer ? "" : "*") + std::to_string(a.value);
  for (const auto& numbers : {a.extents, a.strides})
    for (uint64_t v : numbers) text += "," + std::to_string(v);
  for (uint32_t v : a.box) text += "," + std::to_string(v);
  for (const auto& w : a.windows)
    for (uint32_t v : {w.pad, w.pad_end, w.reach, w.step}) text += "," + std::to_string(v);
  return text + " ";
}

std::string key_of(const Problem& problem, std::string_view target) {
  std::string text(target);
  for (const ProblemBuffer& b : problem.buffers)
    text += "\n" + std::to_string(static_cast<int>(b.kind)) + " " + std::string(name_of(b.dtype)) + " " +
            std::to_string(b.bytes);
  for (const ProblemLaunch& launch : problem.candidates.front().launches) {
    text += "\n";
    for (const auto& numbers : {launch.grid, launch.block})
      for (uint32_t v : numbers) text += std::to_string(v) + " ";
    for (const ProblemLaunch::Argument& a : launch.arguments) text += argument_text(a);
    text += std::to_string(launch.shared_bytes) + "\n" + launch.source;
  }
  return hexadecimal(XXH3_128bits(text.data(), text.size()));
}

}  // namespace

std::vector<Tactic> by_cost(const KernelCtx& ctx) {
  std::vector<Tactic> tactics = ctx.tactics;
  std::ranges::stable_sort(tactics, {}, &Tactic::cost);
  return tactics;
}

Decision decide_by_estimate(std::string node, const std::vector<Tactic>& tactics) {
  Decision decision{.node = std::move(node), .tactic = tactics.front().name};
  const double least = tactics.front().cost;
  for (const Tactic& t : tactics)
    decision.candidates.push_back(
        {t.name, least > 0 ? static_cast<uint64_t>(std::llround(t.cost / least * 1000)) : 0, 0, {}});
  return decision;
}

bool NodeChoice::allows(std::string_view tactic) const {
  return std::ranges::find(tactics, tactic, &Tactic::name) != tactics.end() ||
         std::ranges::any_of(libraries, [&](const Library* library) { return library->owns(tactic); });
}

namespace {

/// By the library whose tactic is wanted, else by the backend.
Verdict describe_wanted(KernelCtx& ctx, const Makers& makers) {
  for (Library* library : makers.libraries)
    if (library->owns(ctx.wanted)) return library->describe(ctx, ctx.wanted);
  return makers.backend.describe(ctx);
}

Verdict within(uint64_t wanted, uint64_t allowed, const char* what) {
  if (allowed == 0 || wanted <= allowed) return Verdict::yes();
  return Verdict::no("it wants " + std::to_string(wanted) + " bytes of " + what + ", and " +
                     std::to_string(allowed) + " are allowed");
}

/// The same for a trial, which is held to the limits too.
Verdict try_wanted(TrialOperands& trial, const Makers& makers) {
  if (Verdict v = describe_wanted(trial, makers); !v) return v;
  uint64_t shared = 0;
  for (const KernelCall& call : trial.calls)
    shared = std::max(shared, static_cast<uint64_t>(call.shared_bytes));
  if (Verdict v = within(shared, makers.limits.shared, "shared memory"); !v) return v;
  return within(trial.most_scratch(), makers.limits.workspace, "workspace");
}

Verdict try_tactic(KernelCtx& ctx, const std::string& tactic, const Makers& makers) {
  TrialOperands trial(ctx);
  trial.wanted = tactic;
  return try_wanted(trial, makers);
}

/// The backend's tactics by cost, those within the limits.
std::vector<Tactic> tactics_within(KernelCtx& ctx, const std::vector<Tactic>& by_cost, const Makers& makers,
                                   std::vector<Decision::Candidate>& refusals) {
  std::vector<Tactic> within;
  for (const Tactic& tactic : by_cost)
    if (const Verdict v = try_tactic(ctx, tactic.name, makers); v) within.push_back(tactic);
    else refusals.push_back({.tactic = tactic.name, .refused = v.reason()});
  return within;
}

}  // namespace

Verdict fits_limits(KernelCtx& ctx, const Makers& makers) {
  TrialOperands trial(ctx);
  const Verdict first = try_wanted(trial, makers);
  if (!makers.limits.any() || first) return first;
  std::vector<Decision::Candidate> refusals;
  return tactics_within(ctx, by_cost(trial), makers, refusals).empty() ? first : Verdict::yes();
}

Verdict describe(KernelCtx& ctx, const Makers& makers, std::optional<Decision>& decision) {
  if (!decision) return describe_wanted(ctx, makers);
  ctx.wanted = decision->tactic;
  const bool by_library =
      std::ranges::any_of(makers.libraries, [&](Library* l) { return l->owns(ctx.wanted); });
  if (!by_library) return makers.backend.describe(ctx);
  Verdict described = makers.limits.any() ? try_tactic(ctx, ctx.wanted, makers) : Verdict::yes();
  if (described) described = describe_wanted(ctx, makers);
  if (described) return described;
  for (Decision::Candidate& c : decision->candidates)
    if (c.tactic == decision->tactic) c.refused = described.reason();
  ctx.wanted = decision->candidates.front().tactic;  // the backend's own are by estimate, and come first
  described = makers.backend.describe(ctx);
  if (described) decision->tactic = ctx.tactics[ctx.chosen].name;
  return described;
}

namespace {

/// Collects the candidates of one choice, trying each.
class ChoiceProblem {
 public:
  ChoiceProblem(KernelCtx& ctx, const Makers& makers) : ctx_(ctx), makers_(makers), builder_(makers) {}

  void add(const std::string& tactic) {
    TrialOperands trial(ctx_);
    trial.wanted = tactic;
    if (const Verdict v = try_wanted(trial, makers_); v) builder_.add(tactic, trial);
    else builder_.problem.refused.push_back({tactic, v.reason()});
  }
  void add_all(Library& library, size_t most) {
    TrialOperands trial(ctx_);
    const auto names = library.tactics(trial, static_cast<int>(most));
    if (names)
      for (const std::string& name : *names) add(name);
    if (!names && names.error().code() == Code::cancelled) return;  // another build may have the time
    if (!names || names->empty())
      builder_.problem.refused.push_back(
          {std::string(library.name()), names ? "it has no algorithm for this" : names.error().cause()});
  }
  Problem finish(std::string node, std::string key) {
    builder_.problem.node = std::move(node);
    builder_.problem.key = std::move(key);
    return std::move(builder_.problem);
  }

 private:
  KernelCtx& ctx_;
  const Makers makers_;
  ProblemBuilder builder_;
};

}  // namespace

std::optional<NodeChoice> find_choice(std::string node, KernelCtx& ctx, const Makers& makers) {
  TrialOperands trial(ctx);
  if (!makers.backend.describe(trial) || trial.tactics.size() < 2) return {};
  NodeChoice choice{.node = std::move(node), .tactics = by_cost(trial)};
  ProblemBuilder builder(makers);
  if (!makers.limits.any()) {
    builder.add(choice.tactics.front().name, trial);
  } else {
    choice.tactics = tactics_within(ctx, choice.tactics, makers, choice.refusals);
    TrialOperands first(ctx);
    first.wanted = choice.tactics.front().name;
    (void)makers.backend.describe(first);  // it was tried just now
    builder.add(first.wanted, first);
  }
  choice.key = key_of(builder.problem, makers.backend.target());
  for (Library* library : makers.libraries) {
    TrialOperands one(ctx);
    if (const Verdict v = library->accepts(one); v) choice.libraries.push_back(library);
    else choice.refusals.push_back({.tactic = std::string(library->name()), .refused = v.reason()});
  }
  choice.problem = [&ctx, makers, node = choice.node, key = choice.key, tactics = choice.tactics](
                       size_t count, Libraries asked) {
    ChoiceProblem candidates(ctx, makers);
    for (size_t i = 0; i < count; ++i) candidates.add(tactics[i].name);
    for (Library* library : asked) candidates.add_all(*library, count);
    return candidates.finish(node, key);
  };
  choice.announce = [&ctx](size_t count, Library& asked) {
    TrialOperands one(ctx);
    asked.announce(one, static_cast<int>(count));
  };
  return choice;
}

}  // namespace burnish
