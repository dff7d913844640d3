#include "cli/trtexec/outputs.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/elements.h"
#include "cli/output.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

void dump_outputs(const Session& session, const Arrays& outputs, const Log& log) {
  log.info("Output Tensors:");
  for (const burnish_port& port : session.output_ports()) {
    const Array& array = outputs.at(port.name);
    std::string values;
    for (int64_t i = 0; i < array.elements(); ++i)
      values += (i ? " " : "") + number_text(load_element(array, static_cast<uint64_t>(i)));
    log.info(fmt::format("{}: ({})", port.name, dims_text(array.shape)));
    log.info(values);
  }
}

std::string outputs_json(const Session& session, const Arrays& outputs) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const burnish_port& port : session.output_ports()) {
    const Array& array = outputs.at(port.name);
    nlohmann::ordered_json values = nlohmann::ordered_json::array();
    for (int64_t i = 0; i < array.elements(); ++i) {
      const double value = load_element(array, static_cast<uint64_t>(i));
      if (!std::isfinite(value)) values.push_back(nullptr);  // JSON has no such number
      else if (is_float(array.dtype)) values.push_back(value);
      else values.push_back(static_cast<int64_t>(value));
    }
    list.push_back(
        {{"name", port.name}, {"dimensions", dims_text(array.shape)}, {"values", std::move(values)}});
  }
  return list.dump() + "\n";
}

std::string file_name(const std::string& name, const Array& array, const char* extension) {
  std::string file =
      fmt::format("{}.{}.{}.{}", name, dims_text(array.shape), type_text(array.dtype), extension);
  for (char& c : file)
    if (c == '/' || c == '\\') c = '_';
  return file;
}

static void write_raw(const std::string& name, const Array& array, const Log& log) {
  const std::string file = file_name(name, array, "raw");
  write_text(file, {reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size()});
  log.info(fmt::format("{} is written to {}", name, file));
}

void write_raw_bindings(const Session& session, const Arrays& outputs, const Log& log) {
  for (size_t i = 0; i < session.input_ports().size(); ++i)
    write_raw(session.input_ports()[i].name, session.input(i), log);
  for (const auto& [name, array] : outputs) write_raw(name, array, log);
}

}  // namespace burnish::cli::trtexec
