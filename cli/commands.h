#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

#include "cli/compiler.h"
#include "cli/engine.h"
#include "cli/inputs.h"

namespace burnish::cli {

/// What is to be done once the command line is read; its result is the exit status.
using Action = std::function<int()>;

// Each adds one command to `app`; when the command line names it, `action` becomes its work.
void add_build(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_refit(CLI::App& app, Action& action);
void add_merge_timings(CLI::App& app, Action& action);

// ---- options that several commands have, by the name of their group in the help

/// --target, --fp16, --tf32, --plugin, --plugin-override.
void add_build_options(CLI::App& command, BuildChoices& choices);
void add_shapes_option(CLI::App& command, std::vector<std::string>& texts, const std::string& help);
/// --inputs and --seed.
void add_input_options(CLI::App& command, InputChoices& choices);
void add_device_option(CLI::App& command, std::string& device, const std::string& fallback);
/// --plugin.
void add_plugin_option(CLI::App& command, std::vector<std::string>& files);
void add_verbose_option(CLI::App& command, bool& verbose);

/// A command with its help: what it does, examples below.
CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& does,
                      const std::string& examples);

}  // namespace burnish::cli
