#include "cli/reasons.h"

namespace burnish::cli {

bool is_about(const std::string& sentence, const std::string& layer) {
  size_t begin = sentence.find('\'') + 1, end = sentence.find("' (");
  if (begin == 0 || end == std::string::npos) return false;
  std::string node = sentence.substr(begin, end - begin);
  return (" + " + layer + " + ").find(" + " + node + " + ") != std::string::npos;
}

std::string reason_of(const std::string& sentence) {
  size_t end = sentence.find("): ");
  return end == std::string::npos ? sentence : sentence.substr(end + 3);
}

}  // namespace burnish::cli
