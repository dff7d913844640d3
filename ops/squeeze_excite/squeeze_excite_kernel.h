#pragma once

#include "ir/gpu.h"
#include "ops/kernel_axes.h"
#include "ops/squeeze_excite/squeeze_excite.h"

namespace burnish {

/// How blocks share an image: device text `SqueezeExcite<…>` (squeeze_excite.cuh says what the numbers mean).
struct SqueezeCut {
  int64_t element, vector, channels, hidden, positions;  // bytes of an element; the rest in elements
  int64_t position_shares, channel_shares, threads = 0, held = 0;
  bool staged = false, clustered = false;

  static constexpr int64_t blocks = 8;  // of an image; as a cluster they run on every GPU that has clusters

  int64_t parts() const { return ceil(ceil(channels, vector), channel_shares); }
  int64_t own() const { return parts() * vector; }
  int64_t rows() const { return threads / std::min(parts(), threads); }
  int64_t own_positions() const { return ceil(positions, position_shares); }
  int64_t rounds() const { return ceil(own_positions(), rows()); }
  int64_t weight_bytes() const { return 2 * rounded(hidden * own() * element); }

  /// What a block moves, in vectors: its part of x twice, its part of the weights. What lies together costs 64 bytes at least.
  int64_t cost() const {
    const int64_t together = std::max<int64_t>(own() * element, 64) / (vector * element);
    return 2 * own_positions() * together + weight_bytes() / (vector * element);
  }

  int64_t shared_bytes() const {
    const int64_t sum = std::max<int64_t>(element, 4);
    int64_t bytes = rounded(std::max<int64_t>(held * threads * vector, 1) * element);
    bytes += staged ? weight_bytes() : 2 * rounded(element);
    bytes += rounded(rows() * (own() + 4) * sum) + 3 * rounded(own() * sum);
    return bytes + rounded(clustered ? 2 * blocks * hidden * sum : 2 * sum) + 2 * rounded(hidden * sum);
  }

  std::string name() const { return std::to_string(position_shares) + "x" + std::to_string(channel_shares); }

  static int64_t ceil(int64_t a, int64_t b) { return (a + b - 1) / b; }
  static int64_t rounded(int64_t bytes) { return ceil(bytes, 16) * 16; }
};

class SqueezeExciteKernel {
 public:
  explicit SqueezeExciteKernel(KernelCtx& ctx)
      : ctx_(ctx), dims_(ctx.dims), shape_(ctx.in(0).shape), attrs_(ctx.attrs<SqueezeExciteAttrs>()) {
    for (size_t i = 1; i < 5; ++i)
      if (ctx.has(i)) ctx.make_dense(i);
    const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
    KernelAxes all(2);
    for (size_t a = 2; a < shape_.size(); ++a) all.add(shape_[a], {x[a], y[a]});
    positions_ = collapsed(dims_, in_memory_order(ctx, all, 0));
  }

  Verdict run() {
    if (dims_.value(shape_[1]).value_or(0) == 0 || dims_.value(ctx_.in(1).shape[0]).value_or(0) == 0)
      return Verdict::no("there are no channels, or how many is not known");
    std::vector<SqueezeCut> cuts;
    for (const int64_t shares : {1, 2, 4, 8})
      if (SqueezeCut cut = cut_of(shares); cut.shared_bytes() <= shared_of_any_block) cuts.push_back(cut);
    if (cuts.empty()) return Verdict::no("channels do not fit into shared memory");
    std::ranges::stable_sort(cuts, {}, &SqueezeCut::cost);
    cuts.resize(std::min<size_t>(cuts.size(), 2));
    std::vector<Tactic> tactics{{"launches " + cuts[0].name(), 2 * static_cast<double>(cuts[0].cost())}};
    std::vector<SqueezeCut> offered{cuts[0]};
    for (SqueezeCut& cut : cuts) {
      cut.clustered = true;
      if (!has_clusters(ctx_.architecture()) || cut.shared_bytes() > shared_of_any_block) continue;
      tactics.push_back({"cluster " + cut.name(), static_cast<double>(cut.cost())});
      offered.push_back(cut);
    }
    cut_ = offered[ctx_.choose(std::move(tactics))];
    if (cut_.clustered) {
      choose_what_is_held();
      add_clusters();
    } else {
      add_two_launches();
    }
    return Verdict::yes();
  }

 private:
  /// Clusters whose blocks have a multiprocessor each, on an H200.
  static constexpr int64_t clusters = 16;

  int64_t size() const { return static_cast<int64_t>(size_of(ctx_.in(0).dtype)); }

  /// Whether 16 bytes of channels lie together, at every position of an operand that lies like this.
  bool has_vectors(std::span<const Dim> strides, size_t operand, int64_t alignment) const {
    const int64_t v = 16 / size();
    const std::vector<Dim>& along = positions_.strides[operand];
    return divisible(dims_, shape_[1], v) && dims_.is_constant(strides[1], 1) && alignment % v == 0 &&
           divisible(dims_, strides[0], v) &&
           std::ranges::all_of(along, [&](Dim d) { return divisible(dims_, d, v); });
  }

  /// Some four vectors a thread.
  SqueezeCut cut_of(int64_t position_shares) const {
    SqueezeCut cut{.element = size(),
                   .vector = has_vectors(ctx_.in_strides(0), 0, ctx_.in_alignment(0)) ? 16 / size() : 1,
                   .channels = *dims_.value(shape_[1]),
                   .hidden = *dims_.value(ctx_.in(1).shape[0]),
                   .positions = ctx_.usual(dims_.product(positions_.extents)),
                   .position_shares = position_shares,
                   .channel_shares = SqueezeCut::blocks / position_shares};
    cut.threads = std::clamp<int64_t>(power_of_two_from(cut.parts() * cut.own_positions() / 4), 128, 512);
    return cut;
  }

  void choose_what_is_held() {
    if (cut_.vector * size() != 16) return;
    constexpr int64_t most_staged = 48 << 10, most_held = 32;
    cut_.staged = cut_.weight_bytes() <= std::min(most_staged, shared_of_any_block - cut_.shared_bytes()) &&
                  ctx_.in_alignment(1) % cut_.vector == 0 && ctx_.in_alignment(3) % cut_.vector == 0;
    if (cut_.parts() > cut_.threads) return;
    const int64_t room = shared_of_block() - cut_.shared_bytes();
    cut_.held = std::clamp<int64_t>(room / (cut_.threads * 16), 0, std::min(cut_.rounds(), most_held));
  }

  /// Shared memory of a multiprocessor; a block costs 1 KB beside what it asks for.
  int64_t shared_of_multiprocessor() const {
    const bool large = ctx_.architecture().starts_with("sm_90") || ctx_.architecture().starts_with("sm_10");
    return large ? h200::shared_of_multiprocessor : 100 << 10;
  }
  /// One of them may have it all where there are so few images that every cluster finds multiprocessors of its own.
  bool is_alone() const { return ctx_.usual(shape_[0]) <= clusters; }
  int64_t shared_of_block() const { return shared_of_multiprocessor() / (is_alone() ? 1 : 2) - (1 << 10); }

  bool has_constant_weights() const {
    for (size_t i = 1; i < 5; ++i)
      if (ctx_.has(i) && !ctx_.is_constant(ctx_.in_pointer(i))) return false;
    return true;
  }

  KernelCall start_call(int64_t images_at_once) const {
    KernelCall call{.headers = {"ops/squeeze_excite/squeeze_excite.cuh"}};
    const Dim images = dims_.min(shape_[0], dims_.constant(images_at_once));
    call.grid = {dims_.mul(images, dims_.constant(SqueezeCut::blocks)), dims_.constant(1), dims_.constant(1)};
    call.block = {static_cast<int>(cut_.threads), 1, 1};
    call.shared_bytes = static_cast<int>(cut_.shared_bytes());
    const std::string type(device_type(ctx_.in(0).dtype));
    std::string config = "using C = SqueezeExcite<" + type;
    for (int64_t n : {cut_.vector, cut_.channels, cut_.hidden, cut_.threads, cut_.position_shares,
                      cut_.channel_shares, cut_.held})
      config += ", " + std::to_string(n);
    config +=
        std::string(cut_.staged ? ", true" : ", false") + (cut_.clustered ? ", true>;\n" : ", false>;\n");
    config += "static_assert(sizeof(C::Memory) <= " + std::to_string(call.shared_bytes) + ");\n";
    call.body << config << "const SqueezeWeights<" + type + "> w{";
    for (size_t i = 1; i < 5; ++i) {
      if (ctx_.has(i)) call.body << ctx_.in_pointer(i);
      else call.body << "nullptr";
      call.body << (i < 4 ? ", " : "};\n");
    }
    add_images(call.body, "x", "const " + type, ctx_.in_pointer(0), 0, ctx_.in_strides(0), cut_.vector > 1);
    return call;
  }
  void add_images(KernelText& text, const std::string& name, const std::string& type, OperandPointer at,
                  size_t operand, std::span<const Dim> strides, bool vectors) const {
    text << "const SqueezedImages<" + type + ", " + std::to_string(positions_.rank()) +
                (vectors ? ", true> " : ", false> ") + name + "{"
         << at << ", " << strides[0] << ", " << strides[1] << ", " << dims_text(positions_.strides[operand])
         << "};\n";
  }
  void add_result(KernelText& text) const {
    add_images(text, "y", std::string(device_type(ctx_.out(0).dtype)), ctx_.out_pointer(0), 1,
               ctx_.out_strides(0),
               cut_.vector > 1 && has_vectors(ctx_.out_strides(0), 1, ctx_.out_alignment(0)));
  }
  void add_extents(KernelText& text) const {
    text << dims_text(positions_.extents, "int") << ", (int)" << shape_[0] << ", w";
  }
  void add_functions(KernelText& text) const {
    text << ", squeeze_function::" << (attrs_.activation == "relu" ? "Relu{}" : "Swish{}")
         << ", squeeze_function::";
    if (attrs_.gate == "sigmoid") text << "Sigmoid{}";
    else
      text << "HardSigmoid{float(" << real_text(static_cast<double>(attrs_.alpha)) << "), float("
           << real_text(static_cast<double>(attrs_.beta)) << ")}";
    text << ");\n";
  }

  /// As many clusters as are resident at once; a multiprocessor has room for 1024 threads with 64 registers each.
  void add_clusters() {
    const int64_t most = is_alone() ? 1 : 1024 / cut_.threads,
                  resident = std::clamp<int64_t>(
                      shared_of_multiprocessor() / (cut_.shared_bytes() + (1 << 10)), 1, most);
    KernelCall call = start_call(clusters * resident);
    call.cluster = static_cast<int>(SqueezeCut::blocks);
    call.resident = static_cast<int>(resident);
    call.waits = has_constant_weights();
    add_result(call.body);
    call.body << "squeeze_excite<C, " << (call.waits ? "true" : "false") << ">(x, y, ";
    add_extents(call.body);
    add_functions(call.body);
    ctx_.calls.push_back(std::move(call));
  }

  void add_two_launches() {
    constexpr int64_t most_images = 1 << 24;
    const Dim count =
        dims_.mul(shape_[0], dims_.constant(SqueezeCut::blocks * std::max<int64_t>(cut_.hidden, 1)));
    const OperandPointer shares = ctx_.scratch(size() > 4 ? DType::f64 : DType::f32, count);
    KernelCall squeeze = start_call(most_images), excite = squeeze;
    squeeze.body << "squeeze<C>(x, ";
    add_extents(squeeze.body);
    squeeze.body << ", " << shares << ");\n";
    add_result(excite.body);
    excite.body << "excite<C>(x, y, ";
    add_extents(excite.body);
    excite.body << ", " << shares;
    add_functions(excite.body);
    ctx_.calls.push_back(std::move(squeeze));
    ctx_.calls.push_back(std::move(excite));
  }

  KernelCtx& ctx_;
  DimTable& dims_;
  const std::vector<Dim>& shape_;
  const SqueezeExciteAttrs& attrs_;
  KernelAxes positions_{2};
  SqueezeCut cut_{};
};

}  // namespace burnish
