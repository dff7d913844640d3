// Operators that between them use all of burnish_plugin.h, and fail in every way. What runs on a GPU here runs on the stand-in
// whose memory is the host's.
#include "api/burnish_plugin.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#ifndef VERSION
#define VERSION "1"
#endif
#ifndef NAME
#define NAME "operators"
#endif
#ifndef AHEAD
#define AHEAD 0
#endif

namespace {

using Reason = burnish_plugin_reason;
using Type = burnish_plugin_type;
using Tensor = burnish_tensor;

int fail(Reason* reason, const std::string& why) {
  std::snprintf(reason->text, sizeof reason->text, "%s", why.c_str());
  return 1;
}

int64_t count_of(const Tensor& t) {
  int64_t count = 1;
  for (int k = 0; k < t.rank; ++k) count *= t.shape[k];
  return count;
}
size_t element_size(const Tensor& t) {
  const int64_t count = count_of(t);
  return count == 0 ? 0 : t.bytes / static_cast<size_t>(count);
}

// ---- CircularPad: `pads` elements are put before and after the last axis, from its other end. Works in its workspace.

struct Pads {
  int64_t before = 0, after = 0;
};

int create_pads(void*, const burnish_plugin_node* node, void** state, Reason* reason) {
  for (int i = 0; i < node->attribute_count; ++i) {
    const burnish_attribute& a = node->attributes[i];
    if (std::strcmp(a.name, "pads") == 0 && a.kind == BURNISH_ATTRIBUTE_INTS && a.count == 2) {
      *state = new Pads{a.ints[0], a.ints[1]};
      return 0;
    }
  }
  return fail(reason, "node '" + std::string(node->name) + "' has no pads");
}

int infer_pads(void* state, const burnish_extents* e, const Type* in, int, Type* out, int* count, Reason*) {
  const Pads& pads = *static_cast<Pads*>(state);
  out[0] = in[0];
  burnish_extent& last = out[0].extents[in[0].rank - 1];
  last = e->combine(e->self, BURNISH_EXTENT_SUM, last, e->constant(e->self, pads.before + pads.after));
  *count = 1;
  return 0;
}

int copy_size(void*, const burnish_extents* e, const Type* in, int, const Type*, int, burnish_extent* bytes,
              Reason*) {
  *bytes = e->constant(e->self, 8);
  for (int k = 0; k < in[0].rank; ++k)
    *bytes = e->combine(e->self, BURNISH_EXTENT_PRODUCT, *bytes, in[0].extents[k]);
  return 0;
}

int run_pads(void* state, const Tensor* in, int, const Tensor* out, int, void* workspace, Reason* reason) {
  if (!workspace || reinterpret_cast<uintptr_t>(workspace) % 256 != 0)
    return fail(reason, "the workspace is not aligned");
  std::memcpy(workspace, in[0].data, in[0].bytes);
  const Pads& pads = *static_cast<Pads*>(state);
  const size_t size = element_size(in[0]);
  const int64_t n = in[0].shape[in[0].rank - 1], m = out[0].shape[out[0].rank - 1];
  for (int64_t row = 0; row < count_of(out[0]) / m; ++row)
    for (int64_t i = 0; i < m; ++i) {
      const int64_t from = ((i - pads.before) % n + n) % n;
      std::memcpy(static_cast<char*>(out[0].data) + static_cast<size_t>(row * m + i) * size,
                  static_cast<const char*>(workspace) + static_cast<size_t>(row * n + from) * size, size);
    }
  return 0;
}

// ---- Halves: the first axis in two, the first half being the larger.

int infer_halves(void*, const burnish_extents* e, const Type* in, int, Type* out, int* count, Reason*) {
  const burnish_extent two = e->constant(e->self, 2);
  out[0] = out[1] = in[0];
  out[0].extents[0] = e->combine(e->self, BURNISH_EXTENT_CEIL_DIVIDE, in[0].extents[0], two);
  out[1].extents[0] = e->combine(e->self, BURNISH_EXTENT_FLOOR_DIVIDE, in[0].extents[0], two);
  *count = 2;
  return 0;
}

int run_halves(void*, const Tensor* in, int, const Tensor* out, int, void*, Reason*) {
  std::memcpy(out[0].data, in[0].data, out[0].bytes);
  std::memcpy(out[1].data, static_cast<const char*>(in[0].data) + out[0].bytes, out[1].bytes);
  return 0;
}

// ---- Join: one after the other along the first axis, those left out being nothing.

int infer_join(void*, const burnish_extents* e, const Type* in, int n, Type* out, int* count, Reason*) {
  out[0] = in[0];
  for (int i = 1; i < n; ++i)
    if (in[i].rank >= 0)
      out[0].extents[0] = e->combine(e->self, BURNISH_EXTENT_SUM, out[0].extents[0], in[i].extents[0]);
  *count = 1;
  return 0;
}

int run_join(void*, const Tensor* in, int n, const Tensor* out, int, void*, Reason*) {
  char* to = static_cast<char*>(out[0].data);
  for (int i = 0; i < n; ++i) {
    if (in[i].rank < 0) continue;
    std::memcpy(to, in[i].data, in[i].bytes);
    to += in[i].bytes;
  }
  return 0;
}

// ---- Told: what its node's attributes are, as one number each behind x.

using Numbers = std::vector<float>;

int create_told(void*, const burnish_plugin_node* node, void** state, Reason*) {
  auto* numbers = new Numbers;
  for (int i = 0; i < node->attribute_count; ++i) {
    const burnish_attribute& a = node->attributes[i];
    for (size_t k = 0; k < a.count; ++k) {
      if (a.kind == BURNISH_ATTRIBUTE_FLOAT || a.kind == BURNISH_ATTRIBUTE_FLOATS)
        numbers->push_back(a.floats[k]);
      if (a.kind == BURNISH_ATTRIBUTE_INT || a.kind == BURNISH_ATTRIBUTE_INTS)
        numbers->push_back(static_cast<float>(a.ints[k]));
      if (a.kind == BURNISH_ATTRIBUTE_STRING || a.kind == BURNISH_ATTRIBUTE_STRINGS) {
        float sum = 0;
        for (size_t c = 0; c < a.string_sizes[k]; ++c) sum += static_cast<unsigned char>(a.strings[k][c]);
        numbers->push_back(sum);
      }
    }
    if (a.kind != BURNISH_ATTRIBUTE_TENSOR) continue;
    for (int64_t k = 0; k < count_of(*a.tensor); ++k)
      numbers->push_back(static_cast<const float*>(a.tensor->data)[k]);
  }
  *state = numbers;
  return 0;
}

int infer_told(void* state, const burnish_extents* e, const Type* in, int, Type* out, int* count, Reason*) {
  out[0] = in[0];
  const auto more = static_cast<int64_t>(static_cast<Numbers*>(state)->size());
  out[0].extents[0] = e->combine(e->self, BURNISH_EXTENT_SUM, in[0].extents[0], e->constant(e->self, more));
  *count = 1;
  return 0;
}

int run_told(void* state, const Tensor* in, int, const Tensor* out, int, void*, Reason*) {
  auto* y = static_cast<float*>(out[0].data);
  std::memcpy(y, in[0].data, in[0].bytes);
  std::ranges::copy(*static_cast<Numbers*>(state), y + count_of(in[0]));
  return 0;
}

// ---- Relu, which is ONNX's too: a tenth of what is negative stays.

int infer_like(void*, const burnish_extents*, const Type* in, int, Type* out, int* count, Reason*) {
  out[0] = in[0];
  *count = 1;
  return 0;
}

int run_relu(void*, const Tensor* in, int, const Tensor* out, int, void*, Reason*) {
  const auto* x = static_cast<const float*>(in[0].data);
  for (int64_t i = 0; i < count_of(in[0]); ++i)
    static_cast<float*>(out[0].data)[i] = x[i] < 0 ? x[i] / 10 : x[i];
  return 0;
}

// ---- Those that fail.

int infer_refusing(void*, const burnish_extents*, const Type*, int, Type*, int*, Reason* reason) {
  return fail(reason, "it takes nothing");
}
int infer_nothing(void*, const burnish_extents*, const Type*, int, Type*, int* count, Reason*) {
  *count = 0;
  return 0;
}
int infer_untyped(void*, const burnish_extents*, const Type* in, int, Type* out, int* count, Reason*) {
  out[0] = in[0];
  out[0].dtype = static_cast<burnish_dtype>(77);
  *count = 1;
  return 0;
}
int infer_unknown(void*, const burnish_extents*, const Type* in, int, Type* out, int* count, Reason*) {
  out[0] = in[0];
  out[0].extents[0] = 4000000000u;
  *count = 1;
  return 0;
}
int infer_less(void*, const burnish_extents* e, const Type* in, int, Type* out, int* count, Reason*) {
  out[0] = in[0];
  out[0].extents[0] =
      e->combine(e->self, BURNISH_EXTENT_DIFFERENCE, in[0].extents[0], e->constant(e->self, 3));
  *count = 1;
  return 0;
}
int run_roots(void*, const Tensor* in, int, const Tensor*, int, void*, Reason* reason) {
  const auto* x = static_cast<const float*>(in[0].data);
  for (int64_t i = 0; i < count_of(in[0]); ++i)
    if (x[i] < 0) return fail(reason, "element " + std::to_string(i) + "\nis negative");
  return 0;
}
int run_nothing(void*, const Tensor*, int, const Tensor*, int, void*, Reason*) { return 0; }
int create_never(void*, const burnish_plugin_node* node, void**, Reason*) {
  return node->phase == BURNISH_PLUGIN_RUN;
}

template <class T>
void destroy(void* state) {
  delete static_cast<T*>(state);
}

using Run = decltype(&run_nothing);
template <Run run>
int on_stream(void* state, const Tensor* in, int n, const Tensor* out, int m, void* workspace, void*,
              Reason* reason) {
  return run(state, in, n, out, m, workspace, reason);
}

#define OPERATOR(NAME_, INFER, RUN, ...) \
  {.domain = "test",                     \
   .name = NAME_,                        \
   .version = VERSION,                   \
   .infer = INFER,                       \
   .run = RUN,                           \
   .enqueue = on_stream<RUN>,            \
   ##__VA_ARGS__}

burnish_plugin_operator with_state(burnish_plugin_operator op, decltype(op.create) create,
                                   decltype(op.destroy) free, decltype(op.workspace) workspace = nullptr) {
  op.create = create;
  op.destroy = free;
  op.workspace = workspace;
  return op;
}

std::vector<burnish_plugin_operator> all_operators() {
  burnish_plugin_operator relu = OPERATOR("Relu", infer_like, run_relu);
  relu.domain = "";
  burnish_plugin_operator device_only = OPERATOR("OnDevice", infer_like, run_nothing);
  device_only.run = nullptr;
  burnish_plugin_operator host_only = OPERATOR("OnHost", infer_like, run_relu);
  host_only.enqueue = nullptr;
  return {with_state(OPERATOR("CircularPad", infer_pads, run_pads), create_pads, destroy<Pads>, copy_size),
          OPERATOR("Halves", infer_halves, run_halves),
          OPERATOR("Join", infer_join, run_join),
          with_state(OPERATOR("Told", infer_told, run_told), create_told, destroy<Numbers>),
          relu,
          device_only,
          host_only,
          OPERATOR("Refusing", infer_refusing, run_nothing),
          OPERATOR("Nothing", infer_nothing, run_nothing),
          OPERATOR("Untyped", infer_untyped, run_nothing),
          OPERATOR("Unknown", infer_unknown, run_nothing),
          OPERATOR("Less", infer_less, run_nothing),
          OPERATOR("Roots", infer_like, run_roots),
          with_state(OPERATOR("Never", infer_like, run_nothing), create_never, nullptr)};
}

}  // namespace

extern "C" const burnish_plugin* burnish_plugin_entry(uint32_t abi) noexcept {
  static const std::vector<burnish_plugin_operator> operators = all_operators();
  static const burnish_plugin plugin = {.abi = abi + AHEAD,
                                        .name = NAME,
                                        .version = VERSION ".0",
                                        .operators = operators.data(),
                                        .operator_count = static_cast<int>(operators.size())};
  return &plugin;
}
