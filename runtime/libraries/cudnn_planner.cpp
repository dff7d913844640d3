#include "runtime/libraries/cudnn_planner.h"

#include <algorithm>

namespace burnish::cudnn {

constexpr size_t most_graphs = 1024;  // that are remembered; a model has ten to a hundred
constexpr int64_t most_proposals = 32, most_knobs = 64;

Result<std::unique_ptr<Planner>> Planner::open(const cuda::Device& device, const std::string& directory) {
  return std::unique_ptr<Planner>(new Planner(TRY(Functions::open(directory)), device, {}));
}

Result<std::unique_ptr<Planner>> Planner::open_described(std::string_view json,
                                                         const std::string& directory) {
  const Functions call = TRY(Functions::open(directory));
  Owned described = TRY(Maker(call).device(json));
  return std::unique_ptr<Planner>(new Planner(call, {}, std::move(described)));
}

Planner::~Planner() {
  std::optional<Result<cuda::ContextScope>> scope;
  if (device_) scope.emplace(device_->enter());
  asked_.clear();
  for (Handle handle : idle_) call_.destroy(handle);
}

/// With a handle for this call alone, the device entered; without a device with none.
template <class T>
Result<T> Planner::with_handle(const std::function<Result<T>(Handle)>& work) {
  if (!device_) return work(nullptr);
  const cuda::ContextScope scope = TRY(device_->enter());
  Handle handle = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      handle = idle_.back();
      idle_.pop_back();
    }
  }
  if (!handle) TRY(call_.check_status(call_.create(&handle), "cudnnCreate"));
  Result<T> done = work(handle);
  const std::lock_guard lock(mutex_);
  idle_.push_back(handle);
  return done;
}

void Planner::count(size_t Counts::* what) {
  const std::lock_guard lock(mutex_);
  ++(counts_.*what);
}

Planner::Counts Planner::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::shared_ptr<Planner::Asked> Planner::asked(const OperationGraph& graph) {
  std::string text = print(graph);
  const std::lock_guard lock(mutex_);
  if (asked_.size() >= most_graphs && !asked_.contains(text)) asked_.clear();
  std::shared_ptr<Asked>& known = asked_[std::move(text)];
  if (!known) known = std::make_shared<Asked>();
  return known;
}

bool Planner::knows(const OperationGraph& graph) {
  const std::shared_ptr<Asked> known = asked(graph);
  const std::lock_guard lock(known->turn);
  return known->proposals.has_value();
}

Result<std::vector<Engine>> Planner::proposals(const OperationGraph& graph) {
  const std::shared_ptr<Asked> known = asked(graph);
  const std::lock_guard lock(known->turn);
  if (known->proposals) {
    count(&Counts::found);
    return *known->proposals;
  }
  count(&Counts::heuristics);
  known->proposals =
      TRY(with_handle<std::vector<Engine>>([&](Handle handle) { return ask(graph, handle, *known); }));
  return *known->proposals;
}

Result<SerializedPlan> Planner::plan(const OperationGraph& graph, const Engine& engine) {
  const std::shared_ptr<Asked> known = asked(graph);
  const std::lock_guard lock(known->turn);
  const std::string name = print(engine);
  if (const auto made = known->plans.find(name); made != known->plans.end()) {
    count(&Counts::found);
    return made->second;
  }
  count(&Counts::plans);
  auto made = with_handle<SerializedPlan>([&](Handle handle) -> Result<SerializedPlan> {
    TRY(describe(graph, handle, *known));
    std::vector<Owned> parts;
    return make(TRY(configure(*known->graph, engine, parts)), handle);
  });
  return known->plans.emplace(name, std::move(made)).first->second;
}

Result<> Planner::describe(const OperationGraph& graph, Handle handle, Asked& asked) const {
  if (!asked.graph) asked.graph = TRY(Maker(call_).graph(graph, handle, asked.parts));
  return {};
}

Result<std::vector<Engine>> Planner::ask(const OperationGraph& graph, Handle handle, Asked& asked) const {
  const Maker maker(call_);
  std::vector<Engine> engines;
  if (!describe(graph, handle, asked)) return engines;  // it says so when it knows no such graph
  const Owned heuristics = TRY(maker.make(heuristics_descriptor));
  TRY(maker.set(heuristics, heuristics_graph, *asked.graph));
  TRY(maker.set(heuristics, heuristics_mode, type_heuristics_mode, heuristics_mode_a));
  if (!handle) TRY(maker.set(heuristics, heuristics_device, described_));
  if (!maker.finalize(heuristics)) return engines;
  for (const Owned& configuration :
       TRY(maker.list(heuristics, heuristics_results, most_proposals, engine_configuration_descriptor)))
    engines.push_back(TRY(read(configuration)));
  return engines;
}

Result<Engine> Planner::read(const Owned& configuration) const {
  const Maker maker(call_);
  const std::vector<Owned> engine =
      TRY(maker.list(configuration, configuration_engine, 1, engine_descriptor));
  if (engine.empty()) return Error(Code::device_error, "cuDNN proposes a way without an engine");
  Engine out;
  TRY(maker.get(engine.front(), engine_index, type_int64, out.index));
  for (const Owned& choice :
       TRY(maker.list(configuration, configuration_knobs, most_knobs, knob_choice_descriptor))) {
    auto& [knob, value] = out.knobs.emplace_back();
    TRY(maker.get(choice, knob_choice_knob, type_knob, knob));
    TRY(maker.get(choice, knob_choice_value, type_int64, value));
  }
  return out;
}

Result<Owned> Planner::configure(const Owned& graph, const Engine& engine, std::vector<Owned>& parts) const {
  const Maker maker(call_);
  Owned described = TRY(maker.make(engine_descriptor));
  TRY(maker.set(described, engine_graph, graph));
  TRY(maker.set(described, engine_index, type_int64, engine.index));
  if (!device_) TRY(maker.set(described, engine_device, described_));
  TRY(maker.finalize(described));
  std::vector<Descriptor> list;
  for (const auto& [knob, value] : engine.knobs) {
    Owned choice = TRY(maker.make(knob_choice_descriptor));
    TRY(maker.set(choice, knob_choice_knob, type_knob, knob));
    TRY(maker.set(choice, knob_choice_value, type_int64, value));
    TRY(maker.finalize(choice));
    list.push_back(choice.get());
    parts.push_back(std::move(choice));
  }
  Owned configuration = TRY(maker.make(engine_configuration_descriptor));
  TRY(maker.set(configuration, configuration_engine, described));
  if (!list.empty())
    TRY(maker.set(configuration, configuration_knobs, type_descriptor, std::span<const Descriptor>(list)));
  TRY(maker.finalize(configuration));
  parts.push_back(std::move(described));
  return configuration;
}

Result<SerializedPlan> Planner::make(const Owned& configuration, Handle handle) const {
  const Maker maker(call_);
  const Owned plan = TRY(maker.make(plan_descriptor));
  if (handle) TRY(maker.set(plan, plan_handle, type_handle, handle));
  else TRY(maker.set(plan, plan_device, described_));
  TRY(maker.set(plan, plan_configuration, configuration));
  TRY(maker.finalize(plan));
  SerializedPlan out;
  TRY(maker.get(plan, plan_workspace, type_int64, out.workspace));
  out.json = TRY(maker.text(plan, plan_json));
  return out;
}

}  // namespace burnish::cudnn
