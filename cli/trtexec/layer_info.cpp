#include "cli/trtexec/layer_info.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/failure.h"

namespace burnish::cli::trtexec {

namespace {

using Json = nlohmann::ordered_json;

Json plan_for(const burnish_engine* engine, const std::string& target) {
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_engine_describe(engine, &json, &error), error);
  const Text text(json, burnish_text_free);
  const Json all = Json::parse(json);
  for (const Json& plan : all["plans"])
    if (plan["target"] == target) return plan;
  fail("the engine has no plan for " + target,
       "it has plans for: " + std::string(burnish_engine_targets(engine)));
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// "f32" as the interface spells it: "FP32"; "i64": "Int64".
std::string dtype_text(const std::string& dtype) {
  if (dtype == "bool") return "Bool";
  if (dtype.starts_with("bf") || dtype.starts_with("f"))
    return dtype.starts_with("b") ? upper(dtype) : "FP" + dtype.substr(1);
  return (dtype.starts_with("i") ? "Int" : "UInt") + dtype.substr(1);
}

Json extents_of(const burnish_port& port) { return std::vector<int64_t>(port.shape, port.shape + port.rank); }

/// The tensors that a step reads or writes, constants aside.
Json tensors(const Json& plan, const Json& step, const char* which, int schema) {
  Json list = Json::array();
  if (!step.contains(which) || !plan.contains("storage")) return list;
  for (const Json& index : step[which]) {
    const Json& place = plan["storage"][index.get<size_t>()];
    if (place["kind"] == "constant") continue;
    Json one = {{"Name", place.value("name", fmt::format("buffer {}", index.get<size_t>()))},
                {"Location", place.value("space", "device") == "host" ? "Host" : "Device"},
                {"Dimensions", Json::array()}};
    std::string dtype;
    for (const char* ports : {"inputs", "outputs"})
      for (const Json& port : plan[ports])
        if (place["kind"] == std::string(ports, std::strlen(ports) - 1) && port["name"] == one["Name"]) {
          dtype = dtype_text(port["dtype"]);
          for (const Json& axis : port["axes"])
            one["Dimensions"].push_back(axis["least"] == axis.value("most", Json()) ? axis["least"]
                                                                                    : Json(-1));
        }
    if (schema == 10) one["Format/Datatype"] = dtype;
    else one["Format"] = "Row major linear", one["DataType"] = dtype;
    list.push_back(std::move(one));
  }
  return list;
}

/// What was decided, else the routine that is called; on the host that is a graph of several lines, and no name.
std::string tactic_of(const Json& plan, const Json& step) {
  for (const Json& decision : plan["decisions"])
    if (decision["node"] == step["name"]) return decision["tactic"];
  return step["kind"] == "host" ? "host" : step.value("call", "").substr(0, 80);
}

/// A number for a tactic: the same name, the same number.
std::string tactic_value(const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("0x{:016x}", hash);
}

/// "[ONNX Layer: a]" of each node, with a separator that no name holds.
std::string metadata_of(const std::string& name) {
  std::string text;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find(" + ", begin), name.size());
    text += (text.empty() ? "" : "\x1e") + fmt::format("[ONNX Layer: {}]", name.substr(begin, end - begin));
    begin = end + 3;
  }
  return text;
}

Json layer(const Json& plan, const Json& step, int schema) {
  const std::string tactic = tactic_of(plan, step);
  return {{"Name", step["name"]},
          {"LayerType", step["kind"]},
          {"Inputs", tensors(plan, step, "reads", schema)},
          {"Outputs", tensors(plan, step, "writes", schema)},
          {"ParameterType", step["kind"]},
          {"TacticName", tactic},
          {"TacticValue", tactic_value(tactic)},
          {"StreamId", 0},
          {"Metadata", metadata_of(step["name"])}};
}

void add_layers(const Json& plan, const Json& steps, bool detailed, int schema, Json& layers) {
  for (const Json& step : steps) {
    layers.push_back(detailed ? layer(plan, step, schema) : step["name"]);
    for (const char* branch : {"then", "else"})
      if (step.contains(branch)) add_layers(plan, step[branch], detailed, schema, layers);
  }
}

Json port_info(const burnish_engine* engine, const burnish_port& port, int input) {
  Json info = {{"Name", port.name},
               {"IOMode", input >= 0 ? "Input" : "Output"},
               {"DataType", dtype_text(burnish_dtype_name(port.dtype))},
               {"Dimensions", extents_of(port)},
               {"Location", "Device"},
               {"IsShapeInferenceIO", false},
               {"ProfileInfo", Json::array()}};
  burnish_shape_range r{};
  for (int p = 0; input >= 0 && burnish_engine_profile(engine, p, input, &r) == BURNISH_OK; ++p)
    info["ProfileInfo"].push_back({{"MinShape", std::vector(r.min, r.min + r.rank)},
                                   {"OptShape", std::vector(r.opt, r.opt + r.rank)},
                                   {"MaxShape", std::vector(r.max, r.max + r.rank)},
                                   {"Format", "Row major linear"}});
  return info;
}

Json layer_info(const burnish_engine* engine, const std::string& target, const std::string& verbosity,
                int schema) {
  const Json plan = plan_for(engine, target);
  Json info = {{"Layers", Json::array()}};
  if (verbosity != "none") add_layers(plan, plan["steps"], verbosity == "detailed", schema, info["Layers"]);
  Json& ports = info[schema == 10 ? "Bindings" : "I/O Tensors"] = Json::array();
  const std::vector<burnish_port> inputs = inputs_of(engine), outputs = outputs_of(engine);
  for (size_t i = 0; i < inputs.size(); ++i)
    ports.push_back(schema == 10 ? Json(inputs[i].name) : port_info(engine, inputs[i], static_cast<int>(i)));
  for (const burnish_port& port : outputs)
    ports.push_back(schema == 10 ? Json(port.name) : port_info(engine, port, -1));
  return info;
}

}  // namespace

std::string layer_json(const burnish_engine* engine, const std::string& target, const std::string& verbosity,
                       int schema) {
  return layer_info(engine, target, verbosity, schema).dump(1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string layer_text(const burnish_engine* engine, const std::string& target,
                       const std::string& verbosity) {
  const Json info = layer_info(engine, target, verbosity, 10);
  std::string text = "Layers:";
  for (const Json& layer : info["Layers"]) {
    if (layer.is_string()) {
      text += "\n" + layer.get<std::string>();
      continue;
    }
    std::string line;
    for (const auto& [key, value] : layer.items())
      line += (line.empty() ? "" : ", ") + key + ": " +
              (value.is_string() ? value.get<std::string>() : value.dump());
    text += "\n" + line;
  }
  text += "\n\nBindings:";
  for (const Json& name : info["Bindings"]) text += "\n" + name.get<std::string>();
  return text;
}

std::string profiles_text(const burnish_engine* engine) {
  std::string text;
  burnish_shape_range r{};
  const auto dims = [&](const int64_t* extents) { return dims_text({extents, extents + r.rank}); };
  for (int p = 0; p < burnish_engine_profile_count(engine); ++p)
    for (int i = 0; burnish_engine_profile(engine, p, i, &r) == BURNISH_OK; ++i)
      text += fmt::format("{}Model input {} (profile {}): min={}, opt={}, max={}", text.empty() ? "" : "\n",
                          r.name, p, dims(r.min), dims(r.opt), dims(r.max));
  if (!text.empty()) return text;
  for (const burnish_port& port : inputs_of(engine)) {
    const std::string shape = dims_text({port.shape, port.shape + port.rank});
    text += fmt::format("{}Model input {} (profile 0): min={}, opt={}, max={}", text.empty() ? "" : "\n",
                        port.name, shape, shape, shape);
  }
  return text;
}

bool all_on_gpu(const burnish_engine* engine, const std::string& target) {
  const Json plan = plan_for(engine, target);
  for (const Json& step : plan["steps"])
    if (step["kind"] != "kernel" && step["kind"] != "copy" && step["kind"] != "library") return false;
  return true;
}

}  // namespace burnish::cli::trtexec
