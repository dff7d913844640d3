#include "compiler/kernel_compiler.h"

#include <atomic>
#include <optional>
#include <set>

namespace burnish {

Result<> KernelCompiler::compile(std::span<const std::string> sources, const std::string& stage,
                                 const std::function<bool()>& late) {
  std::set<std::string_view> seen;
  std::vector<const std::string*> fresh;
  for (const std::string& source : sources)
    if (!kernels_.contains(source) && seen.insert(source).second) fresh.push_back(&source);
  std::vector<std::optional<Result<std::vector<std::byte>>>> made(fresh.size());
  std::atomic<int> done = 0;
  std::atomic<bool> stop = false;
  std::optional<Error> ended;  // set by the one that sets `stop`
  const int total = static_cast<int>(fresh.size());
  pool_.parallel_for(total, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && !stop && !(late && late()); ++i) {
      made[static_cast<size_t>(i)] = backend_.compile(*fresh[static_cast<size_t>(i)]);
      if (Result<> told = report_(stage, ++done, total); !told && !stop.exchange(true))
        ended = std::move(told).error();
    }
  });
  if (ended) return *std::move(ended);
  for (size_t i = 0; i < fresh.size(); ++i)
    if (made[i]) kernels_.emplace(*fresh[i], *std::move(made[i]));
  return {};
}

Result<std::vector<std::vector<std::byte>>> KernelCompiler::binaries(std::span<const std::string> sources) {
  TRY(compile(sources, "compiling kernels for " + std::string(backend_.target())));
  std::vector<std::vector<std::byte>> list;
  for (const std::string& source : sources) {
    const Result<std::vector<std::byte>>& binary = kernels_.at(source);
    if (!binary) return binary.error();
    list.push_back(*binary);
  }
  return list;
}

}  // namespace burnish
