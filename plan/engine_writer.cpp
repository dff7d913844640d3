#include <algorithm>
#include <cstring>
#include <future>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/equal_bytes.h"
#include "base/new_file.h"
#include "plan/engine_file.h"
#include "plan/engine_layout.h"

namespace burnish {

namespace {

using namespace engine_layout;
using Bytes = std::span<const std::byte>;

/// A section as pieces that lie elsewhere, each at an offset; what is between them is zero.
class Pieces {
 public:
  struct Piece {
    uint64_t offset;
    Bytes bytes;
  };

  /// Where `bytes` are to lie. Equal bytes lie at the same place.
  uint64_t add(Bytes bytes, uint64_t alignment) {
    const size_t first = equal_.add(bytes);
    if (first < offsets_.size()) return offsets_.emplace_back(offsets_[first]);
    list_.push_back({align(size_, alignment), bytes});
    size_ = list_.back().offset + bytes.size();
    return offsets_.emplace_back(list_.back().offset);
  }
  uint64_t size() const { return size_; }
  const std::vector<Piece>& list() const { return list_; }

 private:
  std::vector<Piece> list_;
  EqualBytes equal_;
  std::vector<uint64_t> offsets_;  // by call of `add`
  uint64_t size_ = 0;
};

using Sink = std::function<Result<>(Bytes)>;

Result<> put_zeros(const Sink& sink, uint64_t count) {
  static const std::array<std::byte, constants_alignment> zeros{};
  while (count > 0) {
    const uint64_t part = std::min<uint64_t>(count, zeros.size());
    TRY(sink(Bytes(zeros).first(part)));
    count -= part;
  }
  return {};
}

Result<> put_pieces(const Sink& sink, const Pieces& pieces) {
  uint64_t at = 0;
  for (const Pieces::Piece& piece : pieces.list()) {
    TRY(put_zeros(sink, piece.offset - at));
    TRY(sink(piece.bytes));
    at = piece.offset + piece.bytes.size();
  }
  return {};
}

uint64_t checksum_of(const Pieces& pieces) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  const Sink hash = [&](Bytes bytes) -> Result<> {
    XXH3_64bits_update(state, bytes.data(), bytes.size());
    return {};
  };
  (void)put_pieces(hash, pieces);  // hashing cannot fail
  const uint64_t checksum = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return checksum;
}

/// The whole file, laid out; refers to the contents it was made of.
class Layout {
 public:
  explicit Layout(const EngineContents& contents) {
    Pieces code_pieces, constant_pieces;
    std::vector<Plan> placed;
    for (const EngineContents::Target& target : contents.targets) {
      Plan plan = target.plan;
      plan.constants.clear();
      const bool left_out = contents.refit && contents.refit->stripped;
      for (const Tensor& t : target.constants)
        plan.constants.push_back(
            {left_out ? 0 : constant_pieces.add({t.bytes(), t.byte_size()}, constant_alignment),
             t.byte_size()});
      for (size_t i = 0; i < plan.modules.size(); ++i) {
        plan.modules[i].offset = code_pieces.add(target.code[i], code_alignment);
        plan.modules[i].bytes = target.code[i].size();
      }
      placed.push_back(std::move(plan));
    }
    identity_ = encode(contents.identity);
    plans_ = encode(placed);
    add(engine_layout::identity, required, text(identity_));
    add(engine_layout::plans, required, text(plans_));
    if (contents.refit) {
      refit_ = encode(placed_weights(contents, constant_pieces));
      add(engine_layout::refit, contents.refit->stripped ? required : 0, text(refit_));
    }
    if (!contents.debug.empty()) add(engine_layout::debug, 0, text(contents.debug));
    add(engine_layout::code, required, std::move(code_pieces));
    add(engine_layout::constants, required, std::move(constant_pieces));
    place_sections();
  }

  uint64_t size() const { return table_.back().offset + table_.back().size; }

  /// Header and section table. They have checksums of all that follows, so that they are known last.
  std::string beginning() const {
    std::vector<Section> table = table_;
    for (size_t i = 0; i < table.size(); ++i) table[i].checksum = checksum_of(sections_[i]);
    Header header{.magic = magic,
                  .major = major_version,
                  .minor = minor_version,
                  .sections = static_cast<uint32_t>(table.size()),
                  .file_size = size()};
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
    bytes.append(reinterpret_cast<const char*>(table.data()), table.size() * sizeof(Section));
    header.checksum = XXH3_64bits(bytes.data(), bytes.size());
    return bytes.replace(0, sizeof(header), reinterpret_cast<const char*>(&header), sizeof(header));
  }

  /// All of the file, with zeros for a beginning.
  Result<> put(const Sink& sink) const {
    uint64_t at = 0;
    for (size_t i = 0; i < table_.size(); ++i) {
      TRY(put_zeros(sink, table_[i].offset - at));
      TRY(put_pieces(sink, sections_[i]));
      at = table_[i].offset + table_[i].size;
    }
    return {};
  }

 private:
  static RefitRecord placed_weights(const EngineContents& contents, Pieces& constants) {
    RefitRecord record = *contents.refit;
    for (size_t i = 0; i < record.weights.size(); ++i)
      if (const Tensor& t = contents.weights[i]; t.bytes()) {
        record.weights[i].stored = true;
        record.weights[i].offset = constants.add({t.bytes(), t.byte_size()}, constant_alignment);
      }
    return record;
  }

  static Pieces text(const std::string& bytes) {
    Pieces pieces;
    pieces.add(std::as_bytes(std::span(bytes)), 1);
    return pieces;
  }

  void add(Tag tag, uint32_t flags, Pieces pieces) {
    table_.push_back({.tag = tag, .flags = flags, .size = pieces.size()});
    sections_.push_back(std::move(pieces));
  }

  void place_sections() {
    uint64_t at = sizeof(Header) + table_.size() * sizeof(Section);
    for (Section& section : table_) {
      section.offset =
          align(at, section.tag == engine_layout::constants ? constants_alignment : section_alignment);
      at = section.offset + section.size;
    }
  }

  std::string identity_, plans_, refit_;
  std::vector<Section> table_;  // without checksums
  std::vector<Pieces> sections_;
};

/// Summed up beside the writing.
std::future<std::string> begin_of(const Layout& layout) {
  return std::async(std::launch::async, [&layout] { return layout.beginning(); });
}

Result<> check(const EngineContents& contents) {
  for (const EngineContents::Target& target : contents.targets) {
    if (target.plan.constants.size() != target.constants.size() ||
        target.plan.modules.size() != target.code.size())
      return Error(Code::internal,
                   "the plan for '" + target.plan.target + "' and its constants or code do not match");
    TRY(verify(target.plan));
  }
  if (contents.refit && contents.refit->weights.size() != contents.weights.size())
    return Error(Code::internal, "the weights of the engine and their record do not match");
  return {};
}

}  // namespace

Result<std::vector<std::byte>> engine_bytes(const EngineContents& contents) {
  TRY(check(contents));
  const Layout layout(contents);
  std::future<std::string> beginning = begin_of(layout);
  std::vector<std::byte> bytes(layout.size());
  std::byte* at = bytes.data();
  TRY(layout.put([&](Bytes part) -> Result<> {
    at = std::copy(part.begin(), part.end(), at);
    return {};
  }));
  const std::string first = beginning.get();
  std::memcpy(bytes.data(), first.data(), first.size());
  return bytes;
}

Result<> write_engine(const std::string& path, const EngineContents& contents,
                      const std::function<bool()>& cancelled) {
  TRY(check(contents));
  const Layout layout(contents);
  std::future<std::string> beginning = begin_of(layout);
  NewFile file(path);
  TRY(file.create());
  const auto stopped = [&]() -> Result<> {
    if (!cancelled || !cancelled()) return {};
    return Error(Code::cancelled, "writing '" + path + "' was cancelled");
  };
  TRY(layout.put([&](Bytes bytes) -> Result<> {
    TRY(stopped());
    return file.write(bytes);
  }));
  const std::string first = beginning.get();
  TRY(file.write_at(0, std::as_bytes(std::span(first))));
  TRY(stopped());
  return file.commit();
}

}  // namespace burnish
