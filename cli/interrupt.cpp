#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

#include "cli/failure.h"
#include "cli/progress.h"

namespace burnish::cli {

namespace {

std::mutex mutex;
std::set<std::filesystem::path>& leftovers() {
  // Never destroyed: the signal thread may need it while the process ends.
  static auto* paths = new std::set<std::filesystem::path>;
  return *paths;
}
std::atomic<int> received = 0;
std::atomic<int> cancellable = 0;

void add_leftover(const std::filesystem::path& path) {
  std::lock_guard lock(mutex);
  leftovers().insert(path);
}

void remove_leftover(const std::filesystem::path& path) {
  std::lock_guard lock(mutex);
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
  leftovers().erase(path);
}

[[noreturn]] void leave(int signal) {
  std::lock_guard lock(mutex);
  std::error_code ignored;
  for (const std::filesystem::path& path : leftovers()) std::filesystem::remove_all(path, ignored);
  Progress::clear_line();
  (void)!write(STDERR_FILENO, "interrupted\n", 12);
  _exit(128 + signal);
}

}  // namespace

void watch_interrupts() {
  static sigset_t watched;
  sigemptyset(&watched);
  for (int signal : {SIGINT, SIGTERM}) {
    struct sigaction before;
    sigaction(signal, nullptr, &before);
    // A caller that had them ignored (nohup, a job in the background) keeps that.
    if (before.sa_handler != SIG_IGN) sigaddset(&watched, signal);
  }
  pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  std::thread([] {
    for (int signal = 0; sigwait(&watched, &signal) == 0;)
      if (received.exchange(signal) || !cancellable) leave(signal);
  }).detach();
}

int interrupted() { return received; }

Cancellable::Cancellable() { ++cancellable; }
Cancellable::~Cancellable() { --cancellable; }

TemporaryFolder::TemporaryFolder(const std::filesystem::path& parent) {
  std::error_code error;
  const std::filesystem::path folder = parent.empty() ? std::filesystem::temp_directory_path(error) : parent;
  std::string name = (folder / "burnish-XXXXXX").string();
  if (!mkdtemp(name.data()))
    fail("cannot make a temporary folder '" + name + "': " + system_error(),
         "name one that can be written to: TMPDIR=folder burnish …");
  path_ = name;
  add_leftover(path_);
}

TemporaryFolder::~TemporaryFolder() { remove_leftover(path_); }

PartialFile::PartialFile(const std::string& target) : target_(target), path_(target) {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored) && !std::filesystem::is_regular_file(target, ignored)) return;
  path_ = target + ".partial-" + std::to_string(getpid());
  add_leftover(path_);
}

PartialFile::~PartialFile() {
  if (path_ != target_) remove_leftover(path_);
}

void PartialFile::commit() {
  if (path_ == target_) return;
  std::lock_guard lock(mutex);
  if (rename(path_.c_str(), target_.c_str()) != 0)
    fail("cannot write '" + target_ + "': " + system_error(),
         "check its permissions, or choose another file");
  leftovers().erase(path_);
  path_ = target_;
}

}  // namespace burnish::cli
