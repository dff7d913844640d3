#include "cli/trtexec/debug_tensors.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/elements.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/trtexec/outputs.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

namespace {

std::string_view bytes_of(const Array& array) {
  return {reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size()};
}

void write(const std::string& name, const std::string& file, std::string_view text, const Log& log) {
  write_text(file, text);
  log.info(fmt::format("Debug tensor {} is written to {}", name, file));
}

/// Shape and type, then the elements, one row of the last axis a line.
std::string as_text(const Array& array) {
  std::string text = fmt::format("{} {}\n", dims_text(array.shape), type_text(array.dtype));
  const int64_t row = array.shape.empty() ? 1 : std::max<int64_t>(array.shape.back(), 1);
  for (int64_t i = 0; i < array.elements(); ++i)
    text += number_text(load_element(array, static_cast<uint64_t>(i))) + ((i + 1) % row == 0 ? "\n" : " ");
  return text;
}

void save(const std::string& name, const Array& array, const std::string& format, const Log& log) {
  if (format == "summary") {
    log.info(fmt::format("Debug tensor {}: {} {}, {}", name, dims_text(array.shape), type_text(array.dtype),
                         statistics(array)));
  } else if (format == "numpy") {
    const Array wide = widened(array);
    write(name, file_name(name, array, "npy"), npy_header(wide) + std::string(bytes_of(wide)), log);
  } else if (format == "string") {
    write(name, file_name(name, array, "txt"), as_text(array), log);
  } else {
    write(name, file_name(name, array, "raw"), bytes_of(array), log);
  }
}

std::string names_of(const std::vector<burnish_port>& ports) {
  std::string names;
  for (const burnish_port& port : ports) names += (names.empty() ? "" : ", ") + std::string(port.name);
  return names;
}

}  // namespace

void require_debug_tensors(const Session& session, const InferenceOptions& options) {
  const std::vector<burnish_port>& ports = session.debug_tensors();
  for (const auto& [name, file] : options.debug_files)
    if (std::ranges::none_of(ports, [&](const burnish_port& p) { return matches(name, p.name); }))
      fail("--saveDebugTensors names '" + name + "', which is no debug tensor of the engine",
           ports.empty() ? "build it with --markDebug=" + name : "its debug tensors are: " + names_of(ports));
  if (!options.debug_formats.empty() && ports.empty())
    fail("--saveAllDebugTensors is given, and the engine has no debug tensors",
         "build it with --markDebug=<names> or --markUnfusedTensorsAsDebugTensors");
}

void save_debug_tensors(Session& session, const InferenceOptions& options, const Log& log) {
  if (options.debug_files.empty() && options.debug_formats.empty()) return;
  session.run({});
  for (const auto& [name, array] : session.read(session.debug_tensors())) {
    for (const auto& [pattern, file] : options.debug_files)
      if (matches(pattern, name)) write(name, file, bytes_of(array), log);
    for (const std::string& format : options.debug_formats) save(name, array, format, log);
  }
}

}  // namespace burnish::cli::trtexec
