#include "providers/cublaslt/library.h"

#include "providers/cublaslt/product_of.h"

namespace burnish::cublaslt {

constexpr int64_t most_workspace = 32 << 20;  // what the library recommends for Hopper

Verdict CublasLt::accepts(KernelCtx& ctx) const {
  NodeProduct ignored;
  return product_of(ctx, ignored);
}

Result<> CublasLt::open() {
  if (!session_) session_ = TRY(MatmulSession::open(TRY(cuda::Device::open()), directory_));
  return {};
}

Result<std::vector<std::string>> CublasLt::tactics(KernelCtx& ctx, int most) {
  NodeProduct node;
  std::vector<std::string> names;
  if (!product_of(ctx, node)) return names;
  for (const Product& p : TRY(session_->candidates(node.product, most, most_workspace)))
    names.push_back(std::string(library_name) + " " + print_algorithm(p));
  return names;
}

Verdict CublasLt::describe(KernelCtx& ctx, std::string_view tactic) {
  NodeProduct node;
  if (Verdict v = product_of(ctx, node); !v) return v;
  if (!owns(tactic) || !read_algorithm(tactic.substr(library_name.size()), node.product))
    return Verdict::no("'" + std::string(tactic) + "' names no algorithm");
  if (node.product.workspace > 0)
    node.operands.push_back(ctx.scratch(DType::u8, ctx.dims.constant(node.product.workspace)));
  ctx.routines.push_back({std::string(library_name), print(node.product), std::move(node.operands)});
  return Verdict::yes();
}

}  // namespace burnish::cublaslt
