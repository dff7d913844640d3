#pragma once

#include <optional>
#include <vector>

#include "runtime/executor.h"

namespace burnish {

/// One execution of a host step: hands the operands to the provider, and memory for outputs whose extents the call finds.
class HostCallRun {
 public:
  HostCallRun(Executor& executor, const Step& step, const HostCall& call)
      : executor_(executor), step_(step), call_(call), known_(call.late.size()) {}
  Result<> run();

 private:
  /// An output that was asked for before all extents of the call were known; it moves to its place at the end.
  struct Early {
    uint32_t output;
    Shape shape;
    HostBlock block;
  };
  bool is_late(const Operand& output) const;
  HostTensor tensor(const Operand& x, bool output);
  Result<void*> allocate(uint32_t output, Shape shape);
  Result<> check_shape(uint32_t output, const Shape& shape) const;
  Result<> settle();
  Error wrong(const std::string& what) const;

  Executor& executor_;
  const Step& step_;
  const HostCall& call_;
  std::vector<Shape> shapes_;
  std::vector<bool> known_;  // by HostCall::late
  bool evaluated_ = false;
  std::vector<Early> early_;
  HostFailure failure_;
  std::optional<Error> error_;
};

}  // namespace burnish
