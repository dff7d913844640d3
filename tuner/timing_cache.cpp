#include "tuner/timing_cache.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <span>

#include "base/mapped_file.h"
#include "base/new_file.h"

namespace burnish {

namespace {

constexpr std::string_view first_line = "burnish timing cache 1";
constexpr std::string_view refused = "refused, ";

std::string one_field(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string microseconds_text(uint64_t nanoseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%llu.%03llu us", static_cast<unsigned long long>(nanoseconds / 1000),
                static_cast<unsigned long long>(nanoseconds % 1000));
  return text;
}

std::string candidate_text(const Timing::Candidate& c, bool wins) {
  std::string text = one_field(c.tactic) + ": ";
  if (!c.refused.empty()) text += std::string(refused) + one_field(c.refused);
  else text += c.nanoseconds ? microseconds_text(c.nanoseconds) : "not timed";
  return text + (wins ? " *" : "");
}

/// The part before `separator`, which goes; all of it where there is none.
std::string_view take(std::string_view& text, std::string_view separator) {
  const size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + separator.size());
  return part;
}

std::optional<uint64_t> nanoseconds_from(std::string_view text) {
  double microseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || unit != " us" || !(microseconds > 0 && microseconds < 1e12)) return {};
  return static_cast<uint64_t>(std::llround(microseconds * 1000));
}

bool read_candidate(std::string_view text, Timing& timing) {
  const bool wins = text.ends_with(" *");
  if (wins) text.remove_suffix(2);
  Timing::Candidate c{.tactic = std::string(take(text, ": "))};
  if (c.tactic.empty() || text.empty()) return false;
  if (text.starts_with(refused)) {
    c.refused = text.substr(refused.size());
  } else if (text != "not timed") {
    const auto time = nanoseconds_from(text);
    if (!time) return false;
    c.nanoseconds = *time;
  }
  if (wins && !timing.winner.empty()) return false;
  if (wins) timing.winner = c.tactic;
  timing.candidates.push_back(std::move(c));
  return true;
}

bool read_line(std::string_view line, std::map<TimingCache::Where, Timing>& timings) {
  TimingCache::Where where;
  for (std::string* part : {&where.key, &where.device, &where.version})
    if (*part = take(line, "\t"); part->empty()) return false;
  Timing timing;
  while (!line.empty())
    if (!read_candidate(take(line, "\t"), timing)) return false;
  if (timing.winner.empty()) return false;
  timings[std::move(where)] = std::move(timing);
  return true;
}

}  // namespace

bool Timing::timed() const {
  return std::ranges::any_of(candidates, [](const Candidate& c) { return c.nanoseconds != 0; });
}

Result<TimingCache> TimingCache::parse(std::string_view text) {
  TimingCache cache;
  if (take(text, "\n") != first_line)
    return Error(Code::invalid_argument,
                 "this is no timing cache: it does not begin with '" + std::string(first_line) + "'")
        .remedy("name a file that 'burnish build' wrote");
  for (int number = 2; !text.empty(); ++number) {
    const std::string_view line = take(text, "\n");
    if (line.empty() || read_line(line, cache.timings_)) continue;
    return Error(Code::invalid_argument, "line " + std::to_string(number) + " of the timing cache is none")
        .remedy("remove that line: what it said is timed again");
  }
  return cache;
}

Result<TimingCache> TimingCache::read(const std::string& path) {
  const MappedFile file = TRY(map_file(path));
  return parse({reinterpret_cast<const char*>(file.bytes.get()), file.size}).during("reading '" + path + "'");
}

Result<TimingCache> TimingCache::read_if_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? read(path) : TimingCache();
}

void TimingCache::set(const Where& where, Timing timing) {
  constexpr size_t most = 200;
  for (Timing::Candidate& c : timing.candidates)
    c.refused = one_field(c.refused.substr(0, std::min(c.refused.find('\n'), most)));
  timings_[where] = std::move(timing);
}

std::string TimingCache::text() const {
  std::string text = std::string(first_line) + "\n";
  for (const auto& [where, timing] : timings_) {
    text += where.key + "\t" + one_field(where.device) + "\t" + one_field(where.version);
    for (const Timing::Candidate& c : timing.candidates)
      text += "\t" + candidate_text(c, c.tactic == timing.winner);
    text += "\n";
  }
  return text;
}

Result<> TimingCache::write(const std::string& path) const {
  return write_file(path, std::as_bytes(std::span<const char>(text())));
}

const TimingCache::Entry* TimingCache::find(const Where& where) const {
  if (!where.device.empty()) {
    const auto it = timings_.find(where);
    return it == timings_.end() ? nullptr : &*it;
  }
  for (auto it = timings_.lower_bound({where.key, {}, {}});
       it != timings_.end() && it->first.key == where.key; ++it)
    if (it->first.version == where.version) return &*it;
  return nullptr;
}

void TimingCache::merge(const TimingCache& other) {
  for (const auto& [where, timing] : other.timings_) {
    auto [it, fresh] = timings_.try_emplace(where, timing);
    if (!fresh && (timing.timed() || !it->second.timed())) it->second = timing;
  }
}

}  // namespace burnish
