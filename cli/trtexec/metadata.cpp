#include "cli/trtexec/metadata.h"

#include "cli/trtexec/device_report.h"
#include "cli/trtexec/option_report.h"
#include "cli/trtexec/performance_report.h"

namespace burnish::cli::trtexec {

static nlohmann::ordered_json object_of(const Lines& lines) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [key, value] : lines)
    if (value) json[key] = *value;
  return json;
}

/// "Build Options" as a key: "build_options".
static std::string key_of(std::string title) {
  for (char& c : title) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return title;
}

std::string metadata_json(const Trace& trace, const Options& options, std::optional<int> device,
                          const std::string& target) {
  nlohmann::ordered_json json = {{"performance_summary", performance_json(trace, options.reporting)},
                                 {"device_information", object_of(device_lines(device, target))}};
  for (const OptionBlock& block : option_blocks(options)) json[key_of(block.title)] = object_of(block.lines);
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace burnish::cli::trtexec
