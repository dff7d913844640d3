#include "runtime/host_provider.h"

#include <dlfcn.h>

#include <optional>

namespace burnish {

namespace {

constexpr const char* library = "libburnish_host.so";

/// The folder that this code was loaded from, with a slash; empty when unknown.
std::string own_folder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&open_host_provider), &info) == 0 || info.dli_fname == nullptr)
    return {};
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

void* open_library(std::string& why) {
  const std::string folder = own_folder();
  for (const std::string& path : {folder + library, folder + "../lib/" + library, std::string(library)}) {
    if (void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
    const char* reason = dlerror();
    if (why.empty()) why = reason ? reason : "no reason given";
  }
  return nullptr;
}

}  // namespace

Result<const HostProviderTable*> open_host_provider() {
  std::string why;
  void* handle = open_library(why);
  const std::string remedy =
      std::string("put ") + library + " of this version of Burnish beside libburnish_runtime.so";
  if (handle == nullptr)
    return Error(Code::unsupported,
                 "the engine has steps that run on the host, and the library for them does not open: " + why)
        .remedy(remedy);
  const auto entry = reinterpret_cast<HostProviderEntry>(dlsym(handle, "burnish_host_provider"));
  const HostProviderTable* table = entry ? entry(host_abi_version) : nullptr;
  if (table == nullptr)
    return Error(Code::unsupported, std::string(library) + " is not of this version of Burnish")
        .remedy(remedy);
  return table;
}

void HostFailure::report(void* user, int32_t code, const char* cause, const char* remedy) {
  auto& failure = *static_cast<HostFailure*>(user);
  failure.code =
      code > 0 && code <= static_cast<int32_t>(Code::internal) ? static_cast<Code>(code) : Code::internal;
  failure.cause = cause;
  failure.remedy = remedy;
}

Result<std::shared_ptr<const HostCalls>> HostCalls::prepare(const Plan& plan,
                                                            const HostProviderTable* provider) {
  std::shared_ptr<HostCalls> calls(new HostCalls(provider));
  std::optional<Error> error;
  for_each_step(plan.steps, [&](const Step& step) {
    const auto* call = std::get_if<HostCall>(&step.what);
    if (call == nullptr || error) return;
    HostFailure failure;
    const HostCallbacks callbacks{&failure, nullptr, HostFailure::report};
    void* prepared = provider->prepare(call->text.data(), call->text.size(), &callbacks);
    if (prepared) calls->calls_.emplace(call, prepared);
    else error = std::move(failure).error().during("preparing host step '" + step.name + "'");
  });
  if (error) return *std::move(error);
  return std::shared_ptr<const HostCalls>(std::move(calls));
}

HostCalls::~HostCalls() {
  for (const auto& [call, prepared] : calls_) provider_->release(prepared);
}

Result<HostPool> HostPool::make(const HostProviderTable& provider, int threads) {
  HostFailure failure;
  const HostCallbacks callbacks{&failure, nullptr, HostFailure::report};
  HostPool pool;
  pool.pool_ = {provider.make_pool(threads, &callbacks), provider.free_pool};
  if (!pool.pool_) return std::move(failure).error();
  return pool;
}

bool needs_host_provider(const Plan& plan) {
  bool needs = false;
  for_each_step(plan.steps,
                [&](const Step& step) { needs = needs || std::holds_alternative<HostCall>(step.what); });
  return needs;
}

}  // namespace burnish
