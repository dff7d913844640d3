#include "compiler/kernel_compiler.h"

#include <algorithm>
#include <optional>
#include <set>

namespace burnish {

std::string KernelCompiler::stage() const {
  return "compiling kernels for " + std::string(backend_.target());
}

void KernelCompiler::begin(std::span<const std::string> sources) {
  if (begun_.valid()) return;
  begun_ = std::async(pool_.size() > 1 ? std::launch::async : std::launch::deferred,
                      [this, list = std::vector<std::string>(sources.begin(), sources.end())] {
                        ThreadPool pool(std::clamp(static_cast<int>(list.size()), 1, pool_.size()));
                        return compile_on(pool, list, stage(), {});
                      });
}

Result<> KernelCompiler::compile(std::span<const std::string> sources, const std::string& stage,
                                 const std::function<bool()>& late) {
  if (begun_.valid()) TRY(begun_.get());
  return compile_on(pool_, sources, stage, late);
}

Result<> KernelCompiler::compile_on(ThreadPool& pool, std::span<const std::string> sources,
                                    const std::string& stage, const std::function<bool()>& late) {
  std::set<std::string_view> seen;
  std::vector<const std::string*> fresh;
  for (const std::string& source : sources)
    if (!kernels_.contains(source) && seen.insert(source).second) fresh.push_back(&source);
  std::vector<std::optional<Result<std::vector<std::byte>>>> made(fresh.size());
  std::atomic<int> done = 0;
  std::atomic<bool> stop = false;
  std::optional<Error> ended;  // set by the one that sets `stop`
  const int total = static_cast<int>(fresh.size());
  if (total > 0) TRY(report_(stage, 0, total));
  pool.parallel_for(total, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && !stop && !abandoned_ && !(late && late()); ++i) {
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
  TRY(compile(sources, stage()));
  std::vector<std::vector<std::byte>> list;
  for (const std::string& source : sources) {
    const Result<std::vector<std::byte>>& binary = kernels_.at(source);
    if (!binary) return binary.error();
    list.push_back(*binary);
  }
  return list;
}

}  // namespace burnish
