#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "plan/plan.h"
#include "plan/wire.h"

namespace burnish {

/// What to put into an engine file.
struct EngineContents {
  /// The plan for one target. Offsets in plan.constants and plan.modules are the writer's to fill.
  struct Target {
    Plan plan;
    std::vector<Tensor> constants;             // by Plan::constants
    std::vector<std::vector<std::byte>> code;  // by Plan::modules
  };
  EngineIdentity identity;
  std::vector<Target> targets;
  std::string debug;                 // the IR as text, for people; readers skip it
  std::optional<RefitRecord> refit;  // one that says `stripped`: the constants are left out
  std::vector<Tensor> weights;       // by RefitRecord::weights; those without bytes are left out
};

/// The file as bytes; a function of `contents` alone. Constants and code that are equal byte for byte are stored once.
Result<std::vector<std::byte>> engine_bytes(const EngineContents& contents);

/// Writes the file, complete or not at all: a file beside it is renamed at the end. The disk is not waited for. `cancelled` is asked now and then.
/// Errors: io_error (no such folder, disk full), cancelled.
Result<> write_engine(const std::string& path, const EngineContents& contents,
                      const std::function<bool()>& cancelled = {});

/// An engine file that has been read and verified. Spans lie in `bytes`.
struct EngineFile {
  EngineIdentity identity;
  std::vector<Plan> plans;
  std::span<const std::byte> constants;  // Plan::constants lie here
  std::span<const std::byte> code;       // Plan::modules lie here
  /// Without its constants, which a refit makes.
  bool is_stripped() const { return refit && refit->stripped; }
  std::string_view debug;
  std::optional<RefitRecord> refit;
  std::shared_ptr<const std::byte> bytes;
  size_t size = 0;

  std::span<const std::byte> constant(const ConstantData& c) const {
    return constants.subspan(c.offset, c.bytes);
  }
  /// The values of a weight; no bytes for one that is not stored.
  Tensor tensor(const RefitRecord::Weight& w) const;
  std::span<const std::byte> module(const KernelModule& m) const { return code.subspan(m.offset, m.bytes); }
};

/// Checks header, bounds, checksums and plans. Every other file than a whole one is an error incompatible_engine.
Result<EngineFile> read_engine(std::shared_ptr<const std::byte> bytes, size_t size);
/// The same for a file, which is mapped, not read. Also io_error.
Result<EngineFile> open_engine(const std::string& path);

}  // namespace burnish
