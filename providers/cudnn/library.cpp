#include "providers/cudnn/library.h"

#include <charconv>

#include "providers/cudnn/graph_of.h"

namespace burnish::cudnn {

constexpr int64_t most_workspace = 32 << 20;

Verdict Cudnn::accepts(KernelCtx& ctx) const {
  NodeGraph ignored;
  return graph_of(ctx, ignored);
}

Result<> Cudnn::open() {
  if (!session_) session_ = TRY(GraphSession::open(TRY(cuda::Device::open()), directory_));
  return {};
}

Result<std::vector<std::string>> Cudnn::tactics(KernelCtx& ctx, int most) {
  NodeGraph node;
  std::vector<std::string> names;
  if (!graph_of(ctx, node)) return names;
  // Best first by cuDNN's word, and right within 3 % where we timed several; one of its plans takes from a tenth of a second to a
  // whole one to make. So there are fewer of them than of others.
  const auto allowed = static_cast<size_t>(most + 5) / 6;
  const size_t count = std::min(TRY(session_->proposals(node.graph)), allowed);
  for (size_t i = 0; i < count; ++i)
    names.push_back(std::string(library_name) + " " + session_->version() + " #" + std::to_string(i));
  return names;
}

Verdict Cudnn::describe(KernelCtx& ctx, std::string_view tactic) {
  NodeGraph node;
  if (Verdict v = graph_of(ctx, node); !v) return v;
  if (const Result<> opened = open(); !opened) return Verdict::no(opened.error().cause());
  const std::string before = std::string(library_name) + " " + session_->version() + " #";
  size_t proposal = 0;
  if (!tactic.starts_with(before) ||
      std::from_chars(tactic.data() + before.size(), tactic.data() + tactic.size(), proposal).ec !=
          std::errc())
    return Verdict::no("it is not of cuDNN " + session_->version() + ", which is here");
  auto plan = session_->plan(node.graph, proposal);
  if (!plan) return Verdict::no(plan.error().cause());
  if (plan->workspace > most_workspace)
    return Verdict::no("it wants " + std::to_string(plan->workspace >> 20) + " MiB of workspace");
  if (plan->workspace > 0)
    node.operands.push_back(ctx.scratch(DType::u8, ctx.dims.constant(plan->workspace)));
  ctx.routines.push_back(
      {std::string(library_name), print(session_->version(), *plan, node.tensors), std::move(node.operands)});
  return Verdict::yes();
}

}  // namespace burnish::cudnn
