#include "cli/shapes.h"

#include <charconv>
#include <string_view>

#include "cli/failure.h"

namespace burnish::cli {

static std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = text.find(at)) != text.npos; text.remove_prefix(end + 1))
    parts.push_back(text.substr(0, end));
  parts.push_back(text);
  return parts;
}

static int64_t parse_extent(std::string_view text, std::string_view whole) {
  if (text == "?" || text == "-1") return -1;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0)
    fail("--shapes: '" + std::string(text) + "' in '" + std::string(whole) + "' is no extent",
         "write numbers with x between them, ? for a free axis: --shapes images:1x3x224x224");
  return value;
}

static void parse_one(std::string_view text, Shapes& shapes) {
  size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0)
    fail("--shapes: '" + std::string(text) + "' lacks " +
             (colon == 0 ? "a name before the ':'" : "a ':' after the input's name"),
         "write name:extents, say --shapes images:1x3x224x224; burnish inspect lists the inputs");
  std::vector<int64_t> shape;
  if (std::string_view extents = text.substr(colon + 1); !extents.empty())
    for (std::string_view extent : split(extents, 'x')) shape.push_back(parse_extent(extent, text));
  std::string name(text.substr(0, colon));
  if (shape.size() > BURNISH_MAX_RANK)
    fail("--shapes: '" + name + "' has " + std::to_string(shape.size()) + " axes", "a tensor has 16 at most");
  if (!shapes.emplace(name, std::move(shape)).second)
    fail("--shapes: '" + name + "' is given twice", "give each input one shape");
}

Shapes parse_shapes(const std::vector<std::string>& texts) {
  Shapes shapes;
  for (const std::string& text : texts)
    for (std::string_view one : split(text, ',')) parse_one(one, shapes);
  return shapes;
}

std::string shape_text(const int64_t* shape, int rank) {
  if (rank == 0) return "scalar";
  std::string text;
  for (int axis = 0; axis < rank; ++axis)
    text += (axis ? "x" : "") + (shape[axis] < 0 ? "?" : std::to_string(shape[axis]));
  return text;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return shape_text(shape.data(), static_cast<int>(shape.size()));
}

std::string shape_text(const burnish_port& port) {
  if (port.rank == 0) return "scalar";
  std::string text;
  for (int axis = 0; axis < port.rank; ++axis) text += (axis ? " x " : "") + std::string(port.axes[axis]);
  return text;
}

void FreeExtents::learn(const burnish_port& port, const std::vector<int64_t>& shape) {
  for (int axis = 0; axis < port.rank && axis < static_cast<int>(shape.size()); ++axis)
    if (port.shape[axis] < 0 && shape[axis] >= 0) known_.emplace(port.axes[axis], shape[axis]);
}

std::vector<int64_t> FreeExtents::decide(const burnish_port& port, const std::vector<int64_t>* asked) {
  std::vector<int64_t> shape(port.shape, port.shape + port.rank);
  for (int axis = 0; axis < port.rank; ++axis) {
    if (asked && (*asked)[axis] >= 0) shape[axis] = (*asked)[axis];
    if (shape[axis] >= 0) continue;
    shape[axis] = known_.emplace(port.axes[axis], axis == 0 ? batch_ : otherwise).first->second;
  }
  return shape;
}

}  // namespace burnish::cli
