#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "ir/text.h"
#include "providers/nvrtc/compile_testing.h"
#include "providers/nvrtc/kernel_cases.h"

namespace burnish::nvrtc::testing {

/// The sources of a case's launches, by the tactic `wanted` if it is named; none if it was refused. `tactics`: what there was
/// to choose from.
static std::vector<std::string> sources_of(const NvrtcBackend& backend, const KernelCase& c,
                                           std::string_view wanted = {},
                                           std::vector<std::string>* tactics = nullptr) {
  burnish::testing::TestGraph t;
  const Result<> grown = grow(t, c);
  EXPECT_TRUE(grown) << c.text() << ": " << grown.error().cause();
  if (t.graph.nodes.empty()) {
    ADD_FAILURE() << c.text() << " left no node";
    return {};
  }
  FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out, backend.target());
  operands.wanted = wanted;
  const Verdict verdict = backend.describe(operands);
  if (tactics)
    for (const Tactic& tactic : operands.tactics) tactics->push_back(tactic.name);
  EXPECT_TRUE(verdict) << c.text() << " was refused: " << verdict.reason();
  EXPECT_TRUE(!verdict || !operands.calls.empty()) << c.text();
  std::vector<std::string> sources;
  for (const KernelCall& call : operands.calls) sources.push_back(backend.emit(operands, call).text);
  return sources;
}

TEST(Kernels, EveryCaseCompiles) {
  const NvrtcBackend backend = backend_for("sm_90");
  std::set<std::string> sources;
  for (const KernelCase& c : kernel_cases())
    for (std::string& source : sources_of(backend, c)) sources.insert(std::move(source));
  expect_compiles(backend, {sources.begin(), sources.end()});
}

TEST(Kernels, EveryOpCompilesForEveryArchitecture) {
  for (const Architecture& architecture : architectures()) {
    const NvrtcBackend backend = backend_for(architecture.target);
    std::vector<std::string> sources;
    std::set<std::string> seen;
    for (const KernelCase& c : kernel_cases())
      if (seen.insert(c.op).second)
        for (std::string& source : sources_of(backend, c)) sources.push_back(std::move(source));
    expect_compiles(backend, sources);
  }
}

/// Gather(x, table) + z, as one node.
static Graph picked_sum(const std::string& x, const std::string& table, int axis, const std::string& y) {
  const std::string operands[] = {x, table, y};
  std::string outside, inside;
  for (int i = 0; i < 3; ++i) {
    outside += (i ? ", %x" : "%x") + std::to_string(i) + ": " + operands[i];
    inside += (i ? ", %" : "%") + std::to_string(i) + ": " + operands[i];
  }
  auto graph =
      parse("graph (" + outside + ") -> (%y) {\n  %y = Fused(%x0, %x1, %x2) : " + y + " {\n    graph body(" +
            inside + ") -> (%4) {\n      %3 = Gather(%0, %1) {axis=" + std::to_string(axis) + "} : " + y +
            "\n      %4 = Add(%2, %3) : " + y + "\n    }\n  }\n}\n");
  EXPECT_TRUE(graph) << graph.error().cause();
  return *std::move(graph);
}

TEST(Kernels, WorkThatFollowsOnPickedRowsCompiles) {
  const auto backend = backend_for("sm_90");
  std::set<std::string> sources;
  for (Graph graph : {picked_sum("f16[3, 8, 16]", "i64[2, 4]", 1, "f16[3, 2, 4, 16]"),
                      picked_sum("f32[30, 7]", "i32[5]", 0, "f32[5, 7]"),
                      picked_sum("bf16[4, 9]", "i64[3, 2]", 1, "bf16[4, 3, 2]")})
    for (const Layout layout : {Layout::dense, Layout::gaps, Layout::backwards}) {
      FreeOperands operands(graph, graph.nodes.back(), layout, layout, backend.target());
      const Verdict verdict = backend.describe(operands);
      ASSERT_TRUE(verdict) << verdict.reason();
      ASSERT_EQ(operands.calls.size(), 1u);
      sources.insert(backend.emit(operands, operands.calls[0]).text);
    }
  EXPECT_EQ(sources.size(), 9u);
  const auto vectors = [](const std::string& text) {
    return text.find("gather_rows<8>") != std::string::npos;
  };
  EXPECT_EQ(std::ranges::count_if(sources, vectors), 1);  // halves that lie side by side
  expect_compiles(backend, {sources.begin(), sources.end()});
}

static std::string source_of(const NvrtcBackend& backend, const FusedCase& c) {
  auto graph = parse(c.text);
  EXPECT_TRUE(graph) << graph.error().cause();
  FreeOperands operands(*graph, graph->nodes.back(), c.in, c.out, backend.target());
  EXPECT_TRUE(backend.describe(operands));
  EXPECT_EQ(operands.calls.size(), 1u);
  return backend.emit(operands, operands.calls.at(0)).text;
}

TEST(Kernels, AFusedNodeOfSeveralResultsCompiles) {
  for (const char* target : {"sm_80", "sm_90"}) {
    const NvrtcBackend backend = backend_for(target);
    std::vector<std::string> sources;
    for (const FusedCase& c : fused_cases()) sources.push_back(source_of(backend, c));
    expect_compiles(backend, sources);
  }
}

static size_t times_in(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(Kernels, PointwiseWorkAroundReductionsCompiles) {
  for (const char* target : {"sm_80", "sm_90"}) {
    const NvrtcBackend backend = backend_for(target);
    std::set<std::string> sources;
    for (const FusedCase& c : fused_reduction_cases()) sources.insert(source_of(backend, c));
    EXPECT_EQ(sources.size(), fused_reduction_cases().size());
    expect_compiles(backend, {sources.begin(), sources.end()});
  }
}

/// The source of a mean of x + z over channels-last images, %y being its result after `more`.
static std::string mean_of_sums(const std::string& more) {
  const FusedCase c{.text = R"(graph (%x: f16[2, 512, 7, 7], %z: f16[512, 1, 1]) -> (%y) {
  %y = Fused(%x, %z) : f16[2, 512, 1, 1] {
    graph body(%x: f16[2, 512, 7, 7], %z: f16[512, 1, 1]) -> (%y) {
      %p = Add(%x, %z) : f16[2, 512, 7, 7]
      )" + more + R"(
    }
  }
})",
                    .in = Layout::channels_last};
  return source_of(backend_for("sm_90"), c);
}

TEST(Kernels, AReductionReadsVectorsOfWhatItComputes) {
  const std::string source = mean_of_sums("%y = ReduceMean(%p) {axes=[2, 3]} : f16[2, 512, 1, 1]");
  EXPECT_EQ(times_in(source, "reduce_columns<reduction::Mean<float>, 32, 8, "), 1u) << source;
  EXPECT_EQ(times_in(source, "(long long)m * "), 1u) << source;  // positions lie as one
  EXPECT_EQ(times_in(source, "1LL, count, true)"), 2u) << source;
  EXPECT_EQ(times_in(source, "struct Epilogue"), 0u) << source;
}

TEST(Kernels, ResultsInOneOrderAreStoredAsVectorsFromOperandsReadOnce) {
  const std::string source = source_of(backend_for("sm_90"), fused_cases()[0]);
  EXPECT_EQ(times_in(source, "load_vector<"), 1u) << source;
  EXPECT_EQ(times_in(source, "store_vector<"), 3u) << source;
}

TEST(Kernels, AResultInAnotherOrderIsScattered) {
  const std::string source = source_of(backend_for("sm_90"), fused_cases()[2]);
  EXPECT_EQ(times_in(source, "store_vector<half, V>"), 1u) << source;
  EXPECT_EQ(times_in(source, "for (int j = 0; j < V; ++j) store("), 2u) << source;
}

static std::vector<std::string> tactics_of(const NvrtcBackend& backend, const KernelCase& c) {
  std::vector<std::string> names;
  sources_of(backend, c, {}, &names);
  return names;
}

using burnish::testing::NamedAttributes;

static Tensor halves(Shape shape) { return Tensor::zeros(DType::f16, std::move(shape)); }

static KernelCase convolution(const char* x, Shape weights, NamedAttributes attrs = {}) {
  return {"Conv", {x, halves(std::move(weights))}, std::move(attrs),
          1,      Layout::channels_last,           Layout::channels_last};
}

TEST(Kernels, EveryTacticOfAProductCompiles) {
  const NvrtcBackend backend = backend_for("sm_90");
  using Axes = std::vector<int64_t>;
  std::vector<std::string> sources;
  for (const KernelCase& c : {
           KernelCase{"MatMul", {"bf16[batch, 12, length, 64]", "bf16[batch, 12, 64, length]"}},
           KernelCase{"Gemm", {"f16[m, 256]", halves({1000, 256}), halves({1000})}, {{"trans_b", true}}},
           convolution("f16[2, 128, 15, 14]", {96, 64, 3, 3},
                       {{"strides", Axes{2, 1}},
                        {"pads", Axes{0, 1, 2, 3}},
                        {"dilations", Axes{1, 2}},
                        {"group", int64_t{2}}}),
           KernelCase{"Gemm", {"f16[m, 2304]", halves({96, 2304})}, {{"trans_b", true}}},
           convolution("f16[n, 24, 9, 7]", {72, 24, 1, 1}),
           convolution("f16[2, 64, 9, 7]", {96, 64, 3, 3}, {{"pads", Axes{1, 1, 1, 1}}}),
           convolution("f16[2, 3, 32, 48]", {64, 3, 16, 16}, {{"strides", Axes{16, 16}}}),
           convolution("f16[2, 3, 45, 71]", {64, 3, 7, 7}, {{"strides", Axes{2, 2}}}),
           convolution("f16[n, 3, h, w]", {24, 3, 3, 3}, {{"strides", Axes{2, 2}}}),
           convolution("f16[n, 40, h, w]", {40, 1, 5, 5}, {{"group", int64_t{40}}, {"strides", Axes{2, 2}}}),
           convolution("f16[4, 24, 7, 7]", {24, 1, 7, 7},
                       {{"group", int64_t{24}}, {"pads", Axes{3, 3, 3, 3}}}),
           convolution("f16[n, 24, h, w]", {24, 1, 3, 3}, {{"group", int64_t{24}}}),
       })
    for (const std::string& tactic : tactics_of(backend, c))
      for (std::string& source : sources_of(backend, c, tactic)) sources.push_back(std::move(source));
  EXPECT_GT(sources.size(), 40u);
  expect_compiles(backend, sources);
}

TEST(Kernels, WarpgroupsMultiplyWhereTheyCan) {
  struct Row {
    const char* target;
    KernelCase product;
    bool warpgroups;
  };
  for (const Row& row : {
           Row{"sm_90", {"MatMul", {"f16[300, 512]", "f16[512, 768]"}}, true},
           Row{"sm_90", {"MatMul", {"bf16[m, 512]", "bf16[512, 8]"}}, true},
           Row{"sm_80", {"MatMul", {"f16[300, 512]", "f16[512, 768]"}}, false},
           Row{"sm_120", {"MatMul", {"f16[300, 512]", "f16[512, 768]"}}, false},
           Row{"sm_90", {"MatMul", {"f32[300, 512]", "f32[512, 768]"}}, false},
           Row{"sm_90", {"MatMul", {"f16[300, 512]", "f16[512, 764]"}}, false},  // 8 bytes at a time
           Row{"sm_90", {"MatMul", {"f16[300, n]", "f16[n, 768]"}}, false},
           Row{"sm_90", {"MatMul", {"f16[300, 32]", "f16[32, 768]"}}, false},  // k is shorter than a step
           Row{"sm_90", convolution("f16[2, 64, 14, 14]", {64, 64, 3, 3}), true},
           Row{"sm_90", convolution("f16[2, 12, 14, 14]", {64, 12, 3, 3}), false},
       }) {
    const std::vector<std::string> names = tactics_of(backend_for(row.target), row.product);
    const auto is_warpgroup = [](const std::string& name) { return name.starts_with("wgmma "); };
    EXPECT_EQ(std::ranges::count_if(names, is_warpgroup) > 0, row.warpgroups)
        << row.target << " " << row.product.text();
  }
}

TEST(Kernels, TheCopyEngineBringsMatricesOfOneBatchWhoseKLiesTogether) {
  struct Row {
    const char* target;
    KernelCase product;
    std::string_view ends;  // of a tactic's name: both operands, or B alone
    bool offered;
  };
  const KernelCase gemm{"Gemm", {"f16[m, 256]", halves({96, 256})}, {{"trans_b", true}}};
  for (const Row& row : {
           Row{"sm_90", gemm, " ab", true},
           Row{"sm_80", gemm, " ab", false},
           Row{"sm_90", {"Gemm", {"f16[m, 256]", halves({1000, 256})}, {{"trans_b", true}}}, "b", false},
           Row{"sm_90",
               {"Gemm", {"f16[256, m]", halves({96, 256})}, {{"trans_a", true}, {"trans_b", true}}},
               " ab",
               false},
           Row{"sm_90", {"MatMul", {"f16[3, 300, 512]", "f16[3, 512, 768]"}}, "b", false},
           Row{"sm_90", convolution("f16[2, 64, 14, 14]", {96, 64, 1, 1}), " ab", true},
           Row{"sm_90", convolution("f16[2, 64, 14, 14]", {96, 64, 3, 3}), " ab", true},
           Row{"sm_90",
               convolution("f16[n, 64, 14, w]", {96, 64, 3, 3}, {{"strides", std::vector<int64_t>{2, 2}}}),
               " ab", true},
           Row{"sm_90", convolution("f16[2, 72, 14, 14]", {96, 72, 3, 3}), " ab", false},
           Row{"sm_90", convolution("f16[2, 72, 14, 14]", {96, 72, 3, 3}), " b", true},
       }) {
    const std::vector<std::string> names = tactics_of(backend_for(row.target), row.product);
    const bool offered =
        std::ranges::any_of(names, [&](const std::string& n) { return n.ends_with(row.ends); });
    EXPECT_EQ(offered, row.offered) << row.target << " " << row.product.text() << row.ends;
  }
}

static bool is_stationary(const std::string& name) { return name.starts_with("stationary "); }

TEST(Kernels, BMayStayInSharedMemoryWhereItFits) {
  struct Row {
    const char* target;
    KernelCase product;
    bool offered;
  };
  const KernelCase large{"MatMul", {"f16[m, 256]", halves({256, 256})}};  // B: 128 KB
  for (const Row& row : {
           Row{"sm_90", {"MatMul", {"f16[m, 64]", halves({64, 256})}}, true},
           Row{"sm_80", convolution("f16[2, 24, 56, 56]", {144, 24, 1, 1}), true},
           Row{"sm_90", {"MatMul", {"bf16[m, 64]", "bf16[64, 256]"}}, false},  // B's k lie apart
           Row{"sm_90", {"Gemm", {"bf16[m, 64]", "bf16[256, 64]"}, {{"trans_b", true}}}, true},
           Row{"sm_90", {"MatMul", {"f16[3, m, 64]", "f16[3, 64, 256]"}}, false},  // several B
           Row{"sm_90", {"MatMul", {"f16[m, 60]", halves({60, 256})}}, false},     // 8 bytes at a time
           Row{"sm_90", {"MatMul", {"f16[m, 64]", halves({64, 100})}}, false},
           Row{"sm_90", {"MatMul", {"f32[m, 64]", "f32[64, 256]"}}, false},
           Row{"sm_90", {"Gemm", {"f16[m, k]", "f16[64, k]"}, {{"trans_b", true}}}, false},
           Row{"sm_90", convolution("f16[2, 64, 14, 14]", {64, 64, 3, 3}), false},  // A is no matrix
           Row{"sm_80", large, false},
           Row{"sm_90", {"MatMul", {"f16[m, 512]", halves({512, 512})}}, false},
       })
    EXPECT_EQ(std::ranges::any_of(tactics_of(backend_for(row.target), row.product), is_stationary),
              row.offered)
        << row.target << " " << row.product.text();
}

TEST(Kernels, BStaysInSharedMemoryWhereMemoryIsTheLimit) {
  auto estimated = [](const KernelCase& c) {
    return sources_of(backend_for("sm_90"), c).back().find("contract_stationary<C>") != std::string::npos;
  };
  EXPECT_TRUE(estimated(convolution("f16[128, 16, 112, 112]", {96, 16, 1, 1})));
  EXPECT_TRUE(estimated(convolution("f16[128, 24, 56, 56]", {144, 24, 1, 1})));
  EXPECT_TRUE(estimated(convolution("f16[128, 32, 112, 112]", {16, 32, 1, 1})));
  EXPECT_TRUE(estimated(convolution("f16[128, 64, 56, 56]", {256, 64, 1, 1})));
  EXPECT_FALSE(estimated(convolution("f16[1, 384, 14, 14]", {96, 384, 1, 1})));
  EXPECT_FALSE(estimated({"MatMul", {"f16[6304, 768]", halves({768, 768})}}));
}

TEST(Kernels, TensorCoresTakeDepthwiseConvolutionsWhoseChannelsAreReadAtOnce) {
  using Axes = std::vector<int64_t>;
  using Names = std::vector<std::string>;
  struct Row {
    const char* x;
    Tensor weights;
    NamedAttributes attrs;
    Names bands;
    Layout layout = Layout::channels_last;
  };
  const NamedAttributes wide{{"dilations", Axes{1, 13}}};
  for (const Row& row : {
           Row{"f16[8, 16, 30, 30]", halves({16, 1, 7, 7}), {}, {"band 1x16x16x16", "band 1x16x32x16"}},
           Row{"f16[8, 40, 90, 90]",
               halves({40, 1, 6, 6}),
               {},
               {"band 1x16x16x32", "band 1x16x16x16", "band 1x16x32x16", "band 1x16x64x16"}},
           Row{"bf16[8, 40, 13, 13]",
               Tensor::zeros(DType::bf16, {40, 1, 7, 7}),
               {},
               {"band 2x8x16x32", "band 2x8x16x16"}},
           Row{"f16[1, 16, 13, 13]", halves({16, 1, 7, 7}), {}, {"band 1x16x16x16"}},  // one image
           Row{"f16[8, 16, 30, 30]", halves({16, 1, 5, 5}), {}, {}},                   // few taps
           Row{"f16[8, 16, 30, 30]", halves({16, 1, 7, 7}), {{"strides", Axes{1, 2}}}, {}},
           Row{"f16[8, 12, 30, 30]", halves({12, 1, 7, 7}), {}, {}},    // 8 bytes at a time
           Row{"f16[8, 16, 30, 30]", halves({32, 1, 7, 7}), {}, {}},    // two results of a channel
           Row{"f16[8, 16, 90, 90]", halves({16, 1, 9, 3}), wide, {}},  // 34 columns for 8 results
           Row{"f16[8, 16, 90, 90]", halves({16, 1, 60, 3}), {}, {}},
           Row{"f16[8, 16, 30, 30]", halves({16, 1, 7, 7}), {}, {}, Layout::dense},
           Row{"f32[8, 16, 30, 30]", Tensor::zeros(DType::f32, {16, 1, 7, 7}), {}, {}},
       }) {
    NamedAttributes attrs = row.attrs;
    const std::string channels = std::string(row.x).substr(std::string(row.x).find(' ') + 1, 2);
    attrs.push_back({"group", int64_t{std::stoi(channels)}});
    const KernelCase c{"Conv", {row.x, row.weights}, std::move(attrs), 1, row.layout, row.layout};
    Names names = tactics_of(backend_for("sm_80"), c);
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("band "); });
    EXPECT_EQ(names, row.bands) << c.text();
  }
}

TEST(Kernels, ImagesOfFewChannelsAreReadAsTheyLie) {
  using Axes = std::vector<int64_t>;
  using Names = std::vector<std::string>;
  auto steps = [](int64_t h, int64_t w) { return NamedAttributes{{"strides", Axes{h, w}}}; };
  struct Row {
    KernelCase conv;
    Names tilings;
  };
  NamedAttributes dilated = steps(2, 2), grouped = steps(2, 2);
  dilated.push_back({"dilations", Axes{2, 1}});
  grouped.push_back({"group", int64_t{2}});
  for (const Row& row : {
           Row{convolution("f16[8, 3, 224, 224]", {64, 3, 7, 7}, steps(2, 2)),
               {"image 4x16x64", "image 8x16x64"}},
           Row{convolution("f16[8, 3, 224, 224]", {32, 3, 3, 3}, steps(2, 2)),
               {"image 4x16x32", "image 8x16x32", "image 16x16x32"}},
           Row{convolution("f16[n, 1, h, w]", {24, 1, 3, 3}, steps(1, 2)),
               {"image 4x16x32", "image 8x16x32", "image 16x16x32"}},
           Row{convolution("f16[8, 4, 64, 64]", {96, 4, 4, 4}, steps(4, 4)),
               {"image 4x16x32", "image 8x16x32"}},
           Row{convolution("f16[8, 3, 224, 224]", {64, 3, 3, 3}),
               {}},  // windows an odd number of pixels apart
           Row{convolution("f16[8, 5, 224, 224]", {64, 5, 3, 3}, steps(2, 2)), {}},
           Row{convolution("f16[8, 3, 224, 224]", {64, 3, 3, 3}, dilated), {}},
           Row{convolution("f16[8, 4, 224, 224]", {64, 2, 3, 3}, grouped), {}},
           Row{convolution("f16[8, 3, 224]", {64, 3, 3}, {{"strides", Axes{2}}}), {}},
           Row{convolution("f16[8, 3, 224, 224]", {64, 3, 16, 16}, steps(16, 16)),
               {}},  // rows longer than a block
           Row{convolution("f16[8, 3, 224, 224]", {256, 3, 7, 7}, steps(2, 2)), {}},  // weights of 112 KB
           Row{{"Conv", {"f32[8, 3, 64, 64]", Tensor::zeros(DType::f32, {8, 3, 3, 3})}, steps(2, 2)}, {}},
       }) {
    Names names = tactics_of(backend_for("sm_80"), row.conv);
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("image "); });
    EXPECT_EQ(names, row.tilings) << row.conv.text();
  }
}

TEST(Kernels, ImagesOfFewChannelsCompileForEveryArchitecture) {
  const KernelCase conv =
      convolution("f16[n, 3, h, w]", {64, 3, 7, 7},
                  {{"strides", std::vector<int64_t>{2, 2}}, {"pads", std::vector<int64_t>{3, 3, 3, 3}}});
  for (const Architecture& architecture : architectures()) {
    const NvrtcBackend backend = backend_for(architecture.target);
    expect_compiles(backend, sources_of(backend, conv, "image 8x16x64"));
  }
}

TEST(Kernels, AnImageReadAsItLiesIsNotPacked) {
  const NvrtcBackend backend = backend_for("sm_90");
  const KernelCase conv =
      convolution("f16[32, 3, 224, 224]", {64, 3, 7, 7}, {{"strides", std::vector<int64_t>{2, 2}}});
  EXPECT_EQ(sources_of(backend, conv).size(), 1u);  // the estimate prefers it
  EXPECT_EQ(sources_of(backend, conv, "image 4x16x64").size(), 1u);
  EXPECT_EQ(sources_of(backend, conv, "mma 64x64x64 2x2 s4").size(), 2u);
}

TEST(Kernels, WarpgroupsAttendWhereTheyCan) {
  struct Row {
    const char* target;
    const char* operand;
    bool warpgroups;
  };
  for (const Row& row : {
           Row{"sm_90", "f16[2, 12, 197, 64]", true}, Row{"sm_90", "bf16[2, 8, n, 128]", true},
           Row{"sm_80", "f16[2, 12, 197, 64]", false},
           Row{"sm_90", "f16[2, 12, 197, 36]", false},  // rows of 72 bytes
       }) {
    const KernelCase c{"Attention", {row.operand, row.operand, row.operand}};
    const std::vector<std::string> names = tactics_of(backend_for(row.target), c);
    const auto is_warpgroup = [](const std::string& name) { return name.starts_with("wgmma "); };
    EXPECT_EQ(std::ranges::count_if(names, is_warpgroup) > 0, row.warpgroups)
        << row.target << " " << row.operand;
  }
}

TEST(Kernels, WarpgroupsTakeTurnsWhereTheCopyEngineCanBringRows) {
  struct Row {
    const char* target;
    const char* queries;
    const char* keys;
    bool turns;
  };
  for (const Row& row : {
           Row{"sm_90", "f16[2, 12, 197, 64]", "f16[2, 12, 49, 64]", true},
           Row{"sm_90", "f16[2, 4, 8, n, 128]", "f16[2, 4, 1, n, 128]", true},  // heads share keys
           Row{"sm_90", "f16[2, 12, 197, 36]", "f16[2, 12, 197, 36]", false},   // rows of 72 bytes
           Row{"sm_90", "f16[2, 12, 197, 64]", "f16[2, 12, 0, 64]", false},
           Row{"sm_80", "f16[2, 12, 197, 64]", "f16[2, 12, 197, 64]", false},
       }) {
    const KernelCase c{"Attention", {row.queries, row.keys, row.keys}};
    const std::vector<std::string> names = tactics_of(backend_for(row.target), c);
    const auto takes_turns = [](const std::string& name) { return name.ends_with(" turns"); };
    EXPECT_EQ(std::ranges::count_if(names, takes_turns) > 0, row.turns) << row.target << " " << c.text();
  }
}

TEST(Kernels, EveryTacticOfAttentionCompiles) {
  const NvrtcBackend backend = backend_for("sm_90");
  const KernelCase c{"Attention", {"f16[2, 77, 80]", "f16[2, n, 80]", "f16[2, n, 40]"}};
  std::vector<std::string> sources;
  for (const std::string& tactic : tactics_of(backend, c))
    for (std::string& source : sources_of(backend, c, tactic)) sources.push_back(std::move(source));
  EXPECT_GT(sources.size(), 10u);
  expect_compiles(backend, sources);
}

TEST(Kernels, WarpgroupsShareTheWorkOutWhereKOfBLiesTogether) {
  struct Row {
    KernelCase product;
    bool specialised;
  };
  for (const Row& row : {
           Row{{"MatMul", {"f16[300, 512]", halves({512, 768})}}, true},  // stored again
           Row{{"Gemm", {"f16[300, 512]", "f16[768, 512]"}, {{"trans_b", true}}}, true},
           Row{{"MatMul", {"f16[300, 512]", "f16[512, 768]"}}, false},
           Row{{"MatMul", {"f16[300, 32]", halves({32, 768})}}, false},  // k is shorter than a step
           Row{convolution("f16[2, 64, 14, 14]", {64, 64, 3, 3}), true},
       }) {
    const std::vector<std::string> names = tactics_of(backend_for("sm_90"), row.product);
    const auto is_specialised = [](const std::string& name) { return name.ends_with(" t2"); };
    EXPECT_EQ(std::ranges::count_if(names, is_specialised) > 0, row.specialised) << row.product.text();
  }
}

TEST(Kernels, AxesThatOneMatrixServesAreItsRows) {
  struct Row {
    const char* x;
    Layout layout;
    const char* rows;
  };
  const NvrtcBackend backend = backend_for("sm_90");
  for (const Row& row : {
           Row{"f16[197, 32, 64]", Layout::dense, "6304"},
           Row{"f16[197, 32, 64]", Layout::gaps, "6304"},
           Row{"f16[197, 32, 64]", Layout::backwards, "6304"},  // the batches' axis lies inside the rows'
           Row{"f16[5, 1, 7, 64]", Layout::dense, "35"},
           Row{"f16[2, 3, 4, 64]", Layout::channels_last, "8"},  // as 2, 4, 64, 3: k lies between
           Row{"f16[197, 8, 64]", Layout::swapped, "1576"},
       }) {
    const KernelCase product{"MatMul", {row.x, halves({64, 96})}, {}, 1, row.layout};
    const std::vector<std::string> sources = sources_of(backend, product);
    ASSERT_EQ(sources.size(), 1u);
    EXPECT_NE(sources[0].find("contract<C>((int)" + std::string(row.rows) + "LL, "), std::string::npos)
        << product.text() << "\n"
        << sources[0];
  }
}

TEST(Kernels, SlicesOfKOccupyTheGpuWhereTilesDoNot) {
  auto sliced = [](std::string_view target, const KernelCase& c) {
    std::vector<std::string> names = tactics_of(backend_for(target), c);
    std::erase_if(names, [](const std::string& name) {
      return name.find("mma 64x64") == std::string::npos || name.find("k/") == std::string::npos;
    });
    return names;
  };
  using Names = std::vector<std::string>;
  const KernelCase few{"MatMul", {"f16[196, 2304]", "f16[2304, 256]"}};  // 16 tiles
  EXPECT_EQ(sliced("sm_90", few), (Names{"mma 64x64x64 2x2 s4 k/8", "wgmma 64x64x64 4x1 s4 k/8"}));
  EXPECT_EQ(sliced("sm_80", few), Names{});  // no clusters
  EXPECT_EQ(sliced("sm_90", {"MatMul", {"f16[196, 512]", "f16[512, 256]"}}),
            (Names{"mma 64x64x64 2x2 s4 k/4", "wgmma 64x64x64 4x1 s4 k/4"}));
  EXPECT_EQ(sliced("sm_90", {"MatMul", {"f16[196, 192]", "f16[192, 256]"}}), Names{});
  EXPECT_EQ(sliced("sm_90", {"MatMul", {"f16[1960, 2304]", "f16[2304, 256]"}}), Names{});
}

/// The sources of a case under each of its tactics.
static std::set<std::string> sources_by_tactic(const NvrtcBackend& backend, const KernelCase& c) {
  burnish::testing::TestGraph t;
  EXPECT_TRUE(grow(t, c));
  std::set<std::string> sources;
  FreeOperands first(t.graph, t.graph.nodes.back(), c.in, c.out);
  EXPECT_TRUE(backend.describe(first));
  for (const Tactic& tactic : first.tactics) {
    FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out);
    operands.wanted = tactic.name;
    EXPECT_TRUE(backend.describe(operands));
    EXPECT_EQ(operands.tactics[operands.chosen].name, tactic.name);
    for (const KernelCall& call : operands.calls) sources.insert(backend.emit(operands, call).text);
  }
  EXPECT_EQ(sources.size(), first.tactics.size()) << c.text();
  return sources;
}

// One launch for each way to share an image out, and two that need no cluster.
TEST(Kernels, EveryTacticOfSqueezeAndExcitationCompiles) {
  const NvrtcBackend backend = backend_for("sm_90");
  std::set<std::string> sources;
  for (const KernelCase& c : kernel_cases()) {
    if (c.op != "SqueezeExcite") continue;
    burnish::testing::TestGraph t;
    ASSERT_TRUE(grow(t, c));
    FreeOperands first(t.graph, t.graph.nodes.back(), c.in, c.out, backend.target());
    ASSERT_TRUE(backend.describe(first));
    ASSERT_EQ(first.tactics.size(), 3u);
    for (const Tactic& tactic : first.tactics) {
      FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out, backend.target());
      operands.wanted = tactic.name;
      ASSERT_TRUE(backend.describe(operands));
      EXPECT_EQ(operands.calls.size(), tactic.name.starts_with("cluster") ? 1u : 2u) << tactic.name;
      for (const KernelCall& call : operands.calls) sources.insert(backend.emit(operands, call).text);
    }
  }
  expect_compiles(backend, {sources.begin(), sources.end()});
}
TEST(Kernels, EveryTacticCompiles) {
  const NvrtcBackend backend = backend_for("sm_80");
  std::vector<std::string> sources;
  for (const KernelCase& c :
       std::vector<KernelCase>{{"MatMul", {"f16[96, 64]", "f16[64, 80]"}},
                               {"MatMul", {"f32[96, 64]", "f32[64, 80]"}},
                               {"Conv",
                                {"f32[1, 8, 20, 20]", burnish::testing::random_tensor({8, 1, 3, 3})},
                                {{"group", int64_t{8}}},
                                1,
                                Layout::channels_last,
                                Layout::channels_last},
                               {"ReduceMean", {"f32[64, 3000]"}, {{"axes", std::vector<int64_t>{1}}}}})
    for (const std::string& source : sources_by_tactic(backend, c)) sources.push_back(source);
  expect_compiles(backend, sources);
}

/// "kind: reason" of what was not offered.
static std::vector<std::string> declined(std::string_view target, const KernelCase& c) {
  burnish::testing::TestGraph t;
  EXPECT_TRUE(grow(t, c)) << c.text();
  FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out, target);
  EXPECT_TRUE(backend_for(target).describe(operands)) << c.text();
  std::vector<std::string> lines;
  for (const auto& [kind, reason] : operands.declined) lines.push_back(kind + ": " + reason);
  return lines;
}

TEST(Kernels, KindsOfTacticsThatAreNotOfferedSayWhy) {
  using Lines = std::vector<std::string>;
  const std::string no_image = "image: pixels of patches have 1 to 4 channels";
  EXPECT_EQ(declined("sm_80", {"MatMul", {"f16[300, 512]", halves({512, 768})}}),
            (Lines{"wgmma: only sm_90 multiplies by warpgroups",
                   "stationary: rows of A and columns of B cannot be read 16 bytes at a time"}));
  EXPECT_EQ(declined("sm_90", {"MatMul", {"f16[300, 512]", halves({512, 768})}}), Lines{});
  EXPECT_EQ(declined("sm_90", {"MatMul", {"f16[300, 512]", "f16[512, 768]"}}),
            (Lines{"wgmma in teams: k of B does not lie together",
                   "stationary: rows of A and columns of B cannot be read 16 bytes at a time"}));
  EXPECT_EQ(declined("sm_90", {"Gemm", {"f16[m, 256]", halves({1000, 256})}, {{"trans_b", true}}}),
            Lines{"copy engine: the columns of B are no multiple of 32"});
  EXPECT_EQ(declined("sm_90", convolution("f16[2, 72, 14, 14]", {96, 72, 3, 3})),
            (Lines{no_image, "copy engine for both: channels are no multiple of 64",
                   "stationary: rows of A and columns of B cannot be read 16 bytes at a time"}));
  EXPECT_EQ(declined("sm_90", convolution("f16[2, 16, 30, 30]", {16, 1, 3, 3}, {{"group", int64_t{16}}})),
            Lines{"band: to transpose the image takes longer than to multiply it by so few taps"});
}

TEST(Kernels, MessagesNameTheHeaderThatHoldsTheKernel) {
  const auto made = backend_for("sm_90").compile(
      "#include \"base/primitives.cuh\"\n#include \"ops/range/range.cuh\"\nmissing;\n");
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().what().starts_with(
      "kernel 'ops/range/range.cuh' does not compile for sm_90a: kernel.cu(3): error: "))
      << made.error().what();
}

static std::string refusal(const KernelCase& c) {
  const NvrtcBackend backend = backend_for("sm_90");
  burnish::testing::TestGraph t;
  EXPECT_TRUE(grow(t, c));
  FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out, backend.target());
  return backend.describe(operands).reason();
}

TEST(Kernels, RefusalsSayWhy) {
  using burnish::testing::ints;
  EXPECT_EQ(refusal({"TopK", {"f32[9]", "i64[1] = k"}, {}, 2}), "k is not known when the engine is built");
  EXPECT_EQ(refusal({"Range", {"f32[]", "f32[]", "f32[]"}}), "only ranges of integers have a device kernel");
  EXPECT_EQ(refusal({"Resize", {"u8[2, 3]", "", "", ints({4, 6})}, {{"mode", std::string("linear")}}}),
            "no device kernel that interpolates u8");
  EXPECT_EQ(refusal({"Pad", {"f32[2, 3]", "i64[4]"}}), "the pads are not known before the engine runs");
  EXPECT_EQ(refusal({"Attention", {"f32[5, 8]", "f32[7, 8]", "f32[7, 8]"}}),
            "no device kernel for attention on f32");
  EXPECT_EQ(refusal({"Attention", {"f16[5, d]", "f16[7, d]", "f16[7, 8]"}}),
            "the head dim is not known when the engine is built");
  EXPECT_EQ(refusal({"Attention", {"f16[5, 8]", "f16[7, 8]", "f16[7, 160]"}}),
            "no device kernel for attention with heads of more than 128");
  EXPECT_EQ(refusal({"GRU",
                     {"f32[5, 1, 8]", "f32[1, 9600, 8]", "f32[1, 9600, 3200]"},
                     {{"activations", std::vector<std::string>{"Sigmoid", "Tanh"}},
                      {"alpha", std::vector<float>(2)},
                      {"beta", std::vector<float>(2)}},
                     2}),
            "the state of 3200 elements does not fit a block");
}

}  // namespace burnish::nvrtc::testing
