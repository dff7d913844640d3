#pragma once

#include "ops/kernel_axes.h"

namespace burnish {

/// Instance or group normalization on a device: x [batch, channels, …] in `groups` groups of neighbouring
/// channels.
class InstanceNormalizationKernel {
 public:
  InstanceNormalizationKernel(KernelCtx& ctx, Dim groups, float epsilon)
      : ctx_(ctx), dims_(ctx.dims), groups_(groups), epsilon_(epsilon), shape_(ctx.in(0).shape) {
    const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
    KernelAxes all(2);
    for (size_t a = 2; a < shape_.size(); ++a) all.add(shape_[a], {x[a], y[a]});
    // An epilogue knows the axes by their order in the shape.
    plane_ = ctx.fused ? all : collapsed(dims_, in_memory_order(ctx, all, 0));
    positions_ = dims_.product(plane_.extents);
  }

  Verdict run() {
    const DType dtype = ctx_.in(0).dtype;
    if (ctx_.in(1).dtype != ctx_.in(2).dtype) return Verdict::no("scale and bias are of different types");
    if (ctx_.fused && dtype == DType::f64) return Verdict::no("epilogues compute in float");
    if (lies_channels_last()) add_channels_last();
    else add_rows();
    return Verdict::yes();
  }

 private:
  int64_t vector() const { return 16 / static_cast<int64_t>(size_of(ctx_.in(0).dtype)); }

  /// Whether positions lie evenly spaced, the channels of each side by side.
  bool lies_channels_last() const {
    const std::span<const Dim> x = ctx_.in_strides(0);
    const auto channels = dims_.value(shape_[1]), groups = dims_.value(groups_);
    if (!channels || !groups || *channels > 4096 || *channels % vector() != 0 || *groups == 0 ||
        ctx_.in(0).dtype == DType::f64 || !dims_.is_constant(x[1], 1) || shape_.size() < 3)
      return false;
    for (size_t a = 2; a + 1 < shape_.size(); ++a)
      if (x[a] != dims_.mul(x[a + 1], shape_[a + 1])) return false;
    return ctx_.in_alignment(0) % vector() == 0 && divisible(dims_, x[0], vector()) &&
           divisible(dims_, x.back(), vector());
  }

  /// Moments of parts of the images first, then all of it again.
  void add_channels_last() {
    const int64_t channels = *dims_.value(shape_[1]), parts = channels / vector();
    const int64_t rows = std::max<int64_t>(1, (256 + parts / 2) / parts);
    const int threads = static_cast<int>((std::min<int64_t>(parts, 512) * rows + 31) / 32 * 32);
    constexpr int64_t blocks = 512, most_slabs = 64;
    const int64_t fullest = ctx_.usual(positions_) / (2 * rows);
    const int64_t slabs = std::clamp<int64_t>(
        std::min(power_of_two_from(blocks / std::max<int64_t>(ctx_.usual(shape_[0]), 1)), fullest), 1,
        most_slabs);
    const Dim grid = dims_.mul(shape_[0], dims_.constant(slabs));
    const OperandPointer moments =
        ctx_.scratch(DType::f32, dims_.mul(grid, dims_.mul(groups_, dims_.constant(3))));
    const std::string v = std::to_string(vector()), shared_by = std::to_string(slabs);
    KernelText frame, image;
    frame << "using Frame = ChannelsLast<" << std::to_string(channels) << ", "
          << std::to_string(*dims_.value(groups_)) << ", " << v << ", " << std::to_string(threads)
          << ">;\nconst Frame frame((int)" << positions_ << ", " << shared_by << ");\n";
    image << "<Frame, " << v << ">(frame, " << ctx_.in_pointer(0) << ", " << ctx_.in_strides(0)[0] << ", "
          << ctx_.in_strides(0).back() << ", ";

    KernelCall measure{.headers = {"ops/instance_normalization/channels_last_normalization.cuh"},
                       .grid = {grid, dims_.constant(1), dims_.constant(1)},
                       .block = {threads, 1, 1}};
    KernelCall normalize = measure;
    measure.shared_bytes = static_cast<int>(threads / std::min<int64_t>(parts, threads) * channels * 8);
    measure.body << frame << "group_moments" << image << moments << ");\n";

    EpilogueForm form{.column_axis = 1, .column_step = static_cast<int>(vector())};
    KernelText batch, channel;
    form.coordinates.push_back(batch << "m / (int)" << positions_);
    form.coordinates.push_back(channel << "n");
    add_position(form, "m");
    const Epilogue end = make_epilogue(ctx_, form);
    normalize.prelude = end.prelude;
    normalize.body << frame << "group_normalize" << image << "(int)" << positions_ << ", " << shared_by
                   << ", " << moments << ", " << ctx_.in_pointer(1) << ", " << ctx_.in_strides(1)[0] << ", "
                   << ctx_.in_pointer(2) << ", " << ctx_.in_strides(2)[0] << ", float("
                   << real_text(static_cast<double>(epsilon_)) << "), " << end.construct << ");\n";
    ctx_.calls.push_back(std::move(measure));
    ctx_.calls.push_back(std::move(normalize));
  }

  /// A team of threads for each image and group.
  void add_rows() {
    KernelAxes axes(2);
    for (size_t a = 0; a < 2; ++a) axes.add(shape_[a], {ctx_.in_strides(0)[a], ctx_.out_strides(0)[a]});
    for (size_t a = 0; a < plane_.rank(); ++a)
      axes.add(plane_.extents[a], {plane_.strides[0][a], plane_.strides[1][a]});
    const Dim members = dims_.floor_div(shape_[1], groups_);
    const RowTeam team(ctx_, dims_.mul(members, positions_), false);
    KernelCall call{.headers = {"ops/instance_normalization/instance_normalization.cuh"}};
    team.set_rows(dims_, call, dims_.mul(shape_[0], groups_));
    call.body << "instance_normalization<" << std::to_string(team.team) << ", " << std::to_string(team.cached)
              << ">(" << ctx_.in_pointer(0) << ", " << ctx_.in_pointer(1) << ", " << ctx_.in_pointer(2)
              << ", " << ctx_.out_pointer(0) << ", " << groups_ << ", "
              << dims_text(axes.extents, index_type(dims_, dims_.product(shape_))) << ", "
              << dims_text(axes.strides[0]) << ", " << dims_text(axes.strides[1]) << ", "
              << ctx_.in_strides(1)[0] << ", " << ctx_.in_strides(2)[0] << ", "
              << real_text(static_cast<double>(epsilon_));
    if (ctx_.fused) {
      EpilogueForm form{.column_axis = shape_.size() - 1, .column_step = 1};
      KernelText batch, channel;
      form.coordinates.push_back(batch << "m / (int)" << groups_);
      form.coordinates.push_back(channel << "m % (int)" << groups_ << " * (int)" << members << " + n / (int)"
                                         << positions_);
      add_position(form, "n");
      const Epilogue end = make_epilogue(ctx_, form);
      call.prelude = end.prelude;
      call.body << ", " << end.construct;
    }
    call.body << ");\n";
    ctx_.calls.push_back(std::move(call));
  }

  /// The coordinates of a position whose row-major number begins `number` modulo the positions.
  void add_position(EpilogueForm& form, std::string_view number) const {
    Dim inner = positions_;
    for (size_t a = 2; a < shape_.size(); ++a) {
      KernelText text;
      text << number << " % (int)" << inner;
      inner = dims_.floor_div(inner, shape_[a]);
      form.coordinates.push_back(text << " / (int)" << inner);
    }
  }

  KernelCtx& ctx_;
  DimTable& dims_;
  const Dim groups_;
  const float epsilon_;
  const std::vector<Dim>& shape_;
  KernelAxes plane_{2};
  Dim positions_;
};

}  // namespace burnish
