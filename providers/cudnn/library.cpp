#include "providers/cudnn/library.h"

#include <atomic>

#include "providers/cudnn/device_description.h"
#include "providers/cudnn/graph_of.h"

namespace burnish::cudnn {

constexpr int64_t most_workspace = 32 << 20;

Verdict Cudnn::accepts(KernelCtx& ctx) const {
  NodeGraph ignored;
  return graph_of(ctx, ignored);
}

Result<> Cudnn::open() {
  if (planner_) return {};
  const Result<cuda::DeviceInfo> here = cuda::Device::describe();
  planner_ = here && here->architecture() == architecture_
                 ? TRY(Planner::open(TRY(cuda::Device::open()), directory_))
                 : TRY(Planner::open_described(TRY(describe_device(architecture_)), directory_));
  return {};
}

/// How many ways are candidates of a node that may have `most`. Best first by cuDNN's word, and right within 3 % where we timed several;
/// one of its plans takes from a tenth of a second to a whole one to make. So there are fewer of them than of others.
static size_t ways(int most) { return static_cast<size_t>(most + 5) / 6; }

void Cudnn::announce(KernelCtx& ctx, int most) {
  NodeGraph node;
  if (!graph_of(ctx, node) || planner_->knows(node.graph)) return;
  const std::string text = print(node.graph);
  left_.erase(text);
  Announced& announced = announced_.try_emplace(text, Announced{std::move(node.graph), 0}).first->second;
  announced.most = std::max(announced.most, ways(most));
}

Result<> Cudnn::prepare(ThreadPool& pool, const std::function<Result<>(int, int)>& progress,
                        const std::function<bool()>& late) {
  const std::vector<std::pair<std::string, Announced>> all(announced_.begin(), announced_.end());
  announced_.clear();
  const int total = static_cast<int>(all.size());
  if (total == 0) return {};
  TRY(progress(0, total));
  std::vector<char> begun(all.size(), false);
  std::atomic<int> done = 0;
  std::atomic<bool> stop = false;
  std::optional<Error> ended;  // set by the one that sets `stop`
  pool.parallel_for(total, 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end) && !stop && !late(); ++i) {
      begun[i] = true;
      plan(all[i].second);
      if (Result<> told = progress(++done, total); !told && !stop.exchange(true))
        ended = std::move(told).error();
    }
  });
  for (size_t i = 0; i < all.size(); ++i)
    if (!begun[i]) left_.insert(all[i].first);
  if (ended) return *std::move(ended);
  return {};
}

/// What cuDNN refuses is known from then on as well.
void Cudnn::plan(const Announced& announced) {
  const Result<std::vector<Engine>> engines = planner_->proposals(announced.graph);
  for (size_t i = 0; engines && i < std::min(engines->size(), announced.most); ++i)
    (void)planner_->plan(announced.graph, (*engines)[i]);
}

std::string Cudnn::account() const {
  if (!planner_) return {};
  const Planner::Counts counts = planner_->counts();
  return "cudnn was asked for " + std::to_string(counts.heuristics) + " graphs and " +
         std::to_string(counts.plans) + " plans; " + std::to_string(counts.found) + " times it was known";
}

std::string Cudnn::before_engine() const {
  return std::string(library_name) + " " + planner_->version() + " ";
}

Result<std::vector<std::string>> Cudnn::tactics(KernelCtx& ctx, int most) {
  NodeGraph node;
  std::vector<std::string> names;
  if (!graph_of(ctx, node)) return names;
  if (left_.contains(print(node.graph))) return Error(Code::cancelled, "there was no time to plan it");
  const std::vector<Engine> engines = TRY(planner_->proposals(node.graph));
  for (size_t i = 0; i < std::min(engines.size(), ways(most)); ++i)
    names.push_back(before_engine() + print(engines[i]));
  return names;
}

Verdict Cudnn::describe(KernelCtx& ctx, std::string_view tactic) {
  NodeGraph node;
  if (Verdict v = graph_of(ctx, node); !v) return v;
  if (const Result<> opened = open(); !opened) return Verdict::no(opened.error().cause());
  const std::string before = before_engine();
  const auto engine = tactic.starts_with(before) ? parse_engine(tactic.substr(before.size())) : std::nullopt;
  if (!engine) return Verdict::no("it is not of cuDNN " + planner_->version() + ", which is here");
  const auto plan = planner_->plan(node.graph, *engine);
  if (!plan)
    return Verdict::no(plan.error().cause() +
                       (planner_->has_device() ? "" : ", where there is no GPU of " + architecture_));
  if (plan->workspace > most_workspace)
    return Verdict::no("it wants " + std::to_string(plan->workspace >> 20) + " MiB of workspace");
  if (plan->workspace > 0)
    node.operands.push_back(ctx.scratch(DType::u8, ctx.dims.constant(plan->workspace)));
  ctx.routines.push_back(
      {std::string(library_name), print(planner_->version(), *plan, node.tensors), std::move(node.operands)});
  return Verdict::yes();
}

}  // namespace burnish::cudnn
