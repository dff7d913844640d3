#include "cli/report/lint.h"

#include <fmt/format.h>

#include <map>

#include "cli/reasons.h"
#include "cli/report/work.h"

namespace burnish::cli::report {

Json channels_finding(const char* which, int64_t extent, const std::string& dtype) {
  static const std::map<std::string, int64_t> multiples = {
      {"f16", 8}, {"bf16", 8}, {"f32", 4}, {"i8", 16}, {"u8", 16}};
  auto multiple = multiples.find(dtype);
  if (multiple == multiples.end() || extent % multiple->second == 0) return nullptr;
  const int64_t padded = (extent / multiple->second + 1) * multiple->second;
  return {
      {"rule", "channels"},
      {"what", fmt::format("{} {} channels of {}, no multiple of {}: tensor cores load 16 bytes at a time",
                           extent, which, dtype, multiple->second)},
      {"remedy", fmt::format("pad the weights to {} where the model may change", padded)}};
}

namespace {

/// The first layer that has a name, or a node of that name.
std::map<std::string, size_t> layers_by_name(const Json& layers) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < layers.size(); ++i) {
    places.try_emplace(layers[i]["name"], i);
    for (const Json& node : layers[i]["nodes"]) places.try_emplace(node, i);
  }
  return places;
}

/// Sentences of the plan, each at the layer it is about.
void add_reasons(const Json& sentences, const std::map<std::string, size_t>& places, const char* rule,
                 const char* remedy, Json& list) {
  for (const Json& sentence : sentences) {
    Json finding = {{"rule", rule}};
    auto place = places.find(subject_of(sentence));
    if (place != places.end()) finding["layer"] = place->second;
    finding["what"] = place != places.end() ? reason_of(sentence) : sentence.get<std::string>();
    finding["remedy"] = remedy;
    list.push_back(std::move(finding));
  }
}

void add_channels(const std::string& precision, const Json& layers, const std::vector<TextNode>& nodes,
                  Json& list) {
  std::map<std::string, const TextNode*> by_name;
  for (const TextNode& node : nodes) by_name.try_emplace(node.layer(), &node);
  for (size_t i = 0; i < layers.size(); ++i) {
    auto found = by_name.find(layers[i]["name"]);
    if (found == by_name.end() || found->second->ops.empty() || found->second->inputs.size() < 2) continue;
    const TextNode& node = *found->second;
    const auto weights = numbers(node.inputs[1], {});
    if (!weights || weights->size() < 2 || node.groups != 1) continue;
    if (node.inputs[1].dtype == "f32" && precision != "tf32") continue;  // no work for tensor cores
    const bool convolution = node.ops[0] == "Conv";
    if (!convolution && node.ops[0] != "MatMul" && node.ops[0] != "Gemm") continue;
    const int64_t in = convolution ? (*weights)[1] : (*weights)[weights->size() - 2];
    const int64_t out = convolution ? (*weights)[0] : weights->back();
    for (const auto& [which, extent] : {std::pair("input", in), {"output", out}})
      if (Json finding = channels_finding(which, extent, node.inputs[1].dtype); !finding.is_null()) {
        finding["layer"] = i;
        list.push_back(std::move(finding));
      }
  }
}

void add_estimates(const Json& decisions, Json& list) {
  size_t guessed = 0;
  for (const Json& decision : decisions) guessed += !decision.contains("timed_on");
  if (guessed)
    list.push_back(
        {{"rule", "chosen by estimate"},
         {"what", fmt::format("{} of {} tactics were chosen without timing them", guessed, decisions.size())},
         {"remedy", "build where that GPU is, or with --timing-cache of such a build"}});
}

}  // namespace

Json lint(const Json& plan, const Json& layers, const std::vector<TextNode>& nodes) {
  Json list = Json::array();
  if (plan.value("target", "") == "cpu") return list;  // what follows is about GPUs
  const std::map<std::string, size_t> places = layers_by_name(layers);
  add_reasons(plan.value("host_reasons", Json::array()), places, "host step",
              "replace the operator in the model, or fix its extents when building: --shapes", list);
  add_reasons(plan.value("moves", Json::array()), places, "data movement",
              "another order of axes or a static shape in the model may make it a view", list);
  add_channels(plan.value("precision", ""), layers, nodes, list);
  add_reasons(plan.value("fusion_reasons", Json::array()), places, "not fused", "", list);
  add_estimates(plan.value("decisions", Json::array()), list);
  return list;
}

}  // namespace burnish::cli::report
