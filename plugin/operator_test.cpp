#include "plugin/operator.h"

#include <gtest/gtest.h>

#include <cstring>

#include "plugin/library.h"

namespace burnish::plugin {

// x: [a, b] becomes [(a + 3) * b / 2, max(a, 4)] of the same type, in as many bytes of workspace.
static int infer(void*, const burnish_extents* e, const burnish_plugin_type* in, int,
                 burnish_plugin_type* out, int* count, burnish_plugin_reason*) {
  const auto combine = [&](burnish_extent_operation op, burnish_extent a, burnish_extent b) {
    return e->combine(e->self, op, a, b);
  };
  const burnish_extent a = in[0].extents[0], b = in[0].extents[1];
  out[0] = in[0];
  out[0].extents[0] =
      combine(BURNISH_EXTENT_FLOOR_DIVIDE,
              combine(BURNISH_EXTENT_PRODUCT, combine(BURNISH_EXTENT_SUM, a, e->constant(e->self, 3)), b),
              e->constant(e->self, 2));
  out[0].extents[1] = combine(BURNISH_EXTENT_MAX, a, e->constant(e->self, 4));
  *count = 1;
  return 0;
}
static int workspace(void*, const burnish_extents* e, const burnish_plugin_type*, int,
                     const burnish_plugin_type* out, int, burnish_extent* bytes, burnish_plugin_reason*) {
  *bytes = e->combine(e->self, BURNISH_EXTENT_PRODUCT, out[0].extents[0], out[0].extents[1]);
  return 0;
}
static int run(void*, const burnish_tensor*, int, const burnish_tensor*, int, void*,
               burnish_plugin_reason* reason) {
  std::memset(reason->text, 'x', sizeof reason->text);  // without an end
  return 1;
}

static burnish_plugin_operator shaped() {
  return {
      .domain = "test", .name = "Shaped", .version = "1", .infer = infer, .workspace = workspace, .run = run};
}
static burnish_plugin of(const burnish_plugin_operator& op, const char* name = "own") {
  return {.abi = BURNISH_PLUGIN_ABI, .name = name, .version = "1", .operators = &op, .operator_count = 1};
}

TEST(PluginOperator, ExtentsAreExpressions) {
  const burnish_plugin_operator op = shaped();
  const burnish_plugin plugin = of(op);
  const auto made = Operator::create({&plugin, &op}, {.node = "n"}, {});
  ASSERT_TRUE(made) << made.error().cause();
  DimTable dims;
  const std::vector<OperandType> in{{.dtype = DType::f16, .shape = {dims.symbol("a"), dims.symbol("b")}}};
  const auto out = made->infer(dims, in);
  ASSERT_TRUE(out) << out.error().cause();
  ASSERT_EQ(out->size(), 1u);
  EXPECT_EQ(out->front().dtype, DType::f16);
  EXPECT_EQ(dims.text(out->front().shape), "[b + floor(a*b + b, 2), max(4, a)]");
  const auto bytes = made->workspace(dims, in, *out);
  ASSERT_TRUE(bytes) << bytes.error().cause();
  EXPECT_EQ(dims.text(*bytes), "b*max(4, a) + floor(a*b + b, 2)*max(4, a)");
}

TEST(PluginOperator, ReasonsAreOneLineWhateverIsWritten) {
  const burnish_plugin_operator op = shaped();
  const burnish_plugin plugin = of(op);
  const auto made = Operator::create({&plugin, &op}, {.node = "n", .phase = BURNISH_PLUGIN_RUN}, {});
  ASSERT_TRUE(made);
  const auto done = made->run({}, {}, nullptr);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().cause(), "plugin 'own' fails in `run` of test::Shaped: " + std::string(512, 'x'));
}

TEST(PluginOperator, StateLivesAsLongAsTheOperator) {
  static int alive = 0;
  burnish_plugin_operator op = shaped();
  op.create = [](void* user, const burnish_plugin_node*, void** state, burnish_plugin_reason*) {
    *state = user;
    return ++alive, 0;
  };
  op.destroy = [](void* state) { alive -= *static_cast<int*>(state); };
  int one = 1;
  op.user = &one;
  const burnish_plugin plugin = of(op);
  {
    const auto made = Operator::create({&plugin, &op}, {.node = "n", .phase = BURNISH_PLUGIN_RUN}, {});
    ASSERT_TRUE(made);
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Plugins, AreFoundByDomainNameAndVersion) {
  const burnish_plugin_operator mine = shaped();
  burnish_plugin_operator any = shaped();
  any.domain = nullptr;
  any.version = "2";
  const burnish_plugin first = of(mine), second = of(any, "other");
  Plugins plugins;
  ASSERT_TRUE(plugins.add(&first));
  ASSERT_TRUE(plugins.add(&first)) << "the same again";
  ASSERT_TRUE(plugins.add(&second));
  const auto named = [&](const char* domain, const char* name, std::optional<std::string> version = {}) {
    const auto found = plugins.for_node(domain, name, version);
    return !found ? found.error().cause() : *found ? std::string((*found)->plugin->name) : "none";
  };
  EXPECT_EQ(named("test", "Shaped", "1"), "own");
  EXPECT_EQ(named("test", "Shaped", "2"), "other");
  EXPECT_EQ(named("elsewhere", "Shaped"), "other");
  EXPECT_EQ(named("elsewhere", "Shaped", "1"), "none");
  EXPECT_EQ(named("test", "Other"), "none");
  EXPECT_EQ(named("test", "Shaped"),
            "operator 'Shaped' is there twice: version 1 of plugin 'own', and version 2 of plugin 'other'");
  plugins.remove(&first);
  EXPECT_EQ(named("test", "Shaped"), "other");
  EXPECT_EQ(plugins.named("own"), nullptr);
}

TEST(Plugins, AreChecked) {
  const auto cause = [](burnish_plugin plugin) {
    Plugins plugins;
    const auto added = plugins.add(&plugin);
    return added ? std::string() : added.error().cause();
  };
  burnish_plugin_operator op = shaped();
  EXPECT_EQ(cause(of(op)), "");
  burnish_plugin plugin = of(op);
  plugin.abi = 7;
  EXPECT_EQ(cause(plugin), "plugin 'own' is made for another version of burnish_plugin.h; this one is 1");
  plugin = of(op);
  plugin.operator_count = 0;
  EXPECT_EQ(cause(plugin), "plugin 'own' lacks operators");
  plugin = of(op);
  plugin.version = nullptr;
  EXPECT_EQ(cause(plugin), "plugin 'own' lacks a name or version");
  op.run = nullptr;
  EXPECT_EQ(cause(of(op)), "plugin 'own' lacks both `run` and `enqueue` of operator 'Shaped'");
  op = shaped();
  op.infer = nullptr;
  EXPECT_EQ(cause(of(op)), "plugin 'own' lacks `infer` of operator 'Shaped'");
}

}  // namespace burnish::plugin
