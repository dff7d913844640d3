#include "cli/report/page.h"

#include <stdexcept>

namespace burnish::cli::report {

static std::string_view page_file(std::string_view name) {
  for (const PageFile& file : page_files())
    if (file.path.ends_with("/" + std::string(name))) return file.text;
  throw std::logic_error("no file '" + std::string(name) + "' is part of the page");
}

/// JSON that may stand in a script element: nothing in it can end one or begin a comment.
static std::string script_text(const nlohmann::ordered_json& document) {
  std::string text = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), safe;
  for (char c : text) {
    if (c == '<') safe += "\\u003c";
    else safe += c;
  }
  return safe;
}

std::string page(const nlohmann::ordered_json& document) {
  std::string html;
  std::string_view rest = page_file("template.html");
  for (size_t at; (at = rest.find("{{")) != rest.npos;) {
    html += rest.substr(0, at);
    const size_t end = rest.find("}}", at);
    const std::string_view name = rest.substr(at + 2, end - at - 2);
    html += name == "document" ? script_text(document) : std::string(page_file(name));
    rest.remove_prefix(end + 2);
  }
  return html + std::string(rest);
}

}  // namespace burnish::cli::report
