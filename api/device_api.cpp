#include <cstdio>
#include <variant>

#include "api/burnish_device.h"
#include "api/error.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"

using namespace burnish;

struct burnish_block {
  std::variant<cuda::DeviceMemory, cuda::PinnedMemory> memory;
};
struct burnish_event {
  cuda::Device device;
  cuda::Event event;
};
struct burnish_stream {
  cuda::Stream stream;
};

namespace {

CUdeviceptr address(const void* data) { return reinterpret_cast<CUdeviceptr>(data); }

Result<> copy(const cuda::Stream& stream, void* to, burnish_memory to_memory, const void* from,
              burnish_memory from_memory, size_t bytes) {
  if (to_memory == BURNISH_DEVICE && from_memory == BURNISH_HOST)
    return stream.upload(address(to), from, bytes);
  if (to_memory == BURNISH_HOST && from_memory == BURNISH_DEVICE)
    return stream.download(to, address(from), bytes);
  if (to_memory == BURNISH_DEVICE && from_memory == BURNISH_DEVICE)
    return stream.copy(address(to), address(from), bytes);
  return Error(Code::invalid_argument, "a copy from host to host was given to a stream")
      .remedy("copy on the host with memcpy");
}

/// "GPU-01234567-89ab-…".
void write_uuid(const CUuuid& uuid, char* text, size_t size) {
  int at = std::snprintf(text, size, "GPU");
  for (int i = 0; i < 16; ++i)
    at += std::snprintf(text + at, size - static_cast<size_t>(at), "%s%02x",
                        i == 0 || i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                        static_cast<unsigned char>(uuid.bytes[i]));
}

}  // namespace

extern "C" {

burnish_status burnish_device_describe_details(int device, burnish_device_details* details,
                                               burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(details, "details"));
    const cuda::Device opened = TRY(cuda::Device::open(device));
    const cuda::DeviceInfo& info = opened.info();
    *details = {.major = info.major,
                .minor = info.minor,
                .shared_bytes_per_multiprocessor = info.shared_per_multiprocessor,
                .memory_bus_bits = info.memory_bus_bits,
                .ecc = info.ecc,
                .clock_khz = info.clock_khz,
                .memory_clock_khz = info.memory_clock_khz,
                .persistent_cache_bytes = info.persisting_l2};
    CUuuid uuid{};
    TRY(opened.check(opened.driver().device_uuid(&uuid, info.ordinal), "cuDeviceGetUuid"));
    write_uuid(uuid, details->uuid, sizeof details->uuid);
    return {};
  });
}

burnish_status burnish_block_create(int device, burnish_memory memory, size_t bytes, burnish_block** block,
                                    burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(block, "block"));
    const cuda::Device opened = TRY(cuda::Device::open(device));
    auto made = std::make_unique<burnish_block>();
    if (memory == BURNISH_DEVICE) made->memory = TRY(cuda::DeviceMemory::allocate(opened, bytes));
    else if (memory == BURNISH_MANAGED)
      made->memory = TRY(cuda::DeviceMemory::allocate_managed(opened, bytes));
    else made->memory = TRY(cuda::PinnedMemory::allocate(opened, bytes));
    *block = made.release();
    return {};
  });
}
void* burnish_block_data(const burnish_block* block) noexcept {
  if (!block) return nullptr;
  if (const auto* device = std::get_if<cuda::DeviceMemory>(&block->memory))
    return reinterpret_cast<void*>(device->address());
  return std::get<cuda::PinnedMemory>(block->memory).data();
}
void burnish_block_free(burnish_block* block) noexcept { delete block; }

burnish_status burnish_event_create(int device, burnish_wait wait, burnish_event** event,
                                    burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(event, "event"));
    const cuda::Device opened = TRY(cuda::Device::open(device));
    using Event = cuda::Event;
    *event = new burnish_event{
        opened, TRY(Event::create(opened, Event::Timing::on,
                                  wait == BURNISH_WAIT_BLOCKED ? Event::Wait::blocked : Event::Wait::any))};
    return {};
  });
}
void burnish_event_free(burnish_event* event) noexcept { delete event; }

burnish_status burnish_event_synchronize(burnish_event* event, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(event, "event"));
    const auto scope = TRY(event->device.enter());
    return event->event.synchronize();
  });
}

burnish_status burnish_event_elapsed(const burnish_event* from, const burnish_event* to, float* milliseconds,
                                     burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(from, "from"));
    TRY(api::expect(to, "to"));
    TRY(api::expect(milliseconds, "milliseconds"));
    const auto scope = TRY(to->device.enter());
    *milliseconds = TRY(to->event.milliseconds_since(from->event));
    return {};
  });
}

burnish_status burnish_stream_create(int device, burnish_stream** stream, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(stream, "stream"));
    *stream = new burnish_stream{TRY(cuda::Stream::create(TRY(cuda::Device::open(device))))};
    return {};
  });
}
void burnish_stream_free(burnish_stream* stream) noexcept {
  if (!stream) return;
  burnish_stream_synchronize(stream, nullptr);
  delete stream;
}
void* burnish_stream_handle(const burnish_stream* stream) noexcept {
  return stream ? stream->stream.get() : nullptr;
}

burnish_status burnish_stream_synchronize(burnish_stream* stream, burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(stream, "stream"));
    const auto scope = TRY(stream->stream.device().enter());
    return stream->stream.synchronize();
  });
}

burnish_status burnish_stream_copy(burnish_stream* stream, void* to, burnish_memory to_memory,
                                   const void* from, burnish_memory from_memory, size_t bytes,
                                   burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(stream, "stream"));
    if (bytes > 0) {
      TRY(api::expect(to, "to"));
      TRY(api::expect(from, "from"));
    }
    const auto scope = TRY(stream->stream.device().enter());
    return copy(stream->stream, to, to_memory, from, from_memory, bytes);
  });
}

burnish_status burnish_stream_record(burnish_stream* stream, burnish_event* event,
                                     burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(stream, "stream"));
    TRY(api::expect(event, "event"));
    const auto scope = TRY(stream->stream.device().enter());
    return stream->stream.record(event->event);
  });
}

burnish_status burnish_stream_wait(burnish_stream* stream, const burnish_event* event,
                                   burnish_error** error) noexcept {
  return api::guard(error, [&]() -> Result<> {
    TRY(api::expect(stream, "stream"));
    TRY(api::expect(event, "event"));
    const auto scope = TRY(stream->stream.device().enter());
    return stream->stream.wait(event->event);
  });
}

}  // extern "C"
