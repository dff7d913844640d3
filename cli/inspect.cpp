#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/formats.h"
#include "cli/table.h"

namespace burnish::cli {

using Json = nlohmann::ordered_json;

struct InspectRequest {
  std::string file;
  std::vector<std::string> shapes;
  BuildChoices choices;
  bool json = false;
  bool text = false;
};

/// Things that deserve a table of their own: lists of objects, but not axes, which are short.
static bool is_table(const Json& value) {
  return value.is_array() && !value.empty() && value.front().is_object() && !value.front().contains("text");
}
/// Sentences, one a line.
static bool is_list(const Json& value) {
  return value.is_array() && std::any_of(value.begin(), value.end(), [](const Json& item) {
           return item.is_string() && item.get_ref<const std::string&>().size() > 40;
         });
}
static bool is_section(const Json& value) { return value.is_object() && value.size() > 6; }

/// One value on one line.
static std::string cell(const std::string& key, const Json& value) {
  if (value.is_string()) {
    std::string text = value;
    std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return text;
  }
  if (value.is_null()) return "";
  if (value.is_number_unsigned() && key.find("bytes") != key.npos) return bytes_text(value);
  if (!value.is_structured()) return value.dump();
  if (value.is_object() && value.contains("text")) return cell(key, value["text"]);
  bool shape = key == "shape" || key == "axes";
  if (shape && value.empty()) return "scalar";
  std::string text;
  for (const auto& [name, item] : value.items()) {
    if (!text.empty()) text += shape ? " x " : ", ";
    if (value.is_object()) text += name + (item.is_object() ? ": " : " ");
    text += cell(key, item);
  }
  return text;
}

/// A list of objects: one row each, the keys that occur as columns. `name` comes first, or last where names are long; texts
/// of several lines are left to --json.
static std::string table_of(const Json& list) {
  auto fits = [](const Json& value) {
    return !value.is_string() || value.get_ref<const std::string&>().find('\n') == std::string::npos;
  };
  std::vector<std::string> keys;
  for (const Json& item : list)
    for (const auto& [key, value] : item.items())
      if (fits(value) && std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  bool long_names = std::any_of(list.begin(), list.end(),
                                [](const Json& item) { return item.value("name", "").size() > 40; });
  std::stable_partition(keys.begin(), keys.end(),
                        [&](const std::string& key) { return (key == "name") != long_names; });
  std::vector<std::vector<std::string>> rows{keys};
  for (const Json& item : list) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string& key : keys) row.push_back(item.contains(key) ? cell(key, item[key]) : "");
  }
  return table(rows);
}

/// Single values first, in two columns; then what needs room.
static std::string describe(const Json& json) {
  std::vector<std::vector<std::string>> facts;
  for (const auto& [key, value] : json.items())
    if (!is_table(value) && !is_list(value) && !is_section(value)) facts.push_back({key, cell(key, value)});
  std::string text = facts.empty() ? "" : table(facts);
  for (const auto& [key, value] : json.items()) {
    if (is_table(value)) text += fmt::format("\n{} ({})\n{}", key, value.size(), table_of(value));
    if (is_list(value)) {
      text += fmt::format("\n{} ({})\n", key, value.size());
      for (const Json& line : value) text += "  " + cell(key, line) + "\n";
    }
    if (is_section(value)) text += fmt::format("\n{}\n{}", key, describe(value));
  }
  return text;
}

static std::string print_ports(const char* title, const burnish_engine* engine,
                               const std::vector<burnish_port>& ports,
                               decltype(burnish_engine_input_order)* order) {
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < ports.size(); ++i) {
    rows.push_back({ports[i].name, burnish_dtype_name(ports[i].dtype), shape_text(ports[i])});
    if (std::string text = order_text(order(engine, static_cast<int>(i)), ports[i].rank); !text.empty())
      rows.back().push_back("in memory " + text);
  }
  return fmt::format("\n{}\n{}", title, table(rows));
}

static int inspect_engine(const InspectRequest& request) {
  if (request.text)
    fail("--text shows models, and '" + request.file + "' is an engine",
         "leave --text away, or name the model");
  Engine engine = open_engine(request.file);
  char* json = nullptr;
  burnish_error* error = nullptr;
  check(burnish_engine_describe(engine.get(), &json, &error), error);
  Text text(json, burnish_text_free);
  if (request.json) {
    fmt::print("{}\n", json);
    return 0;
  }
  std::error_code ignored;
  fmt::print("{}  {}  for {}\n{}{}\n", request.file,
             bytes_text(std::filesystem::file_size(request.file, ignored)),
             burnish_engine_targets(engine.get()),
             print_ports("inputs", engine.get(), inputs_of(engine.get()), burnish_engine_input_order),
             print_ports("outputs", engine.get(), outputs_of(engine.get()), burnish_engine_output_order));
  Json all = Json::parse(json);
  Json plans = all.value("plans", Json::array());
  for (const char* elsewhere : {"plans", "graph"}) all.erase(elsewhere);  // below, or with --json
  fmt::print("{}", describe(all));
  for (Json& plan : plans) {
    std::string target = plan.value("target", "");
    for (const char* elsewhere : {"inputs", "outputs", "target", "decisions", "fusion_reasons", "storage"})
      plan.erase(elsewhere);  // shown above, or by explain and report
    for (Json& step : plan["steps"])
      for (const char* place : {"reads", "writes"}) step.erase(place);
    fmt::print("\nplan for {}\n{}", target, describe(plan));
  }
  return 0;
}

static int inspect_model(const InspectRequest& request) {
  if (request.text) {
    BuildChoices choices = request.choices;
    choices.shapes = parse_shapes(request.shapes);
    if (choices.targets.empty()) choices.targets = {"cpu"};
    fmt::print("{}", model_text(request.file, choices).get());
    return 0;
  }
  Text json = model_json(request.file);
  if (request.json) {
    fmt::print("{}\n", json.get());
    return 0;
  }
  std::error_code ignored;
  fmt::print("{}  {}\n{}", request.file, bytes_text(std::filesystem::file_size(request.file, ignored)),
             describe(Json::parse(json.get())));
  return 0;
}

static int inspect(const InspectRequest& request) {
  require_readable(request.file, "file");
  bool engine = looks_like_engine(request.file) || request.file.ends_with(".engine");
  return engine ? inspect_engine(request) : inspect_model(request);
}

void add_inspect(CLI::App& app, Action& action) {
  auto request = std::make_shared<InspectRequest>();
  CLI::App& command =
      add_command(app, "inspect", "Show what is in an engine or a model",
                  "  burnish inspect resnet50.engine            inputs, outputs, steps, memory\n"
                  "  burnish inspect resnet50.onnx              inputs, outputs, operators\n"
                  "  burnish inspect resnet50.onnx --text       the graph as it is after all passes\n");
  command.add_option("FILE", request->file, "The engine or model")->required()->type_name("");
  auto* json = command.add_flag("--json", request->json, "For programs")->group("Form");
  command.add_flag("--text", request->text, "The graph of a model after import and passes, in text form")
      ->group("Form")
      ->excludes(json);
  add_build_options(command, request->choices);
  for (CLI::Option* option : command.get_options())
    if (option->get_group() == "What to build") option->group("With --text: as if built with");
  add_shapes_option(command, request->shapes, "Extents of inputs");
  command.get_option("--shapes")->group("With --text: as if built with");
  add_verbose_option(command, request->choices.verbose);
  command.callback([request, &action] { action = [request] { return inspect(*request); }; });
}

}  // namespace burnish::cli
