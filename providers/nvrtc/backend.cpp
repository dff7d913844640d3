#include "providers/nvrtc/backend.h"

#include "ir/anchor_operands.h"
#include "ir/device_text.h"

namespace burnish::nvrtc {

namespace {

/// What messages call a kernel: the last header that its source includes, which holds what it does.
std::string kernel_name(std::string_view source) {
  constexpr std::string_view include = "#include \"";
  const size_t last = source.rfind(include);
  if (last == std::string_view::npos) return "kernel";
  const std::string_view rest = source.substr(last + include.size());
  return std::string(rest.substr(0, rest.find('"')));
}

/// Nothing but constants may be said to be read alone, or the compiler would read it before what earlier kernels write is waited
/// for. An earlier call of the node may have written its result.
std::string pointer_declaration(const KernelCtx& ctx, OperandPointer p) {
  const std::string type(device_type(ctx.pointer_type(p)));
  if (ctx.is_constant(p) || (p.kind == OperandPointer::Kind::input && !ctx.starts_early()))
    return "const " + type + "* __restrict__";
  if (p.kind == OperandPointer::Kind::input) return "const " + type + "*";
  return type + (ctx.starts_early() && ctx.calls.size() != 1 ? "*" : "* __restrict__");
}

}  // namespace

Verdict NvrtcBackend::accepts(const Graph&, const Node& node) const {
  const Node& anchor = anchor_of(node);
  if (is_elementwise(anchor) || anchor.op->kernel) return Verdict::yes();
  return Verdict::no("no device kernel for this operator");
}

Verdict NvrtcBackend::describe(KernelCtx& ctx) const {
  if (ctx.node.op->name == "Fused") {
    Graph body = ctx.node.regions[0];
    if (!is_elementwise(anchor_of(ctx.node))) {
      AnchorOperands anchor(ctx, body);
      if (Verdict v = anchor.node.op->kernel(anchor); !v) return v;
      ctx.calls = std::move(anchor.calls);
      return Verdict::yes();
    }
    ctx.calls.push_back(pointwise_call(ctx));
    return Verdict::yes();
  }
  if (ctx.node.op->kernel) return ctx.node.op->kernel(ctx);
  ctx.calls.push_back(pointwise_call(ctx));
  return Verdict::yes();
}

Backend::Source NvrtcBackend::emit(const KernelCtx& ctx, const KernelCall& call) const {
  Source source;
  std::string parameters, body;
  auto parameter = [&](const KernelArgument& what, const std::string& type) {
    const auto k = static_cast<size_t>(std::ranges::find(source.arguments, what) - source.arguments.begin());
    const std::string name = "a" + std::to_string(k);
    if (k == source.arguments.size()) {
      source.arguments.push_back(what);
      parameters += (k ? ", " : "") + type + " " + name;
    }
    return name;
  };
  for (const KernelText::Piece& piece : call.body.pieces) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      body += *text;
    } else if (const auto* dim = std::get_if<Dim>(&piece)) {
      const auto value = ctx.dims.value(*dim);
      body += value ? std::to_string(*value) + "LL" : parameter(*dim, "const long long");
    } else if (const auto* map = std::get_if<TensorMap>(&piece)) {
      body += parameter(*map, "const __grid_constant__ TensorMap");
    } else {
      const auto& p = std::get<OperandPointer>(piece);
      body += parameter(p, pointer_declaration(ctx, p));
    }
  }
  std::string start;
  if (ctx.starts_early()) start = "release_dependents();\n";
  if (ctx.starts_early() && !call.waits) start += "wait_for_prerequisites();\n";
  const int threads = call.block[0] * call.block[1] * call.block[2];
  source.text = "#include \"providers/nvrtc/device/types.cuh\"\n#include \"base/primitives.cuh\"\n";
  if (ctx.starts_early()) source.text += "#include \"providers/nvrtc/device/dependent_launch.cuh\"\n";
  for (const std::string& header : call.headers) source.text += "#include \"" + header + "\"\n";
  std::string attributes = "__launch_bounds__(" + std::to_string(threads) +
                           (call.resident > 0 ? ", " + std::to_string(call.resident) : "") + ")";
  if (call.cluster > 1) attributes += " __cluster_dims__(" + std::to_string(call.cluster) + ", 1, 1)";
  source.text += "namespace burnish {\n" + call.prelude +
                 "}\nusing namespace burnish;\nextern \"C\" __global__ void " + attributes + " kernel(" +
                 parameters + ") {\n" + start + body + "}\n";
  return source;
}

Result<std::vector<std::byte>> NvrtcBackend::compile(const std::string& source) const {
  if (!compilers_) return Error(Code::internal, "a kernel is to be compiled, and NVRTC was not opened");
  return compilers_->compile({kernel_name(source), source, {}}, architecture_.target);
}

}  // namespace burnish::nvrtc
