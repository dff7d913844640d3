#include "cli/report/exported.h"

#include <gtest/gtest.h>

#include "cli/failure.h"

namespace burnish::cli::report {
namespace {

// The same engine in the two forms of the layer file.
const Json ten = Json::parse(R"({"Layers": [
  {"Name": "Reformatting CopyNode", "LayerType": "Reformat",
   "Inputs": [{"Name": "x", "Dimensions": [1, 3, 8, 8], "Format/Datatype": "Row major linear FP32"}],
   "Outputs": [{"Name": "x2", "Dimensions": [1, 3, 8, 8], "Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}]},
  {"Name": "conv1 + relu1", "LayerType": "CaskConvolution", "ParameterType": "Convolution", "Kernel": [3, 3], "OutMaps": 20,
   "Inputs": [{"Name": "x2", "Dimensions": [1, 3, 8, 8], "Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}],
   "Outputs": [{"Name": "y", "Dimensions": [1, 20, 8, 8], "Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}],
   "Weights": {"Type": "Half", "Count": 540}, "TacticName": "some_kernel",
   "Metadata": "[ONNX Layer: /conv1/Conv]\u001e[ONNX Layer: /relu1/Relu]"}],
  "Bindings": ["x", "y"]})");

Json eleven() {
  Json file = ten;
  for (Json& layer : file["Layers"])
    for (const char* list : {"Inputs", "Outputs"})
      for (Json& tensor : layer[list]) {
        const bool half = tensor["Format/Datatype"].get<std::string>().find("FP16") != std::string::npos;
        tensor["Format"] = "Linear";
        tensor["DataType"] = half ? "Half" : "Float";
        tensor.erase("Format/Datatype");
      }
  file.erase("Bindings");
  file["I/O Tensors"] = {{{"Name", "x"}, {"IOMode", "Input"}}, {{"Name", "y"}, {"IOMode", "Output"}}};
  return file;
}

Failure failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure;
  }
  return {};
}

TEST(Exported, BothFormsOfTheLayerFileSayTheSame) {
  EXPECT_EQ(exported_engine(ten), exported_engine(eleven()));
  const Json engine = exported_engine(ten);
  const Json& conv = engine["layers"][1];
  EXPECT_EQ(conv["nodes"], Json({"/conv1/Conv", "/relu1/Relu"}));
  EXPECT_EQ(conv["op"], "Convolution");
  EXPECT_EQ(conv["dtype"], "f16");
  EXPECT_EQ(conv["shape"], "1 x 20 x 8 x 8");
  EXPECT_EQ(conv["flops"], 2 * 540 * 8 * 8);
  EXPECT_EQ(conv["tactic"], "some_kernel");
  EXPECT_EQ(engine["layers"][0]["outputs"], conv["inputs"]);
  EXPECT_EQ(engine["inputs"][0]["name"], "x");
  EXPECT_EQ(engine["outputs"][0]["name"], "y");
  EXPECT_EQ(engine["precision"], "fp16");
}

TEST(Exported, LintSeesReformattingAndChannels) {
  const Json lint = exported_engine(ten)["lint"];
  ASSERT_EQ(lint.size(), 2u);
  EXPECT_EQ(lint[0]["rule"], "data movement");
  EXPECT_EQ(lint[1]["what"],
            "20 output channels of f16, no multiple of 8: tensor cores load 16 bytes at a time");
}

TEST(Exported, LayersMayBeNamesAlone) {
  const Json engine = exported_engine({{"Layers", {"a + b", "c"}}, {"Bindings", {"x"}}});
  EXPECT_EQ(engine["layers"][0]["nodes"], Json({"a", "b"}));
  EXPECT_EQ(engine["layers"].size(), 2u);
}

TEST(Exported, TimesOfWhatIsNoLayerStayInTheSum) {
  Json engine = exported_engine({{"Layers", {"a", "b"}}});
  add_profile(engine,
              Json::parse(R"([{"count": 10}, {"name": "a", "timeMs": 20, "averageMs": 2, "medianMs": 1.5},
    {"name": "copy", "timeMs": 10, "averageMs": 1}, {"name": "b", "timeMs": 5, "averageMs": 0.5}])"));
  ASSERT_EQ(engine["layers"].size(), 3u);
  double total = 0;
  for (const Json& layer : engine["layers"]) total += layer["ms"].get<double>();
  EXPECT_EQ(total, 3.5);
  EXPECT_EQ(engine["layers"][2]["kind"], "only in the profile");
}

TEST(Exported, LayersOfOneNameGetTheirTimesInOrder) {
  Json engine = exported_engine({{"Layers", {"Cast", "a", "Cast"}}});
  add_profile(engine,
              Json::parse(R"([{"name": "Cast", "ms": 1}, {"name": "Cast", "ms": 2}, {"name": "a", "ms": 4},
    {"name": "Cast", "ms": 8, "flops": 3, "bytes_read": 1, "bytes_written": 1}])"));
  EXPECT_EQ(engine["layers"][0]["ms"], 3);
  EXPECT_EQ(engine["layers"][2]["ms"], 8);
  EXPECT_EQ(engine["layers"][2]["flops"], 3);
}

TEST(Exported, TimesGiveQuantilesAndThroughput) {
  Json engine, times = Json::array();
  for (int i = 0; i < 100; ++i)
    times.push_back({{"startEnqMs", 2.0 * i},
                     {"h2dMs", 0.25},
                     {"computeMs", i + 1},
                     {"d2hMs", 0.5},
                     {"latencyMs", i + 2},
                     {"endD2hMs", 2.0 * i + 2}});
  add_times(engine, times);
  EXPECT_EQ(engine["times"]["gpu"]["median"], 50);
  EXPECT_EQ(engine["times"]["host"]["p99"], 100);
  EXPECT_EQ(engine["times"]["runs"], 100);
  EXPECT_EQ(engine["times"]["runs_per_second"], 500);
}

TEST(Exported, OtherFilesAreRefused) {
  EXPECT_EQ(failure_of([] { exported_engine(Json::array()); }).cause, "it has no list 'Layers'");
  Json engine = exported_engine({{"Layers", {"a"}}});
  EXPECT_EQ(failure_of([&] { add_profile(engine, Json::object()); }).cause,
            "it is no list of layers with their times");
  EXPECT_EQ(failure_of([&] { add_profile(engine, {{{"name", "z"}, {"ms", 1}}}); }).cause,
            "none of its layers is one of the engine's");
  EXPECT_EQ(failure_of([&] { add_times(engine, Json::array()); }).cause, "it is no list of timed queries");
}

}  // namespace
}  // namespace burnish::cli::report
