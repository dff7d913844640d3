#include "cli/compiler.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "api/burnish_compiler.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/plugins.h"
#include "cli/progress.h"

namespace burnish::cli {

/// A function of libburnish_compiler.so, which lies where the program's RPATH leads.
template <class Function>
static Function* compiler_function(const char* name) {
  static void* library = dlopen("libburnish_compiler.so", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    fail(std::string("the compiler library does not load: ") + dlerror(),
         "put libburnish_compiler.so beside libburnish_runtime.so; only run, bench and inspect of an engine "
         "do without it");
  void* function = dlsym(library, name);
  if (!function)
    fail(std::string("the compiler library lacks ") + name,
         "use a libburnish_compiler.so of the same version as this program");
  return reinterpret_cast<Function*>(function);
}

/// By burnish_timing_cache_mode.
constexpr std::array<std::string_view, 4> cache_modes = {"append", "read", "write", "strict"};

/// A burnish_progress whose user is a Progress.
static int show_progress(void* user, const char* stage, int done, int total) {
  if (user) static_cast<Progress*>(user)->stage(stage, done, total);
  return interrupted();
}

/// The C form of BuildChoices; valid as long as those are.
class BuildOptions {
 public:
  explicit BuildOptions(const BuildChoices& choices, Progress* progress = nullptr,
                        std::vector<std::string>* notes = nullptr)
      : profiles_(choices.profiles), plugins_(load_plugins(choices.plugins)) {
    targets_ = pointers_to(choices.targets);
    for (const auto& [name, shape] : choices.shapes)
      shapes_.push_back({name.c_str(), static_cast<int>(shape.size()), shape.data()});
    options_.struct_size = sizeof options_;
    options_.targets = targets_.data();
    options_.target_count = static_cast<int>(targets_.size());
    options_.fp16 = choices.fp16;
    options_.bf16 = choices.bf16;
    options_.tf32 = choices.tf32;
    options_.shapes = shapes_.data();
    options_.shape_count = static_cast<int>(shapes_.size());
    options_.progress_user = progress;
    options_.progress = show_progress;
    options_.optimization_level = choices.level;
    for (const NodePrecision& node : choices.node_precisions)
      node_precisions_.push_back({node.name.c_str(), node.dtype, node.result});
    options_.node_precisions = node_precisions_.data();
    options_.node_precision_count = static_cast<int>(node_precisions_.size());
    options_.max_tactics = choices.max_tactics;
    options_.averaged_timings = choices.averaged_timings;
    options_.shared_bytes = choices.shared_bytes;
    options_.max_branches = choices.max_branches;
    debug_tensors_ = pointers_to(choices.debug_tensors);
    options_.debug_tensors = debug_tensors_.data();
    options_.debug_tensor_count = static_cast<int>(debug_tensors_.size());
    options_.debug_unfused = choices.debug_unfused;
    decomposed_attention_ = pointers_to(choices.decomposed_attention);
    options_.decomposed_attention = decomposed_attention_.data();
    options_.decomposed_attention_count = static_cast<int>(decomposed_attention_.size());
    options_.time_budget = choices.time_budget;
    if (!choices.timing_cache.empty()) options_.timing_cache = choices.timing_cache.c_str();
    options_.libraries = choices.libraries.c_str();
    options_.timing_cache_mode = static_cast<burnish_timing_cache_mode>(
        std::ranges::find(cache_modes, choices.timing_cache_mode) - cache_modes.begin());
    for (const auto& [name, format] : choices.input_formats)
      input_formats_.push_back({name.c_str(), format.dtype, format.layout});
    for (const auto& [name, format] : choices.output_formats)
      output_formats_.push_back({name.c_str(), format.dtype, format.layout});
    options_.input_formats = input_formats_.data();
    options_.input_format_count = static_cast<int>(input_formats_.size());
    options_.output_formats = output_formats_.data();
    options_.output_format_count = static_cast<int>(output_formats_.size());
    options_.profiles = profiles_.data();
    options_.profile_count = profiles_.size();
    options_.workspace_bytes = choices.workspace_bytes;
    options_.plugins = plugins_.data();
    options_.plugin_count = static_cast<int>(plugins_.size());
    options_.plugin_override = choices.plugin_override;
    if (!choices.build_route.empty()) options_.build_route = choices.build_route.c_str();
    options_.refittable = choices.refittable ? BURNISH_REFIT_ANY : BURNISH_REFIT_NONE;
    options_.strip_weights = choices.strip_weights;
    options_.note_user = notes;
    options_.note = [](void* user, const char* text) {
      if (user) static_cast<std::vector<std::string>*>(user)->emplace_back(text);
    };
  }
  const burnish_build_options* get() const { return &options_; }

 private:
  static std::vector<const char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<const char*> list;
    for (const std::string& text : texts) list.push_back(text.c_str());
    return list;
  }

  std::vector<const char*> targets_, decomposed_attention_, debug_tensors_;
  std::vector<burnish_input_shape> shapes_;
  std::vector<burnish_port_format> input_formats_, output_formats_;
  ProfileList profiles_;
  std::vector<const burnish_plugin*> plugins_;
  std::vector<burnish_node_precision> node_precisions_;
  burnish_build_options options_{};
};

/// The target of GPU 0; without a GPU nothing, and `why`.
static std::optional<std::string> target_here(std::string& why) {
  burnish_error* error = nullptr;
  const int count = burnish_device_count(&error);
  why = error ? burnish_error_cause(error) : "no device";
  burnish_error_free(error);
  if (count == 0) return {};
  burnish_device_info info{};
  error = nullptr;
  check(burnish_device_describe(0, &info, &error), error);
  return info.target;
}

std::vector<std::string> resolve_targets(const std::vector<std::string>& asked) {
  if (!asked.empty()) return asked;
  std::string why;
  const std::optional<std::string> here = target_here(why);
  if (!here)
    fail("no GPU here to build for: " + why, "name what to build for: --target sm_90, say, or --target cpu");
  return {*here};
}

bool can_time_kernels(const std::vector<std::string>& targets) {
  std::string why;
  const std::optional<std::string> here = target_here(why);
  return here && std::find(targets.begin(), targets.end(), *here) != targets.end();
}

/// A library's work whose result is the file `path`: with progress on the terminal, and without the file if Ctrl-C came.
template <class Work>
static void make_engine(const std::string& path, const std::string& doing, bool verbose, const Work& work) {
  require_writable(path);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    fail("cannot write '" + path + "': it is no regular file",
         "name a file; an engine is moved there once it is complete");
  Cancellable cancellable;
  Progress progress(doing, verbose);
  burnish_error* error = nullptr;
  check(work(progress, &error), error);
  // A signal after the last call back: the engine is complete, and it is what was asked for until then.
  if (interrupted()) {
    std::filesystem::remove(path, ignored);
    throw Interrupted{interrupted()};
  }
}

static std::string stem_of(const std::string& path) { return std::filesystem::path(path).stem().string(); }

std::vector<std::string> build_engine(const std::string& model, const std::string& engine_path,
                                      const BuildChoices& choices) {
  require_readable(model, "model");
  auto* build = compiler_function<decltype(burnish_build)>("burnish_build");
  std::vector<std::string> notes;
  make_engine(engine_path, "building " + stem_of(model), choices.verbose,
              [&](Progress& progress, burnish_error** error) {
                BuildOptions options(choices, &progress, &notes);
                return build(model.c_str(), engine_path.c_str(), options.get(), error);
              });
  return notes;
}

void refit_engine(const std::string& engine, const std::string& model, const std::string& output,
                  bool verbose) {
  require_readable(engine, "engine");
  if (!model.empty()) require_readable(model, "model");
  auto* refit = compiler_function<decltype(burnish_refit)>("burnish_refit");
  make_engine(output, "refitting " + stem_of(engine), verbose,
              [&](Progress& progress, burnish_error** error) {
                burnish_refit_options options{.struct_size = sizeof options,
                                              .model_path = model.empty() ? nullptr : model.c_str()};
                options.progress = show_progress;
                options.progress_user = &progress;
                return refit(engine.c_str(), output.c_str(), &options, error);
              });
}

void merge_timing_caches(const std::vector<std::string>& paths, const std::string& output) {
  require_writable(output);
  std::vector<const char*> names;
  for (const std::string& path : paths) {
    require_readable(path, "timing cache");
    names.push_back(path.c_str());
  }
  burnish_error* error = nullptr;
  auto* merge = compiler_function<decltype(burnish_timing_cache_merge)>("burnish_timing_cache_merge");
  check(merge(names.data(), static_cast<int>(names.size()), output.c_str(), &error), error);
}

Text build_knobs_json() {
  char* text = nullptr;
  burnish_error* error = nullptr;
  check(compiler_function<decltype(burnish_build_knobs)>("burnish_build_knobs")(&text, &error), error);
  return Text(text, burnish_text_free);
}

Text model_text(const std::string& model, const BuildChoices& choices) {
  char* text = nullptr;
  burnish_error* error = nullptr;
  BuildOptions options(choices);
  check(compiler_function<decltype(burnish_model_text)>("burnish_model_text")(model.c_str(), options.get(),
                                                                              &text, &error),
        error);
  return Text(text, burnish_text_free);
}

Text model_json(const std::string& model) {
  char* text = nullptr;
  burnish_error* error = nullptr;
  check(compiler_function<decltype(burnish_model_describe)>("burnish_model_describe")(model.c_str(), &text,
                                                                                      &error),
        error);
  return Text(text, burnish_text_free);
}

}  // namespace burnish::cli
