#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/reasons.h"
#include "cli/table.h"

namespace burnish::cli {

using Json = nlohmann::ordered_json;

struct ExplainRequest {
  std::string engine, node;
};

/// A layer: the steps in a row that do the work of the same nodes.
struct LayerSteps {
  std::string name, kinds;
  size_t steps = 0;
};

static std::vector<LayerSteps> steps_by_layer(const Json& steps) {
  std::vector<LayerSteps> layers;
  for (const Json& step : steps) {
    std::string name = step.value("name", ""), kind = step.value("kind", "");
    if (layers.empty() || layers.back().name != name) layers.push_back({name, kind, 0});
    else if (layers.back().kinds.find(kind) == std::string::npos) layers.back().kinds += ", " + kind;
    ++layers.back().steps;
    for (const char* branch : {"then", "else"})
      if (step.contains(branch))
        for (LayerSteps& inner : steps_by_layer(step[branch])) layers.push_back(std::move(inner));
  }
  return layers;
}

static std::string candidates_table(const Json& decision) {
  std::vector<std::vector<std::string>> rows = {{"", "tactic", "us", "estimate", ""}};
  std::string winner = decision.value("tactic", "");
  for (const Json& c : decision.value("candidates", Json::array()))
    rows.push_back({c.value("tactic", "") == winner ? "*" : "", c.value("tactic", ""),
                    c.contains("us") ? fmt::format("{:.2f}", c["us"].get<double>()) : "",
                    c.value("estimate", 0.0) > 0 ? fmt::format("{:.2f}", c["estimate"].get<double>()) : "",
                    c.contains("refused") ? "refused: " + c["refused"].get<std::string>() : ""});
  return table(rows);
}

static std::string explain_layer(const LayerSteps& layer, const Json& plan, bool on_device) {
  std::string text = fmt::format("\n{}\n  {}{}", layer.name, layer.kinds,
                                 layer.steps > 1 ? fmt::format(", {} steps", layer.steps) : "");
  bool decided = false;
  std::string reasons, tables;
  for (const Json& decision : plan.value("decisions", Json::array()))
    if (decision.value("node", "") == layer.name && !std::exchange(decided, true)) {
      std::string device = decision.value("timed_on", "");
      text += ", " + (device.empty() ? "chosen by estimate" : "timed on " + device);
      tables = candidates_table(decision);
    }
  for (const char* list : {"host_reasons", "fusion_reasons"})
    for (const Json& sentence : plan.value(list, Json::array()))
      if (is_about(sentence, layer.name)) {
        reasons +=
            fmt::format("  {}{}\n", *list == 'h' ? "on the host: " : "not fused: ", reason_of(sentence));
      }
  if (!decided && on_device && layer.kinds == "kernel") text += ", one tactic";
  return text + "\n" + reasons + tables;
}

static int explain(const ExplainRequest& request) {
  Engine engine = open_engine(request.engine);
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_engine_describe(engine.get(), &json, &error), error);
  Text text(json, burnish_text_free);
  bool found = false;
  for (const Json& plan : Json::parse(json).value("plans", Json::array())) {
    std::string target = plan.value("target", "");
    fmt::print("plan for {}\n", target);
    for (const LayerSteps& layer : steps_by_layer(plan.value("steps", Json::array()))) {
      if (layer.name.find(request.node) == std::string::npos) continue;
      found = true;
      fmt::print("{}", explain_layer(layer, plan, target != "cpu"));
    }
  }
  if (!found && !request.node.empty())
    fail("no layer of '" + request.engine + "' has '" + request.node + "' in its name",
         "burnish explain " + request.engine + " lists them all");
  return 0;
}

void add_explain(CLI::App& app, Action& action) {
  auto request = std::make_shared<ExplainRequest>();
  CLI::App& command =
      add_command(app, "explain", "Say for each layer how it is done, what else was tried, and why not that",
                  "  burnish explain resnet50.engine                 every layer\n"
                  "  burnish explain resnet50.engine layer1.0.conv1  those with this in their name\n");
  command.add_option("ENGINE", request->engine, "The engine")->required()->type_name("");
  command.add_option("NODE", request->node, "Part of the name of an ONNX node")->type_name("");
  command.callback([request, &action] { action = [request] { return explain(*request); }; });
}

}  // namespace burnish::cli
