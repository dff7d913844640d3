#include "providers/nvrtc/backend.h"

#include <algorithm>
#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ir/anchor_operands.h"
#include "ir/device_text.h"
#include "providers/nvrtc/device_headers.h"

namespace burnish::nvrtc {

namespace {

bool is_pointwise(const Node& node) { return node.op->scalar || node.op->name == "Identity"; }

}  // namespace

Verdict NvrtcBackend::accepts(const Graph&, const Node& node) const {
  if (is_pointwise(node) || node.op->kernel) return Verdict::yes();
  if (node.op->name == "Fused") {
    const Node& first = node.regions[0].nodes[0];
    if (is_pointwise(first) || first.op->kernel) return Verdict::yes();
  }
  return Verdict::no("no device kernel for this operator");
}

Verdict NvrtcBackend::describe(KernelCtx& ctx) const {
  if (ctx.node.op->name == "Fused") {
    Graph body = ctx.node.regions[0];
    if (!is_pointwise(body.nodes[0])) {
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
  auto parameter = [&](const auto& what, const std::string& type) {
    size_t k = 0;
    while (k < source.arguments.size() &&
           !(source.arguments[k].what == decltype(source.arguments[k].what)(what)))
      ++k;
    const std::string name = "a" + std::to_string(k);
    if (k == source.arguments.size()) {
      source.arguments.push_back({what});
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
    } else {
      const auto& p = std::get<OperandPointer>(piece);
      const std::string type(device_type(ctx.pointer_type(p)));
      body += parameter(p, p.kind == OperandPointer::Kind::input ? "const " + type + "* __restrict__"
                                                                 : type + "* __restrict__");
    }
  }
  const int threads = call.block[0] * call.block[1] * call.block[2];
  source.text = "#include \"providers/nvrtc/device/types.cuh\"\n#include \"base/primitives.cuh\"\n";
  for (const std::string& header : call.headers) source.text += "#include \"" + header + "\"\n";
  std::string attributes = "__launch_bounds__(" + std::to_string(threads) +
                           (call.resident > 0 ? ", " + std::to_string(call.resident) : "") + ")";
  if (call.cluster > 1) attributes += " __cluster_dims__(" + std::to_string(call.cluster) + ", 1, 1)";
  source.text += "namespace burnish {\n" + call.prelude +
                 "}\nusing namespace burnish;\nextern \"C\" __global__ void " + attributes + " kernel(" +
                 parameters + ") {\n" + body + "}\n";
  return source;
}

Result<std::vector<std::byte>> NvrtcBackend::compile(const std::string& source) const {
  if (!compiler_) return Error(Code::internal, "a kernel is to be compiled, and NVRTC was not opened");
  return compiler_->compile({"kernel", source, {}}, architecture_.target);
}

std::string device_text_digest() {
  uint64_t digest = 0;
  for (const DeviceHeader& header : device_headers())
    for (std::string_view text : {header.path, header.text})
      digest = XXH3_64bits_withSeed(text.data(), text.size(), digest);
  char name[17];
  std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(digest));
  return name;
}

}  // namespace burnish::nvrtc
