#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"
#include "runtime/host_abi.h"

namespace burnish {

/// libburnish_host.so, opened. It stays open for the life of the process: its threads may outlive our interest in it.
/// Errors: unsupported when it is not there or is of another version.
Result<const HostProviderTable*> open_host_provider();

/// Collects what a provider reports through `HostCallbacks::fail`.
struct HostFailure {
  Code code = Code::internal;
  std::string cause = "the host provider failed without a reason", remedy;
  static void report(void* user, int32_t code, const char* cause, const char* remedy);
  Error error() && { return Error(code, std::move(cause)).remedy(std::move(remedy)); }
};

/// The host steps of a plan, parsed; shared by all contexts of an engine.
class HostCalls {
 public:
  static Result<std::shared_ptr<const HostCalls>> prepare(const Plan& plan,
                                                          const HostProviderTable* provider);
  ~HostCalls();
  HostCalls(const HostCalls&) = delete;
  HostCalls& operator=(const HostCalls&) = delete;
  const HostProviderTable& provider() const { return *provider_; }
  const void* at(const HostCall& call) const { return calls_.at(&call); }

 private:
  explicit HostCalls(const HostProviderTable* provider) : provider_(provider) {}
  const HostProviderTable* provider_;
  std::unordered_map<const HostCall*, void*> calls_;
};

/// The provider's threads, of one context.
class HostPool {
 public:
  static Result<HostPool> make(const HostProviderTable& provider, int threads);
  void* get() const { return pool_.get(); }

 private:
  std::unique_ptr<void, void (*)(void*)> pool_{nullptr, nullptr};
};

/// The plan holds a step that needs the host provider.
bool needs_host_provider(const Plan& plan);

}  // namespace burnish
