#pragma once

#include <array>
#include <cstdint>

// How an engine file begins; see format.md. Numbers are little-endian.

namespace burnish::engine_layout {

constexpr std::array<char, 4> magic = {'B', 'R', 'N', '1'};
constexpr std::array<char, 4> tensorrt_magic = {'f', 't', 'r', 't'};
constexpr uint16_t major_version = 1;
constexpr uint16_t minor_version = 7;

using Tag = std::array<char, 4>;
constexpr Tag identity = {'I', 'D', 'E', 'N'};
constexpr Tag plans = {'P', 'L', 'A', 'N'};
constexpr Tag code = {'C', 'O', 'D', 'E'};
constexpr Tag constants = {'C', 'N', 'S', 'T'};
constexpr Tag debug = {'D', 'B', 'U', 'G'};
constexpr Tag refit = {'R', 'F', 'I', 'T'};

struct Header {
  std::array<char, 4> magic;
  uint16_t major, minor;
  uint32_t sections;
  uint32_t reserved;
  uint64_t file_size;
  uint64_t checksum;  // of header and section table, this field being zero
};
static_assert(sizeof(Header) == 32);

/// A reader that does not know a section with this flag must not read the file.
constexpr uint32_t required = 1;

struct Section {
  Tag tag;
  uint32_t flags;
  uint64_t offset, size;
  uint64_t checksum;
};
static_assert(sizeof(Section) == 32);

constexpr uint32_t most_sections = 64;
constexpr uint64_t section_alignment = 64;
constexpr uint64_t constants_alignment = 4096;  // a page, so that weights can be mapped
constexpr uint64_t constant_alignment = 256;
constexpr uint64_t code_alignment = 64;

constexpr uint64_t align(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

}  // namespace burnish::engine_layout
