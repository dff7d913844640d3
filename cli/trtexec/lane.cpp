#include "cli/trtexec/lane.h"

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "api/burnish_device.h"
#include "cli/failure.h"

namespace burnish::cli::trtexec {

namespace {

using Clock = std::chrono::steady_clock;
using Event = std::unique_ptr<burnish_event, decltype(&burnish_event_free)>;
using Stream = std::unique_ptr<burnish_stream, decltype(&burnish_stream_free)>;
using Block = std::unique_ptr<burnish_block, decltype(&burnish_block_free)>;

Event make_event(int device, burnish_wait wait) {
  burnish_event* event = nullptr;
  burnish_error* error = nullptr;
  check(burnish_event_create(device, wait, &event, &error), error);
  return Event(event, burnish_event_free);
}
Stream make_stream(int device) {
  burnish_stream* stream = nullptr;
  burnish_error* error = nullptr;
  check(burnish_stream_create(device, &stream, &error), error);
  return Stream(stream, burnish_stream_free);
}
Block make_block(int device, burnish_memory memory, size_t bytes) {
  burnish_block* block = nullptr;
  burnish_error* error = nullptr;
  check(burnish_block_create(device, memory, std::max<size_t>(bytes, 1), &block, &error), error);
  return Block(block, burnish_block_free);
}

void record(const Stream& stream, const Event& event) {
  burnish_error* error = nullptr;
  check(burnish_stream_record(stream.get(), event.get(), &error), error);
}
void wait(const Stream& stream, const Event& event) {
  burnish_error* error = nullptr;
  check(burnish_stream_wait(stream.get(), event.get(), &error), error);
}
void sleep_ms(double ms) {
  if (ms > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms));
}

}  // namespace

class Epoch {
 public:
  Clock::time_point host;
  Event device{nullptr, burnish_event_free};
};

std::shared_ptr<const Epoch> begin_epoch(const Session& session) {
  auto epoch = std::make_shared<Epoch>();
  if (session.device()) {
    epoch->device = make_event(*session.device(), BURNISH_WAIT_SPINNING);
    const Stream stream = make_stream(*session.device());
    burnish_error* error = nullptr;
    record(stream, epoch->device);
    check(burnish_event_synchronize(epoch->device.get(), &error), error);
  }
  epoch->host = Clock::now();
  return epoch;
}

double since(const Epoch& epoch) {
  return std::chrono::duration<double, std::milli>(Clock::now() - epoch.host).count();
}

namespace {

/// The call is the work, and nothing is copied.
class HostLane final : public Lane {
 public:
  HostLane(const Session& session, Context context, const InferenceOptions& options)
      : own_(std::move(context)), context_(own_ ? own_.get() : session.context()), sleep_(options.sleep) {
    session.set_host_inputs(context_);
  }
  void enqueue() override {
    sleep_ms(sleep_);
    burnish_error* error = nullptr;
    query_ = {};
    query_.enqueue_start = since(*epoch_);
    check(burnish_context_run(context_, nullptr, &error), error);
    query_.enqueue_end = since(*epoch_);
    query_.h2d_start = query_.h2d_end = query_.compute_start = query_.enqueue_start;
    query_.compute_end = query_.d2h_start = query_.d2h_end = query_.enqueue_end;
    full_ = true;
  }
  bool full() const override { return full_; }
  bool empty() const override { return !full_; }
  Query finish() override {
    full_ = false;
    return query_;
  }

 private:
  Context own_;
  burnish_context* context_;
  double sleep_;
  Query query_;
  bool full_ = false;
};

/// A tensor on its way: its place on the GPU and in pinned host memory. Managed memory is both, and nothing is copied.
struct Transfer {
  const char* name;
  burnish_tensor tensor;  // data: on the GPU
  Block device, host;
  bool managed() const { return !host; }
  void* host_data() const { return burnish_block_data(managed() ? device.get() : host.get()); }
};

/// Two queries may be on the way, each with buffers and events of its own; with --exposeDMA one.
class GpuLane final : public Lane {
 public:
  GpuLane(const Session& session, Context context, const InferenceOptions& options)
      : own_(std::move(context)),
        context_(own_ ? own_.get() : session.context()),
        options_(options),
        upload_(make_stream(*session.device())),
        compute_(make_stream(*session.device())),
        download_(make_stream(*session.device())) {
    session.set_host_inputs(context_);
    for (int i = 0; i < (options.expose_dma ? 1 : 2); ++i) slots_.push_back(make_slot(session));
  }

  void enqueue() override {
    Slot& slot = slots_[next_];
    next_ = (next_ + 1) % slots_.size();
    ++on_the_way_;
    bind(slot);
    if (options_.transfers) copy_inputs(slot);
    sleep_ms(options_.sleep);
    record(compute_, slot.compute_start);
    burnish_error* error = nullptr;
    slot.enqueue_start = since(*epoch_);
    check(burnish_context_run(context_, burnish_stream_handle(compute_.get()), &error), error);
    slot.enqueue_end = since(*epoch_);
    record(compute_, slot.compute_end);
    if (options_.transfers) copy_outputs(slot);
  }
  bool full() const override { return on_the_way_ == slots_.size(); }
  bool empty() const override { return on_the_way_ == 0; }

  Query finish() override {
    const Slot& slot = slots_[(next_ + slots_.size() - on_the_way_) % slots_.size()];
    --on_the_way_;
    burnish_error* error = nullptr;
    const Event& last = options_.transfers ? slot.d2h_end : slot.compute_end;
    check(burnish_event_synchronize(last.get(), &error), error);
    Query q{.enqueue_start = slot.enqueue_start, .enqueue_end = slot.enqueue_end};
    q.compute_start = at(slot.compute_start), q.compute_end = at(slot.compute_end);
    q.h2d_start = options_.transfers ? at(slot.h2d_start) : q.compute_start;
    q.h2d_end = options_.transfers ? at(slot.h2d_end) : q.compute_start;
    q.d2h_start = options_.transfers ? at(slot.d2h_start) : q.compute_end;
    q.d2h_end = options_.transfers ? at(slot.d2h_end) : q.compute_end;
    return q;
  }

 private:
  struct Slot {
    std::vector<Transfer> inputs, outputs;
    Event h2d_start, h2d_end, compute_start, compute_end, d2h_start, d2h_end;
    double enqueue_start = 0, enqueue_end = 0;
  };

  Slot make_slot(const Session& session) const {
    const int device = *session.device();
    const auto event = [&] {
      return make_event(device, options_.spin ? BURNISH_WAIT_SPINNING : BURNISH_WAIT_BLOCKED);
    };
    Slot slot{.h2d_start = event(),
              .h2d_end = event(),
              .compute_start = event(),
              .compute_end = event(),
              .d2h_start = event(),
              .d2h_end = event()};
    for (size_t i = 0; i < session.input_ports().size(); ++i) {
      const Array& values = session.input(i);
      burnish_tensor tensor{.dtype = values.dtype, .rank = static_cast<int>(values.shape.size())};
      std::copy(values.shape.begin(), values.shape.end(), tensor.shape);
      tensor.bytes = values.bytes.size();
      slot.inputs.push_back(make_transfer(device, session.input_ports()[i].name, tensor));
      if (!values.bytes.empty())
        std::memcpy(slot.inputs.back().host_data(), values.bytes.data(), values.bytes.size());
    }
    for (size_t i = 0; i < session.output_ports().size(); ++i)
      if (const burnish_tensor tensor = session.expected_output(i); tensor.bytes > 0)
        slot.outputs.push_back(make_transfer(device, session.output_ports()[i].name, tensor));
    burnish_error* error = nullptr;
    for (const Transfer& t : slot.inputs) copy_in(t);
    check(burnish_stream_synchronize(upload_.get(), &error), error);
    return slot;
  }

  Transfer make_transfer(int device, const char* name, burnish_tensor tensor) const {
    const bool managed = options_.managed_memory;
    Transfer transfer{
        name, tensor, make_block(device, managed ? BURNISH_MANAGED : BURNISH_DEVICE, tensor.bytes),
        managed ? Block(nullptr, burnish_block_free) : make_block(device, BURNISH_HOST, tensor.bytes)};
    transfer.tensor.data = burnish_block_data(transfer.device.get());
    transfer.tensor.memory = BURNISH_DEVICE;
    return transfer;
  }

  void bind(const Slot& slot) const {
    burnish_error* error = nullptr;
    for (const Transfer& t : slot.inputs)
      check(burnish_context_set_input(context_, t.name, &t.tensor, &error), error);
    for (const Transfer& t : slot.outputs)
      check(burnish_context_set_output(context_, t.name, &t.tensor, &error), error);
  }

  void copy_in(const Transfer& t) const {
    if (t.managed()) return;
    burnish_error* error = nullptr;
    check(burnish_stream_copy(upload_.get(), t.tensor.data, BURNISH_DEVICE, t.host_data(), BURNISH_HOST,
                              t.tensor.bytes, &error),
          error);
  }
  void copy_inputs(const Slot& slot) const {
    record(upload_, slot.h2d_start);
    for (const Transfer& t : slot.inputs) copy_in(t);
    record(upload_, slot.h2d_end);
    wait(compute_, slot.h2d_end);
  }
  void copy_outputs(const Slot& slot) const {
    burnish_error* error = nullptr;
    wait(download_, slot.compute_end);
    record(download_, slot.d2h_start);
    for (const Transfer& t : slot.outputs)
      if (!t.managed())
        check(burnish_stream_copy(download_.get(), t.host_data(), BURNISH_HOST, t.tensor.data, BURNISH_DEVICE,
                                  t.tensor.bytes, &error),
              error);
    record(download_, slot.d2h_end);
  }

  double at(const Event& event) const {
    float ms = 0;
    burnish_error* error = nullptr;
    check(burnish_event_elapsed(epoch_->device.get(), event.get(), &ms, &error), error);
    return ms;
  }

  Context own_;
  burnish_context* context_;
  InferenceOptions options_;
  Stream upload_, compute_, download_;
  std::vector<Slot> slots_;
  size_t next_ = 0, on_the_way_ = 0;
};

}  // namespace

std::unique_ptr<Lane> make_lane(const Session& session, Context context, const InferenceOptions& options) {
  if (session.device()) return std::make_unique<GpuLane>(session, std::move(context), options);
  return std::make_unique<HostLane>(session, std::move(context), options);
}

}  // namespace burnish::cli::trtexec
