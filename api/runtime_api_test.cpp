#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/burnish.hpp"
#include "api/burnish_device.h"
#include "plan/plan_testing.h"

using burnish::testing::PlanMaker;

namespace {

/// y = the transpose of x, both f32, for any extents within a profile. `role`: what y is for.
std::vector<std::byte> transposing_engine(std::vector<burnish::Profile> profiles = {},
                                          burnish::Port::Role role = burnish::Port::Role::caller) {
  using namespace burnish;
  PlanMaker m;
  const Slot rows = m.symbol(), columns = m.symbol(), zero = m.constant(0), one = m.constant(1),
             four = m.constant(4);
  const Slot bytes = m.mul(four, m.mul(rows, columns));
  const uint32_t x =
      m.input("x", DType::f32, {{rows, "rows", true}, {columns, "columns", true, 1, 8}}, bytes);
  const uint32_t y = m.output("y", DType::f32, {{columns, "columns"}, {rows, "rows"}}, bytes);
  m.step("transpose", Copy{m.operand(x, DType::f32, {columns, rows}, {one, columns}, zero),
                           m.operand(y, DType::f32, {columns, rows}, {rows, one}, zero)})
      .work = {zero, bytes, bytes};
  EngineContents contents;
  contents.identity.model = "transposer";
  contents.targets.push_back({.plan = m.finish()});
  contents.targets[0].plan.profiles = std::move(profiles);
  contents.targets[0].plan.outputs[0].role = role;
  auto made = engine_bytes(contents);
  return made ? *made : std::vector<std::byte>();
}

burnish_tensor tensor_of(std::vector<float>& values, int64_t rows, int64_t columns) {
  return {BURNISH_F32, 2, {rows, columns}, values.data(), values.size() * sizeof(float), BURNISH_HOST};
}

TEST(RuntimeApi, RunsAnEngine) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  std::vector<float> x = {1, 2, 3, 4, 5, 6};
  context.set_input("x", tensor_of(x, 2, 3));
  context.run();
  const burnish_tensor y = context.output("y");
  ASSERT_EQ(y.rank, 2);
  EXPECT_EQ(y.shape[0], 3);
  EXPECT_EQ(y.shape[1], 2);
  std::vector<float> values(6, -1);
  context.read_output("y", values.data(), values.size() * sizeof(float));
  EXPECT_EQ(values, (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST(RuntimeApi, ShowsPorts) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish_port port;
  ASSERT_EQ(burnish_engine_input_count(engine.get()), 1);
  ASSERT_EQ(burnish_engine_input(engine.get(), 0, &port), BURNISH_OK);
  EXPECT_STREQ(port.name, "x");
  EXPECT_EQ(port.dtype, BURNISH_F32);
  ASSERT_EQ(port.rank, 2);
  EXPECT_EQ(port.shape[0], -1);
  EXPECT_STREQ(port.axes[1], "columns");
  EXPECT_EQ(burnish_engine_input(engine.get(), 1, &port), BURNISH_INVALID_ARGUMENT);
  EXPECT_STREQ(burnish_engine_targets(engine.get()), "cpu");
  EXPECT_NE(engine.describe().find("\"model\": \"transposer\""), std::string::npos);
}

TEST(RuntimeApi, DebugTensorsAreReadLikeOutputsAndAreNone) {
  for (const auto role : {burnish::Port::Role::debug, burnish::Port::Role::unfused}) {
    const std::vector<std::byte> bytes = transposing_engine({}, role);
    burnish::api::Engine engine(bytes.data(), bytes.size());
    EXPECT_TRUE(engine.outputs().empty());
    ASSERT_EQ(engine.debug_tensors().size(), 1u);
    burnish_port port;
    int unfused = -1;
    ASSERT_EQ(burnish_engine_debug_tensor(engine.get(), 0, &port, &unfused), BURNISH_OK);
    EXPECT_STREQ(port.name, "y");
    EXPECT_EQ(unfused, role == burnish::Port::Role::unfused);
    EXPECT_EQ(burnish_engine_debug_tensor(engine.get(), 1, &port, nullptr), BURNISH_INVALID_ARGUMENT);
    burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
    std::vector<float> x = {1, 2, 3, 4}, y(4);
    context.set_input("x", tensor_of(x, 2, 2));
    context.run();
    EXPECT_EQ(context.output("y").bytes, 16u);
    context.read_output("y", y.data(), 16);
    EXPECT_EQ(y, (std::vector<float>{1, 3, 2, 4}));
  }
}

TEST(RuntimeApi, TheHostHasNoPersistentCache) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  context.set_persistent_cache(0);
  EXPECT_EQ(burnish_context_set_persistent_cache(context.get(), 1, nullptr), BURNISH_UNSUPPORTED);
}

TEST(RuntimeApi, ShowsProfilesAndWhatOutputsWillBe) {
  const std::vector<std::byte> bytes =
      transposing_engine({{{{{{1, 2, 4}, {1, 2, 4}}}}}, {{{{{5, 5, 5}, {1, 8, 8}}}}}});
  burnish::api::Engine engine(bytes.data(), bytes.size());
  ASSERT_EQ(engine.profile_count(), 2);
  const burnish_shape_range x = engine.profile(1)[0];
  EXPECT_STREQ(x.name, "x");
  EXPECT_EQ(std::vector(x.min, x.min + x.rank), (std::vector<int64_t>{5, 1}));
  EXPECT_EQ(std::vector(x.opt, x.opt + x.rank), (std::vector<int64_t>{5, 8}));
  EXPECT_EQ(std::vector(x.max, x.max + x.rank), (std::vector<int64_t>{5, 8}));
  burnish_shape_range none;
  EXPECT_EQ(burnish_engine_profile(engine.get(), 2, 0, &none), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_engine_profile(engine.get(), 0, 1, &none), BURNISH_INVALID_ARGUMENT);
  EXPECT_NE(engine.describe().find("\"profiles\""), std::string::npos);

  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  EXPECT_EQ(context.output_shape("y").shape[0], -1);
  context.set_profile(1);
  context.set_input("x", {BURNISH_F32, 2, {5, 6}, nullptr, 0, BURNISH_HOST});
  const burnish_tensor y = context.output_shape("y");
  EXPECT_EQ(y.dtype, BURNISH_F32);
  EXPECT_EQ(y.rank, 2);
  EXPECT_EQ(y.shape[0], 6);
  EXPECT_EQ(y.shape[1], 5);
  EXPECT_EQ(y.bytes, 120u);
  EXPECT_EQ(y.data, nullptr);
  EXPECT_EQ(burnish_context_set_profile(context.get(), 2, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_context_set_profile(context.get(), -1, nullptr), BURNISH_OK);
}

TEST(RuntimeApi, ErrorsHaveStatusCauseAndRemedy) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  std::vector<float> x(9);
  try {
    context.set_input("x", tensor_of(x, 1, 9));
    FAIL() << "an input outside its range was taken";
  } catch (const burnish::api::Error& e) {
    EXPECT_EQ(e.status(), BURNISH_INVALID_ARGUMENT);
    EXPECT_STREQ(e.what(), "input 'x' axis 1 must be from 1 to 8, got 9");
    EXPECT_EQ(e.remedy(), "the engine takes 'x' as f32 [rows, columns]");
  }
}

TEST(RuntimeApi, NullPointersAreErrors) {
  burnish_error* error = nullptr;
  EXPECT_EQ(burnish_engine_open(nullptr, nullptr, &error), BURNISH_INVALID_ARGUMENT);
  ASSERT_NE(error, nullptr);
  EXPECT_STREQ(burnish_error_cause(error), "'path' is NULL");
  burnish_error_free(error);
  EXPECT_EQ(burnish_context_run(nullptr, nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_engine_input_count(nullptr), 0);
}

TEST(RuntimeApi, PluginsThatAreNone) {
  burnish_error* error = nullptr;
  EXPECT_EQ(burnish_load_plugin(nullptr, nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_load_plugin("no/such.so", nullptr, nullptr), BURNISH_IO_ERROR);
  EXPECT_EQ(burnish_add_plugin(nullptr, &error), BURNISH_INVALID_ARGUMENT);
  ASSERT_NE(error, nullptr);
  EXPECT_STREQ(burnish_error_cause(error), "a plugin is NULL");
  burnish_error_free(error);
  burnish_remove_plugin(nullptr);
}

TEST(RuntimeApi, NullPointersOfDeviceWorkAreErrors) {
  EXPECT_EQ(burnish_stream_create(0, nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_event_create(0, BURNISH_WAIT_BLOCKED, nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_block_create(0, BURNISH_HOST, 1, nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_device_describe_details(0, nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_stream_synchronize(nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_event_elapsed(nullptr, nullptr, nullptr, nullptr), BURNISH_INVALID_ARGUMENT);
  EXPECT_EQ(burnish_stream_handle(nullptr), nullptr);
  EXPECT_EQ(burnish_block_data(nullptr), nullptr);
  burnish_stream_free(nullptr);
  burnish_event_free(nullptr);
  burnish_block_free(nullptr);
}

TEST(RuntimeApi, NamesAndSizesOfTypes) {
  EXPECT_EQ(burnish_dtype_size(BURNISH_BF16), 2u);
  EXPECT_STREQ(burnish_dtype_name(BURNISH_BOOL), "bool");
  EXPECT_EQ(burnish_dtype_size(static_cast<burnish_dtype>(13)), 0u);
  EXPECT_EQ(burnish_dtype_name(static_cast<burnish_dtype>(-1)), nullptr);
}

TEST(RuntimeApi, TimesAndProfiles) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  std::vector<float> x(6);
  context.set_input("x", tensor_of(x, 2, 3));
  const auto timings = context.time(3);
  ASSERT_EQ(timings.size(), 3u);
  for (const burnish_timing& t : timings) EXPECT_GT(t.host_ms, 0);
  const std::string profile = context.profile();
  EXPECT_NE(profile.find("\"name\": \"transpose\""), std::string::npos);
  EXPECT_NE(profile.find("\"kind\": \"copy\""), std::string::npos);
}

TEST(RuntimeApi, ShowsWhatALayerHasToDo) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  std::vector<float> x(6);
  context.set_input("x", tensor_of(x, 2, 3));
  const std::string profile = context.profile();
  EXPECT_NE(profile.find("\"bytes_read\": 24"), std::string::npos) << profile;
  EXPECT_EQ(profile.find("least_ms"), std::string::npos);  // a host has no peak
  EXPECT_NE(context.describe().find("\"target\": \"cpu\""), std::string::npos);
}

TEST(RuntimeApi, ShowsWhatStepsReadAndWrite) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  std::vector<float> x(6);
  context.set_input("x", tensor_of(x, 2, 3));
  const auto plan = nlohmann::json::parse(engine.describe())["plans"][0];
  const auto before = nlohmann::json::parse(context.describe())["storage"];
  context.run();
  const auto after = nlohmann::json::parse(context.describe())["storage"];
  const size_t read = plan["steps"][0]["reads"][0], written = plan["steps"][0]["writes"][0];
  EXPECT_EQ(plan["storage"], before);
  EXPECT_EQ(before[read]["name"], "x");
  EXPECT_EQ(before[written]["kind"], "output");
  EXPECT_EQ(before[written]["last_step"], 0);
  EXPECT_FALSE(before[read].contains("bytes"));  // its extents are free
  EXPECT_EQ(after[read]["bytes"], 24);
}

TEST(RuntimeApi, AHostHasNoCacheToFlush) {
  const std::vector<std::byte> bytes = transposing_engine();
  burnish::api::Engine engine(bytes.data(), bytes.size());
  burnish::api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  try {
    context.time_flushed(1);
    FAIL() << "a host was timed with a flushed cache";
  } catch (const burnish::api::Error& e) {
    EXPECT_EQ(e.status(), BURNISH_UNSUPPORTED);
    EXPECT_STREQ(e.what(), "a GPU's L2 cache is to be flushed, and this context runs on the host");
  }
}

TEST(RuntimeApi, ShowsTheOrderOfPorts) {
  using namespace burnish;
  PlanMaker m;
  const Slot two = m.constant(2), three = m.constant(3), bytes = m.constant(24);
  m.input("x", DType::f32, {{two, "2"}, {three, "3"}}, bytes);
  m.output("y", DType::f32, {{two, "2"}, {three, "3"}}, bytes);
  m.plan.outputs[0].order = {1, 0};
  EngineContents contents;
  contents.targets.push_back({.plan = m.finish()});
  const auto made = engine_bytes(contents);
  ASSERT_TRUE(made) << made.error().cause();
  api::Engine engine(made->data(), made->size());
  EXPECT_EQ(burnish_engine_input_order(engine.get(), 0), nullptr);
  const int* order = burnish_engine_output_order(engine.get(), 0);
  ASSERT_NE(order, nullptr);
  EXPECT_EQ(std::vector<int>(order, order + 2), (std::vector<int>{1, 0}));
  EXPECT_EQ(burnish_engine_output_order(engine.get(), 1), nullptr);
}

TEST(RuntimeApi, ARefusedInputIsToldTheOrderOfItsAxes) {
  using namespace burnish;
  PlanMaker m;
  const Slot two = m.constant(2), three = m.constant(3), zero = m.constant(0), one = m.constant(1),
             bytes = m.constant(24);
  const uint32_t x = m.input("x", DType::f32, {{two, "2", false, 2, 2}, {three, "3", false, 3, 3}}, bytes);
  const uint32_t y = m.output("y", DType::f32, {{two, "2"}, {three, "3"}}, bytes);
  m.plan.inputs[0].order = {1, 0};
  m.step("copy", Copy{m.operand(x, DType::f32, {two, three}, {one, two}, zero),
                      m.operand(y, DType::f32, {two, three}, {three, one}, zero)});
  EngineContents contents;
  contents.targets.push_back({.plan = m.finish()});
  const auto made = engine_bytes(contents);
  ASSERT_TRUE(made) << made.error().cause();
  api::Engine engine(made->data(), made->size());
  api::Context context(engine, {.struct_size = sizeof(burnish_context_options), .device = -1});
  std::vector<float> values(6);
  try {
    context.set_input("x", tensor_of(values, 3, 2));
    FAIL() << "the shape of the memory was taken for the tensor's";
  } catch (const api::Error& e) {
    EXPECT_STREQ(e.what(), "input 'x' axis 0 must be 2, got 3");
    EXPECT_EQ(e.remedy(), "the engine takes 'x' as f32 [2, 3] with axes in memory in the order 1, 0");
  }
}

}  // namespace
