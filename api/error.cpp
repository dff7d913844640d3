#include "api/error.h"

namespace burnish::api {

namespace {

/// One line, whatever file names and models bring along.
std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

}  // namespace

burnish_status fail(const Error& error, burnish_error** out) noexcept {
  try {
    if (out) *out = new burnish_error{error.code(), one_line(error.cause()), one_line(error.remedy())};
  } catch (const std::bad_alloc&) {
    *out = nullptr;  // the status must do
  }
  return static_cast<burnish_status>(error.code());
}

}  // namespace burnish::api
