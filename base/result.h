#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace burnish {

/// What kind of failure this is. The numbers are the public `burnish_status` and are never renumbered.
enum class Code : int32_t {
  ok = 0,
  invalid_argument = 1,
  invalid_model = 2,
  unsupported = 3,
  out_of_memory = 4,
  device_error = 5,
  incompatible_engine = 6,
  io_error = 7,
  cancelled = 8,
  internal = 9,
};

/// A failure as a value: one line of cause, the frames it passed through (innermost first), one line of remedy.
class Error {
 public:
  Error(Code code, std::string what) : code_(code), what_(std::move(what)) {}

  /// Adds a frame, read as "while <frame>": `return std::move(error).during("importing Conv 'layer3.0.conv2'")`.
  Error&& during(std::string frame) && {
    frames_.push_back(std::move(frame));
    return std::move(*this);
  }
  /// Says what the user can do. The innermost remedy wins, for it knows most.
  Error&& remedy(std::string text) && {
    if (remedy_.empty()) remedy_ = std::move(text);
    return std::move(*this);
  }

  Code code() const { return code_; }
  const std::string& what() const { return what_; }
  const std::vector<std::string>& frames() const { return frames_; }
  const std::string& remedy() const { return remedy_; }

  /// "cause, while f1, while f2" on one line.
  std::string cause() const {
    std::string text = what_;
    for (const std::string& frame : frames_) text += ", while " + frame;
    return text;
  }

 private:
  Code code_;
  std::string what_;
  std::vector<std::string> frames_;
  std::string remedy_;
};

/// Either a value or an Error. `TRY` unwraps it or returns the error to the caller.
template <class T = std::monostate>
class [[nodiscard]] Result {
 public:
  using Value = T;
  Result()
    requires std::is_default_constructible_v<T>
      : content_(T{}) {}
  Result(T value) : content_(std::move(value)) {}
  Result(Error error) : content_(std::move(error)) {}

  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() & { return std::get<0>(content_); }
  const T& operator*() const& { return std::get<0>(content_); }
  T&& operator*() && { return std::get<0>(std::move(content_)); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  Error& error() & { return std::get<1>(content_); }
  const Error& error() const& { return std::get<1>(content_); }
  Error&& error() && { return std::get<1>(std::move(content_)); }

  /// Adds a frame when this is an error; passes a value through.
  Result&& during(std::string frame) && {
    if (!*this) std::move(error()).during(std::move(frame));
    return std::move(*this);
  }

 private:
  std::variant<T, Error> content_;
};

/// A refusal: "not me, because …". Not an Error: somebody else will do the work. Empty reason: accepted.
class [[nodiscard]] Verdict {
 public:
  static Verdict yes() { return Verdict({}); }
  static Verdict no(std::string reason) { return Verdict(std::move(reason)); }
  explicit operator bool() const { return reason_.empty(); }
  const std::string& reason() const { return reason_; }

 private:
  explicit Verdict(std::string reason) : reason_(std::move(reason)) {}
  std::string reason_;
};

}  // namespace burnish

/// `auto x = TRY(f());` unwraps a Result, or returns its error from the enclosing function.
#define TRY(...)                                                     \
  ({                                                                 \
    auto burnish_result_ = (__VA_ARGS__);                            \
    if (!burnish_result_) return std::move(burnish_result_).error(); \
    *std::move(burnish_result_);                                     \
  })
