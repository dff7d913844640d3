#pragma once

#include "providers/nvrtc/kernel_testing.h"

namespace burnish::nvrtc::testing {

/// Ops with kernels of their own, in shapes, types and layouts that take different paths. Every operand that is
/// not a constant is a type in text.
inline std::vector<KernelCase> kernel_cases() {
  using namespace burnish::testing;
  constexpr auto dense = Layout::dense, last = Layout::channels_last, gaps = Layout::gaps,
                 back = Layout::backwards;
  using Axes = std::vector<int64_t>;
  auto reduce = [](Axes axes, int64_t keepdims = 1) {
    return NamedAttributes{{"axes", axes}, {"keepdims", keepdims != 0}};
  };
  std::vector<KernelCase> all;
  auto add = [&](KernelCase c) { all.push_back(std::move(c)); };

  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
                         "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}) {
    add({op, {"f32[3, 40, 5, 7]"}, reduce({1, 3})});
    add({op, {"i32[2, 9]"}, reduce({1}, 0)});
  }
  for (const char* x :
       {"f16[2, 2048, 7, 7]", "f32[batch, 64, height, width]", "f64[2, 8, 3, 3]", "bf16[1, 12, 4, 4]"}) {
    add({"ReduceMean", {x}, reduce({2, 3}), 1, last, dense});
    add({"ReduceMean", {x}, reduce({2, 3}, 0)});
  }
  add({"ReduceMean", {"f32[batch, 300]"}, reduce({1})});
  add({"ReduceMax", {"f32[4, 5000]"}, reduce({1}), 1, gaps, gaps});
  add({"ReduceMax", {"bool[4, 50]"}, reduce({1}), 1, back, dense});
  add({"ReduceSum", {"f32[0, 5]"}, reduce({0})});
  add({"ReduceSum", {"f32[]"}, reduce({})});
  add({"ReduceSum", {"i64[6, 2, 6]"}, reduce({0, 1, 2}, 0)});
  add({"ReduceSum", {"u8[6, 2]"}, reduce({})});

  for (const char* op : {"Softmax", "LogSoftmax"}) {
    add({op, {"f32[2, 5, 10]"}, {{"axis", int64_t{-1}}}});
    add({op, {"f16[4, 197]"}, {{"axis", int64_t{1}}}, 1, gaps, back});
    add({op, {"f32[2, 21, 9, 11]"}, {{"axis", int64_t{1}}}});
    add({op, {"bf16[2, 21, 9, 11]"}, {{"axis", int64_t{1}}}, 1, last, last});
    add({op, {"f32[batch, length]"}, {{"axis", int64_t{-1}}}});
    add({op, {"f64[3, 1000]"}, {{"axis", int64_t{-1}}}});
    add({op, {"f32[2, 20000]"}, {{"axis", int64_t{-1}}}});
    add({op, {"f32[0, 4]"}, {{"axis", int64_t{-1}}}});
    add({op, {"f32[7]"}, {{"axis", int64_t{0}}}});
  }

  const NamedAttributes eighth{{"scale", 0.125f}};
  for (const char* type : {"f16", "bf16"}) {
    auto of = [&](const char* shape) { return type + std::string(shape); };
    add({"Attention", {of("[2, 12, 197, 64]"), of("[2, 12, 197, 64]"), of("[2, 12, 197, 64]")}, eighth});
    add({"Attention",
         {of("[b, 12, s, 64]"), of("[b, 12, s, 64]"), of("[b, 12, s, 64]"), of("[b, 1, 1, s]")},
         eighth});
    add({"Attention",
         {of("[b, 64, 3, 49, 32]"), of("[b, 64, 3, 49, 32]"), of("[b, 64, 3, 49, 32]"),
          of("[64, 3, 49, 49]")},
         eighth});
  }
  add({"Attention", {"f16[2, 8, 4096, 40]", "f16[2, 8, 77, 40]", "f16[2, 8, 77, 40]"}, eighth});
  add({"Attention", {"f16[2, 4, 8, n, 128]", "f16[2, 4, 1, n, 128]", "f16[2, 4, 1, n, 128]"}, eighth});
  add({"Attention", {"f16[5, 36]", "f16[7, 36]", "f16[7, 20]", "f16[5, 1]"}, eighth, 1, gaps, gaps});
  add({"Attention", {"f16[3, 5, 16]", "f16[3, 9, 16]", "f16[3, 9, 33]"}, eighth, 1, back, back});

  for (const char* x : {"f32[2, 5, 768]", "f16[2, 5, 768]"}) {
    const std::string vector = std::string(x).substr(0, 3) + "[768]";
    add({"LayerNormalization", {x, vector, vector}, {{"axis", int64_t{-1}}}});
    add({"RMSNormalization", {x, vector}, {{"axis", int64_t{-1}}}, 1, back, dense});
  }
  add({"LayerNormalization", {"f32[2, 5, 6, 7]", "f32[6, 7]", "f32[6, 1]"}, {{"axis", int64_t{2}}}, 3});
  for (const Layout layout : {dense, gaps, back})
    add({"LayerNormalization",
         {"f16[b, 5, 2, 2, 96]", "f16[2, 2, 96]", "f16[2, 2, 96]"},
         {{"axis", int64_t{2}}},
         1,
         layout,
         dense});
  add({"LayerNormalization", {"f32[batch, length, 96]", "f32[96]"}, {{"axis", int64_t{-1}}}, 1, gaps, gaps});
  add({"LayerNormalization", {"f64[3, 20]", "f64[20]", "f64[20]"}, {{"axis", int64_t{-1}}}, 3});
  const Tensor shifted = tensor<int64_t>({2, 4}, {7, 4, 5, 6, 3, 0, 1, 2});
  for (const Layout layout : {dense, back})
    add({"LayerNormalization",
         {"f16[b, 8, 96]", "f16[96]", "f16[96]", shifted},
         {{"axis", int64_t{2}}},
         1,
         layout,
         layout});
  add({"LayerNormalization", {"f32[8, 20]", "f32[20]", "", shifted}, {{"axis", int64_t{1}}}, 3});
  add({"LayerNormalization", {"f32[3, width]", "f32[width]", "f32[width]"}, {{"axis", int64_t{-1}}}});

  for (Layout layout : {dense, last, gaps}) {
    add({"InstanceNormalization", {"f32[2, 6, 9, 10]", "f32[6]", "f32[6]"}, {}, 1, layout, layout});
    add({"GroupNormalization",
         {"f16[2, 8, 5, 6]", "f16[8]", "f16[8]"},
         {{"num_groups", int64_t{4}}},
         1,
         layout,
         layout});
  }
  add({"InstanceNormalization", {"f32[batch, 6, n]", "f32[6]", "f32[6]"}});
  for (const char* x : {"f16[2, 320, 64, 64]", "f16[batch, 320, height, width]"})
    add({"GroupNormalization", {x, "f16[320]", "f16[320]"}, {{"num_groups", int64_t{32}}}, 1, last, last});
  add({"InstanceNormalization", {"f32[2, 24, 9, 10]", "f32[24]", "f32[24]"}, {}, 1, last, dense});
  add({"GroupNormalization",
       {"f32[2, channels, 70, 64]", "f32[channels]", "f32[channels]"},
       {{"num_groups", int64_t{3}}}});

  // Weights that are constants are fetched early; few channels make the blocks share positions, many the channels.
  auto squeeze = [&](const std::string& type, const std::string& batch, int64_t channels, int64_t hidden,
                     const std::string& positions, Layout layout, bool constants, Layout result) {
    const std::string x = type + "[" + batch + ", " + std::to_string(channels) + ", " + positions + "]";
    KernelCase c{"SqueezeExcite", {x}, {{"activation", "swish"}}, 1, layout, result};
    for (const Shape& shape :
         {Shape{hidden, channels, 1, 1}, Shape{hidden}, Shape{channels, hidden, 1, 1}, Shape{channels}})
      if (constants) c.operands.push_back(Tensor::zeros(*dtype_from_name(type), shape));
      else {
        std::string extents;
        for (const int64_t extent : shape) extents += (extents.empty() ? "[" : ", ") + std::to_string(extent);
        c.operands.push_back(type + extents + "]");
      }
    add(std::move(c));
  };
  squeeze("f16", "1", 32, 8, "112, 112", last, true, last);
  squeeze("f16", "128", 144, 6, "56, 56", last, true, last);
  squeeze("bf16", "n", 1152, 48, "7, 7", last, true, last);
  squeeze("f16", "n", 96, 4, "height, width", last, true, dense);
  squeeze("f16", "2", 2048, 128, "7, 7", last, true, last);
  squeeze("f16", "3", 24, 1, "1, 1", last, false, last);
  squeeze("f32", "2", 7, 3, "5, 6", last, true, last);
  squeeze("f32", "2", 1000, 3, "5, 6", dense, true, dense);
  squeeze("f64", "2", 16, 3, "5, 6", last, true, gaps);
  add({"SqueezeExcite",
       {"f32[n, 8, 9]", "f32[2, 8, 1]", "", "f32[8, 2, 1]"},
       {{"gate", "hard_sigmoid"}, {"alpha", 1.0f / 6}, {"beta", 0.5f}},
       1,
       back,
       dense});

  // Images that are not copied as they lie: packed, by rows, gathered by groups.
  auto halves = [](const Shape& shape) { return Tensor::zeros(DType::f16, shape); };
  const NamedAttributes half_steps{{"strides", Axes{2, 2}}, {"pads", Axes{3, 3, 3, 3}}};
  add({"Conv", {"f16[2, 3, 30, 31]", halves({8, 3, 7, 7})}, half_steps, 1, dense, last});
  for (const Layout layout : {last, gaps, back})
    add({"Conv",
         {"f16[batch, 3, height, width]", halves({24, 3, 7, 7}), halves({24})},
         half_steps,
         1,
         layout,
         last});
  add({"Conv",
       {"f16[2, 1, 33, 30]", halves({96, 1, 3, 3})},
       {{"strides", Axes{1, 2}}, {"pads", Axes{0, 0, 1, 1}}}});
  add({"Conv",
       {"bf16[2, 3, 64, 64]", Tensor::zeros(DType::bf16, {32, 3, 3, 3})},
       {{"strides", Axes{2, 2}}, {"pads", Axes{1, 1, 1, 1}}},
       1,
       last,
       last});
  add({"Conv", {"f16[batch, 320, height, width]", halves({64, 320, 3, 3})}, {}, 1, dense, last});
  for (const int64_t patch : {4, 16})
    add({"Conv",
         {"f16[2, 3, 64, 64]", halves({96, 3, patch, patch})},
         {{"strides", Axes{patch, patch}}},
         1,
         dense,
         last});
  add({"Conv", {"f16[2, 6, 9, 9]", halves({4, 3, 3, 3})}, {{"group", int64_t{2}}}, 1, dense, last});

  for (const Layout layout : {dense, last, gaps})
    add({"Conv",
         {"f16[batch, 24, height, width]", halves({24, 1, 5, 5}), halves({24})},
         {{"group", int64_t{24}}, {"strides", Axes{2, 1}}, {"pads", Axes{2, 2, 2, 2}}},
         1,
         layout,
         last});
  add({"Conv", {"f16[2, 6, 9, 9]", halves({12, 1, 3, 3})}, {{"group", int64_t{6}}}, 1, last, last});

  for (const char* op : {"MaxPool", "AveragePool"}) {
    const NamedAttributes window{
        {"kernel_shape", Axes{3, 3}}, {"strides", Axes{2, 2}}, {"pads", Axes{1, 1, 1, 1}}};
    add({op, {"f32[2, 5, 13, 12]"}, window});
    add({op, {"f16[2, 16, 13, 12]"}, window, 1, last, last});
    add({op, {"f32[batch, 6, height, width]"}, window, 1, last, dense});
    add({op,
         {"f64[2, 3, 9]"},
         {{"kernel_shape", Axes{4}}, {"dilations", Axes{2}}, {"pads", Axes{3, 1}}, {"ceil_mode", true}}});
    add({op,
         {"bf16[1, 3, 5, 6, 7]"},
         {{"kernel_shape", Axes{2, 3, 2}}, {"auto_pad", std::string("SAME_UPPER")}},
         1,
         gaps,
         back});
    add({op,
         {"f32[1, 3, height, 9]"},
         {{"kernel_shape", Axes{3, 2}}, {"strides", Axes{2, 3}}, {"auto_pad", std::string("SAME_LOWER")}}});
  }
  add({"AveragePool",
       {"f32[1, 3, 7, 8]"},
       {{"kernel_shape", Axes{3, 3}},
        {"strides", Axes{2, 2}},
        {"pads", Axes{1, 2, 0, 1}},
        {"ceil_mode", true},
        {"count_include_pad", true}}});
  add({"MaxPool", {"f32[2, 3, 7, 8]"}, {{"kernel_shape", Axes{3, 2}}, {"storage_order", int64_t{1}}}, 2});
  add({"MaxPool", {"i8[2, 3, 7, 8]"}, {{"kernel_shape", Axes{3, 2}}}, 2, last, last});

  const Tensor twice = tensor<float>({4}, {1, 1, 2, 2}), odd = tensor<float>({4}, {1, 1, 1.7f, 0.6f});
  for (const char* mode :
       {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"})
    for (const char* kind : {"nearest", "linear", "cubic"}) {
      const NamedAttributes attrs{{"mode", std::string(kind)},
                                  {"coordinate_transformation_mode", std::string(mode)}};
      add({"Resize", {"f32[2, 3, 7, 8]", "", odd}, attrs});
      add({"Resize", {"f16[1, 8, 5, 6]", "", twice}, attrs, 1, last, last});
    }
  add({"Resize", {"f32[2, 3, 7, 8]", "", "", ints({2, 3, 10, 5})}, {{"mode", std::string("linear")}}});
  add({"Resize",
       {"f32[2, 3, 7, 8]", "", "", ints({13, 1})},
       {{"mode", std::string("cubic")}, {"axes", Axes{3, 2}}, {"exclude_outside", true}}});
  add({"Resize",
       {"f32[batch, 3, height, width]", "", "", "i64[4] = batch, 3, 64, 2*width"},
       {{"mode", std::string("linear")}}});
  add({"Resize",
       {"u8[2, 3, 7, 8]", "", twice},
       {{"nearest_mode", std::string("simple")},
        {"coordinate_transformation_mode", std::string("asymmetric")}}});
  add({"Resize",
       {"f32[2, 3, 7, 8]", "", twice},
       {{"nearest_mode", std::string("ceil")},
        {"coordinate_transformation_mode", std::string("tf_half_pixel_for_nn")}}});
  add({"Resize",
       {"f16[4, 5]", tensor<float>({4}, {0.1f, 0.2f, 0.9f, 1.3f}), "", ints({7, 4})},
       {{"mode", std::string("linear")},
        {"coordinate_transformation_mode", std::string("tf_crop_and_resize")},
        {"extrapolation_value", 3.0f}}});
  add({"Resize", {"f32[2, 3]", "", "", ints({2, 3})}});

  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const char* padding : {"zeros", "border", "reflection"})
      add({"GridSample",
           {"f16[batch, 8, 9, 7]", "f32[batch, h, w, 2]"},
           {{"mode", std::string(mode)}, {"padding_mode", std::string(padding)}}});
  add({"GridSample",
       {"f32[2, 3, 4, 5, 6]", "f32[2, 2, 3, 4, 3]"},
       {{"align_corners", int64_t{1}}},
       1,
       last,
       gaps});
  add({"GridSample", {"i32[1, 2, 9]", "f32[1, 4, 1]"}, {{"mode", std::string("nearest")}}});

  const Tensor picks = tensor<int64_t>({2, 3}, {0, -1, 2, 1, 1, -2});
  for (const char* x : {"f32[4, 5, 6]", "f16[4, 5, 64]", "i64[4, 5, 6]", "bool[4, 5, 7]"})
    for (int64_t axis : {0, 1, 2}) add({"Gather", {x, picks}, {{"axis", axis}}});
  add({"Gather", {"f16[3000, 768]", "i64[batch, length]"}, {{"axis", int64_t{0}}}});
  add({"Gather", {"f32[5, 4, 8, 3]", "i32[3]"}, {{"axis", int64_t{1}}}, 1, last, gaps});
  add({"Gather", {"f32[5, 4]", tensor<int64_t>({}, {-1})}, {{"axis", int64_t{1}}}, 1, back, dense});
  add({"Gather", {"f32[5, 4]", tensor<int64_t>({0}, {})}, {{"axis", int64_t{1}}}});
  add({"GatherElements",
       {"f32[4, 5, 6]", random_integers<int64_t>({4, 3, 6}, -5, 4)},
       {{"axis", int64_t{1}}},
       1,
       back,
       gaps});
  add({"GatherElements", {"f16[batch, 50]", "i32[batch, 7]"}, {{"axis", int64_t{1}}}});
  add({"GatherND",
       {"f32[3, 4, 5, 6]", random_integers<int64_t>({2, 7, 2}, -3, 2)},
       {{"batch_dims", int64_t{0}}}});
  add({"GatherND",
       {"f16[3, 4, 5, 6]", random_integers<int64_t>({3, 7, 2}, -4, 3)},
       {{"batch_dims", int64_t{1}}},
       1,
       back,
       gaps});
  add({"GatherND", {"f32[batch, 9]", "i64[batch, n, 1]"}, {{"batch_dims", int64_t{1}}}});

  for (const char* reduction : {"none", "add", "mul", "min", "max"}) {
    add({"ScatterElements",
         {"f32[4, 5, 6]", random_integers<int64_t>({4, 3, 6}, -5, 4), "f32[4, 3, 6]"},
         {{"axis", int64_t{1}}, {"reduction", std::string(reduction)}},
         1,
         back,
         gaps});
    add({"ScatterND",
         {"f32[4, 5, 6]", random_integers<int64_t>({7, 2}, -4, 3), "f32[7, 6]"},
         {{"reduction", std::string(reduction)}}});
  }
  add({"ScatterND", {"f16[4, 5, 6]", tensor<int64_t>({2, 1}, {3, -3}), "f16[2, 5, 6]"}, {}, 1, gaps, gaps});
  add({"ScatterND", {"i64[6]", tensor<int64_t>({4, 1}, {3, -3, 3, 0}), "i64[4]"}});
  add({"ScatterND", {"bool[2, 3]", tensor<int64_t>({1, 2}, {1, 1}), "bool[1]"}});
  add({"ScatterND", {"f32[length, 12]", "i64[n, 1]", "f32[n, 12]"}});

  for (const char* op : {"ArgMax", "ArgMin"}) {
    add({op, {"f32[3, 50, 7]"}, {{"axis", int64_t{1}}}});
    add({op, {"f16[40, 11, 50]"}, {{"axis", int64_t{1}}, {"keepdims", false}}, 1, gaps, dense});
    add({op, {"u8[9, 300]"}, {{"axis", int64_t{1}}, {"select_last_index", true}}});
    add({op, {"f32[batch, length]"}, {{"axis", int64_t{1}}}});
    add({op, {"f64[5]"}, {{"axis", int64_t{0}}, {"keepdims", false}}});
  }
  add({"CumSum", {"i64[3, 50]"}, {{"axis", int64_t{1}}}});
  add({"CumSum", {"f32[3, 500]"}, {{"axis", int64_t{1}}, {"exclusive", true}}, 1, gaps, back});
  add({"CumSum", {"f16[30, 9, 20]"}, {{"axis", int64_t{1}}, {"reverse", true}}});
  add({"CumSum", {"i32[length, 4]"}, {{"axis", int64_t{0}}, {"reverse", true}, {"exclusive", true}}});
  for (const char* x :
       {"f32[3, 100, 2]", "i32[3, 100, 2]", "i64[3, 100, 2]", "f16[3, 100, 2]", "u8[3, 100, 2]"})
    for (bool largest : {true, false})
      add({"TopK", {x, ints({7})}, {{"axis", int64_t{1}}, {"largest", largest}}, 2});
  add({"TopK", {"f32[batch, 5000]", ints({3000})}, {{"axis", int64_t{1}}}, 2});
  add({"TopK", {"f32[4, 4]", ints({4})}, {{"axis", int64_t{0}}}, 2, back, dense});

  add({"Concat", {"f32[2, 3, 4]", "f32[2, 5, 4]", "f32[2, 0, 4]", "f32[2, 1, 4]"}, {{"axis", int64_t{1}}}});
  add({"Concat", {"f16[2, 16, 5, 6]", "f16[2, 24, 5, 6]"}, {{"axis", int64_t{1}}}, 1, last, last});
  add({"Concat", {"f16[2, 16, 5, 6]", "f16[2, 3, 5, 6]"}, {{"axis", int64_t{1}}}, 1, last, dense});
  add({"Concat", {"i64[batch, n]", "i64[batch, 4]"}, {{"axis", int64_t{1}}}, 1, gaps, back});
  add({"Tile", {"f32[2, 3, 4]", ints({2, 1, 3})}});
  add({"Tile", {"u8[2, 3]", ints({1, 5})}, {}, 1, back, gaps});
  add({"Tile", {"f16[batch, 1, 8]", "i64[3] = 1, length, 1"}});
  const Tensor pads = ints({0, 2, 1, 0, 1, 3});
  for (const char* mode : {"constant", "reflect", "edge", "wrap"}) {
    add({"Pad", {"f32[2, 5, 6]", pads}, {{"mode", std::string(mode)}}});
    add({"Pad",
         {"f16[2, 5, 6]", ints({2, -1}), "", ints({-1})},
         {{"mode", std::string(mode)}},
         1,
         back,
         gaps});
  }
  add({"Pad", {"f32[2, 5, 6]", pads, tensor<float>({}, {-2.5f})}});
  add({"Pad", {"i64[batch, n]", "i64[4] = 0, 0, 0, n"}});
  add({"Trilu", {"f32[2, 5, 6]"}, {{"upper", false}}});
  add({"Trilu", {"bool[length, length]", ints({-2})}, {{"upper", true}}, 1, back, dense});
  add({"Range", {"i64[] = 3", "i64[] = length", tensor<int64_t>({}, {2})}});
  add({"OneHot",
       {"i64[3, 4]", ints({10}), tensor<float>({2}, {-1, 5})},
       {{"axis", int64_t{1}}},
       1,
       back,
       gaps});
  add({"OneHot", {"i32[batch]", ints({10}), tensor<uint8_t>({2}, {0, 1})}});

  struct Cell {
    const char* op;
    int64_t gates;
    std::vector<std::string> activations;
    size_t results;
  };
  // R is known when the engine is built where it is f32.
  auto recurrent = [&](const Cell& cell, const std::string& x,
                       std::vector<burnish::testing::Operand> more = {},
                       const std::string& direction = "forward", NamedAttributes attrs = {},
                       std::string weight_type = "") {
    const int64_t d = direction == "bidirectional" ? 2 : 1, rows = 12 * cell.gates;
    std::vector<std::string> names = cell.activations;
    if (d == 2) names.insert(names.end(), cell.activations.begin(), cell.activations.end());
    attrs.push_back({"direction", direction});
    attrs.push_back({"alpha", std::vector<float>(names.size(), 0.3f)});
    attrs.push_back({"beta", std::vector<float>(names.size(), 0.6f)});
    attrs.push_back({"activations", std::move(names)});
    if (weight_type.empty()) weight_type = x.substr(0, x.find('['));
    const std::string weights = weight_type + "[" + std::to_string(d) + ", " + std::to_string(rows);
    std::vector<burnish::testing::Operand> operands{x, weights + ", 10]", weights + ", 12]"};
    if (weight_type == "f32") operands[2] = random_tensor({d, rows, 12});
    operands.insert(operands.end(), more.begin(), more.end());
    add({cell.op, std::move(operands), std::move(attrs), cell.results});
  };
  const Cell lstm{"LSTM", 4, {"Sigmoid", "Tanh", "Tanh"}, 3}, gru{"GRU", 3, {"Sigmoid", "Tanh"}, 2},
      rnn{"RNN", 1, {"Tanh"}, 2};
  recurrent(lstm, "f32[5, 3, 10]");
  recurrent(lstm, "f16[5, batch, 10]",
            {"f16[2, 96]", "i32[batch]", "f16[2, batch, 12]", "f16[2, batch, 12]", "f16[2, 36]"},
            "bidirectional");
  recurrent({"LSTM", 4, {"HardSigmoid", "ScaledTanh", "Softsign"}, 3}, "f32[length, 3, 10]", {"f32[1, 96]"},
            "reverse", {{"clip", 1.5f}, {"input_forget", true}});
  for (bool before : {false, true}) {
    const NamedAttributes reset{{"linear_before_reset", before}};
    recurrent(gru, "f32[5, 3, 10]", {}, "forward", reset);
    recurrent(gru, "f16[5, batch, 10]", {"f16[2, 72]", "i32[batch]", "f16[2, batch, 12]"}, "bidirectional",
              reset);
    recurrent({"GRU", 3, {"Affine", "Elu"}, 2}, "f32[length, 3, 10]", {"f32[1, 72]"}, "reverse", reset);
  }
  for (const Cell& cell : {lstm, gru, rnn})
    for (const char* half : {"f16", "bf16"})  // as in an engine in half precision
      recurrent(cell, "f32[5, 3, 10]", {}, "bidirectional", {}, half);
  recurrent(rnn, "f32[5, 3, 10]");
  recurrent(rnn, "f16[5, batch, 10]", {"f16[2, 24]", "i32[batch]", "f16[2, batch, 12]"}, "bidirectional");
  recurrent({"RNN", 1, {"LeakyRelu"}, 2}, "f32[length, 3, 10]", {"f32[1, 24]"}, "reverse", {{"clip", 0.5f}});
  return all;
}

/// Two results of one operand each and one of both, in types and layouts that take different paths.
inline std::vector<FusedCase> fused_cases() {
  constexpr auto dense = Layout::dense, last = Layout::channels_last, gaps = Layout::gaps;
  constexpr const char* known =
      R"(graph (%x: f16[2, 16, 6, 8], %z: f32[16, 1, 1]) -> (%a, %b, %c) {
  %a, %b, %c = Fused(%x, %z) : f16[2, 16, 6, 8], f32[2, 16, 6, 8], f16[2, 16, 6, 8] {
    graph body(%x: f16[2, 16, 6, 8], %z: f32[16, 1, 1]) -> (%a, %b, %c) {
      %a = Sigmoid(%x) : f16[2, 16, 6, 8]
      %w = Cast(%a) {to=f32} : f32[2, 16, 6, 8]
      %b = Mul(%w, %z) : f32[2, 16, 6, 8]
      %c = Neg(%x) : f16[2, 16, 6, 8]
    }
  }
})";
  constexpr const char* free =
      R"(graph (%x: bf16[n, c, h, w], %z: bf16[n, c, h, w]) -> (%a, %b) where n = input(%x, 0), c = input(%x, 1), h = input(%x, 2), w = input(%x, 3) {
  %a, %b = Fused(%x, %z) : bf16[n, c, h, w], bool[n, c, h, w] {
    graph body(%x: bf16[n, c, h, w], %z: bf16[n, c, h, w]) -> (%a, %b) {
      %a = Tanh(%z) : bf16[n, c, h, w]
      %b = Less(%x, %z) : bool[n, c, h, w]
    }
  }
})";
  return {{known}, {known, last, {last}}, {known, dense, {last, dense}}, {known, last, {dense, last, gaps}},
          {free},  {free, gaps, {dense}}, {free, dense, {last, dense}}};
}

/// A reduction of x * x + z, or what comes after it, or both. `reduction` reads %p and %s and gives %r, of type `result`; a result that
/// is asked whether it is less than %l is of bool.
inline std::vector<FusedCase> fused_reduction_cases() {
  constexpr auto dense = Layout::dense, last = Layout::channels_last, gaps = Layout::gaps,
                 back = Layout::backwards;
  std::vector<FusedCase> all;
  auto add = [&](const std::string& where, const std::string& x, const std::string& z, const std::string& s,
                 const std::string& reduction, const std::string& result, Layout in = Layout::dense,
                 Layout out = Layout::dense) {
    const std::string dtype = result.substr(0, result.find('[')), l = dtype + "[1]",
                      asked = "bool" + result.substr(result.find('['));
    for (const auto& [before, after] : {std::pair(true, true), {true, false}, {false, true}}) {
      const std::string operands = "(%x: " + x + ", %z: " + z + ", %s: " + s + ", %l: " + l + ")",
                        y = after ? asked : result;
      std::string text = "graph " + operands + " -> (%y)" + where +
                         " {\n  %y = Fused(%x, %z, %s, %l) : " + y + " {\n    graph body" + operands +
                         " -> (" + (after ? "%y" : "%r") + ") {\n";
      if (before) text += "      %q = Mul(%x, %x) : " + x + "\n      %p = Add(%q, %z) : " + x + "\n";
      std::string line = reduction;
      if (!before) line.replace(line.find("%p"), 2, "%x");
      text += "      %r = " + line + " : " + result + "\n";
      if (after) text += "      %y = Less(%r, %l) : " + y + "\n";
      all.push_back({text + "    }\n  }\n}", in, {out}});
    }
  };
  const std::string free = " where n = input(%x, 0), m = input(%x, 1)";
  for (const std::string op : {"Softmax", "LogSoftmax"}) {
    add("", "f16[2, 12, 77, 77]", "f16[2, 1, 1, 77]", "f16[1]", op + "(%p) {axis=3}", "f16[2, 12, 77, 77]");
    add("", "bf16[2, 21, 9, 11]", "bf16[21, 1, 1]", "f32[1]", op + "(%p) {axis=1}", "bf16[2, 21, 9, 11]",
        last, last);
    add("", "f32[2, 21, 9, 11]", "f32[2, 21, 9, 11]", "f32[1]", op + "(%p) {axis=1}", "f32[2, 21, 9, 11]",
        dense, last);
    add(free, "f32[n, m]", "f32[m]", "f32[1]", op + "(%p) {axis=1}", "f32[n, m]", gaps, back);
  }
  add("", "f16[2, 5, 768]", "f16[2, 5, 768]", "f16[768]", "LayerNormalization(%p, %s) {axis=2}",
      "f16[2, 5, 768]");
  add(free, "f32[n, m, 6, 7]", "f32[m, 1, 1]", "f32[6, 1]", "LayerNormalization(%p, %s) {axis=2}",
      "f32[n, m, 6, 7]", last, dense);
  add(free, "bf16[n, m]", "bf16[n, 1]", "bf16[m]", "RMSNormalization(%p, %s) {axis=1}", "bf16[n, m]", back,
      gaps);
  add("", "f16[2, 512, 7, 7]", "f16[512, 1, 1]", "f16[1]", "ReduceMean(%p) {axes=[2, 3]}",
      "f16[2, 512, 1, 1]", last, last);
  add("", "f16[1, 2048, 64, 64]", "f16[2048, 1, 1]", "f16[1]", "ReduceSum(%p) {axes=[2, 3], keepdims=false}",
      "f16[1, 2048]", last);
  add("", "f32[3, 40, 5, 7]", "f32[3, 1, 5, 1]", "f32[1]", "ReduceMax(%p) {axes=[1, 3], keepdims=false}",
      "f32[3, 5]");
  add(free, "f32[n, m, 9]", "f32[9]", "f32[1]", "ReduceLogSumExp(%p) {axes=[1]}", "f32[n, 1, 9]", gaps, back);
  add(free, "bf16[n, m]", "bf16[n, 1]", "f32[1]", "ReduceL2(%p) {axes=[0, 1]}", "bf16[1, 1]");
  return all;
}

}  // namespace burnish::nvrtc::testing
