#include "providers/nvrtc/compile.h"

#include <array>

#include "providers/nvrtc/device_headers.h"
#include "providers/nvrtc/library.h"

namespace burnish::nvrtc {

struct Compiler::Library : LoadedLibrary {};

static constexpr std::array<Architecture, 6> known_architectures = {{
    {"sm_80", "sm_80"},
    {"sm_86", "sm_86"},
    {"sm_89", "sm_89"},
    {"sm_90", "sm_90a"},
    {"sm_100", "sm_100f"},
    {"sm_120", "sm_120f"},
}};

std::span<const Architecture> architectures() { return known_architectures; }

Result<Architecture> architecture_named(std::string_view name) {
  std::string known;
  for (const Architecture& architecture : known_architectures) {
    if (name == architecture.target || name == architecture.code) return architecture;
    known += (known.empty() ? "" : ", ") + std::string(architecture.target);
  }
  return Error(Code::unsupported, "no GPU architecture '" + std::string(name) + "' is known")
      .remedy("use one of " + known);
}

namespace {

/// An nvrtcProgram with its lifetime.
class Handle {
 public:
  explicit Handle(const Functions& call) : call_(call) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (program_) call_.destroy_program(&program_);
  }
  nvrtcProgram get() const { return program_; }

  nvrtcResult create(const Program& program) {
    std::vector<const char*> texts, paths;
    for (const DeviceHeader& header : device_headers()) {
      texts.push_back(header.text.data());
      paths.push_back(header.path.data());
    }
    // A fixed file name: the kernel's own would make equal programs compile to different bytes.
    return call_.create_program(&program_, program.text.c_str(), "kernel.cu", static_cast<int>(texts.size()),
                                texts.data(), paths.data());
  }

  nvrtcResult compile(const Program& program, std::string_view architecture) {
    const std::string target = "--gpu-architecture=" + std::string(architecture);
    std::vector<const char*> options = {target.c_str(), "--std=c++20", "-default-device",
                                        "--no-source-include"};
    for (const std::string& option : program.options) options.push_back(option.c_str());
    return call_.compile_program(program_, static_cast<int>(options.size()), options.data());
  }

  /// NVRTC's messages without the zero and the blank lines around them.
  std::string log() const {
    size_t size = 0;
    if (!program_ || call_.log_size(program_, &size) != NVRTC_SUCCESS || size == 0) return {};
    std::string text(size, '\0');
    if (call_.log(program_, text.data()) != NVRTC_SUCCESS) return {};
    constexpr std::string_view blank("\0 \n\r\t", 5);
    const size_t first = text.find_first_not_of(blank);
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
  }

 private:
  const Functions& call_;
  nvrtcProgram program_ = nullptr;
};

}  // namespace

/// A log of thousands of lines (one template error each) helps nobody: its beginning holds the cause.
static std::string shortened(const std::string& log) {
  constexpr size_t limit = 4000;
  return log.size() <= limit ? log : log.substr(0, log.rfind('\n', limit)) + "\n…";
}

static Error failure(const Functions& call, const Handle& handle, nvrtcResult result, const Program& program,
                     std::string_view architecture) {
  const std::string log = handle.log();
  return Error(Code::internal, "kernel '" + program.name + "' does not compile for " +
                                   std::string(architecture) + ": " +
                                   (log.empty() ? call.error_string(result) : shortened(log)));
}

using Getter = nvrtcResult (*)(nvrtcProgram, char*);
using SizeGetter = nvrtcResult (*)(nvrtcProgram, size_t*);

/// Compiles, then fetches what `size_of_output` and `output` give.
static Result<std::vector<std::byte>> run(const Functions& call, const Program& program,
                                          std::string_view architecture, SizeGetter size_of_output,
                                          Getter output) {
  Handle handle(call);
  nvrtcResult result = handle.create(program);
  if (result == NVRTC_SUCCESS) result = handle.compile(program, architecture);
  size_t size = 0;
  if (result == NVRTC_SUCCESS) result = size_of_output(handle.get(), &size);
  std::vector<std::byte> bytes(size);
  if (result == NVRTC_SUCCESS) result = output(handle.get(), reinterpret_cast<char*>(bytes.data()));
  if (result != NVRTC_SUCCESS) return failure(call, handle, result, program, architecture);
  return bytes;
}

Result<Compiler> Compiler::open(const std::string& directory) {
  return Compiler(std::make_shared<const Library>(Library{TRY(load_library(directory))}));
}

Result<std::vector<std::byte>> Compiler::compile(const Program& program,
                                                 std::string_view architecture) const {
  const Architecture known = TRY(architecture_named(architecture));
  const Functions& call = library_->call;
  return run(call, program, known.code, call.cubin_size, call.cubin);
}

Result<std::string> Compiler::version() const {
  // nvrtcVersion leaves out the last number; the first comment of any PTX says "…release 13.0, V13.0.88".
  const Functions& call = library_->call;
  const auto bytes = TRY(run(call, {"version", "", {}}, "compute_80", call.ptx_size, call.ptx));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t start = text.find(", V");
  if (start == std::string_view::npos)
    return Error(Code::internal, "NVRTC's output does not tell its version");
  const std::string_view rest = text.substr(start + 3);
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

const std::string& Compiler::path() const { return library_->path; }

}  // namespace burnish::nvrtc
