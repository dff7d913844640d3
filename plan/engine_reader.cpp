#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mapped_file.h"
#include "plan/engine_file.h"
#include "plan/engine_layout.h"

namespace burnish {

namespace {

using namespace engine_layout;
using Bytes = std::span<const std::byte>;

Error refused(std::string why) { return Error(Code::incompatible_engine, std::move(why)); }

Error damaged(const std::string& how) {
  return refused("the engine is damaged: " + how).remedy("copy the file again, or build it again");
}

bool begins_with(Bytes bytes, const std::array<char, 4>& tag) {
  return bytes.size() >= tag.size() && std::memcmp(bytes.data(), tag.data(), tag.size()) == 0;
}

Result<Header> read_header(Bytes bytes) {
  Header header;
  if (begins_with(bytes, tensorrt_magic))
    return refused("this is a plan of TensorRT, which only the library that made it can load")
        .remedy("build the engine again from the ONNX model");
  if (!begins_with(bytes, magic))
    return refused("this is not an engine: it does not begin with 'BRN1'")
        .remedy("name a file that 'burnish build' wrote");
  if (bytes.size() < sizeof(header)) return damaged("it ends within its header");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.major != major_version)
    return refused("the engine has format " + std::to_string(header.major) + "." +
                   std::to_string(header.minor) + ", and this version of Burnish reads " +
                   std::to_string(major_version) + ".x")
        .remedy("build the engine again with this version of Burnish");
  if (header.file_size != bytes.size())
    return damaged("it should have " + std::to_string(header.file_size) + " bytes and has " +
                   std::to_string(bytes.size()));
  return header;
}

Result<std::vector<Section>> read_table(Bytes bytes, Header header) {
  const uint64_t beginning = sizeof(Header) + uint64_t{header.sections} * sizeof(Section);
  if (header.sections > most_sections || beginning > bytes.size())
    return damaged("its section table does not fit in");
  const uint64_t checksum = std::exchange(header.checksum, 0);
  std::string hashed(reinterpret_cast<const char*>(bytes.data()), beginning);
  std::memcpy(hashed.data(), &header, sizeof(header));
  if (XXH3_64bits(hashed.data(), hashed.size()) != checksum) return damaged("its header has changed");
  std::vector<Section> table(header.sections);
  if (!table.empty())
    std::memcpy(table.data(), bytes.data() + sizeof(Header), table.size() * sizeof(Section));
  return table;
}

bool all_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

/// Sections lie in the order of the table, with zeros between them and nothing after them.
Result<> check_sections(Bytes bytes, const std::vector<Section>& table) {
  uint64_t at = sizeof(Header) + table.size() * sizeof(Section);
  for (const Section& section : table) {
    const std::string name(section.tag.begin(), section.tag.end());
    if (section.offset < at || section.offset > bytes.size() || section.size > bytes.size() - section.offset)
      return damaged("section " + name + " lies outside the file");
    if (!all_zero(bytes.subspan(at, section.offset - at)))
      return damaged("there are bytes before section " + name);
    at = section.offset + section.size;
    if (XXH3_64bits(bytes.data() + section.offset, section.size) != section.checksum)
      return damaged("section " + name + " has changed");
  }
  if (at != bytes.size()) return damaged("there are bytes after its last section");
  return {};
}

/// Gives the sections that this version knows; a required one that it does not know ends it.
class Sections {
 public:
  Sections(Bytes bytes, const std::vector<Section>& table) : bytes_(bytes), table_(table) {}

  Result<Bytes> take(Tag tag, bool must_exist) {
    known_.push_back(tag);
    for (const Section& section : table_)
      if (section.tag == tag) return bytes_.subspan(section.offset, section.size);
    if (must_exist) return damaged("it has no section " + std::string(tag.begin(), tag.end()));
    return Bytes();
  }
  Result<> expect_all_known() const {
    for (const Section& section : table_)
      if ((section.flags & required) && std::find(known_.begin(), known_.end(), section.tag) == known_.end())
        return refused("the engine needs section " + std::string(section.tag.begin(), section.tag.end()) +
                       ", which this version of Burnish does not know")
            .remedy("use the version of Burnish that built it, or a newer one");
    return {};
  }

 private:
  Bytes bytes_;
  const std::vector<Section>& table_;
  std::vector<Tag> known_;
};

std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool lies_within(uint64_t offset, uint64_t bytes, Bytes section) {
  return offset <= section.size() && bytes <= section.size() - offset;
}

Result<> check_plan(const EngineFile& file, const Plan& plan) {
  TRY(verify(plan));
  for (const ConstantData& c : plan.constants)
    if (!file.is_stripped() &&
        (!lies_within(c.offset, c.bytes, file.constants) || c.offset % constant_alignment != 0))
      return damaged("a constant lies outside its section");
  for (const KernelModule& m : plan.modules)
    if (!lies_within(m.offset, m.bytes, file.code)) return damaged("code lies outside its section");
  return {};
}

/// Bytes of a weight; nothing for extents that no tensor has.
std::optional<uint64_t> size_of(const RefitRecord::Weight& weight) {
  uint64_t bytes = size_of(weight.dtype);
  for (int64_t extent : weight.shape)
    if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes)) return {};
  return bytes;
}

Result<> check_weights(const EngineFile& file) {
  for (const RefitRecord::Weight& weight : file.refit->weights) {
    const std::optional<uint64_t> bytes = size_of(weight);
    if (!bytes || (weight.stored && (!lies_within(weight.offset, *bytes, file.constants) ||
                                     weight.offset % constant_alignment != 0)))
      return damaged("weight '" + weight.name + "' lies outside its section");
  }
  return {};
}

}  // namespace

Tensor EngineFile::tensor(const RefitRecord::Weight& w) const {
  if (!w.stored) return Tensor(w.dtype, w.shape, nullptr);
  return Tensor(w.dtype, w.shape, std::shared_ptr<const std::byte>(bytes, constants.data() + w.offset));
}

Result<EngineFile> read_engine(std::shared_ptr<const std::byte> bytes, size_t size) {
  const Bytes all(bytes.get(), size);
  const Header header = TRY(read_header(all));
  const std::vector<Section> table = TRY(read_table(all, header));
  TRY(check_sections(all, table));
  Sections sections(all, table);
  EngineFile file{.bytes = bytes, .size = size};
  file.identity = TRY(decode_identity(as_text(TRY(sections.take(engine_layout::identity, true)))));
  const std::string_view plans = as_text(TRY(sections.take(engine_layout::plans, true)));
  file.code = TRY(sections.take(engine_layout::code, true));
  file.constants = TRY(sections.take(engine_layout::constants, true));
  file.debug = as_text(TRY(sections.take(engine_layout::debug, false)));
  const Bytes refit = TRY(sections.take(engine_layout::refit, false));
  TRY(sections.expect_all_known());
  if (!refit.empty()) {
    file.refit = TRY(decode_refit_record(as_text(refit)));
    TRY(check_weights(file));
  }
  file.plans = TRY(decode_plans(plans));
  for (const Plan& plan : file.plans)
    TRY(check_plan(file, plan).during("reading the plan for '" + plan.target + "'"));
  return file;
}

Result<EngineFile> open_engine(const std::string& path) {
  const MappedFile mapped = TRY(map_file(path));
  return read_engine(mapped.bytes, mapped.size).during("opening '" + path + "'");
}

}  // namespace burnish
