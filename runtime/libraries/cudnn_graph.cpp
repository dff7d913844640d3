#include "runtime/libraries/cudnn_graph.h"

#include <limits>
#include <sstream>

namespace burnish::cudnn {

namespace {

std::ostream& operator<<(std::ostream& out, const std::vector<int64_t>& list) {
  for (size_t i = 0; i < list.size(); ++i) out << (i ? "x" : " ") << list[i];
  return out;
}

std::ostream& operator<<(std::ostream& out, const OperationGraph::Tensor& t) {
  out << "tensor " << name_of(t.dtype) << t.extents << t.strides;
  if (t.between) return out << " between";
  return out << " aligned to " << t.alignment;
}

std::ostream& operator<<(std::ostream& out, const OperationGraph::Convolution& c) {
  return out << "convolution " << c.x << " " << c.w << " " << c.y << c.before << c.after << c.strides
             << c.dilations;
}

std::ostream& operator<<(std::ostream& out, const OperationGraph::Pointwise& p) {
  out << "pointwise " << p.mode << " " << p.x << " ";
  if (p.b) out << *p.b << " ";
  out << "to " << p.y;
  if (p.upper_clip) out << " up to " << *p.upper_clip;
  return out;
}

std::ostream& operator<<(std::ostream& out, const OperationGraph::Matmul& m) {
  return out << "matmul " << m.a << " " << m.b << " to " << m.c;
}

std::ostream& operator<<(std::ostream& out, const OperationGraph::Reduction& r) {
  return out << "reduction " << r.mode << " " << r.x << " to " << r.y;
}

}  // namespace

std::string print(const OperationGraph& graph) {
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  for (const OperationGraph::Tensor& t : graph.tensors) out << t << "\n";
  for (const OperationGraph::Operation& o : graph.operations)
    std::visit([&](const auto& operation) { out << operation << "\n"; }, o);
  return out.str();
}

}  // namespace burnish::cudnn
