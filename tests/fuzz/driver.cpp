// Runs a fuzz target without libFuzzer: every corpus file as it is, then seeded mutations of them for a while.
//
//   reader_fuzz [--seconds N] [--runs N] [--seed N] FILE-OR-FOLDER...
//
// The same seed and number of runs give the same inputs. An input that crashes, or takes longer than ten seconds, is left
// in crash.bin in the current folder; running the target on that file alone repeats it.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
/// There when an address sanitiser is linked in: it ends the process by itself on a finding.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::vector<uint8_t>;
constexpr unsigned longest_run_seconds = 10;
constexpr size_t longest_input = 1 << 16;

/// What a signal handler saves.
const Input* current = nullptr;

void save_current() {
  if (current == nullptr) return;
  const int file = open("crash.bin", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const char text[] = "\nThis input failed; it is kept in crash.bin\n";
  const bool saved =
      file >= 0 && write(file, current->data(), current->size()) == static_cast<ssize_t>(current->size());
  if (saved && write(STDERR_FILENO, text, sizeof(text) - 1) < 0) _exit(3);
}

void on_signal(int number) {
  save_current();
  _exit(number == SIGALRM ? 2 : 1);
}

void run(const Input& input) {
  current = &input;
  alarm(longest_run_seconds);
  // A block of exactly this size, so that a sanitiser sees a read past the end.
  const auto exact = std::make_unique<uint8_t[]>(input.size());
  std::copy(input.begin(), input.end(), exact.get());
  LLVMFuzzerTestOneInput(exact.get(), input.size());
  alarm(0);
  current = nullptr;
}

class Mutator {
 public:
  Mutator(const std::vector<Input>& corpus, uint64_t seed) : corpus_(corpus), random_(seed) {}

  Input next() {
    Input input = corpus_[below(corpus_.size())];
    for (size_t left = 1 + below(4); left > 0; --left) mutate(input);
    if (input.size() > longest_input) input.resize(longest_input);
    return input;
  }

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void mutate(Input& input) {
    const size_t at = below(input.size());
    const size_t length = std::min(input.size() - at, 1 + below(16));
    const auto begin = input.begin() + static_cast<ptrdiff_t>(at);
    const auto end = begin + static_cast<ptrdiff_t>(length);
    switch (below(7)) {
      case 0:
        if (!input.empty()) input[at] ^= static_cast<uint8_t>(1u << below(8));
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<uint8_t>(random_());
        break;
      case 2:  // the bytes at which lengths and numbers turn over
        if (!input.empty()) input[at] = std::array<uint8_t, 6>{0, 1, 0x7f, 0x80, 0xfe, 0xff}[below(6)];
        break;
      case 3: input.resize(at); break;
      case 4: input.erase(begin, end); break;
      case 5: {
        const Input piece(begin, end);
        input.insert(input.begin() + static_cast<ptrdiff_t>(below(input.size() + 1)), piece.begin(),
                     piece.end());
        break;
      }
      case 6: {  // a stretch of another input
        const Input& other = corpus_[below(corpus_.size())];
        const size_t from = below(other.size());
        const size_t count = std::min(other.size() - from, 1 + below(64));
        const auto piece = other.begin() + static_cast<ptrdiff_t>(from);
        input.insert(begin, piece, piece + static_cast<ptrdiff_t>(count));
        break;
      }
    }
  }

  const std::vector<Input>& corpus_;
  std::mt19937_64 random_;
};

struct Options {
  uint64_t seconds = 0;
  uint64_t runs = 0;
  uint64_t seed = 1;
  std::vector<Input> corpus;
};

int usage(const std::string& cause) {
  std::fprintf(stderr, "%s\nusage: [--seconds N] [--runs N] [--seed N] FILE-OR-FOLDER...\n", cause.c_str());
  return 1;
}

bool load(const std::filesystem::path& path, std::vector<Input>& corpus) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path))
    for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
  else files.push_back(path);
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return false;
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return !files.empty();
}

/// Empty when all is well, else what is wrong.
std::string parse(int count, char** arguments, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    uint64_t* number = argument == "--seconds" ? &options.seconds
                       : argument == "--runs"  ? &options.runs
                       : argument == "--seed"  ? &options.seed
                                               : nullptr;
    if (number == nullptr) {
      if (!load(argument, options.corpus)) return "cannot read " + argument;
      continue;
    }
    const std::string text = ++i < count ? arguments[i] : "";
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (error != std::errc() || end != text.data() + text.size()) return argument + " needs a number";
  }
  return options.corpus.empty() ? "no corpus given" : "";
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  const std::string wrong = parse(count, arguments, options);
  if (!wrong.empty()) return usage(wrong);
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save_current);
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) std::signal(signal, on_signal);

  for (const Input& input : options.corpus) run(input);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  const auto more = [&](uint64_t done) {
    return done < options.runs || std::chrono::steady_clock::now() < end;
  };
  Mutator mutator(options.corpus, options.seed);
  uint64_t done = 0;
  for (; more(done); ++done) run(mutator.next());
  std::printf("%zu corpus inputs and %llu mutations of them ran\n", options.corpus.size(),
              static_cast<unsigned long long>(done));
  return 0;
}
