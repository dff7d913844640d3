#include "ir/device_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <optional>

#include "ir/anchor.h"
#include "ir/element.h"
#include "ir/halves.h"
#include "ir/scalar.h"

namespace burnish {

std::string_view device_type(DType t) {
  static constexpr std::string_view names[dtype_count] = {
      "float",     "half",          "bfloat16",       "double",       "signed char",        "short", "int",
      "long long", "unsigned char", "unsigned short", "unsigned int", "unsigned long long", "bool"};
  return names[static_cast<size_t>(t)];
}

std::string_view compute_type(DType t) {
  if (t == DType::boolean) return "bool";
  if (t == DType::f64) return "double";
  if (t == DType::u64) return "unsigned long long";
  return is_float(t) ? "float" : "long long";
}

bool divisible(const DimTable& dims, Dim d, int64_t k) {
  for (const DimTable::Term& term : dims.terms(d))
    if (term.coefficient % k != 0) return false;
  return true;
}

std::string MemberDims::operator()(Dim d) {
  if (auto v = dims_.value(d)) return std::to_string(*v) + "LL";
  auto it = std::find(members_.begin(), members_.end(), d);
  if (it == members_.end()) it = members_.insert(members_.end(), d);
  return "d" + std::to_string(it - members_.begin());
}

namespace {

std::string literal(const Tensor& t) {
  return visit_storage(t.dtype(), [&]<class T>(T*) -> std::string {
    if constexpr (std::is_same_v<T, bool>) {
      return t.data<bool>()[0] ? "true" : "false";
    } else if constexpr (std::is_integral_v<T>) {
      return "(" + std::string(compute_type(t.dtype())) + ")" + std::to_string(t.data<T>()[0]) +
             (std::is_unsigned_v<T> ? "ULL" : "LL");
    } else {
      double v;
      if constexpr (std::is_floating_point_v<T>) v = t.data<T>()[0];
      else v = to_float(t.data<T>()[0]);
      std::string text = Text(v).s;  // C(…)
      return std::string(compute_type(t.dtype())) + text.substr(1);
    }
  });
}

/// Statements that compute a list of pointwise nodes, one value each, in terms of named operands.
struct Program {
  const Graph& graph;
  std::map<ValueId, std::string> names;
  std::string statements;
  std::string suffix;  // of the names of what is computed

  std::string name(ValueId v) {
    if (auto it = names.find(v); it != names.end()) return it->second;
    return names[v] = literal(*graph.constant(v));
  }
  void add(const Node& node) {
    const ValueId y = node.outputs[0];
    const DType operand = graph.values[node.inputs.back()].type.dtype;  // Where's condition comes first
    std::vector<std::string> operands;
    for (ValueId v : node.inputs) operands.push_back(name(v));
    const std::string result = "t" + std::to_string(y) + suffix;
    const std::string type(compute_type(graph.values[y].type.dtype));
    statements += "const " + type + " " + result +
                  " = [&] { using C = " + std::string(compute_type(operand)) + "; return (" + type + ")(" +
                  (node.op->scalar ? node.op->scalar(node.attrs, operands) : operands[0]) + "); }();\n";
    names[y] = result;
  }
};

/// The nodes and operands of a pointwise kernel or an epilogue, whether node stands alone or is Fused.
struct Body {
  const Graph& graph;
  std::vector<const Node*> nodes;
  std::vector<std::pair<ValueId, size_t>>
      operands;  // value, index among the inputs of the context that places it
  std::vector<ValueId> results;
};

/// Nodes `begin` … `end` - 1 of a Fused node's body, of which `results` are asked.
Body part_of(const Graph& inner, size_t begin, size_t end, std::vector<ValueId> results) {
  Body body{inner, {}, {}, std::move(results)};
  for (size_t i = begin; i < end; ++i) body.nodes.push_back(&inner.nodes[i]);
  for (size_t i = 0; i < inner.inputs.size(); ++i) {
    const bool read = std::any_of(body.nodes.begin(), body.nodes.end(), [&](const Node* n) {
      return std::find(n->inputs.begin(), n->inputs.end(), inner.inputs[i]) != n->inputs.end();
    });
    if (read) body.operands.push_back({inner.inputs[i], i});
  }
  return body;
}

/// All of a pointwise node.
Body body_of(const KernelCtx& ctx) {
  const Node& node = ctx.node;
  if (node.op->name == "Fused") {
    const Graph& inner = node.regions[0];
    return part_of(inner, 0, inner.nodes.size(), inner.outputs);
  }
  Body body{ctx.graph, {&node}, {}, {node.outputs[0]}};
  for (size_t i = 0; i < node.inputs.size(); ++i) body.operands.push_back({node.inputs[i], i});
  return body;
}

/// What follows a node in its kernel.
Body body_after(const KernelCtx& ctx) {
  if (!ctx.fused) return {ctx.graph, {}, {}, {ctx.node.outputs[0]}};
  return part_of(ctx.graph, anchor_index(ctx.graph) + 1, ctx.graph.nodes.size(), ctx.graph.outputs);
}

std::string row_pointer(size_t k, const std::string& offset) {
  return "p" + std::to_string(k) + " + (" + offset + ")";
}

}  // namespace

std::vector<Dim> broadcast_strides(DimTable& dims, std::span<const Dim> shape, std::span<const Dim> strides,
                                   std::span<const Dim> result) {
  std::vector<Dim> out(result.size(), dims.constant(0));
  for (size_t k = 0; k < shape.size(); ++k) {
    const size_t axis = result.size() - shape.size() + k;
    if (shape[k] == result[axis]) out[axis] = strides[k];
    else  // 1, or not known to be: then decided by the extent at run time
      out[axis] = dims.select(dims.equal(shape[k], dims.constant(1)), dims.constant(0), strides[k]);
  }
  return out;
}

/// The stride of the number that `axes` have together, the slowest first; nullopt: they do not lie as one.
static std::optional<Dim> stride_of_all(DimTable& dims, std::span<const size_t> axes,
                                        std::span<const Dim> shape, std::span<const Dim> strides) {
  std::optional<Dim> stride, next;
  for (size_t k = axes.size(); k-- > 0;) {
    const size_t axis = axes[k];
    if (dims.is_constant(shape[axis], 1)) continue;
    if (next && *next != strides[axis]) return std::nullopt;
    if (!stride) stride = strides[axis];
    next = dims.mul(strides[axis], shape[axis]);
  }
  return stride;
}

/// Adds up numbers times strides: "(long long)m * d0 + x3 * 7LL".
class OffsetText {
 public:
  OffsetText(DimTable& dims, MemberDims& member) : dims_(dims), member_(member) {}
  void add(const std::string& number, Dim stride) {
    if (!dims_.is_constant(stride, 0)) plus(number + " * " + member_(stride));
  }
  void add(Dim constant) {
    if (!dims_.is_constant(constant, 0)) plus(member_(constant));
  }
  std::string text() const { return sum_.empty() ? "0LL" : sum_; }

 private:
  void plus(const std::string& term) { sum_ += (sum_.empty() ? "" : " + ") + term; }

  DimTable& dims_;
  MemberDims& member_;
  std::string sum_;
};

/// The elements of a tensor of `shape` that a functor works on, V columns of row m from column n on: where operands have them, and
/// the text that reads those.
class Columns {
 public:
  /// `parts`: of a row's columns, 2j and 2j + 1 may be a pair: element j of its halves.
  Columns(DimTable& dims, const EpilogueForm& form, const std::vector<Dim>& shape, int parts = 1)
      : dims_(dims), member_(dims), form_(form), shape_(shape), parts_(parts) {}

  using Names = std::array<std::string, 2>;  // of element j, of either half
  std::string width() const { return parts_ == 2 ? "V / 2" : "V"; }
  std::string count() const { return parts_ == 2 ? "count / 2" : "count"; }
  std::string member(Dim d) { return member_(d); }

  std::string offset(std::span<const Dim> strides, Dim from) {
    OffsetText sum(dims_, member_);
    std::vector<bool> done(shape_.size());
    for (const auto& [number, axes] :
         {std::pair("(long long)m", &form_.rows), {"(long long)n", &form_.columns}})
      if (const std::optional<Dim> of_all = stride_of_all(dims_, *axes, shape_, strides)) {
        sum.add(number, *of_all);
        for (size_t a : *axes) done[a] = true;
      }
    for (size_t a = 0; a < shape_.size(); ++a)
      if (!done[a] && !dims_.is_constant(shape_[a], 1)) sum.add("x" + std::to_string(a), strides[a]);
    sum.add(from);
    return sum.text();
  }

  std::string aligned(std::span<const Dim> strides, Dim from, int64_t alignment, DType dtype) const {
    const int64_t vector =
        std::max<int64_t>(1, std::min<int64_t>(8 / parts_, 16 / static_cast<int64_t>(size_of(dtype))));
    bool all = alignment % vector == 0 && form_.column_step / parts_ % vector == 0 &&
               dims_.is_constant(strides[form_.column_axis], 1) && divisible(dims_, from, vector);
    for (size_t a = 0; a < shape_.size(); ++a)
      if (a != form_.column_axis && !dims_.is_constant(shape_[a], 1))
        all = all && divisible(dims_, strides[a], vector);
    return all ? "true" : "false";
  }

  /// Reads the elements of an operand, or the one that all columns share. `of_sums`: it has a column for each sum.
  Names read(OperandPointer pointer, DType dtype, std::span<const Dim> strides, int64_t alignment,
             bool of_sums) {
    const size_t k = pointers_.size();
    const std::string name = "r" + std::to_string(k), element(device_type(dtype)), c(compute_type(dtype));
    pointers_.push_back({"const " + element + "* p" + std::to_string(k), pointer});
    const Dim stride = strides[form_.column_axis], zero = dims_.constant(0);
    if (dims_.is_constant(stride, 0)) {
      fields_ += c + " " + name + ";\n";
      reads_ += "read." + name + " = load(" + row_pointer(k, offset(strides, zero)) + ");\n";
      return Names{"read." + name, "read." + name};
    }
    auto read_row = [&](const std::string& row, Dim from) {
      fields_ += "Row<" + element + ", " + width() + "> " + row + ";\n";
      reads_ += "read." + row + " = read_row<" + element + ", " + width() + ">(" +
                row_pointer(k, offset(strides, from)) + ", " + member_(stride) + ", " + count() + ", " +
                aligned(strides, from, alignment, dtype) + ");\n";
      return "read." + row + "[j]";
    };
    const std::string first = read_row(name, zero);
    if (parts_ == 1 || !of_sums) return Names{first, first};
    return Names{first, read_row(name + "b", dims_.mul(shape_[form_.column_axis], stride))};
  }

  /// Has `read.m` be the row.
  void read_row_number() {
    fields_ += "int m;\n";
    reads_ += "read.m = m;\n";
  }

  /// The number of a pointer that is written, not read.
  size_t add_result(OperandPointer pointer, std::string_view element) {
    pointers_.push_back({std::string(element) + "* p" + std::to_string(pointers_.size()), pointer});
    return pointers_.size() - 1;
  }

  /// Statements: the coordinates x0, x1, … of the first column.
  std::string coordinates() {
    std::string text;
    for (size_t a = 0; a < shape_.size(); ++a) {
      std::string x;
      for (const KernelText::Piece& piece : form_.coordinates[a].pieces)
        x +=
            std::holds_alternative<Dim>(piece) ? member_(std::get<Dim>(piece)) : std::get<std::string>(piece);
      if (parts_ == 2 && a == form_.column_axis) x = "(" + x + ") / 2";
      text += "[[maybe_unused]] const long long x" + std::to_string(a) + " = " + x + ";\n";
    }
    return text;
  }

  /// `Operands`, and the method that reads them.
  std::string fetch() {
    return "template <int V>\nstruct Operands {\n" + fields_ + "};\n" + method +
           "Operands<V> fetch(int m, int n, int count) const {\n" + coordinates() + "Operands<V> read;\n" +
           reads_ + "return read;\n}\n";
  }

  /// The functor around its methods, and what makes one.
  Functor functor(const std::string& name, const std::string& methods) const {
    Functor functor;
    functor.prelude = "struct " + name + " {\n";
    functor.construct << name << "{";
    bool first = true;
    auto comma = [&] {
      if (!first) functor.construct << ", ";
      first = false;
    };
    for (const auto& [declaration, pointer] : pointers_) {
      functor.prelude += declaration + ";\n";
      comma();
      functor.construct << pointer;
    }
    for (const std::string& capture : form_.captures) {
      functor.prelude += "long long " + capture + ";\n";
      comma();
      functor.construct << std::string_view(capture);
    }
    if (form_.normalized) {
      functor.prelude += "RowScales rows;\n";
      comma();
      functor.construct << "place.rows";
    }
    for (size_t i = 0; i < member_.members().size(); ++i) {
      functor.prelude += "long long d" + std::to_string(i) + ";\n";
      comma();
      functor.construct << member_.members()[i];
    }
    functor.prelude += methods + "};\n";
    functor.construct << "}";
    return functor;
  }

  static constexpr const char* method = "template <int V>\n__device__ __forceinline__ ";

 private:
  DimTable& dims_;
  MemberDims member_;
  const EpilogueForm& form_;
  const std::vector<Dim>& shape_;
  const int parts_;
  std::string fields_, reads_;  // of `Operands`
  std::vector<std::pair<std::string, OperandPointer>> pointers_;
};

bool pairs_columns(const KernelCtx& ctx) { return ctx.fused && halved_axis(ctx.graph); }

bool has_prologue(const KernelCtx& ctx) {
  const Node* maker = ctx.fused ? ctx.graph.producer(ctx.node.inputs[0]) : nullptr;
  return maker && is_elementwise(*maker);
}

bool has_epilogue(const KernelCtx& ctx) {
  return ctx.fused && anchor_index(ctx.graph) + 1 < ctx.graph.nodes.size();
}

Prologue make_prologue(KernelCtx& ctx, const EpilogueForm& form) {
  KernelCtx& placing = *ctx.fused;
  const Body body = part_of(ctx.graph, 0, anchor_index(ctx.graph), {ctx.node.inputs[0]});
  const std::vector<Dim>& shape = ctx.in(0).shape;
  Columns columns(ctx.dims, form, shape);
  Program program{body.graph, {}, {}, {}};
  for (const auto& [v, index] : body.operands) {
    const TensorType& type = body.graph.values[v].type;
    const std::vector<Dim> strides =
        broadcast_strides(ctx.dims, type.shape, placing.in_strides(index), shape);
    program.names[v] =
        columns.read(placing.in_pointer(index), type.dtype, strides, placing.in_alignment(index), false)[0];
  }
  for (const Node* node : body.nodes) program.add(*node);
  const std::string values = std::string(Columns::method) +
                             "void values(const Operands<V>& read, float (&v)[V]) const {\n#pragma unroll\n"
                             "for (int j = 0; j < V; ++j) {\n" +
                             program.statements + "v[j] = " + program.name(body.results[0]) + ";\n}\n}\n";
  const std::string fetch = columns.fetch();
  return columns.functor("Prologue", fetch + values);
}

Epilogue make_epilogue(KernelCtx& ctx, const EpilogueForm& form) {
  KernelCtx& placing = ctx.fused ? *ctx.fused : ctx;
  DimTable& dims = ctx.dims;
  const Body body = body_after(ctx);
  const TensorType& stored = body.graph.values[body.results[0]].type;
  const std::vector<Dim>& summed = ctx.out(0).shape;
  const bool halved = pairs_columns(ctx);
  Columns columns(dims, form, stored.shape, halved ? 2 : 1);
  using Names = Columns::Names;
  const auto first_half =
      std::ranges::find_if(body.nodes, [&](const Node* n) { return half_of(body.graph, *n).has_value(); });
  const std::span<const Node* const> before(body.nodes.begin(), first_half),
      after(first_half, body.nodes.end());

  auto scaled = [](float scale, const std::string& x) {
    return scale == 1 ? x : "float(" + Text(double{scale}).s.substr(1) + ") * " + x;
  };
  Names sum = halved ? Names{"v[2 * j]", "v[2 * j + 1]"} : Names{"v[j]", ""};
  if (form.normalized) {
    columns.read_row_number();
    for (std::string& x : sum) x = "row * " + x;
    std::vector<Dim> by_column(stored.shape.size(), dims.constant(0));
    by_column[form.column_axis] = dims.constant(1);
    if (form.normalized->shifts) {
      const Names shifts =
          columns.read(*form.normalized->shifts, form.normalized->dtype, by_column, 64, true);
      for (size_t part = 0; part < 2; ++part) sum[part] += " + " + shifts[part];
    }
  }
  for (std::string& x : sum) x = scaled(form.alpha, form.normalized ? "(" + x + ")" : x);
  for (const Addend& addend : form.addends) {
    const Names x = columns.read(ctx.in_pointer(addend.operand), ctx.in(addend.operand).dtype, addend.strides,
                                 ctx.in_alignment(addend.operand), true);
    for (size_t part = 0; part < 2; ++part) sum[part] += " + " + scaled(addend.scale, x[part]);
  }
  std::vector<std::pair<ValueId, Names>> operands;
  for (const auto& [v, index] : body.operands) {
    const TensorType& type = body.graph.values[v].type;
    const bool of_sums = std::ranges::any_of(
        before, [&](const Node* n) { return std::ranges::find(n->inputs, v) != n->inputs.end(); });
    const std::vector<Dim> strides =
        broadcast_strides(dims, type.shape, placing.in_strides(index), of_sums ? summed : stored.shape);
    operands.emplace_back(v, columns.read(placing.in_pointer(index), type.dtype, strides,
                                          placing.in_alignment(index), of_sums));
  }
  Program program{body.graph, {}, {}, {}};
  std::string acc = "acc";
  for (int part = 0; part < (halved ? 2 : 1); ++part) {
    if (halved) program.suffix = part ? "b" : "a";
    acc = "acc" + program.suffix;
    program.statements += "const float " + acc + " = " + sum[static_cast<size_t>(part)] + ";\n";
    if (ctx.fused) program.names[ctx.node.outputs[0]] = acc;
    for (const auto& [v, names] : operands) program.names[v] = names[static_cast<size_t>(part)];
    for (const Node* node : before) program.add(*node);
    for (const Node* node : after)
      if (const auto half = half_of(body.graph, *node); half && half->second == (part == 1))
        program.names[node->outputs[0]] = program.name(half->whole);
  }
  program.suffix.clear();
  for (const Node* node : after)
    if (!half_of(body.graph, *node)) program.add(*node);
  const std::string element(device_type(stored.dtype)), row = "Row<" + element + ", ",
                                                        width = columns.width(), method = Columns::method;
  const size_t out = columns.add_result(placing.out_pointer(0), element);
  const std::span<const Dim> out_strides = placing.out_strides(0);

  std::string text = columns.fetch();
  text += method + row + width + "> results(float (&v)[V], const Operands<V>& read) const {\n" + row + width +
          "> y;\n" + (form.normalized ? "const float row = rows[read.m];\n" : "") +
          "#pragma unroll\nfor (int j = 0; j < " + width + "; ++j) {\n" + program.statements;
  text += "y.set(j, " + (ctx.fused ? program.name(body.results[0]) : acc) + ");\n}\nreturn y;\n}\n";
  text +=
      method + "void put(int m, int n, const " + row + "V>& y, int count) const {\n" + columns.coordinates() +
      "write_row<" + element + ", V>(" + row_pointer(out, columns.offset(out_strides, dims.constant(0))) +
      ", " + columns.member(out_strides[form.column_axis]) + ", " + columns.count() + ", " +
      columns.aligned(out_strides, dims.constant(0), placing.out_alignment(0), stored.dtype) + ", y);\n}\n";
  return columns.functor("Epilogue", text);
}

namespace {

/// What a pointwise kernel reads or writes.
struct Access {
  OperandPointer pointer;
  DType type;
  std::vector<Dim> strides;  // along the axes of the results
  int64_t alignment;
  bool written;
};

/// What `body` reads, then what it writes.
std::vector<Access> accesses_of(KernelCtx& ctx, const Body& body) {
  const std::vector<Dim>& shape = body.graph.values[body.results[0]].type.shape;
  std::vector<Access> all;
  for (const auto& [v, i] : body.operands) {
    const TensorType& type = body.graph.values[v].type;
    all.push_back({ctx.in_pointer(i), type.dtype,
                   broadcast_strides(ctx.dims, type.shape, ctx.in_strides(i), shape), ctx.in_alignment(i),
                   false});
  }
  for (size_t i = 0; i < body.results.size(); ++i) {
    const std::span<const Dim> strides = ctx.out_strides(i);
    all.push_back({ctx.out_pointer(i),
                   body.graph.values[body.results[i]].type.dtype,
                   {strides.begin(), strides.end()},
                   ctx.out_alignment(i),
                   true});
  }
  return all;
}

/// The loop of a pointwise kernel: axes in the memory order of its first result, merged where all tensors walk them as one.
struct Loop {
  std::vector<Dim> extents;
  std::vector<Access> accesses;  // with strides along these
  size_t lead;                   // the first result
};

Loop make_loop(DimTable& dims, std::span<const Dim> shape, std::vector<Access> accesses, size_t lead) {
  // The result's strides say which axis is outermost: one axis encloses another if its stride is a multiple of the other's.
  std::vector<size_t> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  const std::vector<Dim> out = accesses[lead].strides;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return dims.range(out[a]).hi > dims.range(out[b]).hi; });
  Loop loop{{}, accesses, lead};
  for (Access& access : loop.accesses) access.strides.clear();
  for (size_t axis : order) {
    if (dims.is_constant(shape[axis], 1)) continue;
    bool joins = !loop.extents.empty();
    for (size_t k = 0; joins && k < accesses.size(); ++k)
      joins = loop.accesses[k].strides.back() == dims.mul(accesses[k].strides[axis], shape[axis]);
    if (joins) {
      loop.extents.back() = dims.mul(loop.extents.back(), shape[axis]);
      for (size_t k = 0; k < accesses.size(); ++k)
        loop.accesses[k].strides.back() = accesses[k].strides[axis];
    } else {
      loop.extents.push_back(shape[axis]);
      for (size_t k = 0; k < accesses.size(); ++k)
        loop.accesses[k].strides.push_back(accesses[k].strides[axis]);
    }
  }
  if (loop.extents.empty()) {
    loop.extents.push_back(dims.constant(1));
    for (Access& access : loop.accesses) access.strides.push_back(dims.constant(0));
  }
  return loop;
}

/// The axis that neighbouring threads walk: the first result's innermost, or that of tensors which lie in another order, where
/// what is moved at once makes up for the steps between.
size_t read_along(const KernelCtx& ctx, const Loop& loop) {
  const DimTable& dims = ctx.dims;
  const size_t inner = loop.extents.size() - 1;
  if (!dims.is_constant(loop.accesses[loop.lead].strides[inner], 1)) return inner;
  for (const Access& access : loop.accesses)
    for (size_t a = 0; a < inner; ++a)
      if (dims.is_constant(access.strides[a], 1) && !dims.is_constant(access.strides[inner], 0) &&
          ctx.usual(loop.extents[a]) >= 8)
        return a;
  return inner;
}

}  // namespace

KernelCall pointwise_call(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const Body body = body_of(ctx);
  const size_t lead = body.operands.size();
  const Loop loop =
      make_loop(dims, body.graph.values[body.results[0]].type.shape, accesses_of(ctx, body), lead);
  const std::vector<Access>& accesses = loop.accesses;
  const size_t inner = loop.extents.size() - 1;

  // V elements of the innermost axis at once, if every tensor allows it or lies along another.
  size_t along = read_along(ctx, loop);  // what lies along it is gathered, or scattered, along `inner`
  auto scattered = [&](size_t k) {
    return along != inner && k != lead && dims.is_constant(accesses[k].strides[along], 1);
  };
  size_t widest = 1;
  for (size_t k = 0; k < accesses.size(); ++k)
    if (!scattered(k)) widest = std::max(widest, size_of(accesses[k].type));
  int64_t vector = std::max<int64_t>(1, std::min<int64_t>(8, 16 / static_cast<int64_t>(widest)));
  auto allows = [&](int64_t v) {
    if (!divisible(dims, loop.extents[inner], v)) return false;
    for (size_t k = 0; k < accesses.size(); ++k) {
      const auto& [pointer, type, strides, alignment, written] = accesses[k];
      if (scattered(k) || (dims.is_constant(strides[inner], 0) && !written)) continue;
      if (!dims.is_constant(strides[inner], 1) || alignment % v != 0) return false;
      for (size_t a = 0; a < inner; ++a)
        if (!divisible(dims, strides[a], v)) return false;
    }
    return true;
  };
  while (vector > 1 && !allows(vector)) vector /= 2;
  if (vector == 1) along = inner;

  const Dim total = dims.floor_div(dims.product(loop.extents), dims.constant(vector));
  const bool narrow = dims.range(dims.mul(total, dims.constant(vector))).hi < (int64_t{1} << 31);
  const std::string index = narrow ? "int" : "long long";
  constexpr int threads = 256;

  KernelCall call;
  KernelText& text = call.body;
  text << "using namespace burnish;\nconstexpr int V = " << std::string_view(std::to_string(vector)) << ";\n";
  text << "const long long id = (long long)blockIdx.x * " << std::string_view(std::to_string(threads))
       << " + threadIdx.x;\nif (id >= ";
  text << total << ") return;\n"
       << std::string_view(index) << " rest = (" << std::string_view(index) << ")id;\n";
  // Neighbouring threads walk `inner`; where operands lie along another axis, eight of that first: 32 bytes of each.
  const bool tiled = along != inner && divisible(dims, loop.extents[along], 8);
  std::vector<std::pair<std::string, Dim>> coordinates;  // the fastest first
  if (along != inner)
    coordinates.emplace_back(tiled ? "eighth" : "x" + std::to_string(along),
                             tiled ? dims.constant(8) : loop.extents[along]);
  for (size_t a = inner + 1; a-- > 0;)
    if (a == inner) coordinates.emplace_back("part", dims.floor_div(loop.extents[a], dims.constant(vector)));
    else if (a != along) coordinates.emplace_back("x" + std::to_string(a), loop.extents[a]);
    else if (tiled) coordinates.emplace_back("tile", dims.floor_div(loop.extents[a], dims.constant(8)));
  for (size_t i = 0; i < coordinates.size(); ++i) {
    const auto& [name, steps] = coordinates[i];
    text << "[[maybe_unused]] const long long " << std::string_view(name) << " = rest";
    if (i + 1 < coordinates.size())
      text << " % (" << std::string_view(index) << ")" << steps << ";\nrest /= (" << std::string_view(index)
           << ")" << steps;
    text << ";\n";
  }
  text << "[[maybe_unused]] const long long " << std::string_view("x" + std::to_string(inner))
       << " = part * V;\n";
  if (tiled)
    text << "const long long " << std::string_view("x" + std::to_string(along)) << " = tile * 8 + eighth;\n";
  auto address = [&](const Access& access) {
    text << access.pointer;
    for (size_t a = 0; a <= inner; ++a)
      if (!dims.is_constant(access.strides[a], 0))
        text << " + x" << std::string_view(std::to_string(a)) << " * " << access.strides[a];
  };
  const std::string each = "#pragma unroll\nfor (int j = 0; j < V; ++j) ";
  Program program{body.graph, {}, {}};
  for (size_t k = 0; k < lead; ++k) {
    const Access& access = accesses[k];
    const std::string name = "r" + std::to_string(k), element(device_type(access.type)),
                      c(compute_type(access.type));
    program.names[body.operands[k].first] = name + "[j]";
    if (vector > 1 && scattered(k)) {
      text << std::string_view(c + " " + name + "[V];\n" + each + name + "[j] = load(");
      address(access);
      text << " + j * " << access.strides[inner] << ");\n";
    } else if (vector > 1 && !dims.is_constant(access.strides[inner], 0)) {
      text << std::string_view(c + " " + name + "[V]; load_vector<" + element + ", V>(");
      address(access);
      text << std::string_view(", " + name + ");\n");
    } else {
      text << std::string_view("const " + c + " " + name + " = load(");
      address(access);
      text << ");\n";
      program.names[body.operands[k].first] = name;
    }
  }
  for (const Node* node : body.nodes) program.add(*node);
  auto result = [](size_t i) { return "y" + std::to_string(i); };
  for (size_t i = 0; i < body.results.size(); ++i) {
    text << compute_type(accesses[lead + i].type) << std::string_view(" " + result(i) + "[V];\n");
    program.statements += result(i) + "[j] = " + program.name(body.results[i]) + ";\n";
  }
  text << std::string_view(each + "{\n" + program.statements + "}\n");
  for (size_t i = 0; i < body.results.size(); ++i) {
    const Access& access = accesses[lead + i];
    if (vector > 1 && scattered(lead + i)) {
      text << std::string_view(each + "store(");
      address(access);
      text << " + j * " << access.strides[inner] << std::string_view(", " + result(i) + "[j]);\n");
    } else if (vector > 1) {
      text << std::string_view("store_vector<" + std::string(device_type(access.type)) + ", V>(");
      address(access);
      text << std::string_view(", " + result(i) + ");\n");
    } else {
      text << "store(";
      address(access);
      text << std::string_view(", " + result(i) + "[0]);\n");
    }
  }
  call.grid = {dims.ceil_div(total, dims.constant(threads)), dims.constant(1), dims.constant(1)};
  call.block = {threads, 1, 1};
  return call;
}

}  // namespace burnish
