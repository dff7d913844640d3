#pragma once

#include <filesystem>
#include <string>

namespace burnish::cli {

/// From here on Ctrl-C (and SIGTERM) removes what is registered below and ends the process with 128 + signal.
/// To be called before any thread starts: the signals are blocked everywhere but in a thread that waits for them.
void watch_interrupts();

/// The signal that came while a Cancellable was alive; 0: none.
int interrupted();

/// While one is alive the first signal only sets interrupted(), and the work ends itself; a second one ends the process.
class Cancellable {
 public:
  Cancellable();
  ~Cancellable();
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;
};

/// A new folder that goes, with what is in it, at the end of its scope or of the process.
class TemporaryFolder {
 public:
  /// In `parent`, or where temporary files lie usually. Throws Failure where none can be made.
  explicit TemporaryFolder(const std::filesystem::path& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The place to write what shall be at `target`: a file beside it until commit(), gone if that never comes. A target
/// that exists and is no regular file (a device) is written in place.
class PartialFile {
 public:
  explicit PartialFile(const std::string& target);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  const std::string& path() const { return path_; }
  /// Moves the file to its target. Throws Failure.
  void commit();

 private:
  std::string target_, path_;
};

}  // namespace burnish::cli
