#pragma once

#include <gtest/gtest.h>

#include <istream>
#include <string>
#include <vector>

#include "ir/text.h"

/// Tests as text, in blocks:
///
///   in: what the block shows
///   graph …
///   out:                              (or `out: same`, if the graph is left alone)
///   graph …
///
/// `in fp16:` and `in bf16:` are for a build in that precision, `in fp16 but NAME:` for one with that node in FP32, `in fp16 but NAME
/// result N f32:` with one of its results in FP32 (or f16), `in NAME apart:` for one where attention of that node stays spelled out,
/// `in refittable:` for one whose weights may be replaced.
namespace burnish::testing_blocks {

struct Block {
  int line = 0;
  std::string what;
  bool same = false;
  std::string options;  // what is between `in` and the colon
  std::string in, out;
};

inline std::vector<Block> blocks_of(std::istream& file) {
  std::vector<Block> blocks;
  std::string* text = nullptr;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.starts_with("in:") || line.starts_with("in ")) {
      blocks.push_back({.line = number, .what = line});
      if (line[2] == ' ') blocks.back().options = line.substr(3, line.find(':') - 3);
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
