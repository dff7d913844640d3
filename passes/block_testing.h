#pragma once

#include <gtest/gtest.h>

#include <istream>
#include <string>
#include <vector>

#include "ir/text.h"

/// Tests as text, in blocks:
///
///   in: what the block shows          (or `in fp16:`, for a build with --fp16; `in fp16 but NAME:`, with that node in FP32;
///                                      `in refittable:`, for one whose weights may be replaced)
///   graph …
///   out:                              (or `out: same`, if the graph is left alone)
///   graph …
namespace burnish::testing_blocks {

struct Block {
  int line = 0;
  std::string what;
  bool fp16 = false, refittable = false, same = false;
  std::string fp32;  // the node that is
  std::string in, out;
};

inline std::vector<Block> blocks_of(std::istream& file) {
  std::vector<Block> blocks;
  std::string* text = nullptr;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    constexpr std::string_view but = "in fp16 but ";
    if (line.starts_with("in:") || line.starts_with("in fp16:") || line.starts_with("in refittable:") ||
        line.starts_with(but)) {
      blocks.push_back({.line = number,
                        .what = line,
                        .fp16 = line.starts_with("in fp16"),
                        .refittable = line.starts_with("in refittable")});
      if (line.starts_with(but)) blocks.back().fp32 = line.substr(but.size(), line.find(':') - but.size());
      text = &blocks.back().in;
    } else if (line.starts_with("out:")) {
      EXPECT_TRUE(line == "out:" || line == "out: same") << "line " << number << ": " << line;
      EXPECT_FALSE(blocks.empty()) << "line " << number << ": out without in";
      if (blocks.empty()) break;
      blocks.back().same = line == "out: same";
      text = &blocks.back().out;
    } else if (text) {
      *text += line + "\n";
    }
  }
  return blocks;
}

inline Graph parsed(const std::string& text) {
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause()) << "\n" << text;
  return graph ? *std::move(graph) : Graph();
}

inline std::string trouble(const Result<>& result) { return result ? "" : result.error().cause(); }

}  // namespace burnish::testing_blocks
