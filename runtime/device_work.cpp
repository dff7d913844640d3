#include "runtime/device_work.h"

#include <algorithm>

#include "runtime/access_order.h"
#include "runtime/earlier_work.h"
#include "runtime/lanes.h"

namespace burnish {

bool is_device_step(const Plan& plan, const Step& step) {
  if (step.stage != 0) return false;
  if (std::holds_alternative<KernelLaunch>(step.what) || std::holds_alternative<LibraryCall>(step.what))
    return true;
  const auto* copy = std::get_if<Copy>(&step.what);
  return copy && plan.buffers[copy->from.buffer].space == Space::device &&
         plan.buffers[copy->to.buffer].space == Space::device;
}

bool is_enqueued(const Plan& plan, const Step& step) {
  const auto* call = std::get_if<PluginCall>(&step.what);
  return is_device_step(plan, step) ||
         (call && plan.buffers[call->outputs.front().buffer].space == Space::device);
}

uint64_t DeviceWork::address(const KernelLaunch::Argument& a, std::span<const int64_t> slots) const {
  return memory_.address(a.buffer) + static_cast<uint64_t>(slots[a.slot]) * a.element_size;
}

Result<> DeviceWork::resolve_launch(const Step& step, const KernelLaunch& launch,
                                    std::span<const int64_t> slots) {
  Item item{&step, &loaded_.kernel(launch), nullptr, {}, numbers_.size(), 0};
  item.shape.block = {launch.block[0], launch.block[1], launch.block[2]};
  for (const KernelLaunch::Argument& a : launch.arguments) {
    numbers_.push_back(a.has_address() ? address(a, slots) : static_cast<uint64_t>(slots[a.slot]));
    for (Slot s : a.extents) numbers_.push_back(static_cast<uint64_t>(slots[s]));
    for (Slot s : a.strides) numbers_.push_back(static_cast<uint64_t>(slots[s]));
  }
  item.count = numbers_.size() - item.first;
  for (size_t k = 0; k < 3; ++k) {
    const int64_t blocks = slots[launch.grid[k]];
    if (blocks < 0 || blocks > (k == 0 ? int64_t{0x7fffffff} : 65535))
      return Error(Code::invalid_argument, "step '" + step.name + "' would need " + std::to_string(blocks) +
                                               " blocks along axis " + std::to_string(k) + " of its grid")
          .remedy("run with smaller inputs");
    item.shape.grid[k] = static_cast<uint32_t>(blocks);
    numbers_.push_back(static_cast<uint64_t>(blocks));
  }
  item.shape.shared_bytes = loaded_.shared_bytes(launch, item.shape.blocks());
  for (const KernelLaunch::Argument& a : launch.arguments)  // what the order of the steps follows from
    if (a.has_address()) numbers_.push_back(static_cast<uint64_t>(slots[plan_.buffers[a.buffer].bytes]));
  items_.push_back(item);
  return {};
}

void DeviceWork::resolve_call(const Step& step, const LibraryCall& call, std::span<const int64_t> slots) {
  items_.push_back({&step, nullptr, &loaded_.routine(call), {}, numbers_.size(), call.operands.size()});
  for (const KernelLaunch::Argument& a : call.operands) numbers_.push_back(address(a, slots));
  for (const KernelLaunch::Argument& a : call.operands)  // what the order of the steps follows from
    numbers_.push_back(static_cast<uint64_t>(slots[plan_.buffers[a.buffer].bytes]));
}

void DeviceWork::resolve_copy(const Step& step, const Copy& copy, std::span<const int64_t> slots) {
  const size_t size = size_of(copy.from.dtype);
  uint64_t bytes = size;
  for (Slot s : copy.to.extents) bytes *= static_cast<uint64_t>(slots[s]);
  items_.push_back({&step, nullptr, nullptr, {}, numbers_.size(), 3});
  numbers_.push_back(memory_.address(copy.to.buffer) + static_cast<uint64_t>(slots[copy.to.offset]) * size);
  numbers_.push_back(memory_.address(copy.from.buffer) +
                     static_cast<uint64_t>(slots[copy.from.offset]) * size);
  numbers_.push_back(bytes);
}

Result<> DeviceWork::resolve(std::span<const Step> steps, std::span<const int64_t> slots) {
  items_.clear();
  numbers_.clear();
  for (const Step& step : steps) {
    if (const auto* launch = std::get_if<KernelLaunch>(&step.what)) TRY(resolve_launch(step, *launch, slots));
    else if (const auto* call = std::get_if<LibraryCall>(&step.what)) resolve_call(step, *call, slots);
    else resolve_copy(step, std::get<Copy>(step.what), slots);
  }
  resolve_window();
  return {};
}

void DeviceWork::resolve_window() {
  window_ = {};
  if (cache_bytes_ == 0) return;
  const Memory::Range arena = memory_.device_arena();
  window_ = {.address = arena.address, .bytes = std::min(arena.bytes, most_window_)};
  if (window_.bytes > cache_bytes_)
    window_.share = static_cast<float>(cache_bytes_) / static_cast<float>(window_.bytes);
  numbers_.insert(numbers_.end(), {window_.address, window_.bytes, cache_bytes_});
}

Result<std::span<void* const>> DeviceWork::arguments(const cuda::Device& device, const Item& item) {
  arguments_.clear();
  std::span<const uint64_t> left = std::span(numbers_).subspan(item.first, item.count);
  const auto take = [&](size_t count) {
    const std::span<const uint64_t> taken = left.first(count);
    left = left.subspan(count);
    return taken;
  };
  for (const KernelLaunch::Argument& a : std::get<KernelLaunch>(item.step->what).arguments) {
    const uint64_t number = take(1)[0];
    if (a.kind == KernelLaunch::Argument::Kind::tensor_map) {
      const std::span<const uint64_t> extents = take(a.extents.size()), strides = take(a.strides.size());
      TRY(arguments_.add(device, {number, a.element_size, extents, strides, a.box, a.windows}));
    } else {
      arguments_.add(number);
    }
  }
  return arguments_.pointers();
}

static Result<> launch_kernel(const cuda::Stream& stream, const cuda::Kernel& kernel,
                              const cuda::LaunchShape& shape, Result<std::span<void* const>> arguments) {
  return cuda::launch(stream, kernel, shape, TRY(std::move(arguments)));
}

Result<> DeviceWork::launch(const cuda::Stream& stream) {
  if (window_.bytes == 0) return launch_items(stream);
  TRY(stream.set_cache_window(window_));
  Result<> launched = launch_items(stream);
  TRY(stream.set_cache_window({}));  // it may be the caller's
  return launched;
}

Result<> DeviceWork::launch_items(const cuda::Stream& stream) {
  for (const Item& item : items_) {
    const uint64_t* n = numbers_.data() + item.first;
    Result<> done = item.kernel
                        ? launch_kernel(stream, *item.kernel, item.shape, arguments(stream.device(), item))
                    : item.routine ? item.routine->enqueue(stream, operands(item))
                                   : stream.copy(n[0], n[1], n[2]);
    if (!done) return std::move(done).during("running step '" + item.step->name + "'");
  }
  return {};
}

std::vector<CUdeviceptr> DeviceWork::operands(const Item& item) const {
  const auto first = numbers_.begin() + static_cast<std::ptrdiff_t>(item.first);
  return {first, first + static_cast<std::ptrdiff_t>(item.count)};
}

bool DeviceWork::starts_early(const Item& item, std::span<const uint32_t> waits) const {
  if (waits.size() != 1 || !item.kernel || !items_[waits[0]].kernel) return false;
  if (item.shape.empty() || items_[waits[0]].shape.empty()) return false;
  return std::get<KernelLaunch>(item.step->what).starts_early;
}

Result<cuda::GraphNode> DeviceWork::add(cuda::Graph& graph, cuda::Graph::After after, bool early,
                                        const Item& item) {
  if (item.kernel) {
    const std::span<void* const> given = TRY(arguments(graph.device(), item));
    const cuda::GraphNode node = TRY(early ? graph.add_early_kernel(after[0], *item.kernel, item.shape, given)
                                           : graph.add_kernel(after, *item.kernel, item.shape, given));
    if (window_.bytes > 0) TRY(graph.set_cache_window(node, window_));
    return node;
  }
  const uint64_t* n = numbers_.data() + item.first;
  if (!item.routine) return graph.add_copy(after, n[0], n[1], n[2]);
  if (!recorder_) recorder_ = TRY(cuda::Stream::create(graph.device()));
  return add_routine(graph, after, *item.routine, *recorder_, operands(item));
}

Result<cuda::Graph> DeviceWork::graph(const cuda::Device& device, std::span<const int64_t> slots) {
  cuda::Graph graph = TRY(cuda::Graph::create(device));
  AccessOrder order;
  Lanes lanes(plan_.max_branches);
  EarlierWork earlier_work;
  std::vector<cuda::GraphNode> nodes, after;
  std::vector<uint32_t> waits;
  for (uint32_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    waits.clear();
    for (const BufferUse& use : uses_of(*item.step)) {
      const Buffer& buffer = plan_.buffers[use.buffer];
      if (buffer.kind == Buffer::Kind::constant) continue;  // nobody writes it
      const uintptr_t begin = memory_.address(use.buffer);
      order.access(begin, begin + static_cast<uintptr_t>(slots[buffer.bytes]), use.writes, i, waits);
    }
    lanes.enter(i, waits);
    earlier_work.add(waits);
    after.clear();
    for (uint32_t earlier : waits) after.push_back(nodes[earlier]);
    auto node = add(graph, after, starts_early(item, waits), item);
    if (!node) return std::move(node).error().during("adding step '" + item.step->name + "' to a graph");
    nodes.push_back(*node);
  }
  return graph;
}

Result<const cuda::GraphExec*> GraphCache::find(const Step* first, DeviceWork& work,
                                                const cuda::Device& device, std::span<const int64_t> slots) {
  std::list<Entry>& entries = by_piece_[first];
  for (auto it = entries.begin(); it != entries.end(); ++it)
    if (it->numbers == work.numbers()) {
      entries.splice(entries.begin(), entries, it);
      return &entries.front().exec;
    }
  cuda::GraphExec exec = TRY(cuda::GraphExec::instantiate(TRY(work.graph(device, slots))));
  if (entries.size() == kept_per_piece) entries.pop_back();
  entries.push_front({work.numbers(), std::move(exec)});
  ++built_;
  return &entries.front().exec;
}

}  // namespace burnish
