#pragma once

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/libraries/cudnn_graph.h"
#include "runtime/libraries/owned_descriptor.h"

namespace burnish::cudnn {

using Owned = OwnedDescriptor<Descriptor>;

inline int data_type(DType t) { return t == DType::f16 ? data_f16 : t == DType::bf16 ? data_bf16 : data_f32; }

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
  template <class T>
  Result<> get(const Owned& d, Attribute attribute, AttributeType type, T& value) const {
    int64_t count = 0;
    return call_.check_status(call_.get(d.get(), attribute, type, 1, &count, &value),
                              "cudnnBackendGetAttribute");
  }
  /// Descriptors of a kind that another one has, `most` at most.
  Result<std::vector<Owned>> list(const Owned& d, Attribute attribute, int64_t most, Kind kind) const {
    std::vector<Owned> all;
    std::vector<Descriptor> list;
    for (int64_t i = 0; i < most; ++i) {
      all.push_back(TRY(make(kind)));
      list.push_back(all.back().get());
    }
    int64_t count = 0;
    TRY(call_.check_status(call_.get(d.get(), attribute, type_descriptor, most, &count, list.data()),
                           "cudnnBackendGetAttribute"));
    all.resize(static_cast<size_t>(std::clamp<int64_t>(count, 0, most)));
    return all;
  }
  Result<std::string> text(const Owned& d, Attribute attribute) const {
    int64_t count = 0;
    TRY(call_.check_status(call_.get(d.get(), attribute, type_char, 0, &count, nullptr),
                           "cudnnBackendGetAttribute"));
    std::string out(static_cast<size_t>(count), '\0');
    TRY(call_.check_status(call_.get(d.get(), attribute, type_char, count, &count, out.data()),
                           "cudnnBackendGetAttribute"));
    return out;
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
  /// An operation's descriptor; what it refers to is added to `parts`.
  Result<Owned> operation(const OperationGraph::Convolution& c, std::span<const Owned> tensors,
                          std::vector<Owned>& parts) const {
    Owned form = TRY(make(convolution_descriptor));
    TRY(set(form, convolution_type, type_data_type, data_f32));
    TRY(set(form, convolution_mode, type_convolution_mode, cross_correlation));
    TRY(set(form, convolution_axes, type_int64, static_cast<int64_t>(c.strides.size())));
    TRY(set(form, convolution_dilations, c.dilations));
    TRY(set(form, convolution_strides, c.strides));
    TRY(set(form, convolution_pre_paddings, c.before));
    TRY(set(form, convolution_post_paddings, c.after));
    TRY(finalize(form));
    Owned d = TRY(make(convolution_operation_descriptor));
    TRY(set(d, convolution_operation_form, form));
    TRY(set(d, convolution_operation_x, tensors[c.x]));
    TRY(set(d, convolution_operation_w, tensors[c.w]));
    TRY(set(d, convolution_operation_y, tensors[c.y]));
    TRY(set(d, convolution_operation_alpha, type_float, 1.0f));
    TRY(set(d, convolution_operation_beta, type_float, 0.0f));
    TRY(finalize(d));
    parts.push_back(std::move(form));
    return d;
  }
  Result<Owned> operation(const OperationGraph::Pointwise& p, std::span<const Owned> tensors,
                          std::vector<Owned>& parts) const {
    Owned form = TRY(make(pointwise_descriptor));
    TRY(set(form, pointwise_mode, type_pointwise_mode, static_cast<int>(p.mode)));
    TRY(set(form, pointwise_precision, type_data_type, data_f32));
    if (p.upper_clip) {
      TRY(set(form, pointwise_lower_clip, type_double, 0.0));
      TRY(set(form, pointwise_upper_clip, type_double, *p.upper_clip));
    }
    TRY(finalize(form));
    Owned d = TRY(make(pointwise_operation_descriptor));
    TRY(set(d, pointwise_operation_form, form));
    TRY(set(d, pointwise_operation_x, tensors[p.x]));
    if (p.b) TRY(set(d, pointwise_operation_b, tensors[*p.b]));
    TRY(set(d, pointwise_operation_y, tensors[p.y]));
    TRY(finalize(d));
    parts.push_back(std::move(form));
    return d;
  }
  Result<Owned> operation(const OperationGraph::Matmul& m, std::span<const Owned> tensors,
                          std::vector<Owned>& parts) const {
    Owned form = TRY(make(matmul_descriptor));
    TRY(set(form, matmul_type, type_data_type, data_f32));
    TRY(finalize(form));
    Owned d = TRY(make(matmul_operation_descriptor));
    TRY(set(d, matmul_operation_form, form));
    TRY(set(d, matmul_operation_a, tensors[m.a]));
    TRY(set(d, matmul_operation_b, tensors[m.b]));
    TRY(set(d, matmul_operation_c, tensors[m.c]));
    TRY(finalize(d));
    parts.push_back(std::move(form));
    return d;
  }
  Result<Owned> operation(const OperationGraph::Reduction& r, std::span<const Owned> tensors,
                          std::vector<Owned>& parts) const {
    Owned form = TRY(make(reduction_descriptor));
    TRY(set(form, reduction_mode, type_reduction_mode, static_cast<int>(r.mode)));
    TRY(set(form, reduction_type, type_data_type, data_f32));
    TRY(finalize(form));
    Owned d = TRY(make(reduction_operation_descriptor));
    TRY(set(d, reduction_operation_form, form));
    TRY(set(d, reduction_operation_x, tensors[r.x]));
    TRY(set(d, reduction_operation_y, tensors[r.y]));
    TRY(finalize(d));
    parts.push_back(std::move(form));
    return d;
  }
  Result<Owned> device(std::string_view json) const {
    Owned d = TRY(make(device_descriptor));
    TRY(set(d, device_json, type_char, std::span<const char>(json)));
    TRY(finalize(d));
    return d;
  }
  /// The graph's descriptor; what it refers to is added to `parts`. `handle`: null where there is no GPU.
  Result<Owned> graph(const OperationGraph& graph, Handle handle, std::vector<Owned>& parts) const {
    std::vector<Owned> tensors, operations;
    for (size_t i = 0; i < graph.tensors.size(); ++i) tensors.push_back(TRY(tensor(graph.tensors[i], i + 1)));
    std::vector<Descriptor> list;
    for (const OperationGraph::Operation& any : graph.operations) {
      operations.push_back(
          TRY(std::visit([&](const auto& one) { return operation(one, tensors, parts); }, any)));
      list.push_back(operations.back().get());
    }
    Owned d = TRY(make(graph_descriptor));
    if (handle) TRY(set(d, graph_handle, type_handle, handle));
    TRY(set(d, graph_operations, type_descriptor, std::span<const Descriptor>(list)));
    TRY(finalize(d));
    for (auto* some : {&tensors, &operations})
      parts.insert(parts.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
    return d;
  }

 private:
  const Functions& call_;
};

}  // namespace burnish::cudnn
