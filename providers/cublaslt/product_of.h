#pragma once

#include <vector>

#include "ir/op.h"
#include "runtime/libraries/cublaslt.h"

namespace burnish::cublaslt {

/// A node's work as one product of the library.
struct NodeProduct {
  Product product;                       // without an algorithm
  std::vector<OperandPointer> operands;  // without the workspace
};

/// The work of a MatMul, Gemm or pointwise Conv with what is fused to it, where the library has it as one product: a bias, a
/// residual, then ReLU or GELU by tanh. Else the reason why not.
Verdict product_of(KernelCtx& ctx, NodeProduct& out);

}  // namespace burnish::cublaslt
