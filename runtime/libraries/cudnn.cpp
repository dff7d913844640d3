#include "runtime/libraries/cudnn.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "base/shared_library.h"
#include "runtime/libraries/usual_folders.h"

namespace burnish::cudnn {

namespace {

/// What stands before the library's own text.
struct Header {
  std::string version;
  int64_t workspace = 0;
  std::vector<int64_t> ids;
};

Result<Header> read_header(std::string_view line) {
  const auto refuse = [&] {
    return Error(Code::incompatible_engine, "'" + std::string(line) + "' describes no plan of cuDNN")
        .remedy("build the engine again with this version of Burnish");
  };
  const size_t space = line.find(' '), tensors = line.find(" tensors=");
  if (space == line.npos || tensors == line.npos || !line.substr(space).starts_with(" workspace="))
    return refuse();
  Header header{.version = std::string(line.substr(0, space))};
  const auto number = [](std::string_view text, int64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= 0;
  };
  const size_t workspace = space + 11;
  if (!number(line.substr(workspace, tensors - workspace), header.workspace)) return refuse();
  for (std::string_view rest = line.substr(tensors + 9); !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (!number(rest.substr(0, comma), header.ids.emplace_back())) return refuse();
    ++header.ids.back();  // tensors count from 0, the library's names from 1
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return header;
}

}  // namespace

std::string print(const std::string& version, const SerializedPlan& plan,
                  const std::vector<size_t>& tensors) {
  std::string text = version + " workspace=" + std::to_string(plan.workspace) + " tensors=";
  for (size_t i = 0; i < tensors.size(); ++i) text += (i ? "," : "") + std::to_string(tensors[i]);
  return text + "\n" + plan.json;
}

class PlanRoutine final : public Routine {
 public:
  PlanRoutine(GraphSession& session, Owned plan, Header header)
      : session_(session), plan_(std::move(plan)), header_(std::move(header)) {}

  Result<> enqueue(const cuda::Stream& stream, std::span<const CUdeviceptr> operands) const override {
    const size_t count = header_.ids.size();
    if (operands.size() != count + (header_.workspace > 0))
      return Error(Code::incompatible_engine, "a plan of cuDNN has another number of operands");
    std::vector<void*> addresses;
    for (CUdeviceptr operand : operands) addresses.push_back(reinterpret_cast<void*>(operand));
    void* workspace = header_.workspace > 0 ? addresses.back() : nullptr;
    const Maker maker(session_.call_);
    const Owned pack = TRY(maker.make(variant_pack_descriptor));
    TRY(maker.set(pack, variant_ids, header_.ids));
    TRY(maker.set(pack, variant_pointers, type_pointer, std::span<void* const>(addresses).first(count)));
    TRY(maker.set(pack, variant_workspace, type_pointer, workspace));
    TRY(maker.finalize(pack));
    const std::lock_guard lock(session_.turn_);
    const Functions& call = session_.call_;
    TRY(call.check_status(call.set_stream(session_.handle_, stream.get()), "cudnnSetStream"));
    return call.check_status(call.execute(session_.handle_, plan_.get(), pack.get()), "cudnnBackendExecute");
  }

 private:
  GraphSession& session_;
  Owned plan_;
  Header header_;
};

Result<Functions> Functions::open(const std::string& directory) {
  const SharedLibrary library = TRY(SharedLibrary::open(
      {.file = "libcudnn.so.9",
       .what = "NVIDIA's library of neural network operations",
       .remedy =
           "install cuDNN 9 for CUDA 13 or the PyPI package nvidia-cudnn-cu13 where the loader finds it "
           "(LD_LIBRARY_PATH), or build the engine with --libraries none",
       .folders = usual_folders("cudnn")},
      directory));
  Functions functions;
#define BURNISH_RESOLVE(field, symbol, ...) TRY(library.resolve(#symbol, functions.field));
  BURNISH_CUDNN_FUNCTIONS(BURNISH_RESOLVE)
#undef BURNISH_RESOLVE
  return functions;
}

Result<> Functions::check_status(int status, const char* name) const {
  if (status == success) return {};
  char why[256] = "";
  last_error(why, sizeof why);
  std::string text = std::string(name) + ": " + status_text(status);
  if (why[0]) text += ": " + std::string(why, strnlen(why, sizeof why));
  for (char& c : text)
    if (c == '\n') c = ' ';
  return Error(Code::device_error, text);
}

std::string Functions::version_text() const {
  const size_t v = version();  // 91900
  return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
}

Result<std::unique_ptr<GraphSession>> GraphSession::open(const cuda::Device& device,
                                                         const std::string& directory) {
  const Functions call = TRY(Functions::open(directory));
  const cuda::ContextScope scope = TRY(device.enter());
  Handle handle = nullptr;
  TRY(call.check_status(call.create(&handle), "cudnnCreate"));
  return std::unique_ptr<GraphSession>(new GraphSession(call, device, handle));
}

GraphSession::~GraphSession() {
  if (const auto scope = device_.enter()) call_.destroy(handle_);
}

Result<std::unique_ptr<Routine>> GraphSession::prepare(std::string_view text) {
  const cuda::ContextScope scope = TRY(device_.enter());
  const size_t line = std::min(text.find('\n'), text.size());
  Header header = TRY(read_header(text.substr(0, line)));
  const std::string_view json = text.substr(std::min(line + 1, text.size()));
  const Maker maker(call_);
  Owned plan = TRY(maker.make(plan_descriptor));
  const auto restore = [&]() -> Result<> {
    TRY(maker.set(plan, plan_handle, type_handle, handle_));
    TRY(maker.set(plan, plan_json, type_char, std::span<const char>(json)));
    return maker.finalize(plan);
  };
  if (const Result<> restored = restore(); !restored)
    return Error(Code::unsupported, "cuDNN " + version() + " cannot use a plan that " + header.version +
                                        " made: " + restored.error().what())
        .remedy("build the engine again where this version is, or with --libraries none");
  return std::unique_ptr<Routine>(new PlanRoutine(*this, std::move(plan), std::move(header)));
}

}  // namespace burnish::cudnn
