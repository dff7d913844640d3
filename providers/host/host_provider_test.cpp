#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/half.h"
#include "ir/op.h"
#include "ir/text.h"
#include "plan/plan_testing.h"
#include "runtime/context.h"

namespace burnish {

extern "C" const HostProviderTable* burnish_host_provider(uint32_t version);

using testing::PlanMaker;

/// The text of a step, as the compiler prints it: a graph of the node alone.
static std::string text_of(const char* op, const std::vector<DType>& inputs,
                           const std::vector<DType>& outputs) {
  Graph graph;
  graph.name = "call";
  Node node{.op = find_op(op)};
  node.attrs = Attrs(node.op->attrs);
  for (DType t : inputs) graph.inputs.push_back(graph.add_value({t, {}}));
  for (DType t : outputs) graph.outputs.push_back(graph.add_value({t, {}}));
  node.inputs = graph.inputs;
  node.outputs = graph.outputs;
  graph.nodes.push_back(std::move(node));
  graph.index();
  return print(graph);
}

static Result<std::unique_ptr<Context>> context_of(Plan plan, int threads = 2) {
  EngineContents contents;
  contents.targets.push_back({.plan = std::move(plan)});
  auto engine = TRY(Engine::from_bytes(TRY(engine_bytes(contents))));
  return Context::create(engine,
                         {.threads = threads, .host_provider = burnish_host_provider(host_abi_version)});
}

/// y = a + b of shape [n].
static Plan adding(DType dtype, std::string text) {
  PlanMaker m;
  const Slot n = m.symbol(), zero = m.constant(0), one = m.constant(1);
  const Slot bytes = m.mul(n, m.constant(static_cast<int64_t>(size_of(dtype))));
  const uint32_t a = m.input("a", dtype, {{n, "n", true}}, bytes), b = m.input("b", dtype, {{n, "n"}}, bytes);
  const uint32_t y = m.output("y", dtype, {{n, "n"}}, bytes);
  auto list = [&](uint32_t buffer) { return m.operand(buffer, dtype, {n}, {one}, zero); };
  m.step("sum", HostCall{std::move(text), {list(a), list(b)}, {list(y)}, {}});
  return m.finish();
}

template <class T>
static TensorRef ref(DType dtype, std::vector<T>& values) {
  return {
      dtype, {static_cast<int64_t>(values.size())}, values.data(), values.size() * sizeof(T), Space::host};
}

TEST(HostProvider, RunsAnOperator) {
  auto context = context_of(adding(DType::f32, text_of("Add", {DType::f32, DType::f32}, {DType::f32})));
  ASSERT_TRUE(context) << context.error().cause();
  std::mt19937 random(1);
  for (size_t n : {1u, 1000u, 3u}) {
    std::vector<float> a(n), b(n), y(n, -99);
    for (size_t i = 0; i < n; ++i)
      a[i] = static_cast<float>(random() % 1000), b[i] = static_cast<float>(random() % 1000);
    ASSERT_TRUE((*context)->set_input("a", ref(DType::f32, a)));
    ASSERT_TRUE((*context)->set_input("b", ref(DType::f32, b)));
    const Result<> ran = (*context)->run();
    ASSERT_TRUE(ran) << ran.error().cause();
    ASSERT_TRUE((*context)->read_output("y", y.data(), n * 4));
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(y[i], a[i] + b[i]);
  }
}

TEST(HostProvider, HalvesAreWidenedAndRounded) {
  auto context = context_of(adding(DType::f16, text_of("Add", {DType::f16, DType::f16}, {DType::f16})));
  ASSERT_TRUE(context) << context.error().cause();
  std::vector<half> a = {to_half(1.0f), to_half(2048.0f)}, b = {to_half(0.5f), to_half(1.0f)}, y(2);
  ASSERT_TRUE((*context)->set_input("a", ref(DType::f16, a)));
  ASSERT_TRUE((*context)->set_input("b", ref(DType::f16, b)));
  ASSERT_TRUE((*context)->run());
  ASSERT_TRUE((*context)->read_output("y", y.data(), 4));
  EXPECT_EQ(to_float(y[0]), 1.5f);
  EXPECT_EQ(to_float(y[1]), 2048.0f) << "2049 is no half; even wins";
}

TEST(HostProvider, OperatorsDecideExtents) {
  PlanMaker m;
  const Slot n = m.symbol(), zero = m.constant(0), one = m.constant(1), two = m.constant(2),
             four = m.constant(4), eight = m.constant(8);
  const Slot columns = m.constant(3), bytes = m.mul(m.mul(n, columns), four);
  m.next_stage();
  const Slot k = m.symbol(), out_bytes = m.mul(m.mul(two, k), eight);
  const uint32_t x = m.input("x", DType::f32, {{n, "n", true}, {columns, "3", false, 3, 3}}, bytes);
  const uint32_t y = m.output("y", DType::i64, {{two, "2"}, {k, "k"}}, out_bytes);
  m.step("find",
         HostCall{text_of("NonZero", {DType::f32}, {DType::i64}),
                  {m.operand(x, DType::f32, {n, columns}, {columns, one}, zero)},
                  {m.operand(y, DType::i64, {two, k}, {k, one}, zero)},
                  {{0, 1, k}}},
         1);
  auto context = context_of(m.finish());
  ASSERT_TRUE(context) << context.error().cause();
  std::vector<float> values = {0, 5, 0, 7, 0, -1};
  TensorRef tensor = ref(DType::f32, values);
  tensor.shape = {2, 3};
  ASSERT_TRUE((*context)->set_input("x", tensor));
  const Result<> ran = (*context)->run();
  ASSERT_TRUE(ran) << ran.error().cause();
  ASSERT_EQ((*context)->output("y")->shape, (Shape{2, 3}));
  std::vector<int64_t> found(6);
  ASSERT_TRUE((*context)->read_output("y", found.data(), 48));
  EXPECT_EQ(found, (std::vector<int64_t>{0, 1, 1, 1, 0, 2}));
}

TEST(HostProvider, TextThatIsNoNodeIsAnError) {
  const auto context = context_of(adding(DType::f32, "what is this"));
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code(), Code::incompatible_engine);
  EXPECT_EQ(context.error().remedy(), "build the engine again with this version of Burnish");
  EXPECT_EQ(context.error().frames().back(), "preparing host step 'sum'");
}

TEST(HostProvider, OtherVersionsAreRefused) {
  EXPECT_EQ(burnish_host_provider(host_abi_version + 1), nullptr);
}

TEST(HostProvider, RunsInSeveralThreads) {
  EngineContents contents;
  contents.targets.push_back(
      {.plan = adding(DType::f32, text_of("Add", {DType::f32, DType::f32}, {DType::f32}))});
  const auto engine = *Engine::from_bytes(*engine_bytes(contents));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      auto context =
          Context::create(engine, {.threads = 2, .host_provider = burnish_host_provider(host_abi_version)});
      ASSERT_TRUE(context);
      std::vector<float> a(40000, static_cast<float>(t)), b(40000, 1), y(40000);
      for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE((*context)->set_input("a", ref(DType::f32, a)));
        ASSERT_TRUE((*context)->set_input("b", ref(DType::f32, b)));
        ASSERT_TRUE((*context)->run());
        ASSERT_TRUE((*context)->read_output("y", y.data(), y.size() * 4));
        ASSERT_EQ(y, std::vector<float>(40000, static_cast<float>(t) + 1));
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace burnish
