#include "runtime/context.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "plan/plan_testing.h"
#include "runtime/fake_host_provider_testing.h"

namespace burnish {

using testing::PlanMaker;

static std::shared_ptr<const Engine> engine_of(Plan plan, std::vector<Tensor> constants = {}) {
  EngineContents contents;
  contents.targets.push_back({.plan = std::move(plan), .constants = std::move(constants)});
  auto bytes = engine_bytes(contents);
  EXPECT_TRUE(bytes) << bytes.error().cause();
  auto engine = Engine::from_bytes(*bytes);
  EXPECT_TRUE(engine) << engine.error().cause();
  return *engine;
}

static Result<std::unique_ptr<Context>> try_context(std::shared_ptr<const Engine> engine) {
  return Context::create(std::move(engine), {.threads = 2, .host_provider = testing::fake_host_provider()});
}
static std::unique_ptr<Context> context_of(Plan plan, std::vector<Tensor> constants = {}) {
  auto context = try_context(engine_of(std::move(plan), std::move(constants)));
  EXPECT_TRUE(context) << context.error().cause();
  return *std::move(context);
}

template <class T>
static TensorRef ref(DType dtype, std::vector<T>& values, Shape shape) {
  return {dtype, std::move(shape), values.data(), values.size() * sizeof(T), Space::host};
}
static TensorRef ref(std::vector<float>& values, Shape shape) {
  return ref(DType::f32, values, std::move(shape));
}

template <class T>
static std::vector<T> values_of(Context& context, const char* name) {
  const auto tensor = context.output(name);
  EXPECT_TRUE(tensor) << tensor.error().cause();
  std::vector<T> values(tensor->bytes / sizeof(T), T(-77));
  EXPECT_TRUE(context.read_output(name, values.data(), tensor->bytes));
  return values;
}
static std::string cause(const Result<>& result) {
  return result ? "no error" : result.error().cause() + " / " + result.error().remedy();
}
static std::vector<float> random_values(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& v : values) v = std::uniform_real_distribution<float>(-1, 1)(generator);
  return values;
}

/// y = x + 1, in two steps through an arena: x -> t (transposed) -> y.
static Plan transpose_and_add() {
  PlanMaker m;
  const Slot rows = m.symbol(), columns = m.symbol(), zero = m.constant(0), one = m.constant(1),
             four = m.constant(4);
  const Slot bytes = m.mul(four, m.mul(rows, columns));
  const uint32_t x = m.input("x", DType::f32, {{rows, "rows", true}, {columns, "columns", true}}, bytes);
  const uint32_t y = m.output("y", DType::f32, {{columns, "columns"}, {rows, "rows"}}, bytes);
  m.plan.host_arena = {bytes};
  const uint32_t t = m.temporary(bytes, zero);
  m.step("transpose", Copy{m.operand(x, DType::f32, {columns, rows}, {one, columns}, zero),
                           m.operand(t, DType::f32, {columns, rows}, {rows, one}, zero)});
  m.step("add", HostCall{"add_one",
                         {m.operand(t, DType::f32, {columns, rows}, {rows, one}, zero)},
                         {m.operand(y, DType::f32, {columns, rows}, {rows, one}, zero)},
                         {}});
  return m.finish();
}

static std::vector<float> expected_transpose(const std::vector<float>& x, size_t rows, size_t columns) {
  std::vector<float> y(x.size());
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) y[c * rows + r] = x[r * columns + c] + 1;
  return y;
}

TEST(Context, ExtentsFollowTheInputs) {
  const auto context = context_of(transpose_and_add());
  for (const auto& [rows, columns] :
       std::vector<std::pair<size_t, size_t>>{{3, 5}, {40, 70}, {1, 1}, {2, 9}, {3, 5}}) {
    std::vector<float> x = random_values(rows * columns, static_cast<unsigned>(rows));
    ASSERT_TRUE(context->set_input("x", ref(x, {static_cast<int64_t>(rows), static_cast<int64_t>(columns)})));
    ASSERT_EQ(cause(context->run()), "no error");
    const auto y = context->output("y");
    ASSERT_TRUE(y);
    EXPECT_EQ(y->shape, (Shape{static_cast<int64_t>(columns), static_cast<int64_t>(rows)}));
    EXPECT_EQ(values_of<float>(*context, "y"), expected_transpose(x, rows, columns));
  }
}

TEST(Context, MemoryGrowsAndIsKept) {
  const auto context = context_of(transpose_and_add());
  std::vector<float> large(100 * 100), small(4);
  ASSERT_TRUE(context->set_input("x", ref(large, {100, 100})));
  ASSERT_TRUE(context->run());
  const MemoryUse before = context->memory();
  EXPECT_GE(before.host_arena, 40000u);
  const void* place = context->output("y")->data;
  ASSERT_TRUE(context->set_input("x", ref(small, {2, 2})));
  ASSERT_TRUE(context->run());
  EXPECT_EQ(context->memory().host_arena, before.host_arena);
  EXPECT_EQ(context->memory().bindings, before.bindings);
  EXPECT_EQ(context->output("y")->data, place);
}

TEST(Context, MessagesOfWrongInputs) {
  PlanMaker m;
  const Slot n = m.symbol(), three = m.constant(3), four = m.constant(4),
             bytes = m.mul(four, m.mul(n, three));
  m.input("images", DType::f32, {{n, "batch", true, 1, 64}, {three, "3", false, 3, 3}}, bytes);
  m.input("mask", DType::boolean, {{n, "batch"}}, n);
  const auto context = context_of(m.finish());
  std::vector<float> data(3000);
  std::vector<uint8_t> mask(10);
  auto set = [&](Shape shape) { return cause(context->set_input("images", ref(data, std::move(shape)))); };
  const std::string declared = " / the engine takes 'images' as f32 [batch, 3]";
  EXPECT_EQ(set({2, 4}), "input 'images' axis 1 must be 3, got 4" + declared);
  EXPECT_EQ(set({65, 3}), "input 'images' axis 0 must be from 1 to 64, got 65" + declared);
  EXPECT_EQ(set({0, 3}), "input 'images' axis 0 must be from 1 to 64, got 0" + declared);
  EXPECT_EQ(set({2, 3, 1}), "input 'images' must have 2 axes, got 3" + declared);
  EXPECT_EQ(cause(context->set_input("images", ref(DType::boolean, mask, {2, 3}))),
            "input 'images' must be f32, got bool" + declared);
  EXPECT_EQ(cause(context->set_input("mask", ref(DType::boolean, mask, {0}))),
            "input 'mask' axis 0 must be at least 1, got 0 / the engine takes 'mask' as bool [batch]");
  EXPECT_EQ(cause(context->set_input("pictures", ref(data, {1, 3}))),
            "the engine has no input 'pictures' / it has 'images', 'mask'");
  std::vector<float> short_one(5);
  EXPECT_EQ(
      cause(context->set_input("images", ref(short_one, {2, 3}))),
      "input 'images' of 2x3 f32 needs 24 bytes, got 20 / pass the whole tensor, and its size in bytes");
  TensorRef odd = ref(data, {2, 3});
  odd.data = reinterpret_cast<std::byte*>(data.data()) + 1;
  EXPECT_EQ(cause(context->set_input("images", odd)),
            "input 'images' does not begin at a multiple of its element size / pass "
            "memory that is aligned to 4 bytes");
  TensorRef elsewhere = ref(data, {2, 3});
  elsewhere.space = Space::device;
  EXPECT_EQ(cause(context->set_input("images", elsewhere)),
            "input 'images' is in GPU memory, and this context runs on the host / pass host memory, or "
            "create the context for a GPU");
  EXPECT_EQ(set({2, 3}), "no error");
  EXPECT_EQ(cause(context->run()), "input 'mask' is not set / set every input before a run");
  ASSERT_TRUE(context->set_input("mask", ref(DType::boolean, mask, {7})));
  EXPECT_EQ(
      cause(context->run()),
      "input 'mask' axis 0 (batch) must be 2 by the other inputs, got 7 / give inputs whose shapes agree");
  ASSERT_TRUE(context->set_input("mask", ref(DType::boolean, mask, {2})));
  EXPECT_EQ(cause(context->run()), "no error");
}

/// Two profiles for rows and columns: small ones, and wide ones.
static Plan transpose_with_profiles() {
  Plan plan = transpose_and_add();
  plan.profiles = {{{{{{1, 2, 4}, {1, 2, 4}}}}}, {{{{{1, 1, 2}, {8, 16, 32}}}}}};
  return plan;
}

TEST(Context, RunsAreWithinAProfile) {
  const auto context = context_of(transpose_with_profiles());
  std::vector<float> x(1000);
  const auto run = [&](Shape shape) {
    EXPECT_TRUE(context->set_input("x", ref(x, std::move(shape))));
    return cause(context->run());
  };
  const std::string remedy = " / give extents that a profile takes, or build the engine with a wider one";
  EXPECT_EQ(run({4, 4}), "no error");
  EXPECT_EQ(run({2, 32}), "no error");
  EXPECT_EQ(
      run({4, 32}),
      "in profile 0 input 'x' axis 1 must be from 1 to 4, got 32; in profile 1 input 'x' axis 0 must be "
      "from 1 to 2, got 4" +
          remedy);
  EXPECT_EQ(run({4, 32}).substr(0, 12), "in profile 0");  // a refused shape is not taken for known
  ASSERT_TRUE(context->set_profile(0));
  EXPECT_EQ(
      run({2, 32}),
      "in profile 0 input 'x' axis 1 must be from 1 to 4, got 32 / give extents that this profile takes, "
      "or choose another");
  ASSERT_TRUE(context->set_profile(1));
  EXPECT_EQ(run({2, 32}), "no error");
  ASSERT_TRUE(context->set_profile({}));
  EXPECT_EQ(run({1, 1}), "no error");
  EXPECT_EQ(cause(context->set_profile(2)),
            "the engine has 2 profiles, and number 2 was chosen / they are numbered from 0");
  EXPECT_EQ(cause(context_of(transpose_and_add())->set_profile(0)),
            "the engine has 0 profiles, and number 0 was chosen / build it with profiles, or choose none");
}

TEST(Context, AnInputMayBeAShapeAlone) {
  const auto context = context_of(transpose_with_profiles());
  const auto shape_of = [&] {
    const auto tensor = context->expected_output("y");
    return tensor ? text_of(tensor->dtype, tensor->shape) + " " + std::to_string(tensor->bytes)
                  : tensor.error().cause();
  };
  EXPECT_EQ(shape_of(), "-1x-1 f32 0");
  ASSERT_TRUE(context->set_input("x", {.dtype = DType::f32, .shape = {2, 3}}));
  EXPECT_EQ(shape_of(), "3x2 f32 24");
  EXPECT_EQ(cause(context->run()),
            "input 'x' has no memory, only a shape / set it again with a pointer to its elements");
  ASSERT_TRUE(context->set_input("x", {.dtype = DType::f32, .shape = {3, 32}}));
  EXPECT_EQ(shape_of().substr(0, 20), "in profile 0 input '");
  EXPECT_EQ(context->expected_output("z").error().cause(), "the engine has no output 'z'");
}

TEST(Context, ChecksStopARunWithTheNumbers) {
  PlanMaker m;
  const Slot a = m.symbol(), b = m.symbol(), two = m.constant(2), doubled = m.mul(two, a);
  m.input("a", DType::u8, {{a, "a", true}}, a);
  m.input("b", DType::u8, {{b, "b", true}}, b);
  m.plan.checks.push_back({doubled, b, 0, "node 'cat' (Concat): 2*a and b must be equal"});
  const auto context = context_of(m.finish());
  std::vector<uint8_t> bytes(10);
  ASSERT_TRUE(context->set_input("a", ref(DType::u8, bytes, {3})));
  ASSERT_TRUE(context->set_input("b", ref(DType::u8, bytes, {5})));
  EXPECT_EQ(
      cause(context->run()),
      "node 'cat' (Concat): 2*a and b must be equal, but they are 6 and 5 / give inputs whose shapes agree");
  EXPECT_EQ(
      cause(context->run()),
      "node 'cat' (Concat): 2*a and b must be equal, but they are 6 and 5 / give inputs whose shapes agree")
      << "the second time too";
  ASSERT_TRUE(context->set_input("b", ref(DType::u8, bytes, {6})));
  EXPECT_EQ(cause(context->run()), "no error");
}

/// positives(x) -> places, kept; then two_lists(kept + 1) -> up, down. Three stages.
static Plan staged() {
  PlanMaker m;
  const Slot n = m.symbol(), zero = m.constant(0), one = m.constant(1), four = m.constant(4),
             eight = m.constant(8);
  const Slot x_bytes = m.mul(n, four);
  m.next_stage();
  const Slot k = m.symbol(), k4 = m.mul(k, four), k8 = m.mul(k, eight);
  m.next_stage();
  const Slot up = m.symbol(), down = m.symbol(), up4 = m.mul(up, four), down4 = m.mul(down, four);
  m.plan.host_arena = {zero, k8};
  const uint32_t x = m.input("x", DType::f32, {{n, "n", true, 0}}, x_bytes);
  const uint32_t places = m.output("places", DType::i64, {{k, "k"}}, k8);
  const uint32_t out_up = m.output("up", DType::f32, {{up, "up"}}, up4),
                 out_down = m.output("down", DType::f32, {{down, "down"}}, down4);
  const uint32_t kept = m.temporary(k4, zero, 1), more = m.temporary(k4, k4, 1);
  auto list = [&](uint32_t b, Slot extent, DType dtype = DType::f32) {
    return m.operand(b, dtype, {extent}, {one}, zero);
  };
  m.step("find",
         HostCall{"positives", {list(x, n)}, {list(places, k, DType::i64), list(kept, k)}, {{0, 0, k}}}, 1);
  m.step("add", HostCall{"add_one", {list(kept, k)}, {list(more, k)}, {}});
  m.step(
      "split",
      HostCall{
          "two_lists", {list(more, k)}, {list(out_up, up), list(out_down, down)}, {{0, 0, up}, {1, 0, down}}},
      2);
  return m.finish();
}

TEST(Context, ExtentsThatStepsFindAreUsedByLaterOnes) {
  const auto context = context_of(staged());
  for (size_t n : {0u, 1u, 7u, 300u, 7u}) {
    std::vector<float> x = random_values(n, static_cast<unsigned>(n) + 1);
    if (n == 0) x.reserve(1);
    ASSERT_EQ(cause(context->set_input("x", ref(x, {static_cast<int64_t>(n)}))), "no error");
    ASSERT_EQ(cause(context->run()), "no error");
    std::vector<int64_t> places;
    std::vector<float> up;
    for (size_t i = 0; i < n; ++i)
      if (x[i] > 0) {
        places.push_back(static_cast<int64_t>(i));
        up.push_back(x[i] + 1);
      }
    EXPECT_EQ(values_of<int64_t>(*context, "places"), places);
    EXPECT_EQ(values_of<float>(*context, "up"), up);
    EXPECT_EQ(context->output("down")->shape, Shape{0});
  }
}

TEST(Context, WhatTheDataDecidesIsNotExpected) {
  const auto context = context_of(staged());
  ASSERT_TRUE(context->set_input("x", {.dtype = DType::f32, .shape = {7}}));
  EXPECT_EQ(context->expected_output("up")->shape, Shape{-1});
  EXPECT_EQ(context->expected_output("up")->bytes, 0u);
}

TEST(Context, SeveralLateOutputsOfOneStep) {
  PlanMaker m;
  const Slot n = m.symbol(), zero = m.constant(0), one = m.constant(1), four = m.constant(4),
             bytes = m.mul(n, four);
  m.next_stage();
  const Slot up = m.symbol(), down = m.symbol(), up4 = m.mul(up, four), down4 = m.mul(down, four);
  const uint32_t x = m.input("x", DType::f32, {{n, "n", true, 0}}, bytes);
  const uint32_t a = m.output("up", DType::f32, {{up, "up"}}, up4),
                 b = m.output("down", DType::f32, {{down, "down"}}, down4);
  auto list = [&](uint32_t buffer, Slot extent) {
    return m.operand(buffer, DType::f32, {extent}, {one}, zero);
  };
  m.step("split",
         HostCall{"two_lists", {list(x, n)}, {list(a, up), list(b, down)}, {{0, 0, up}, {1, 0, down}}}, 1);
  const auto context = context_of(m.finish());
  std::vector<float> values = {1, -2, 3, -4, 5};
  ASSERT_TRUE(context->set_input("x", ref(values, {5})));
  ASSERT_EQ(cause(context->run()), "no error");
  EXPECT_EQ(values_of<float>(*context, "up"), (std::vector<float>{1, 3, 5}));
  EXPECT_EQ(values_of<float>(*context, "down"), (std::vector<float>{-2, -4}));
}

TEST(Context, HostStepsThatFail) {
  auto with_text = [&](const char* text) {
    Plan plan = staged();
    std::get<HostCall>(plan.steps[0].what).text = text;
    return plan;
  };
  std::vector<float> x = {1, 2};
  for (const auto& [text, expected] : std::vector<std::pair<const char*, const char*>>{
           {"failing", "cannot do this, while running step 'find' / do that"},
           {"silent",
            "step 'find' did not say the extents of its outputs, while running step 'find' / report this "
            "with the model"}}) {
    const auto context = context_of(with_text(text));
    ASSERT_TRUE(context->set_input("x", ref(x, {2})));
    EXPECT_EQ(cause(context->run()), expected);
    EXPECT_EQ(context->output("up").error().cause(),
              "output 'up' is not there: there was no run, or it failed");
  }
  const auto context = try_context(engine_of(with_text("unknown")));
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().cause(), "no such call, while preparing host step 'find'");
}

/// y = c ? x[0:2] + 1 : x, with the extent of y known only then.
static Plan branching() {
  PlanMaker m;
  const Slot n = m.symbol(), zero = m.constant(0), one = m.constant(1), two = m.constant(2),
             four = m.constant(4);
  const Slot x_bytes = m.mul(n, four);
  m.next_stage();
  const Slot k = m.symbol(), bytes = m.mul(k, four);
  const uint32_t c = m.input("c", DType::boolean, {}, one),
                 x = m.input("x", DType::f32, {{n, "n", true, 2}}, x_bytes);
  const uint32_t y = m.output("y", DType::f32, {{k, "k"}}, bytes);
  auto list = [&](uint32_t b, Slot extent) { return m.operand(b, DType::f32, {extent}, {one}, zero); };
  If branch{.condition = m.operand(c, DType::boolean, {}, {}, zero)};
  branch.then_steps = {{"then", 1, SetExtents{{{k, two}}}},
                       {"then", 0, HostCall{"add_one", {list(x, two)}, {list(y, k)}, {}}}};
  branch.else_steps = {{"else", 1, SetExtents{{{k, n}}}}, {"else", 0, Copy{list(x, n), list(y, k)}}};
  m.step("if", std::move(branch));
  return m.finish();
}

TEST(Context, OneBranchOfAnIfRuns) {
  const auto context = context_of(branching());
  std::vector<float> x = {1, 2, 3, 4};
  std::vector<uint8_t> c = {1};
  ASSERT_TRUE(context->set_input("x", ref(x, {4})));
  ASSERT_TRUE(context->set_input("c", ref(DType::boolean, c, {})));
  ASSERT_EQ(cause(context->run()), "no error");
  EXPECT_EQ(values_of<float>(*context, "y"), (std::vector<float>{2, 3}));
  c[0] = 0;
  ASSERT_EQ(cause(context->run()), "no error");
  EXPECT_EQ(values_of<float>(*context, "y"), x);
}

TEST(Context, ExtentsAreReadAndWritten) {
  PlanMaker m;
  const Slot zero = m.constant(0), one = m.constant(1), two = m.constant(2), four = m.constant(4),
             sixteen = m.constant(16);
  m.next_stage();
  const Slot rows = m.symbol(), columns = m.symbol(), product = m.mul(rows, columns),
             bytes = m.mul(product, four);
  const uint32_t shape = m.input("shape", DType::i64, {{two, "2", false, 2, 2}}, sixteen);
  const uint32_t c = m.buffer(Buffer::Kind::constant, four);
  m.plan.constants.resize(1);
  const uint32_t y = m.output("y", DType::f32, {{rows, "rows"}, {columns, "columns"}}, bytes),
                 size = m.output("size", DType::i32, {}, four);
  m.step("read", ReadExtents{m.operand(shape, DType::i64, {two}, {one}, zero), {{0, rows}, {1, columns}}}, 1);
  m.step("fill", Copy{m.operand(c, DType::f32, {rows, columns}, {zero, zero}, zero),
                      m.operand(y, DType::f32, {rows, columns}, {columns, one}, zero)});
  m.step("size", WriteExtents{m.operand(size, DType::i32, {}, {}, zero), {product}});
  const std::vector<float> seven = {7};
  const auto context = context_of(m.finish(), {Tensor::of<float>(DType::f32, {}, seven)});
  std::vector<int64_t> wanted = {3, 2};
  ASSERT_TRUE(context->set_input("shape", ref(DType::i64, wanted, {2})));
  ASSERT_EQ(cause(context->run()), "no error");
  EXPECT_EQ(context->output("y")->shape, (Shape{3, 2}));
  EXPECT_EQ(values_of<float>(*context, "y"), std::vector<float>(6, 7));
  EXPECT_EQ(values_of<int32_t>(*context, "size"), std::vector<int32_t>{6});
  wanted = {3, -2};
  EXPECT_EQ(cause(context->run()),
            "output 'y' would have -24 bytes, while running step 'read' / give inputs that the model can "
            "work on; an extent that it computes is negative or too large");
}

TEST(Context, FailStopsTheRun) {
  PlanMaker m;
  m.constant(0);
  m.step("else", Fail{"node 'if' (If): the else branch fits no shape"});
  const auto context = context_of(m.finish());
  EXPECT_EQ(cause(context->run()),
            "node 'if' (If): the else branch fits no shape, while running step 'else' / give inputs that the "
            "model can work on");
}

TEST(Context, OutputsGoWhereTheCallerWants) {
  const auto context = context_of(transpose_and_add());
  std::vector<float> x = random_values(6, 1), y(8, -5);
  ASSERT_TRUE(context->set_input("x", ref(x, {2, 3})));
  ASSERT_EQ(cause(context->set_output("y", ref(y, {8}))), "no error");
  ASSERT_EQ(cause(context->run()), "no error");
  EXPECT_EQ(context->output("y")->data, y.data());
  std::vector<float> expected = expected_transpose(x, 2, 3);
  expected.insert(expected.end(), {-5, -5});
  EXPECT_EQ(y, expected) << "and not a byte more";
  std::vector<float> small(5);
  ASSERT_TRUE(context->set_output("y", ref(small, {5})));
  EXPECT_EQ(
      cause(context->run()),
      "output 'y' needs 24 bytes, and there are 20 where it is to be written / give more memory for it, "
      "or none to have it in memory of the context");
  EXPECT_EQ(cause(context->set_output("y", ref(DType::i32, small, {5}))),
            "output 'y' is f32, and memory for i32 was given / give memory for f32");
  ASSERT_TRUE(context->set_output("y", {}));
  ASSERT_EQ(cause(context->run()), "no error");
  EXPECT_EQ(values_of<float>(*context, "y"), expected_transpose(x, 2, 3));
  float room[2];
  EXPECT_EQ(cause(context->read_output("y", room, sizeof(room))),
            "output 'y' of 3x2 f32 has 24 bytes, and there is room for 8 / give room for the whole output");
}

TEST(Context, ContextsOfOneEngineRunAtOnce) {
  const auto engine = engine_of(staged());
  auto work = [&](unsigned seed) {
    auto context = try_context(engine);
    ASSERT_TRUE(context);
    for (unsigned i = 0; i < 50; ++i) {
      std::vector<float> x = random_values(1 + (seed * 31 + i * 17) % 90, seed + i);
      ASSERT_TRUE((*context)->set_input("x", ref(x, {static_cast<int64_t>(x.size())})));
      ASSERT_EQ(cause((*context)->run()), "no error");
      std::vector<float> up;
      for (float v : x)
        if (v > 0) up.push_back(v + 1);
      ASSERT_EQ(values_of<float>(**context, "up"), up);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) threads.emplace_back(work, t);
  for (std::thread& thread : threads) thread.join();
}

TEST(Context, AnEngineWithoutAPlanForTheHost) {
  Plan plan = transpose_and_add();
  plan.target = "sm_90";
  const auto context = try_context(engine_of(plan));
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().cause(), "the engine has no plan for the host, only for sm_90");
  EXPECT_EQ(context.error().remedy(), "build it with target cpu too, or choose a GPU");
}

TEST(Engine, ChoosesThePlanThatSuitsAGpu) {
  EngineContents contents;
  for (const char* target : {"cpu", "sm_80", "sm_86", "sm_90"}) {
    Plan plan = transpose_and_add();
    plan.target = target;
    contents.targets.push_back({.plan = plan});
  }
  const auto engine = Engine::from_bytes(*engine_bytes(contents));
  ASSERT_TRUE(engine);
  EXPECT_EQ((*engine)->targets(), "cpu sm_80 sm_86 sm_90");
  auto chosen = [&](int major, int minor) {
    const auto plan = (*engine)->device_plan({.ordinal = 2, .name = "GPU X", .major = major, .minor = minor});
    return plan ? (*plan)->target : plan.error().cause();
  };
  EXPECT_EQ(chosen(8, 0), "sm_80");
  EXPECT_EQ(chosen(8, 6), "sm_86");
  EXPECT_EQ(chosen(8, 9), "sm_86");
  EXPECT_EQ(chosen(9, 0), "sm_90");
  EXPECT_EQ(chosen(12, 0), "the engine has plans for cpu sm_80 sm_86 sm_90, and GPU 2 (GPU X) is sm_120");
}

TEST(Context, ProfilesEachStep) {
  const auto context = context_of(staged());
  std::vector<float> x = {1, -1};
  ASSERT_TRUE(context->set_input("x", ref(x, {2})));
  const auto times = context->profile();
  ASSERT_TRUE(times);
  std::string names;
  for (const StepTime& t : *times) names += t.name + ":" + t.kind + " ";
  EXPECT_EQ(names, "find:host add:host split:host ");
}

}  // namespace burnish
