#pragma once

#include <gtest/gtest.h>

#include <map>

#include "base/parallel.h"
#include "providers/nvrtc/backend.h"
#include "providers/nvrtc/compiler_pool.h"

namespace burnish::nvrtc::testing {

/// What compiles for a target, several kernels at a time.
inline NvrtcBackend backend_for(std::string_view target) {
  Result<Compiler> compiler = Compiler::open();
  EXPECT_TRUE(compiler) << compiler.error().cause();
  return NvrtcBackend(CompilerPool(*std::move(compiler), BURNISH_WORKER), *architecture_named(target));
}

inline void expect_compiles(const NvrtcBackend& backend, const std::vector<std::string>& sources) {
  std::vector<std::string> errors(sources.size());
  ThreadPool pool(0);
  pool.parallel_for(static_cast<int64_t>(sources.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto k = static_cast<size_t>(i);
      if (auto cubin = backend.compile(sources[k]); !cubin)
        errors[k] = cubin.error().cause() + "\n" + sources[k];
    }
  });
  for (const std::string& error : errors) EXPECT_EQ(error, "");
}

/// A name of each kind of contraction: "wgmma t2 ab" has that of "wgmma 128x96x64 4x1 s7 t2 ab".
inline std::map<std::string, std::string> kinds_of(std::span<const Tactic> tactics) {
  std::map<std::string, std::string> kinds;
  for (const auto& [name, cost] : tactics) {
    const size_t stages = name.find(" s"), more = name.find(' ', stages + 1);
    std::string kind = name.substr(0, name.find(' '));
    if (stages != name.npos && more != name.npos) kind += name.substr(more);
    kinds.try_emplace(std::move(kind), name);
  }
  return kinds;
}

}  // namespace burnish::nvrtc::testing
