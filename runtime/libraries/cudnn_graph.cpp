#include "runtime/libraries/cudnn_graph.h"

#include <limits>
#include <sstream>

namespace burnish::cudnn {

namespace {

std::ostream& operator<<(std::ostream& out, const std::vector<int64_t>& list) {
  for (size_t i = 0; i < list.size(); ++i) out << (i ? "x" : " ") << list[i];
  return out;
}

}  // namespace

std::string print(const OperationGraph& graph) {
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  for (const OperationGraph::Tensor& t : graph.tensors)
    out << "tensor " << name_of(t.dtype) << t.extents << t.strides
        << (t.between ? " between" : " aligned to ") << (t.between ? "" : std::to_string(t.alignment))
        << "\n";
  const OperationGraph::Convolution& c = graph.convolution;
  out << "convolution " << c.x << " " << c.w << " " << c.y << c.before << c.after << c.strides << c.dilations
      << "\n";
  for (const OperationGraph::Pointwise& p : graph.pointwise) {
    out << "pointwise " << p.mode << " " << p.x << " ";
    if (p.b) out << *p.b << " ";
    out << "to " << p.y;
    if (p.upper_clip) out << " up to " << *p.upper_clip;
    out << "\n";
  }
  return out.str();
}

}  // namespace burnish::cudnn
