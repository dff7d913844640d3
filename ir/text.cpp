#include "ir/text.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "ir/element.h"
#include "ir/op.h"
#include "ir/text_token.h"

namespace burnish {

namespace {

constexpr int64_t most_inline = 16;

class Printer {
 public:
  explicit Printer(Resources* resources) : resources_(resources) {}

  std::string program(const Graph& graph) {
    out_ = "";
    body_of(graph, "");
    return prologue(*graph.dims) + out_;
  }

  std::string line(const Graph& graph, const Node& node) {
    Scope scope{graph};
    statement(scope, node, "");
    out_.pop_back();
    return out_;
  }

 private:
  // What the values of one graph are called.
  struct Scope {
    const Graph& graph;
    std::map<ValueId, std::string> tokens;
    std::map<std::string_view, int> taken;
    int unnamed = 0;
  };

  std::string token(Scope& scope, ValueId v) {
    if (v == no_value) return "_";
    auto [it, fresh] = scope.tokens.try_emplace(v);
    if (!fresh) return it->second;
    const std::string& name = scope.graph.values[v].name;
    if (name.empty()) return it->second = "%" + std::to_string(scope.unnamed++);
    const int same = ++scope.taken[name];
    return it->second = "%" + name_token(name) + (same > 1 ? "~" + std::to_string(same) : "");
  }

  Dim seen(DimTable& dims, Dim d) {
    if (noted_.insert(d).second)
      for (Dim s : dims.symbols(d)) symbols_.insert(s);
    return d;
  }
  std::string list(DimTable& dims, const std::vector<Dim>& all) {
    std::vector<Dim> resolved;
    for (Dim d : all) resolved.push_back(seen(dims, dims.resolve(d)));
    return dims.text(resolved);
  }

  std::string type(const Graph& graph, ValueId v) {
    const Value& value = graph.values[v];
    std::string text = std::string(name_of(value.type.dtype)) + list(*graph.dims, value.type.shape);
    if (value.content) text += " = " + list(*graph.dims, *value.content);
    return text;
  }

  void constant(Scope& scope, ValueId v, const std::string& indent) {
    const Tensor* t = scope.graph.constant(v);
    if (!t || scope.tokens.contains(v)) return;
    out_ += indent + token(scope, v) + " = constant " + std::string(name_of(t->dtype())) + "[";
    for (size_t i = 0; i < t->shape().size(); ++i) out_ += (i ? ", " : "") + std::to_string(t->shape()[i]);
    out_ += "] ";
    if (t->count() <= most_inline) {
      out_ += "{";
      for (int64_t i = 0; i < t->count(); ++i) out_ += (i ? ", " : "") + element_literal(*t, i);
      out_ += "}\n";
    } else if (resources_) {
      out_ += "#" + std::to_string(resource(scope.graph.values[v].constant)) + "\n";
    } else {
      out_ += "…\n";
    }
  }

  size_t resource(const std::shared_ptr<const Tensor>& tensor) {
    auto [it, fresh] = places_.try_emplace(tensor.get(), resources_->size());
    if (fresh) resources_->push_back(tensor);
    return it->second;
  }

  void statement(Scope& scope, const Node& node, const std::string& indent) {
    DimTable& dims = *scope.graph.dims;
    std::string text = indent, types;
    for (const ValueId& v : node.outputs) {
      text += (&v == node.outputs.data() ? "" : ", ") + token(scope, v);
      if (v != no_value) types += (types.empty() ? " : " : ", ") + type(scope.graph, v);
    }
    text += (node.outputs.empty() ? "" : " = ") + std::string(node.op->name) + "(";
    for (const ValueId& v : node.inputs) text += (&v == node.inputs.data() ? "" : ", ") + token(scope, v);
    text += ")";
    Attrs attrs = node.attrs;
    attrs.resolve(dims);
    if (attrs.schema())
      for (const Field& f : attrs.schema()->fields())
        if (f.kind == Field::Kind::dims)
          for (Dim d : *static_cast<const std::vector<Dim>*>(attrs.field(f))) seen(dims, d);
    if (const std::string spelled = attrs.text(dims); !spelled.empty()) text += " " + spelled;
    text += types;
    for (const std::string& name : node.provenance) text += " @" + string_literal(name);
    out_ += text;
    if (!node.regions.empty()) {
      out_ += " {\n";
      for (const Graph& region : node.regions) body_of(region, indent + "  ");
      out_ += indent + "}";
    }
    out_ += "\n";
  }

  // An origin whose value is gone says nothing.
  std::string origins(Scope& scope) {
    static constexpr std::string_view kinds[] = {"input", "extent", "content"};
    std::vector<std::string> all;
    for (const auto& [symbol, origin] : scope.graph.origins) {
      if (!scope.tokens.contains(origin.value)) continue;
      seen(*scope.graph.dims, symbol);
      all.push_back(scope.graph.dims->text(symbol) + " = " +
                    std::string(kinds[static_cast<size_t>(origin.kind)]) + "(" + token(scope, origin.value) +
                    ", " + std::to_string(origin.index) + ")");
    }
    std::sort(all.begin(), all.end());
    std::string out;
    for (const std::string& one : all) out += (out.empty() ? " where " : ", ") + one;
    return out;
  }

  // Statements first, so that values are numbered in the order of their definition; the header, which names them, after.
  void body_of(const Graph& graph, const std::string& indent) {
    Scope scope{graph};
    std::string header = indent + "graph " + (graph.name.empty() ? "" : name_token(graph.name)) + "(";
    for (size_t i = 0; i < graph.inputs.size(); ++i)
      header += (i ? ", " : "") + token(scope, graph.inputs[i]) + ": " + type(graph, graph.inputs[i]);
    const std::string before = std::move(out_);
    out_.clear();
    for (const Node& node : graph.nodes) {
      if (node.dead) continue;
      for (ValueId v : node.inputs) constant(scope, v, indent + "  ");
      statement(scope, node, indent + "  ");
    }
    for (ValueId v : graph.outputs) constant(scope, v, indent + "  ");
    for (const auto& [symbol, origin] : graph.origins) constant(scope, origin.value, indent + "  ");
    header += ") -> (";
    for (size_t i = 0; i < graph.outputs.size(); ++i)
      header += (i ? ", " : "") + token(scope, graph.outputs[i]);
    header += ")" + origins(scope) + " {\n";
    out_ = before + header + out_ + indent + "}\n";
  }

  // What must be equal, and the symbols with their ranges. Which of two equal symbols gives way depends on their age: then
  // all are declared, oldest first.
  std::string prologue(const DimTable& dims) const {
    std::string required;
    for (const Constraint& c : dims.constraints()) {
      std::vector<Dim> parts = dims.symbols(c.a), more = dims.symbols(c.b);
      parts.insert(parts.end(), more.begin(), more.end());
      if (std::any_of(parts.begin(), parts.end(), [&](Dim s) { return !symbols_.contains(s); })) continue;
      required +=
          "require " + dims.text(c.a) + " == " + dims.text(c.b) + " " + string_literal(c.reason) + "\n";
    }
    std::vector<std::string> declared;
    for (Dim s : symbols_) {
      const Range r = dims.range(s);
      const bool usual = r == Range{1, DimTable::unbounded};
      if (usual && required.empty()) continue;
      declared.push_back(dims.text(s));
      if (!usual)
        declared.back() +=
            " in " + std::to_string(r.lo) + ".." + (r.hi == DimTable::unbounded ? "" : std::to_string(r.hi));
    }
    if (required.empty()) std::sort(declared.begin(), declared.end());
    std::string out;
    for (const std::string& one : declared) out += (out.empty() ? "symbols " : ", ") + one;
    return out.empty() ? required : out + "\n" + required;
  }

  Resources* resources_;
  std::map<const Tensor*, size_t> places_;
  std::set<Dim> noted_, symbols_;
  std::string out_;
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.byte_size() == 0 || std::memcmp(a.bytes(), b.bytes(), a.byte_size()) == 0);
}

}  // namespace

std::string print(const Graph& graph, Resources* resources) { return Printer(resources).program(graph); }

std::string print(const Graph& graph, const Node& node) { return Printer(nullptr).line(graph, node); }

bool equal(const Graph& a, const Graph& b) {
  Resources of_a, of_b;
  return print(a, &of_a) == print(b, &of_b) &&
         std::equal(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(),
                    [](const auto& x, const auto& y) { return same_bits(*x, *y); });
}

}  // namespace burnish
