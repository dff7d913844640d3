#include "cli/report/exported.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/failure.h"
#include "cli/report/document.h"
#include "cli/report/lint.h"
#include "cli/timing.h"

namespace burnish::cli::report {

namespace {

/// "[ONNX Layer: a]\x1e[ONNX Layer: b]": a and b.
std::vector<std::string> nodes_of_metadata(const std::string& metadata) {
  static const std::string mark = "[ONNX Layer: ";
  std::vector<std::string> nodes;
  for (size_t at = metadata.find(mark); at != metadata.npos; at = metadata.find(mark, at)) {
    at += mark.size();
    const size_t end = std::min(metadata.find_first_of("\x1e", at), metadata.size());
    const size_t close = std::min(metadata.rfind(']', end), metadata.size());
    std::string node = metadata.substr(at, close - at);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(std::move(node));
  }
  return nodes;
}

/// The element type in "Channel major FP16 format …" or "Half".
std::string dtype_in(const std::string& format) {
  static const std::pair<const char*, const char*> names[] = {
      {"BF16", "bf16"}, {"BFloat16", "bf16"}, {"FP16", "f16"},  {"Half", "f16"},  {"FP32", "f32"},
      {"Float", "f32"}, {"FP8", "f8"},        {"FP4", "f4"},    {"Int8", "i8"},   {"INT8", "i8"},
      {"Int32", "i32"}, {"INT32", "i32"},     {"Int64", "i64"}, {"INT64", "i64"}, {"Bool", "bool"},
      {"BOOL", "bool"}, {"UInt8", "u8"},      {"UINT8", "u8"}};
  for (const auto& [name, dtype] : names)
    if (format.find(name) != format.npos) return dtype;
  return "";
}

TextType type_of(const Json& tensor) {
  TextType type;
  type.dtype =
      dtype_in(tensor.value("DataType", tensor.value("Format/Datatype", tensor.value("Format", ""))));
  for (const Json& extent : tensor.value("Dimensions", Json::array())) type.shape.push_back(extent.dump());
  return type;
}

std::string shape_text_of(const TextType& type) {
  std::string text;
  for (const std::string& extent : type.shape) text += (text.empty() ? "" : " x ") + extent;
  return text;
}

/// The tensors of all layers, each once, by name.
struct Tensors {
  Json list = Json::array();
  std::map<std::string, size_t> places;

  size_t place(const Json& tensor, size_t layer) {
    const auto [at, fresh] = places.try_emplace(tensor.value("Name", ""), list.size());
    if (fresh) {
      const TextType type = type_of(tensor);
      TextNode alone;
      alone.outputs = {type};
      list.push_back(
          {{"kind", "temporary"}, {"space", "device"}, {"name", at->first}, {"first_layer", layer}});
      if (!type.dtype.empty()) list.back()["dtype"] = type.dtype;
      list.back()["shape"] = shape_text_of(type);
      if (const auto work = estimate_work(alone, {}); work && work->bytes_written > 0)
        list.back()["bytes"] = work->bytes_written;
    }
    list[at->second]["last_layer"] = layer;
    return at->second;
  }
};

int64_t count_of(const Json& layer, const char* what) {
  return layer.contains(what) && layer[what].is_object() ? layer[what].value("Count", int64_t{0}) : 0;
}

/// What a convolution has to do, from the number of its weights: each meets every place of its result.
void add_work(const Json& exported, Json& layer) {
  TextNode node;
  for (const Json& tensor : exported.value("Inputs", Json::array())) node.inputs.push_back(type_of(tensor));
  for (const Json& tensor : exported.value("Outputs", Json::array())) node.outputs.push_back(type_of(tensor));
  auto work = estimate_work(node, {});
  if (!work || node.outputs.empty()) return;
  const int64_t weights = count_of(exported, "Weights");
  const auto out = numbers(node.outputs[0], {});
  if (weights > 0 && out && out->size() > 2 && exported.contains("Kernel")) {
    int64_t places = 2 * (*out)[0];
    for (size_t axis = 2; axis < out->size(); ++axis) places *= (*out)[axis];
    work->flops = weights * places;
    work->bytes_read += weights * (node.outputs[0].dtype == "f16"  ? 2
                                   : node.outputs[0].dtype == "i8" ? 1
                                                                   : 4);
  }
  layer["flops"] = work->flops;
  layer["bytes_read"] = work->bytes_read;
  layer["bytes_written"] = work->bytes_written;
  layer["estimated"] = true;
}

Json layer_of(const Json& exported, size_t place, Tensors& tensors) {
  if (exported.is_string())
    return {{"name", exported}, {"nodes", nodes_in(exported)}, {"kind", "layer"},
            {"steps", 1},       {"inputs", Json::array()},     {"outputs", Json::array()}};
  const std::string name = exported.value("Name", ""), type = exported.value("LayerType", "layer");
  std::vector<std::string> nodes = nodes_of_metadata(exported.value("Metadata", ""));
  if (nodes.empty()) nodes = nodes_in(name);
  Json layer = {{"name", name},
                {"nodes", nodes},
                {"kind", type},
                {"steps", 1},
                {"op", exported.value("ParameterType", type)}};
  for (const auto& [from, to] : {std::pair("Inputs", "inputs"), {"Outputs", "outputs"}}) {
    layer[to] = Json::array();
    for (const Json& tensor : exported.value(from, Json::array()))
      layer[to].push_back(tensors.place(tensor, place));
  }
  if (!layer["outputs"].empty()) {
    const Json& first = tensors.list[layer["outputs"][0].get<size_t>()];
    layer["dtype"] = first.value("dtype", "");
    layer["shape"] = first.value("shape", "");
  }
  if (exported.contains("TacticName")) layer["tactic"] = exported["TacticName"];
  add_work(exported, layer);
  return layer;
}

/// Bindings: names alone, or objects that say more.
void mark_ports(const Json& file, Json& engine, Tensors& tensors) {
  for (const char* key : {"Bindings", "I/O Tensors"})
    for (const Json& port : file.value(key, Json::array())) {
      const std::string name = port.is_string() ? port.get<std::string>() : port.value("Name", "");
      const auto found = tensors.places.find(name);
      Json about = {{"name", name}, {"dtype", ""}, {"shape", ""}};
      bool written = !port.is_string() && port.value("IOMode", "").find("utput") != std::string::npos;
      for (const Json& layer : engine["layers"])
        for (const Json& place : layer["outputs"])
          written |= found != tensors.places.end() && place == found->second;
      if (found != tensors.places.end()) {
        Json& tensor = tensors.list[found->second];
        tensor["kind"] = written ? "output" : "input";
        about["dtype"] = tensor.value("dtype", "");
        about["shape"] = tensor.value("shape", "");
      }
      engine[written ? "outputs" : "inputs"].push_back(std::move(about));
    }
}

Json lint_exported(const Json& file, const Json& layers) {
  Json list = Json::array();
  for (size_t i = 0; i < layers.size(); ++i) {
    const Json& exported = file["Layers"][i];
    if (layers[i]["kind"] == "Reformat" || layers[i]["kind"] == "NoOp")
      list.push_back({{"rule", "data movement"},
                      {"layer", i},
                      {"what", "a tensor is brought into another format or order"},
                      {"remedy", "see which neighbours want different formats"}});
    if (!exported.is_object() || !exported.contains("OutMaps")) continue;
    if (Json finding = channels_finding("output", exported["OutMaps"], layers[i].value("dtype", ""));
        !finding.is_null()) {
      finding["layer"] = i;
      list.push_back(std::move(finding));
    }
  }
  return list;
}

/// "fp16" where that is the type of the most layers' results.
std::string usual_precision(const Json& layers) {
  std::map<std::string, size_t> count;
  for (const Json& layer : layers) ++count[layer.value("dtype", "")];
  count.erase("");
  const auto most = std::max_element(count.begin(), count.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == count.end()) return "";
  return most->first == "f16" ? "fp16" : most->first == "f32" ? "fp32" : most->first;
}

}  // namespace

Json exported_engine(const Json& file) {
  if (!file.is_object() || !file.contains("Layers") || !file["Layers"].is_array())
    fail("it has no list 'Layers'", "export it with trtexec --exportLayerInfo=FILE");
  Tensors tensors;
  Json engine = {{"source", "exported"},       {"target", ""},
                 {"inputs", Json::array()},    {"outputs", Json::array()},
                 {"decisions", Json::array()}, {"layers", Json::array()}};
  for (const Json& exported : file["Layers"])
    engine["layers"].push_back(layer_of(exported, engine["layers"].size(), tensors));
  mark_ports(file, engine, tensors);
  engine["tensors"] = std::move(tensors.list);
  engine["precision"] = usual_precision(engine["layers"]);
  engine["lint"] = lint_exported(file, engine["layers"]);
  return engine;
}

namespace {

/// Milliseconds of one run; none for what is no layer's entry.
std::optional<double> milliseconds(const Json& entry) {
  for (const char* key : {"ms", "averageMs", "timeMs"})
    if (entry.contains(key)) return entry[key].get<double>();
  return {};
}

bool is_of_bench(const Json& file) { return file.is_object() && file.contains("host_ms"); }

Json unknown_layer(const std::string& name) {
  return {{"name", name}, {"nodes", nodes_in(name)}, {"kind", "only in the profile"},
          {"steps", 1},   {"inputs", Json::array()}, {"outputs", Json::array()}};
}

void add_entry(Json& layer, const Json& entry, double ms) {
  layer["ms"] = layer.value("ms", 0.0) + ms;
  if (!entry.contains("flops")) return;  // at the first step of a layer
  for (const char* key : {"flops", "bytes_read", "bytes_written", "least_ms"})
    if (entry.contains(key)) layer[key] = entry[key];
  layer.erase("estimated");
}

}  // namespace

void add_profile(Json& engine, const Json& profile) {
  const Json& entries = profile.is_object() && profile.contains("steps") ? profile["steps"] : profile;
  if (!entries.is_array())
    fail("it is no list of layers with their times",
         "export it with trtexec --exportProfile=FILE or burnish bench --profile --json FILE");
  Json& layers = engine["layers"];
  std::map<std::string, std::deque<size_t>> places;  // of layers by name, in their order
  for (size_t i = 0; i < layers.size(); ++i) places[layers[i]["name"]].push_back(i);
  for (Json& layer : layers) layer.erase("ms");
  size_t known = 0;
  std::string before;
  for (const Json& entry : entries) {
    const auto ms = milliseconds(entry);
    if (!ms) continue;
    const std::string name = entry.value("name", "");
    std::deque<size_t>& same = places[name];
    known += !same.empty();
    if (same.empty()) {
      same.push_back(layers.size());
      layers.push_back(unknown_layer(name));
    } else if (name != before && same.size() > 1 && layers[same.front()].contains("ms")) {
      same.pop_front();
    }
    add_entry(layers[same.front()], entry, *ms);
    before = name;
  }
  if (known == 0)
    fail("none of its layers is one of the engine's", "give the profile that was exported with this engine");
  if (is_of_bench(profile)) add_times(engine, profile);
}

void add_times(Json& engine, const Json& times) {
  if (is_of_bench(times)) {
    engine["times"] = {{"host", times["host_ms"]},
                       {"runs", times.value("runs", 0)},
                       {"runs_per_second", times.value("runs_per_second", 0.0)}};
    if (times.contains("gpu_ms")) engine["times"]["gpu"] = times["gpu_ms"];
    for (const char* key : {"device", "memory", "peak"})
      if (times.contains(key)) engine[key] = times[key];
    return;
  }
  if (!times.is_array() || times.empty())
    fail("it is no list of timed queries",
         "export it with trtexec --exportTimes=FILE or burnish bench --json FILE");
  Json& result = engine["times"] = Json::object();
  for (const auto& [from, to] :
       {std::pair("latencyMs", "host"), {"computeMs", "gpu"}, {"h2dMs", "h2d"}, {"d2hMs", "d2h"}}) {
    std::vector<double> values;
    for (const Json& query : times) values.push_back(query.at(from).get<double>());
    result[to] = json_of(quantiles(std::move(values)));
  }
  result["runs"] = times.size();
  const double span =
      times.back().at("endD2hMs").get<double>() - times.front().at("startEnqMs").get<double>();
  if (span > 0) result["runs_per_second"] = 1e3 * static_cast<double>(times.size()) / span;
}

}  // namespace burnish::cli::report
