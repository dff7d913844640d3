#include "tuner/cuda_timing.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "runtime/cuda/arguments.h"
#include "runtime/cuda/graph.h"
#include "runtime/cuda/kernel.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"
#include "runtime/libraries/session.h"
#include "tuner/cuda_engine.h"
#include "tuner/difference.h"
#include "tuner/random_block.h"

namespace burnish {

namespace {

constexpr uint64_t alignment = 256;
constexpr uint64_t most_repeats = 16;  // of the work in one graph, each in memory of its own
constexpr uint32_t shared_without_asking = 48 * 1024;

uint64_t aligned(uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// What stays from problem to problem.
struct Machine {
  cuda::Device device;
  cuda::Stream stream;
  cuda::Event begin, end;
  cuda::DeviceMemory flush;   // writing it leaves nothing else in the cache
  cuda::DeviceMemory memory;  // of the problem
  std::map<DType, std::vector<std::byte>> random;
  std::string library_directory;
  std::map<std::string, std::unique_ptr<Session>> sessions;  // by library

  Result<Session*> session(const std::string& library) {
    auto& session = sessions[library];
    if (!session) session = TRY(Session::open(library, device, library_directory));
    return session.get();
  }
  std::span<const std::byte> random_values(DType dtype) {
    std::vector<std::byte>& block = random[dtype];
    if (block.empty()) block = random_block(dtype);
    return block;
  }
};

Result<Machine> open_machine(int ordinal, const std::string& library_directory) {
  const cuda::Device device = TRY(cuda::Device::open(ordinal));
  const cuda::ContextScope scope = TRY(device.enter());
  const uint64_t flush = std::max<uint64_t>(2 * device.info().l2_cache, 64 << 20);
  auto memory = TRY(cuda::DeviceMemory::allocate(device, flush));
  return Machine{.device = device,
                 .stream = TRY(cuda::Stream::create(device)),
                 .begin = TRY(cuda::Event::create(device, cuda::Event::Timing::on)),
                 .end = TRY(cuda::Event::create(device, cuda::Event::Timing::on)),
                 .flush = std::move(memory),
                 .memory = {},
                 .random = {},
                 .library_directory = library_directory,
                 .sessions = {}};
}

/// A candidate on the device: its routines and kernels, and one graph that runs it in every window, one after the other.
struct Loaded {
  std::vector<std::unique_ptr<Routine>> routines;
  std::vector<cuda::Module> modules;
  std::vector<cuda::Kernel> kernels;  // by launch
  std::optional<cuda::GraphExec> graph;
};

/// The problem's buffers lie in several windows of memory, so that a graph touches nothing twice.
class CudaRun final : public TimingRun {
 public:
  CudaRun(Machine& machine, const Problem& problem, const CompiledKernels& kernels)
      : machine_(machine), problem_(problem), kernels_(kernels), loaded_(problem.candidates.size()) {}

  Result<> fill() {
    for (const ProblemBuffer& buffer : problem_.buffers) {
      offsets_.push_back(window_);
      window_ += aligned(buffer.bytes);
    }
    window_ = std::max(window_, alignment);
    repeats_ = std::clamp<uint64_t>(machine_.flush.size() / window_, 1, most_repeats);
    TRY(machine_.memory.reserve(machine_.device, window_ * repeats_));
    for (size_t i = 0; i < problem_.buffers.size(); ++i) TRY(fill(problem_.buffers[i], address(i, 0)));
    for (uint64_t r = 1; r < repeats_; ++r) TRY(machine_.stream.copy(address(0, r), address(0, 0), window_));
    return machine_.stream.synchronize();
  }

  Result<Verdict> admit(size_t c) override {
    const cuda::ContextScope scope = TRY(machine_.device.enter());
    for (const ProblemRoutine& routine : problem_.candidates[c].routines)
      if (Verdict v = load(routine, loaded_[c]); !v) return v;
    for (const ProblemLaunch& launch : problem_.candidates[c].launches)
      if (Verdict v = load(launch, loaded_[c]); !v) return v;
    TRY(forget_results());
    for (size_t k = 0; k < loaded_[c].routines.size(); ++k) {
      const ProblemRoutine& routine = problem_.candidates[c].routines[k];
      if (auto done = loaded_[c].routines[k]->enqueue(machine_.stream, operands(routine, 0)); !done)
        return Verdict::no(done.error().what());
    }
    for (size_t k = 0; k < loaded_[c].kernels.size(); ++k) {
      const ProblemLaunch& launch = problem_.candidates[c].launches[k];
      const cuda::Arguments values = TRY(arguments(launch, 0));
      const cuda::Kernel& kernel = loaded_[c].kernels[k];
      TRY(cuda::launch(machine_.stream, kernel, shape(launch, kernel), values.pointers()));
    }
    std::vector<std::vector<std::byte>> results = TRY(read_results());
    if (c == 0) expected_ = std::move(results);
    else if (Verdict v = compare(results); !v) return v;
    auto graph = this->graph(c);
    if (!graph) return Verdict::no(graph.error().what());
    loaded_[c].graph = *std::move(graph);
    TRY(loaded_[c].graph->upload(machine_.stream));
    return Verdict::yes();
  }

  Result<double> time(size_t c) override {
    const cuda::ContextScope scope = TRY(machine_.device.enter());
    const cuda::Stream& stream = machine_.stream;
    TRY(stream.fill(machine_.flush.address(), 0, machine_.flush.size()));
    TRY(stream.record(machine_.begin));
    TRY(loaded_[c].graph->launch(stream));
    TRY(stream.record(machine_.end));
    TRY(machine_.end.synchronize());
    return TRY(machine_.end.milliseconds_since(machine_.begin)) * 1000.0 / static_cast<double>(repeats_);
  }

 private:
  CUdeviceptr address(size_t buffer, uint64_t repeat) const {
    return machine_.memory.address() + repeat * window_ + (offsets_.empty() ? 0 : offsets_[buffer]);
  }

  Result<> fill(const ProblemBuffer& buffer, CUdeviceptr to) {
    if (buffer.constant.storage() && buffer.constant.byte_size() == buffer.bytes)
      return machine_.stream.upload(to, buffer.constant.bytes(), buffer.bytes);
    const std::span<const std::byte> values = machine_.random_values(buffer.dtype);
    for (uint64_t at = 0; at < buffer.bytes; at += values.size())
      TRY(machine_.stream.upload(to + at, values.data(),
                                 std::min<uint64_t>(values.size(), buffer.bytes - at)));
    return {};
  }

  /// What does not load is refused: it would not load for an engine either.
  Verdict load(const ProblemLaunch& launch, Loaded& loaded) const {
    const Result<std::vector<std::byte>>& binary = kernels_.at(launch.source);
    if (!binary) return Verdict::no("it does not compile: " + binary.error().what());
    auto module = cuda::Module::load(machine_.device, binary->data(), problem_.node);
    if (!module) return Verdict::no(module.error().what());
    auto kernel = module->kernel("kernel");
    if (!kernel) return Verdict::no(kernel.error().what());
    if (const uint32_t bytes = shape(launch, *kernel).shared_bytes; bytes > shared_without_asking)
      if (auto allowed = kernel->allow_shared(machine_.device, bytes); !allowed)
        return Verdict::no(allowed.error().what());
    loaded.modules.push_back(*std::move(module));
    loaded.kernels.push_back(*std::move(kernel));
    return Verdict::yes();
  }

  Verdict load(const ProblemRoutine& routine, Loaded& loaded) const {
    auto session = machine_.session(routine.library);
    if (!session) return Verdict::no(session.error().what());
    auto prepared = (*session)->prepare(routine.text);
    if (!prepared) return Verdict::no(prepared.error().what());
    loaded.routines.push_back(*std::move(prepared));
    return Verdict::yes();
  }

  cuda::LaunchShape shape(const ProblemLaunch& launch, const cuda::Kernel& kernel) const {
    cuda::LaunchShape shape{launch.grid, launch.block, launch.shared_bytes};
    if (launch.starts_early)
      shape.shared_bytes =
          cuda::early_shared_bytes(machine_.device.info(), kernel, launch.shared_bytes, shape.blocks());
    return shape;
  }
  Result<cuda::Arguments> arguments(const ProblemLaunch& launch, uint64_t repeat) const {
    cuda::Arguments values;
    for (const ProblemLaunch::Argument& a : launch.arguments) {
      const auto i = static_cast<size_t>(a.value);
      switch (a.kind) {
        case ProblemLaunch::Argument::Kind::integer: values.add(static_cast<uint64_t>(a.value)); break;
        case ProblemLaunch::Argument::Kind::pointer: values.add(address(i, repeat)); break;
        case ProblemLaunch::Argument::Kind::tensor_map:
          const auto size = static_cast<uint32_t>(size_of(problem_.buffers[i].dtype));
          TRY(values.add(machine_.device,
                         {address(i, repeat), size, a.extents, a.strides, a.box, a.windows}));
      }
    }
    return values;
  }
  std::vector<CUdeviceptr> operands(const ProblemRoutine& routine, uint64_t repeat) const {
    std::vector<CUdeviceptr> list;
    for (uint32_t buffer : routine.operands) list.push_back(address(buffer, repeat));
    return list;
  }

  Result<cuda::GraphExec> graph(size_t c) const {
    cuda::Graph graph = TRY(cuda::Graph::create(machine_.device));
    std::vector<cuda::GraphNode> after;
    bool after_kernel = false;
    for (uint64_t r = 0; r < repeats_; ++r) {
      for (size_t k = 0; k < loaded_[c].routines.size(); ++k) {
        after = {TRY(add_routine(graph, after, *loaded_[c].routines[k], machine_.stream,
                                 operands(problem_.candidates[c].routines[k], r)))};
        after_kernel = false;
      }
      for (size_t k = 0; k < loaded_[c].kernels.size(); ++k) {
        const ProblemLaunch& launch = problem_.candidates[c].launches[k];
        const cuda::Arguments values = TRY(arguments(launch, r));
        const cuda::Kernel& kernel = loaded_[c].kernels[k];
        const cuda::LaunchShape shape = this->shape(launch, kernel);
        const bool early = after_kernel && launch.starts_early && !shape.empty();
        after = {TRY(early ? graph.add_early_kernel(after[0], kernel, shape, values.pointers())
                           : graph.add_kernel(after, kernel, shape, values.pointers()))};
        after_kernel = !shape.empty();
      }
    }
    return cuda::GraphExec::instantiate(std::move(graph));
  }

  /// NaN for floats, so that elements which a candidate leaves out show.
  Result<> forget_results() const {
    for (size_t i = 0; i < problem_.buffers.size(); ++i)
      if (problem_.buffers[i].kind == ProblemBuffer::Kind::output)
        TRY(machine_.stream.fill(address(i, 0), 0xff, problem_.buffers[i].bytes));
    return {};
  }

  /// The results in the first window, of large ones pieces from the beginning to the end.
  Result<std::vector<std::vector<std::byte>>> read_results() const {
    constexpr uint64_t piece = 64 << 10, most_pieces = 32;
    std::vector<std::vector<std::byte>> all;
    for (size_t i = 0; i < problem_.buffers.size(); ++i) {
      const auto& [kind, dtype, bytes, constant] = problem_.buffers[i];
      if (kind != ProblemBuffer::Kind::output) continue;
      std::vector<std::byte>& result = all.emplace_back(std::min(bytes, piece * most_pieces));
      if (result.size() == bytes) {
        TRY(machine_.stream.download(result.data(), address(i, 0), bytes));
        continue;
      }
      for (uint64_t k = 0; k < most_pieces; ++k) {
        const uint64_t from = (bytes - piece) / (most_pieces - 1) * k / size_of(dtype) * size_of(dtype);
        TRY(machine_.stream.download(result.data() + k * piece, address(i, 0) + from, piece));
      }
    }
    TRY(machine_.stream.synchronize());
    return all;
  }

  Verdict compare(const std::vector<std::vector<std::byte>>& results) const {
    size_t k = 0;
    for (const ProblemBuffer& buffer : problem_.buffers) {
      if (buffer.kind != ProblemBuffer::Kind::output) continue;
      const double difference = relative_difference(results[k], expected_[k], buffer.dtype);
      ++k;
      if (difference <= allowed_difference(buffer.dtype)) continue;
      char text[64];
      std::snprintf(text, sizeof text, " by %.2g, and %.2g is allowed", difference,
                    allowed_difference(buffer.dtype));
      return Verdict::no("its results differ from those of '" + problem_.candidates[0].tactic + "'" + text);
    }
    return Verdict::yes();
  }

  Machine& machine_;
  const Problem& problem_;
  const CompiledKernels& kernels_;
  std::vector<uint64_t> offsets_;  // of the buffers in a window
  uint64_t window_ = 0, repeats_ = 1;
  std::vector<Loaded> loaded_;
  std::vector<std::vector<std::byte>> expected_;
};

class CudaTiming final : public TimingDevice {
 public:
  CudaTiming(cuda::DeviceInfo info, std::string library_directory)
      : info_(std::move(info)), library_directory_(std::move(library_directory)) {}
  std::string name() const override { return info_.name; }
  Result<> open() override {
    if (!machine_) machine_ = TRY(open_machine(info_.ordinal, library_directory_));
    return {};
  }
  Result<std::unique_ptr<TimingRun>> prepare(const Problem& problem,
                                             const CompiledKernels& kernels) override {
    TRY(open());
    const cuda::ContextScope scope = TRY(machine_->device.enter());
    auto run = std::make_unique<CudaRun>(*machine_, problem, kernels);
    TRY(run->fill());
    return std::unique_ptr<TimingRun>(std::move(run));
  }
  Result<std::unique_ptr<EngineRun>> load(const EngineContents& engine,
                                          std::span<const Shape> inputs) override {
    TRY(open());
    return load_cuda_engine(machine_->device, engine, inputs);
  }

 private:
  const cuda::DeviceInfo info_;
  const std::string library_directory_;
  std::optional<Machine> machine_;
};

}  // namespace

Result<std::unique_ptr<TimingDevice>> open_cuda_timing(std::string_view target,
                                                       const std::string& library_directory) {
  cuda::DeviceInfo info = TRY(cuda::Device::describe());
  if (info.architecture() != target)
    return Error(Code::unsupported, "the GPU here, " + info.name + ", is " + info.architecture() +
                                        " and not " + std::string(target));
  return std::unique_ptr<TimingDevice>(new CudaTiming(std::move(info), library_directory));
}

}  // namespace burnish
