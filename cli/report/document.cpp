#include "cli/report/document.h"

#include <deque>
#include <map>
#include <set>

#include "cli/report/lint.h"

namespace burnish::cli::report {

std::vector<std::string> nodes_in(const std::string& layer) {
  std::vector<std::string> nodes;
  for (size_t begin = 0; begin <= layer.size();) {
    size_t end = std::min(layer.find(" + ", begin), layer.size());
    std::string node = layer.substr(begin, end - begin);
    if (!node.empty() && std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
    begin = end + 3;
  }
  return nodes;
}

namespace {

/// Steps in the order in which storage counts them: those of both branches of an If after it.
void flatten(const Json& steps, std::vector<Json>& flat) {
  for (const Json& step : steps) {
    flat.push_back(step);
    for (const char* branch : {"then", "else"})
      if (step.contains(branch)) flatten(step[branch], flat);
  }
}

/// Writes what was measured into the steps it was measured at.
void add_times(std::vector<Json>& steps, const Json& profile) {
  size_t next = 0;
  for (const Json& time : profile) {
    size_t at = next;
    while (at < steps.size() && (steps[at].value("name", "") != time.value("name", "") ||
                                 steps[at].value("kind", "") != time.value("kind", "")))
      ++at;
    if (at == steps.size()) continue;
    for (const char* key : {"ms", "flops", "bytes_read", "bytes_written", "least_ms"})
      if (time.contains(key)) steps[at][key] = time[key];
    next = at + 1;
  }
}

/// Adds a step to its layer.
void merge(Json& layer, const Json& step) {
  for (const char* key : {"ms", "flops", "bytes_read", "bytes_written", "least_ms"})
    if (step.contains(key))
      layer[key] =
          layer.contains(key) ? layer[key].get<double>() + step[key].get<double>() : step[key].get<double>();
  layer["steps"] = layer["steps"].get<int>() + 1;
  const std::string kind = step.value("kind", "");
  std::string kinds = layer["kind"];
  if ((", " + kinds + ", ").find(", " + kind + ", ") == std::string::npos)
    layer["kind"] = kinds.empty() ? kind : kinds + ", " + kind;
  for (const auto& [from, to] : {std::pair("reads", "inputs"), {"writes", "outputs"}})
    for (const Json& place : step.value(from, Json::array()))
      if (std::find(layer[to].begin(), layer[to].end(), place) == layer[to].end()) layer[to].push_back(place);
}

/// The layers, and for each step which it belongs to.
Json layers_of_steps(const std::vector<Json>& steps, std::vector<size_t>& layer_of_step) {
  Json layers = Json::array();
  for (const Json& step : steps) {
    const std::string name = step.value("name", "");
    if (layers.empty() || layers.back()["name"] != name)
      layers.push_back({{"name", name},
                        {"nodes", nodes_in(name)},
                        {"kind", ""},
                        {"steps", 0},
                        {"inputs", Json::array()},
                        {"outputs", Json::array()}});
    merge(layers.back(), step);
    layer_of_step.push_back(layers.size() - 1);
  }
  // What a layer hands from one of its steps to the next is its own affair, but stays among its outputs for the memory's sake.
  for (Json& layer : layers) {
    Json read = Json::array();
    for (const Json& place : layer["inputs"])
      if (std::find(layer["outputs"].begin(), layer["outputs"].end(), place) == layer["outputs"].end())
        read.push_back(place);
    layer["inputs"] = std::move(read);
  }
  return layers;
}

std::string shape_of(const TextType& type) {
  std::string text;
  for (const std::string& extent : type.shape) text += (text.empty() ? "" : " x ") + extent;
  return text.empty() ? "scalar" : text;
}

/// Operator, type and shape of each layer that the graph's text tells of, and its least work where nobody measured that.
void add_operators(Json& layers, const std::vector<TextNode>& nodes, const Extents& extents) {
  std::map<std::string, std::deque<const TextNode*>> by_name;
  for (const TextNode& node : nodes) by_name[node.layer()].push_back(&node);
  for (Json& layer : layers) {
    std::deque<const TextNode*>& candidates = by_name[layer["name"].get<std::string>()];
    if (candidates.empty()) continue;
    const TextNode& node = *candidates.front();
    candidates.pop_front();
    if (node.nodes.empty()) layer["nodes"] = Json::array();
    if (!node.ops.empty()) layer["op"] = node.ops[0];
    layer["ops"] = node.ops;
    if (!node.outputs.empty()) {
      layer["dtype"] = node.outputs[0].dtype;
      layer["shape"] = shape_of(node.outputs[0]);
    }
    if (layer.contains("flops")) continue;
    if (const auto work = estimate_work(node, extents)) {
      layer["flops"] = work->flops;
      layer["bytes_read"] = work->bytes_read;
      layer["bytes_written"] = work->bytes_written;
      layer["estimated"] = true;
    }
  }
}

Json tensors_of(const Json& storage, const std::vector<size_t>& layer_of_step, const Json& layers) {
  Json tensors = storage;
  for (Json& tensor : tensors) {
    for (const auto& [from, to] : {std::pair("first_step", "first_layer"), {"last_step", "last_layer"}})
      if (tensor.contains(from)) {
        size_t step = tensor[from];
        if (step < layer_of_step.size()) tensor[to] = layer_of_step[step];
        tensor.erase(from);
      }
  }
  for (const Json& layer : layers)
    if (layer["outputs"].size() == 1 && layer.contains("dtype")) {
      Json& tensor = tensors[layer["outputs"][0].get<size_t>()];
      tensor["dtype"] = layer["dtype"];
      tensor["shape"] = layer["shape"];
    }
  return tensors;
}

Json ports_of(const Json& ports) {
  Json list = Json::array();
  for (const Json& port : ports) {
    TextType type;
    for (const Json& axis : port.value("axes", Json::array())) type.shape.push_back(axis.value("text", ""));
    list.push_back(
        {{"name", port.value("name", "")}, {"dtype", port.value("dtype", "")}, {"shape", shape_of(type)}});
  }
  return list;
}

Json decisions_of(const Json& decisions, const Json& layers) {
  std::map<std::string, size_t> layer_of_name;
  for (size_t i = 0; i < layers.size(); ++i) layer_of_name.try_emplace(layers[i]["name"], i);
  Json list = Json::array();
  for (Json decision : decisions) {
    auto found = layer_of_name.find(decision.value("node", ""));
    if (found == layer_of_name.end()) continue;
    decision.erase("node");
    decision["layer"] = found->second;
    list.push_back(std::move(decision));
  }
  return list;
}

}  // namespace

Json engine_document(const Json& description, const Json& plan, const Measurement& measured) {
  std::vector<Json> steps;
  flatten(plan.value("steps", Json::array()), steps);
  if (measured.steps.is_array()) add_times(steps, measured.steps);
  std::vector<size_t> layer_of_step;
  Json layers = layers_of_steps(steps, layer_of_step);
  const std::vector<TextNode> nodes = nodes_of(description.value("graph", ""));
  add_operators(layers, nodes, measured.extents);
  Json engine = {{"source", "burnish"}};
  for (const char* key : {"model", "options", "providers", "file_bytes", "constant_bytes", "code_bytes"})
    if (description.contains(key)) engine[key] = description[key];
  engine["version"] = description.value("burnish", "");
  engine["targets"] = Json::array();
  for (const Json& each : description["plans"]) engine["targets"].push_back(each.value("target", ""));
  engine["target"] = plan.value("target", "");
  engine["precision"] = plan.value("precision", "");
  for (const char* key : {"device_arena", "host_arena"})
    if (plan.contains(key)) engine[key] = plan[key];
  engine["inputs"] = ports_of(plan.value("inputs", Json::array()));
  engine["outputs"] = ports_of(plan.value("outputs", Json::array()));
  if (!measured.extents.empty()) engine["extents"] = measured.extents;
  if (!measured.device.empty()) engine["device"] = measured.device;
  for (const char* key : {"memory", "peak"})
    if (measured.context.contains(key)) engine[key] = measured.context[key];
  if (!measured.times.is_null()) engine["times"] = measured.times;
  const Json& storage = measured.context.contains("storage") ? measured.context["storage"] : plan["storage"];
  engine["tensors"] = tensors_of(storage, layer_of_step, layers);
  engine["decisions"] = decisions_of(plan.value("decisions", Json::array()), layers);
  engine["lint"] = lint(plan, layers, nodes);
  engine["layers"] = std::move(layers);
  return engine;
}

}  // namespace burnish::cli::report
