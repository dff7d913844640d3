#include "cli/reasons.h"

#include <string_view>

namespace burnish::cli {

/// From the first quote to where the reason begins; a name may hold quotes of its own.
static std::pair<size_t, size_t> name_in(const std::string& sentence) {
  const bool node = sentence.starts_with("node '");
  const size_t begin = sentence.find('\'');
  const size_t end = begin == sentence.npos ? begin : sentence.find(node ? "' (" : "': ", begin + 1);
  return {begin, end};
}

std::string subject_of(const std::string& sentence) {
  const auto [begin, end] = name_in(sentence);
  if (end == sentence.npos) return "";
  const std::string name = sentence.substr(begin + 1, end - begin - 1);
  return sentence.starts_with("node '") ? name : sentence.substr(0, begin) + name;
}

std::string reason_of(const std::string& sentence) {
  const size_t end = name_in(sentence).second;
  const size_t colon = end == sentence.npos ? end : sentence.find(": ", end);
  return colon == sentence.npos ? sentence : sentence.substr(colon + 2);
}

bool is_about(const std::string& sentence, const std::string& layer) {
  const std::string subject = subject_of(sentence);
  return !subject.empty() && (" + " + layer + " + ").find(" + " + subject + " + ") != std::string::npos;
}

}  // namespace burnish::cli
