#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/trtexec/trtexec.h"

namespace burnish::cli {

static const char* const examples =
    "Examples:\n"
    "  burnish build resnet50.onnx                  for the GPU that is there\n"
    "  burnish run resnet50.engine                  once, on random inputs\n"
    "  burnish bench resnet50.engine --batch 32     how fast it is\n\n"
    "More about one command: burnish build --help\n";

/// How many letters have to change to make one word the other.
static size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t corner = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j)
      corner = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, corner + (a[i] != b[j])}));
  }
  return row.back();
}

/// "did you mean X?" where a word is near, else `otherwise`.
static std::string suggestion(const std::string& word, const std::vector<std::string>& known,
                              const std::string& otherwise) {
  auto best = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return distance(word, a) < distance(word, b);
  });
  return best != known.end() && distance(word, *best) <= size_t(word.size() < 4 ? 1 : 2)
             ? "did you mean " + *best + "?"
             : otherwise;
}

[[noreturn]] static void fail_unknown(const CLI::App& command, const std::string& word) {
  std::string help = "burnish " + command.get_name() + " --help lists its options";
  if (!word.starts_with('-')) fail("burnish " + command.get_name() + " has no use for '" + word + "'", help);
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options())
    if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames().front());
  std::string name = word.substr(0, word.find('='));
  fail("burnish " + command.get_name() + " has no option '" + name + "'", suggestion(name, known, help));
}

/// CLI11's complaint about a value or a missing argument in this program's words.
[[noreturn]] static void fail_usage(const CLI::App& app, const CLI::ParseError& error) {
  auto chosen = app.get_subcommands();
  std::string command = chosen.empty() ? "burnish" : "burnish " + chosen.front()->get_name();
  if (!chosen.empty())
    for (const std::string& word : chosen.front()->remaining())
      if (word.starts_with('-')) fail_unknown(*chosen.front(), word);
  std::string what = error.what();
  // "--seed: 1 required N missing"
  if (what.ends_with(" missing") && what.find(": ") != what.npos)
    what = what.substr(0, what.find(": ")) + " needs a value";
  fail(command + ": " + what, command + " --help says what it takes");
}

[[noreturn]] static void fail_no_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(command->get_name());
  std::string what = word.starts_with('-') ? "option '" : "command '";
  fail("burnish has no " + what + word + "'", suggestion(word, known, "burnish --help lists the commands"));
}

static int run_command(int argc, char** argv) {
  CLI::App app("Burnish turns an ONNX model into an engine tuned for one GPU, and runs it.", "burnish");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(examples);
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", std::string("burnish ") + burnish_version(), "Show the version");
  app.require_subcommand(0, 1);
  app.allow_extras();
  Action action;
  add_build(app, action);
  add_run(app, action);
  add_bench(app, action);
  add_inspect(app, action);
  add_explain(app, action);
  add_report(app, action);
  add_compare(app, action);
  add_refit(app, action);
  add_merge_timings(app, action);
  app.add_subcommand(
      "trtexec", "Build and measure with trtexec's flags; also called as trtexec");  // dispatch() takes it
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    fail_usage(app, error);
  }
  if (!app.remaining().empty()) fail_no_command(app, app.remaining().front());
  for (const CLI::App* command : app.get_subcommands())
    if (!command->remaining().empty()) fail_unknown(*command, command->remaining().front());
  if (action) return action();
  fmt::print("{}", app.help());
  return 0;
}

/// The program under its other name, or that name as its command.
static int dispatch(int argc, char** argv) {
  const std::string called = argc > 0 ? argv[0] : "";
  if (called == "trtexec" || called.ends_with("/trtexec"))
    return trtexec::run(called, {argv + 1, argv + argc});
  if (argc > 1 && std::string_view(argv[1]) == "trtexec")
    return trtexec::run(called + " trtexec", {argv + 2, argv + argc});
  return run_command(argc, argv);
}

static int guarded(int argc, char** argv) {
  try {
    int status = dispatch(argc, argv);
    finish_stdout();
    return status;
  } catch (const Failure& failure) {
    fmt::print(stderr, "error: {}\n  try: {}\n", failure.cause, failure.remedy);
    return 1;
  } catch (const Interrupted& interrupted) {
    fmt::print(stderr, "interrupted\n");
    return 128 + interrupted.signal;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error: out of memory\n  try: smaller inputs, or a machine with more memory\n");
    return 1;
  } catch (const std::exception& unexpected) {
    fmt::print(stderr, "error: {}\n  try: this is a defect of Burnish: please report it with the command\n",
               unexpected.what());
    return 1;
  }
}

}  // namespace burnish::cli

int main(int argc, char** argv) {
  burnish::cli::watch_interrupts();
  return burnish::cli::guarded(argc, argv);
}
