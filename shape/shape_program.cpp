#include "shape/shape_program.h"

#include <algorithm>
#include <numeric>

namespace burnish {

namespace {

using Op = ShapeProgram::Op;

DimOp dim_op(Op op) {
  switch (op) {
    case Op::floor_div: return DimOp::floor_div;
    case Op::min: return DimOp::min;
    case Op::max: return DimOp::max;
    case Op::equal: return DimOp::equal;
    case Op::less: return DimOp::less;
    default: return DimOp::select;
  }
}

int operand_count(Op op) { return op == Op::constant || op == Op::symbol ? 0 : op == Op::select ? 3 : 2; }

}  // namespace

void ShapeProgram::evaluate(uint32_t stage, std::span<int64_t> slots) const {
  for (uint32_t i = stage == 0 ? 0 : stage_ends[stage - 1]; i < stage_ends[stage]; ++i) {
    const Instruction& in = code[i];
    auto at = [&](int64_t slot) { return slots[static_cast<size_t>(slot)]; };
    switch (in.op) {
      case Op::constant: slots[i] = in.a; break;
      case Op::symbol: break;
      case Op::add: slots[i] = at(in.a) + at(in.b); break;
      case Op::mul: slots[i] = at(in.a) * at(in.b); break;
      default:
        slots[i] = DimTable::apply(dim_op(in.op), at(in.a), at(in.b), in.op == Op::select ? at(in.c) : 0);
    }
  }
}

std::vector<bool> ShapeProgram::known_from(std::vector<bool> given) const {
  given.resize(code.size());
  for (size_t i = 0; i < code.size(); ++i) {
    const Instruction& in = code[i];
    if (i >= stage_ends[0]) given[i] = false;
    else if (in.op != Op::symbol) {
      const int64_t operands[] = {in.a, in.b, in.c};
      given[i] = true;
      for (int k = 0; k < operand_count(in.op); ++k)
        given[i] = given[i] && given[static_cast<size_t>(operands[k])];
    }
  }
  return given;
}

Result<> ShapeProgram::verify() const {
  if (stage_ends.empty() || stage_ends.back() != code.size() ||
      !std::is_sorted(stage_ends.begin(), stage_ends.end()))
    return Error(Code::incompatible_engine, "shape program: stages do not cover the code");
  for (size_t i = 0; i < code.size(); ++i) {
    const Instruction& in = code[i];
    if (in.op > Op::select) return Error(Code::incompatible_engine, "shape program: unknown instruction");
    const int64_t operands[] = {in.a, in.b, in.c};
    for (int k = 0; k < operand_count(in.op); ++k)
      if (operands[k] < 0 || operands[k] >= static_cast<int64_t>(i))
        return Error(Code::incompatible_engine,
                     "shape program: slot " + std::to_string(i) + " reads a later slot");
  }
  return {};
}

uint32_t ShapeProgramBuilder::emit(ShapeProgram::Instruction in, uint32_t stage) {
  auto [it, fresh] = index_.try_emplace({static_cast<int64_t>(in.op), in.a, in.b, in.c},
                                        static_cast<uint32_t>(items_.size()));
  if (fresh) items_.push_back({in, stage});
  return it->second;
}

uint32_t ShapeProgramBuilder::stage(Dim d) const {
  uint32_t latest = 0;
  for (Dim s : dims_.symbols(d)) latest = std::max(latest, stage_of_symbol_.at(s));
  return latest;
}

uint32_t ShapeProgramBuilder::want(Dim d) {
  if (auto it = item_of_dim_.find(d); it != item_of_dim_.end()) return it->second;
  auto binary = [&](Op op, uint32_t a, uint32_t b) {
    return emit({op, a, b, 0}, std::max(items_[a].stage, items_[b].stage));
  };
  uint32_t item = 0;
  switch (dims_.op(d)) {
    case DimOp::constant: item = emit({Op::constant, *dims_.value(d), 0, 0}, 0); break;
    case DimOp::symbol:
      item = emit({Op::symbol, static_cast<int64_t>(d.id), 0, 0}, stage_of_symbol_.at(d));
      break;
    case DimOp::sum: {
      bool first_term = true;
      for (const DimTable::Term& term : dims_.terms(d)) {
        uint32_t product = 0;
        bool started = false;
        if (term.coefficient != 1 || term.atoms.empty()) {
          product = emit({Op::constant, term.coefficient, 0, 0}, 0);
          started = true;
        }
        for (uint32_t atom : term.atoms) {
          const uint32_t factor = want(Dim{atom});
          product = started ? binary(Op::mul, product, factor) : factor;
          started = true;
        }
        item = first_term ? product : binary(Op::add, item, product);
        first_term = false;
      }
      break;
    }
    default: {
      static constexpr std::pair<DimOp, Op> ops[] = {
          {DimOp::floor_div, Op::floor_div}, {DimOp::min, Op::min},   {DimOp::max, Op::max},
          {DimOp::equal, Op::equal},         {DimOp::less, Op::less}, {DimOp::select, Op::select}};
      uint32_t v[3] = {0, 0, 0}, latest = 0;
      const std::vector<Dim> operands(dims_.operands(d).begin(), dims_.operands(d).end());
      for (size_t i = 0; i < operands.size(); ++i) {
        v[i] = want(operands[i]);
        latest = std::max(latest, items_[v[i]].stage);
      }
      for (auto [from, to] : ops)
        if (from == dims_.op(d)) item = emit({to, v[0], v[1], v[2]}, latest);
    }
  }
  item_of_dim_[d] = item;
  return item;
}

std::pair<ShapeProgram, std::vector<Slot>> ShapeProgramBuilder::finish() const {
  std::vector<uint32_t> order(items_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return items_[a].stage < items_[b].stage; });
  std::vector<Slot> slot_of(items_.size());
  for (Slot slot = 0; slot < order.size(); ++slot) slot_of[order[slot]] = slot;
  ShapeProgram program;
  uint32_t stages = 1;
  for (const auto& [symbol, stage] : stage_of_symbol_) stages = std::max(stages, stage + 1);
  program.stage_ends.assign(stages, 0);
  for (uint32_t item : order) {
    ShapeProgram::Instruction in = items_[item].instruction;
    if (const int count = operand_count(in.op); count > 0) {
      in.a = slot_of[static_cast<size_t>(in.a)];
      in.b = slot_of[static_cast<size_t>(in.b)];
      in.c = count == 3 ? slot_of[static_cast<size_t>(in.c)] : 0;
    }
    program.code.push_back(in);
    for (uint32_t s = items_[item].stage; s < stages; ++s)
      program.stage_ends[s] = static_cast<uint32_t>(program.code.size());
  }
  return {std::move(program), std::move(slot_of)};
}

}  // namespace burnish
