#include <cstring>
#include <memory>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "plan/engine_file.h"
#include "plan/engine_layout.h"

namespace burnish {

/// Makes the checksums fit again after a mutation, so that what lies behind them is reached too.
static void seal(std::vector<std::byte>& bytes) {
  using namespace engine_layout;
  Header header;
  if (bytes.size() < sizeof(header)) return;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.magic = magic;
  header.major = major_version;
  header.file_size = bytes.size();
  header.checksum = 0;
  const uint64_t beginning = sizeof(Header) + uint64_t{header.sections} * sizeof(Section);
  if (header.sections > most_sections || beginning > bytes.size()) return;
  for (uint32_t i = 0; i < header.sections; ++i) {
    std::byte* at = bytes.data() + sizeof(Header) + i * sizeof(Section);
    Section section;
    std::memcpy(&section, at, sizeof(section));
    if (section.offset > bytes.size() || section.size > bytes.size() - section.offset) continue;
    section.checksum = XXH3_64bits(bytes.data() + section.offset, section.size);
    std::memcpy(at, &section, sizeof(section));
  }
  std::memcpy(bytes.data(), &header, sizeof(header));
  header.checksum = XXH3_64bits(bytes.data(), beginning);
  std::memcpy(bytes.data(), &header, sizeof(header));
}

static void read(const std::vector<std::byte>& bytes) {
  const std::shared_ptr<const std::byte> held(bytes.data(), [](const std::byte*) {});
  (void)read_engine(held, bytes.size());
}

}  // namespace burnish

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> bytes(begin, begin + size);
  burnish::read(bytes);
  burnish::seal(bytes);
  burnish::read(bytes);
  (void)burnish::decode_plans({reinterpret_cast<const char*>(data), size});
  (void)burnish::decode_refit_record({reinterpret_cast<const char*>(data), size});
  return 0;
}
