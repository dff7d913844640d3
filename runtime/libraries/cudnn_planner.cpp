#include "runtime/libraries/cudnn_planner.h"

#include <algorithm>

namespace burnish::cudnn {

constexpr size_t most_graphs = 1024;  // that are remembered; a model has ten to a hundred
constexpr int64_t most_proposals = 32;

Planner::~Planner() {
  const auto scope = device_.enter();
  asked_.clear();
  for (Handle handle : idle_) call_.destroy(handle);
}

/// With a handle for this call alone, the device entered.
template <class T>
Result<T> Planner::with_handle(const std::function<Result<T>(Handle)>& work) {
  const cuda::ContextScope scope = TRY(device_.enter());
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
  return known->count.has_value();
}

Result<size_t> Planner::proposals(const OperationGraph& graph) {
  const std::shared_ptr<Asked> known = asked(graph);
  const std::lock_guard lock(known->turn);
  if (known->count) count(&Counts::found);
  return count(graph, *known);
}

Result<size_t> Planner::count(const OperationGraph& graph, Asked& known) {
  if (known.count) return *known.count;
  count(&Counts::heuristics);
  return with_handle<size_t>([&](Handle handle) -> Result<size_t> {
    TRY(ask(graph, handle, known));
    return *known.count;
  });
}

Result<SerializedPlan> Planner::plan(const OperationGraph& graph, size_t proposal) {
  const std::shared_ptr<Asked> known = asked(graph);
  const std::lock_guard lock(known->turn);
  if (const auto made = known->plans.find(proposal); made != known->plans.end()) {
    count(&Counts::found);
    return made->second;
  }
  const size_t proposals = TRY(count(graph, *known));
  if (proposal >= proposals)
    return Error(Code::unsupported, "cuDNN proposes only " + std::to_string(proposals) + " ways");
  count(&Counts::plans);
  auto made = with_handle<SerializedPlan>(
      [&](Handle handle) { return make(known->configurations[proposal], handle); });
  return known->plans.emplace(proposal, std::move(made)).first->second;
}

Result<> Planner::ask(const OperationGraph& graph, Handle handle, Asked& asked) const {
  const Maker maker(call_);
  asked.count = 0;
  auto made = maker.graph(graph, handle, asked.parts);
  if (!made) return {};  // it says so when it knows no such graph
  asked.parts.push_back(*std::move(made));
  const Owned heuristics = TRY(maker.make(heuristics_descriptor));
  TRY(maker.set(heuristics, heuristics_graph, asked.parts.back()));
  TRY(maker.set(heuristics, heuristics_mode, type_heuristics_mode, heuristics_mode_a));
  if (!maker.finalize(heuristics)) return {};
  std::vector<Owned> all;
  std::vector<Descriptor> list;
  for (int64_t i = 0; i < most_proposals; ++i) {
    all.push_back(TRY(maker.make(engine_configuration_descriptor)));
    list.push_back(all.back().get());
  }
  int64_t count = 0;
  TRY(call_.check_status(
      call_.get(heuristics.get(), heuristics_results, type_descriptor, most_proposals, &count, list.data()),
      "cudnnBackendGetAttribute"));
  all.resize(static_cast<size_t>(std::clamp<int64_t>(count, 0, most_proposals)));
  asked.count = all.size();
  asked.configurations = std::move(all);
  return {};
}

Result<SerializedPlan> Planner::make(const Owned& configuration, Handle handle) const {
  const Maker maker(call_);
  const Owned plan = TRY(maker.make(plan_descriptor));
  TRY(maker.set(plan, plan_handle, type_handle, handle));
  TRY(maker.set(plan, plan_configuration, configuration));
  TRY(maker.finalize(plan));
  SerializedPlan out;
  int64_t count = 0;
  TRY(call_.check_status(call_.get(plan.get(), plan_workspace, type_int64, 1, &count, &out.workspace),
                         "cudnnBackendGetAttribute"));
  out.json = TRY(maker.text(plan, plan_json));
  return out;
}

}  // namespace burnish::cudnn
