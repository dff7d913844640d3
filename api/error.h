#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "api/burnish.h"
#include "base/result.h"

// Where C++ ends and C begins, for the implementations of both headers.

struct burnish_error {
  burnish::Code code;
  std::string cause, remedy;
};

namespace burnish::api {

/// Hands an error to the caller, if he asked for it.
burnish_status fail(const Error& error, burnish_error** out) noexcept;

/// Runs `body`, which gives a Result<>. Nothing is thrown past it.
template <class F>
burnish_status guard(burnish_error** out, const F& body) noexcept {
  if (out) *out = nullptr;
  try {
    const Result<> result = body();
    return result ? BURNISH_OK : fail(result.error(), out);
  } catch (const std::bad_alloc&) {
    return fail(Error(Code::out_of_memory, "out of host memory")
                    .remedy("run with smaller inputs, or give the process more memory"),
                out);
  } catch (const std::exception& e) {
    return fail(Error(Code::internal, e.what()).remedy("report this with what led to it"), out);
  } catch (...) {
    return fail(Error(Code::internal, "an unknown exception").remedy("report this with what led to it"), out);
  }
}

/// Error invalid_argument where a pointer that must not be null is.
inline Result<> expect(const void* pointer, const char* name) {
  if (pointer) return {};
  return Error(Code::invalid_argument, "'" + std::string(name) + "' is NULL").remedy("pass a valid pointer");
}

/// A copy of `text` that the caller frees with burnish_text_free.
inline Result<> give_text(const std::string& text, char** out) {
  TRY(expect(out, "text"));
  *out = static_cast<char*>(std::malloc(text.size() + 1));
  if (*out == nullptr)
    return Error(Code::out_of_memory, "out of host memory").remedy("give the process more memory");
  std::memcpy(*out, text.c_str(), text.size() + 1);
  return {};
}

}  // namespace burnish::api
