#include "ir/text.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "ir/op.h"
#include "ir/op_table_test.h"

namespace burnish {
namespace {

using testing::EverythingAttrs;

Graph parsed(std::string_view text, const Resources& resources = {}) {
  auto g = parse(text, resources);
  EXPECT_TRUE(g) << (g ? "" : g.error().cause()) << "\n" << text;
  return g ? *std::move(g) : Graph();
}

std::string error_of(std::string_view text) {
  const auto g = parse(text);
  return g ? "none" : g.error().cause();
}

constexpr std::string_view sample = R"(symbols hits in 0.., n in 2..9
graph detector(%x: f32[batch, 3, h, 4*h*w + 1], %c: bool[], %k: i64[2] = [batch, floor(h, 2)], %/in: f16[n]) -> (%y, %k) where batch = input(%x, 0), h = content(%k, 1), hits = extent(%y, 0) {
  %w = constant f32[2, 2] {0.1, 2.5, nan, -inf}
  %0, _, %1 = Everything(%x, _, %w) {axis=3, epsilon=1.5, keep=true, mode="a \"b\" \\ \x0a", to=i64, pads=[1, -2], scales=[0.1, inf], names=["x, y", "]"], extents=[batch, h + 2*w]} : f32[batch], i64[1] = [h] @"/layer1/topk" @"second"
  %"a b" = If(%c, %0) : f32[batch] @"choose" {
    graph then(%0: f32[batch]) -> (%0) {
    }
    graph else(%0: f32[batch]) -> (%1) where batch = input(%0, 0) {
      %1 = Add(%0, %0) : f32[batch]
    }
  }
  %y = NonZero(%"a b") : i64[hits]
}
)";

TEST(Text, IsReadAndWrittenAlike) { EXPECT_EQ(print(parsed(sample)), sample); }

TEST(Text, NamesThatRepeatOrAreMissingAreToldApart) {
  Graph g;
  const OpDef* add = find_op("Add");
  const TensorType type{DType::f32, {}};
  g.inputs = {g.add_value(type, "x"), g.add_value(type, "x"), g.add_value(type), g.add_value(type, "7")};
  const ValueId y = g.add_value(type, "x");
  g.nodes.push_back({.op = add, .inputs = {g.inputs[1], g.inputs[2]}, .outputs = {y}});
  g.outputs = {y};
  EXPECT_EQ(print(g),
            "graph (%x: f32[], %x~2: f32[], %0: f32[], %\"7\": f32[]) -> (%x~3) {\n"
            "  %x~3 = Add(%x~2, %0) : f32[]\n"
            "}\n");
  EXPECT_TRUE(equal(parsed(print(g)), g));
  EXPECT_EQ(print(g, g.nodes[0]), "%x = Add(%x~2, %0) : f32[]");  // numbered as in that line alone
}

TEST(Text, LargeConstantsGoToTheTable) {
  Graph g;
  std::vector<float> numbers(17, 0.5f);
  g.outputs = {g.add_constant(Tensor::of<float>(DType::f32, {17}, numbers), "w")};
  Resources table;
  const std::string text = print(g, &table);
  EXPECT_EQ(text, "graph () -> (%w) {\n  %w = constant f32[17] #0\n}\n");
  ASSERT_EQ(table.size(), 1u);
  EXPECT_TRUE(equal(parsed(text, table), g));
  EXPECT_EQ(error_of(text), "line 2: there is no tensor #0");
  EXPECT_EQ(error_of(print(g)), "line 2: the elements of a constant were left out");

  numbers[16] = 0.25f;
  Graph other;
  other.outputs = {other.add_constant(Tensor::of<float>(DType::f32, {17}, numbers), "w")};
  EXPECT_FALSE(equal(g, other));
}

TEST(Text, ExtentsThatOperatorsForcedEqualStaySo) {
  Graph g;
  DimTable& d = *g.dims;
  const Dim a = d.symbol("s1", {0, 10}), b = d.symbol("s2");
  const ValueId x = g.add_value({DType::f32, {a, b}}, "x");
  g.inputs = g.outputs = {x};
  g.origins[a] = {SymbolOrigin::Kind::input, x, 0};
  g.origins[b] = {SymbolOrigin::Kind::input, x, 1};
  ASSERT_TRUE(d.unify(a, b, "node 'm' (MatMul): inner extents"));
  g.resolve_dims();
  const std::string text =
      "symbols s1 in 0..10, s2\n"
      "require s1 == s2 \"node 'm' (MatMul): inner extents\"\n"
      "graph (%x: f32[s1, s1]) -> (%x) where s1 = input(%x, 0), s2 = input(%x, 1) {\n"
      "}\n";
  EXPECT_EQ(print(g), text);
  Graph back = parsed(text);
  EXPECT_TRUE(equal(back, g));
  EXPECT_EQ(back.dims->constraints()[0].reason, "node 'm' (MatMul): inner extents");
  EXPECT_EQ(back.dims->resolve(back.dims->symbol("s2")), back.dims->symbol("s1"));
}

TEST(Text, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%y) {\n  %y = Nothing(%x) : f32[2]\n}"),
            "line 2: there is no operator 'Nothing'");
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%y) {\n  %y = Mean(%x) : f32[2]\n}"),
            "line 2: there is no operator 'Mean'");
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%y) {\n\n  %y = Add(%x, %z) : f32[2]\n}"),
            "line 3: value 'z' is not defined before its use");
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%x) {\n  %x = Add(%x, %x) : f32[2]\n}"),
            "line 2: value 'x' is defined twice");
  EXPECT_EQ(error_of("graph (%x: f33[2]) -> (%x) {\n}"), "line 1: 'f33' is no element type");
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%y) {\n}"), "line 2: value 'y' is not defined");
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%y) {\n  %y = Everything(%x) {axis=one} : f32[2]\n}"),
            "line 2: 'one' is no whole number of 64 bits, while reading attribute 'axis', while reading "
            "Everything");
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%y) {\n  %y = Everything(%x) {axes=1} : f32[2]\n}"),
            "line 2: there is no attribute 'axes', while reading Everything");
  EXPECT_EQ(error_of("graph (%x: f32[2]) -> (%y) {\n  %y, %z = Everything(%x) : f32[2]\n}"),
            "line 3: expected ',', found '}'");
  EXPECT_EQ(error_of("graph () -> (%y) {\n  %y = constant i8[2] {1}\n}"),
            "line 2: a constant has 1 elements, its extents need another number");
  EXPECT_EQ(error_of("graph () -> (%y) {\n  %y = constant i8[1] {128}\n}"),
            "line 2: '128' is no whole number of 8 bits");
  EXPECT_EQ(error_of("graph (%x: f32[2]"), "line 1: expected ',', the text ends");
}

// ---------------------------------------------------------------------------------------- random graphs

class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : random_(seed) {}

  Graph make(std::shared_ptr<DimTable> dims = std::make_shared<DimTable>(), int depth = 0) {
    Graph g;
    g.dims = dims;
    g.name = name();
    for (int i = below(4) + 1; i-- > 0;) g.inputs.push_back(value(g));
    const std::vector<ValueId> inputs = g.inputs;
    std::vector<ValueId> ready = inputs;
    for (int i = below(6); i-- > 0;) {
      if (below(3) == 0) ready.push_back(g.add_constant(tensor(), name()));
      Node node{.op = find_op("Everything"), .attrs = attributes(*dims)};
      for (int k = below(4); k-- > 0;) node.inputs.push_back(below(5) ? pick(ready) : no_value);
      std::vector<ValueId> made;
      for (int k = below(3) + 1; k-- > 0;) {
        node.outputs.push_back(below(5) ? value(g) : no_value);
        if (node.outputs.back() != no_value) made.push_back(node.outputs.back());
      }
      for (int k = below(3); k-- > 0;) node.provenance.push_back(name());
      if (depth < 2 && below(4) == 0)
        for (int k = below(3); k-- > 0;) node.regions.push_back(make(dims, depth + 1));
      ready.insert(ready.end(), made.begin(), made.end());
      g.nodes.push_back(std::move(node));
    }
    for (int i = below(3); i-- > 0;) g.outputs.push_back(pick(ready));
    for (int i = below(3); i-- > 0;)
      g.origins[symbol(*dims)] = {static_cast<SymbolOrigin::Kind>(below(3)), pick(ready),
                                  static_cast<uint32_t>(below(5))};
    g.index();
    return g;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  ValueId pick(const std::vector<ValueId>& from) {
    return from[static_cast<size_t>(below(static_cast<int>(from.size())))];
  }
  std::string name() {
    static const std::string names[] = {
        "",         "x",     "x",        "y", "/a/b.c-d", "3",   "onnx::X",
        "a\"b\\\n", "graph", "constant", "_", "x~2",      "héé", std::string("\0", 1)};
    return names[below(std::size(names))];
  }
  Dim symbol(DimTable& d) {
    static const char* const names[] = {"z", "b", "a", "in", "floor", "odd name", "it's", "w.1"};
    const int i = below(8);
    return d.symbol(names[i], i % 3 == 0 ? Range{i, 10 * i} : Range{1, DimTable::unbounded});
  }
  Dim dim(DimTable& d, int depth = 0) {
    const int kind = depth > 2 ? below(2) : below(8);
    if (kind == 0) return d.constant(below(9) - 2);
    if (kind < 3) return symbol(d);
    const Dim a = dim(d, depth + 1), b = dim(d, depth + 1);
    return kind == 3   ? d.add(a, b)
           : kind == 4 ? d.mul(a, b)
           : kind == 5 ? d.floor_div(a, b)
           : kind == 6 ? d.min(a, b)
                       : d.select(d.less(a, b), a, b);
  }
  std::vector<Dim> dims(DimTable& d) {
    std::vector<Dim> all;
    for (int k = below(4); k-- > 0;) all.push_back(dim(d));
    return all;
  }
  DType dtype() { return static_cast<DType>(below(dtype_count)); }
  ValueId value(Graph& g) {
    const ValueId v = g.add_value({dtype(), dims(*g.dims)}, name());
    if (below(4) == 0) g.values[v].content = dims(*g.dims);
    return v;
  }
  Tensor tensor() {
    const DType t = dtype();
    Tensor out = Tensor::zeros(t, below(4) == 0 ? Shape{} : Shape{below(3), below(12)});
    for (size_t i = 0; i < out.byte_size(); ++i)
      out.writable()[i] = static_cast<std::byte>(t == DType::boolean ? below(2)
                                                 : below(3) == 0     ? 255
                                                                     : below(256));
    return out;
  }
  float real() { return std::bit_cast<float>(static_cast<uint32_t>(random_())); }
  Attrs attributes(DimTable& d) {
    EverythingAttrs a;
    if (below(2)) a.axis = static_cast<int64_t>(random_()) - below(1 << 30);
    if (below(2)) a.epsilon = real();
    a.keep = below(2);
    if (below(2)) a.mode = name();
    a.to = dtype();
    for (int k = below(3); k-- > 0;) a.pads.push_back(below(100) - 50);
    for (int k = below(3); k-- > 0;)
      a.scales.push_back(below(3) ? real() : std::numeric_limits<float>::infinity());
    for (int k = below(3); k-- > 0;) a.names.push_back(name());
    a.extents = dims(d);
    return a;
  }
  std::mt19937 random_;
};

TEST(Text, RandomGraphsComeBack) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const Graph g = RandomGraph(seed).make();
    Resources table;
    const std::string text = print(g, &table);
    auto back = parse(text, table);
    ASSERT_TRUE(back) << back.error().cause() << "\n" << text;
    ASSERT_EQ(print(*back, nullptr), print(g, nullptr));
    ASSERT_TRUE(equal(*back, g)) << text;
  }
}

TEST(Text, DifferentRandomGraphsAreNotEqual) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    const Graph g = RandomGraph(seed).make();
    Graph changed = g;
    if (g.nodes.empty()) continue;
    EverythingAttrs attrs = changed.nodes.back().attrs.as<EverythingAttrs>();
    attrs.keep = !attrs.keep;
    changed.nodes.back().attrs = attrs;
    EXPECT_FALSE(equal(g, changed));
  }
}

// Damaged texts give a graph or an error, nothing else.
TEST(Text, DamageIsAnError) {
  std::mt19937 random(1);
  for (uint32_t seed = 0; seed < 12; ++seed) {
    Resources table;
    const std::string text = seed == 0 ? std::string(sample) : print(RandomGraph(seed).make(), &table);
    for (size_t length = 0; length + 2 < text.size(); length += 1 + seed / 4)
      ASSERT_FALSE(parse(std::string_view(text).substr(0, length), table)) << text.substr(0, length);
    for (int round = 0; round < 300; ++round) {
      std::string damaged = text;
      for (unsigned k = 0; k <= random() % 3; ++k)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      if (const auto g = parse(damaged, table)) print(*g);
    }
  }
}

}  // namespace
}  // namespace burnish
