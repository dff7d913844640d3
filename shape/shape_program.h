#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "shape/dim.h"

namespace burnish {

/// Index of one number that a plan needs at run time: an extent, a stride, an offset, a grid size.
using Slot = uint32_t;

/// Everything that depends on shapes, as straight-line integer code: one instruction, one slot. Instructions are ordered by
/// stage: stage 0 needs the extents of the inputs, stage s also what the s-th data-dependent step has found.
struct ShapeProgram {
  enum class Op : uint8_t { constant, symbol, add, mul, floor_div, min, max, equal, less, select };
  struct Instruction {
    Op op = Op::constant;
    int64_t a = 0, b = 0, c = 0;  // constant: a is the value; symbol: written from outside; else slots
    bool operator==(const Instruction&) const = default;
  };
  std::vector<Instruction> code;
  std::vector<uint32_t>
      stage_ends;  // instructions [0, stage_ends[s]) are known once stage s has been evaluated

  /// Computes the slots of one stage; the symbols it uses have been written.
  void evaluate(uint32_t stage, std::span<int64_t> slots) const;
  /// Which slots of stage 0 follow from the symbols `given`, by slot.
  std::vector<bool> known_from(std::vector<bool> given) const;
  /// Error unless every instruction reads earlier slots only.
  Result<> verify() const;
  bool operator==(const ShapeProgram&) const = default;
};

/// Collects the Dims that a plan needs and turns them into a ShapeProgram.
class ShapeProgramBuilder {
 public:
  explicit ShapeProgramBuilder(const DimTable& dims) : dims_(dims) {}
  /// Says that `symbol` becomes known at `stage`. Symbols not declared are unknown: asking for them is a bug.
  void declare(Dim symbol, uint32_t stage) { stage_of_symbol_[symbol] = stage; }
  bool declared(Dim symbol) const { return stage_of_symbol_.contains(symbol); }
  /// A provisional number for d; `finish` maps it to its slot.
  uint32_t want(Dim d);
  /// The stage at which d is known.
  uint32_t stage(Dim d) const;
  /// The program, and for each provisional number its slot.
  std::pair<ShapeProgram, std::vector<Slot>> finish() const;

 private:
  uint32_t emit(ShapeProgram::Instruction instruction, uint32_t stage);
  struct Item {
    ShapeProgram::Instruction instruction;
    uint32_t stage;
  };
  const DimTable& dims_;
  std::map<Dim, uint32_t> stage_of_symbol_;
  std::vector<Item> items_;
  std::map<Dim, uint32_t> item_of_dim_;
  std::map<std::vector<int64_t>, uint32_t> index_;
};

}  // namespace burnish
