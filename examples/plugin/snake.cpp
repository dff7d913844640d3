// The operator example::Snake as a plugin: y = x + sin(alpha * x)^2 / alpha, alpha by channel, the activation of generators
// of sound. docs/plugins.md goes through it.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "burnish_plugin.h"
#include "snake_cuda.h"

namespace {

int fail(burnish_plugin_reason* reason, const char* why) {
  std::snprintf(reason->text, sizeof reason->text, "%s", why);
  return 1;
}

/// What a node knows: its attribute, and on a GPU the kernel.
struct Snake {
  float epsilon = 1e-9f;
  snake::Kernel kernel;
};

int create(void*, const burnish_plugin_node* node, void** state, burnish_plugin_reason* reason) {
  auto* snake = new Snake;
  *state = snake;
  for (int i = 0; i < node->attribute_count; ++i) {
    const burnish_attribute& a = node->attributes[i];
    if (std::strcmp(a.name, "epsilon") != 0) continue;
    if (a.kind == BURNISH_ATTRIBUTE_FLOAT) {
      snake->epsilon = a.floats[0];
      continue;
    }
    delete snake;
    return fail(reason, "epsilon is no float");
  }
  if (node->phase != BURNISH_PLUGIN_RUN || node->memory != BURNISH_DEVICE) return 0;
  const char* why = snake->kernel.load();
  if (!why) return 0;
  delete snake;
  return fail(reason, why);
}

void destroy(void* state) { delete static_cast<Snake*>(state); }

// x: [batch, channels, …], alpha: [channels]; y is like x.
int infer(void*, const burnish_extents*, const burnish_plugin_type* inputs, int input_count,
          burnish_plugin_type* outputs, int* output_count, burnish_plugin_reason* reason) {
  if (input_count != 2 || inputs[0].rank < 2 || inputs[1].rank != 1)
    return fail(reason, "it takes x of two axes or more, and alpha of one");
  if (inputs[0].dtype != BURNISH_F32 || inputs[1].dtype != BURNISH_F32) return fail(reason, "it takes FP32");
  outputs[0] = inputs[0];
  *output_count = 1;
  return 0;
}

/// Elements between two that share neither channel nor batch item, and how many channels there are.
struct Layout {
  int64_t count = 1, inner = 1, channels = 1;
  explicit Layout(const burnish_tensor& x) : channels(x.shape[1]) {
    for (int k = 0; k < x.rank; ++k) count *= x.shape[k];
    for (int k = 2; k < x.rank; ++k) inner *= x.shape[k];
  }
};

int check_alpha(const burnish_tensor* inputs, burnish_plugin_reason* reason) {
  return inputs[1].shape[0] == inputs[0].shape[1]
             ? 0
             : fail(reason, "alpha has another extent than the channels");
}

int run(void* state, const burnish_tensor* inputs, int, const burnish_tensor* outputs, int, void*,
        burnish_plugin_reason* reason) {
  if (check_alpha(inputs, reason) != 0) return 1;
  const Layout layout(inputs[0]);
  const auto* x = static_cast<const float*>(inputs[0].data);
  const auto* alpha = static_cast<const float*>(inputs[1].data);
  auto* y = static_cast<float*>(outputs[0].data);
  for (int64_t i = 0; i < layout.count; ++i) {
    const float a = alpha[i / layout.inner % layout.channels], s = std::sin(a * x[i]);
    y[i] = x[i] + s * s / (a + static_cast<Snake*>(state)->epsilon);
  }
  return 0;
}

int enqueue(void* state, const burnish_tensor* inputs, int, const burnish_tensor* outputs, int, void*,
            void* stream, burnish_plugin_reason* reason) {
  if (check_alpha(inputs, reason) != 0) return 1;
  auto* snake = static_cast<Snake*>(state);
  const Layout layout(inputs[0]);
  const char* why = snake->kernel.launch(stream, inputs[0].data, inputs[1].data, outputs[0].data,
                                         layout.count, layout.inner, layout.channels, snake->epsilon);
  return why ? fail(reason, why) : 0;
}

}  // namespace

extern "C" const burnish_plugin* burnish_plugin_entry(uint32_t abi) noexcept {
  static const burnish_plugin_operator operators[] = {{.domain = "example",
                                                       .name = "Snake",
                                                       .version = "1",
                                                       .user = nullptr,
                                                       .create = create,
                                                       .destroy = destroy,
                                                       .infer = infer,
                                                       .workspace = nullptr,
                                                       .attributes = nullptr,
                                                       .run = run,
                                                       .enqueue = enqueue}};
  static const burnish_plugin plugin = {.abi = BURNISH_PLUGIN_ABI,
                                        .name = "snake",
                                        .version = "1.0",
                                        .operators = operators,
                                        .operator_count = 1};
  return abi == BURNISH_PLUGIN_ABI ? &plugin : nullptr;
}
