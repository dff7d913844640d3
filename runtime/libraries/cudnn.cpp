#include "runtime/libraries/cudnn.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "base/shared_library.h"
#include "runtime/libraries/usual_folders.h"

namespace burnish::cudnn {

namespace {

int data_type(DType t) { return t == DType::f16 ? data_f16 : t == DType::bf16 ? data_bf16 : data_f32; }

/// Fills descriptors in.
class Maker {
 public:
  explicit Maker(const Functions& call) : call_(call) {}

  Result<Owned> make(Kind kind) const {
    Descriptor made = nullptr;
    TRY(call_.check_status(call_.make(kind, &made), "cudnnBackendCreateDescriptor"));
    return Owned(made, call_.free);
  }
  template <class T>
  Result<> set(const Owned& d, Attribute attribute, AttributeType type, std::span<const T> values) const {
    return call_.check_status(
        call_.set(d.get(), attribute, type, static_cast<int64_t>(values.size()), values.data()),
        "cudnnBackendSetAttribute");
  }
  template <class T>
  Result<> set(const Owned& d, Attribute attribute, AttributeType type, const T& value) const {
    return set(d, attribute, type, std::span<const T>(&value, 1));
  }
  Result<> set(const Owned& d, Attribute attribute, const std::vector<int64_t>& values) const {
    return set(d, attribute, type_int64, std::span<const int64_t>(values));
  }
  Result<> set(const Owned& d, Attribute attribute, const Owned& other) const {
    return set(d, attribute, type_descriptor, other.get());
  }
  Result<> finalize(const Owned& d) const {
    return call_.check_status(call_.finalize(d.get()), "cudnnBackendFinalize");
  }

  Result<Owned> tensor(const OperationGraph::Tensor& t, size_t id) const {
    Owned d = TRY(make(tensor_descriptor));
    TRY(set(d, tensor_data_type, type_data_type, data_type(t.dtype)));
    TRY(set(d, tensor_extents, t.extents));
    TRY(set(d, tensor_strides, t.strides));
    TRY(set(d, tensor_id, type_int64, static_cast<int64_t>(id)));
    TRY(set(d, tensor_alignment, type_int64, t.alignment));
    TRY(set(d, tensor_is_virtual, type_boolean, t.between));
    TRY(finalize(d));
    return d;
  }
  Result<Owned> convolution(const OperationGraph::Convolution& c) const {
    Owned d = TRY(make(convolution_descriptor));
    TRY(set(d, convolution_type, type_data_type, data_f32));
    TRY(set(d, convolution_mode, type_convolution_mode, cross_correlation));
    TRY(set(d, convolution_axes, type_int64, static_cast<int64_t>(c.strides.size())));
    TRY(set(d, convolution_dilations, c.dilations));
    TRY(set(d, convolution_strides, c.strides));
    TRY(set(d, convolution_pre_paddings, c.before));
    TRY(set(d, convolution_post_paddings, c.after));
    TRY(finalize(d));
    return d;
  }
  Result<Owned> convolution_operation(const OperationGraph::Convolution& c, const Owned& form,
                                      std::span<const Owned> tensors) const {
    Owned d = TRY(make(convolution_operation_descriptor));
    TRY(set(d, convolution_operation_form, form));
    TRY(set(d, convolution_operation_x, tensors[c.x]));
    TRY(set(d, convolution_operation_w, tensors[c.w]));
    TRY(set(d, convolution_operation_y, tensors[c.y]));
    TRY(set(d, convolution_operation_alpha, type_float, 1.0f));
    TRY(set(d, convolution_operation_beta, type_float, 0.0f));
    TRY(finalize(d));
    return d;
  }
  Result<Owned> pointwise(const OperationGraph::Pointwise& p) const {
    Owned d = TRY(make(pointwise_descriptor));
    TRY(set(d, pointwise_mode, type_pointwise_mode, static_cast<int>(p.mode)));
    TRY(set(d, pointwise_precision, type_data_type, data_f32));
    if (p.upper_clip) {
      TRY(set(d, pointwise_lower_clip, type_double, 0.0));
      TRY(set(d, pointwise_upper_clip, type_double, *p.upper_clip));
    }
    TRY(finalize(d));
    return d;
  }
  Result<Owned> pointwise_operation(const OperationGraph::Pointwise& p, const Owned& form,
                                    std::span<const Owned> tensors) const {
    Owned d = TRY(make(pointwise_operation_descriptor));
    TRY(set(d, pointwise_operation_form, form));
    TRY(set(d, pointwise_operation_x, tensors[p.x]));
    if (p.b) TRY(set(d, pointwise_operation_b, tensors[*p.b]));
    TRY(set(d, pointwise_operation_y, tensors[p.y]));
    TRY(finalize(d));
    return d;
  }
  /// The graph's descriptor; what it refers to is added to `parts`.
  Result<Owned> graph(const OperationGraph& graph, Handle handle, std::vector<Owned>& parts) const {
    std::vector<Owned> tensors, operations;
    for (size_t i = 0; i < graph.tensors.size(); ++i) tensors.push_back(TRY(tensor(graph.tensors[i], i + 1)));
    parts.push_back(TRY(convolution(graph.convolution)));
    operations.push_back(TRY(convolution_operation(graph.convolution, parts.back(), tensors)));
    for (const OperationGraph::Pointwise& p : graph.pointwise) {
      parts.push_back(TRY(pointwise(p)));
      operations.push_back(TRY(pointwise_operation(p, parts.back(), tensors)));
    }
    std::vector<Descriptor> list;
    for (const Owned& operation : operations) list.push_back(operation.get());
    Owned d = TRY(make(graph_descriptor));
    TRY(set(d, graph_handle, type_handle, handle));
    TRY(set(d, graph_operations, type_descriptor, std::span<const Descriptor>(list)));
    TRY(finalize(d));
    for (auto* some : {&tensors, &operations})
      parts.insert(parts.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
    return d;
  }

 private:
  const Functions& call_;
};

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

Result<std::vector<Owned>> GraphSession::configurations(const OperationGraph& graph,
                                                        std::vector<Owned>& parts) {
  constexpr int64_t most = 32;
  const Maker maker(call_);
  std::vector<Owned> all;
  auto made = maker.graph(graph, handle_, parts);
  if (!made) return all;  // it says so when it knows no such graph
  parts.push_back(*std::move(made));
  const Owned heuristics = TRY(maker.make(heuristics_descriptor));
  TRY(maker.set(heuristics, heuristics_graph, parts.back()));
  TRY(maker.set(heuristics, heuristics_mode, type_heuristics_mode, heuristics_mode_a));
  if (!maker.finalize(heuristics)) return all;
  std::vector<Descriptor> list;
  for (int64_t i = 0; i < most; ++i) {
    all.push_back(TRY(maker.make(engine_configuration_descriptor)));
    list.push_back(all.back().get());
  }
  int64_t count = 0;
  TRY(call_.check_status(
      call_.get(heuristics.get(), heuristics_results, type_descriptor, most, &count, list.data()),
      "cudnnBackendGetAttribute"));
  all.resize(static_cast<size_t>(std::clamp<int64_t>(count, 0, most)));
  return all;
}

Result<size_t> GraphSession::proposals(const OperationGraph& graph) {
  const cuda::ContextScope scope = TRY(device_.enter());
  std::vector<Owned> parts;
  return TRY(configurations(graph, parts)).size();
}

Result<SerializedPlan> GraphSession::plan(const OperationGraph& graph, size_t proposal) {
  const cuda::ContextScope scope = TRY(device_.enter());
  std::vector<Owned> parts;
  const std::vector<Owned> all = TRY(configurations(graph, parts));
  if (proposal >= all.size())
    return Error(Code::unsupported, "cuDNN proposes only " + std::to_string(all.size()) + " ways");
  const Maker maker(call_);
  const Owned plan = TRY(maker.make(plan_descriptor));
  TRY(maker.set(plan, plan_handle, type_handle, handle_));
  TRY(maker.set(plan, plan_configuration, all[proposal]));
  TRY(maker.finalize(plan));
  SerializedPlan out;
  int64_t count = 0;
  TRY(call_.check_status(call_.get(plan.get(), plan_workspace, type_int64, 1, &count, &out.workspace),
                         "cudnnBackendGetAttribute"));
  TRY(call_.check_status(call_.get(plan.get(), plan_json, type_char, 0, &count, nullptr),
                         "cudnnBackendGetAttribute"));
  out.json.resize(static_cast<size_t>(count));
  TRY(call_.check_status(call_.get(plan.get(), plan_json, type_char, count, &count, out.json.data()),
                         "cudnnBackendGetAttribute"));
  return out;
}

}  // namespace burnish::cudnn
