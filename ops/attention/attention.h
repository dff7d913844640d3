#pragma once

#include "ir/op.h"

namespace burnish {

/// Attention: y = softmax over the keys of (scale * q k^T + mask) v. Operands: queries [batch…, L, D], keys [batch…, S, D],
/// values [batch…, S, E], and what is added to the scores (may be left out), which broadcasts to [batch…, L, S]; result
/// [batch…, L, E]. Batch axes (heads among them) broadcast: with keys and values of extent 1 on an axis, the queries along it
/// share them. `scale` is positive.
struct AttentionAttrs {
  float scale = 1;
  BURNISH_REFLECT(AttentionAttrs, scale)
};

/// Head dims up to this have a device kernel.
inline constexpr int64_t most_attention_head_dim = 128;

}  // namespace burnish
