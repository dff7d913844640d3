#include "runtime/cuda/stream.h"

namespace burnish::cuda {

Result<Event> Event::create(const Device& device, Timing timing, Wait wait) {
  const ContextScope scope = TRY(device.enter());
  CUevent event = nullptr;
  const unsigned flags = (timing == Timing::on ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING) |
                         (wait == Wait::blocked ? CU_EVENT_BLOCKING_SYNC : CU_EVENT_DEFAULT);
  TRY(device.check(device.driver().event_create(&event, flags), "cuEventCreate"));
  return Event(Handle<CUevent>(device, event, device.driver().event_destroy));
}

Result<> Event::synchronize() const {
  const Device& device = event_.device();
  return device.check(device.driver().event_synchronize(get()), "cuEventSynchronize");
}

Result<float> Event::milliseconds_since(const Event& start) const {
  const Device& device = event_.device();
  float milliseconds = 0;
  TRY(device.check(device.driver().event_elapsed(&milliseconds, start.get(), get()), "cuEventElapsedTime"));
  return milliseconds;
}

Result<Stream> Stream::create(const Device& device) {
  const ContextScope scope = TRY(device.enter());
  CUstream stream = nullptr;
  TRY(device.check(device.driver().stream_create(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate"));
  return Stream(device, stream, Handle<CUstream>(device, stream, device.driver().stream_destroy));
}

Result<> Stream::synchronize() const {
  return device_.check(device_.driver().stream_synchronize(stream_), "cuStreamSynchronize");
}

Result<bool> Stream::is_capturing() const {
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  const CUresult result = device_.driver().stream_is_capturing(stream_, &status);
  // The default stream cannot itself capture; asking it while another stream captures is refused.
  if (result == CUDA_ERROR_STREAM_CAPTURE_IMPLICIT) return false;
  TRY(device_.check(result, "cuStreamIsCapturing"));
  return status != CU_STREAM_CAPTURE_STATUS_NONE;
}

Result<> Stream::record(const Event& event) const {
  return device_.check(device_.driver().event_record(event.get(), stream_), "cuEventRecord");
}

Result<> Stream::wait(const Event& event) const {
  return device_.check(device_.driver().stream_wait_event(stream_, event.get(), CU_EVENT_WAIT_DEFAULT),
                       "cuStreamWaitEvent");
}

Result<> Stream::upload(CUdeviceptr to, const void* from, size_t bytes) const {
  if (bytes == 0) return {};
  return device_.check(device_.driver().copy_to_device(to, from, bytes, stream_), "cuMemcpyHtoDAsync");
}

Result<> Stream::download(void* to, CUdeviceptr from, size_t bytes) const {
  if (bytes == 0) return {};
  return device_.check(device_.driver().copy_to_host(to, from, bytes, stream_), "cuMemcpyDtoHAsync");
}

Result<> Stream::copy(CUdeviceptr to, CUdeviceptr from, size_t bytes) const {
  if (bytes == 0) return {};
  return device_.check(device_.driver().copy_on_device(to, from, bytes, stream_), "cuMemcpyDtoDAsync");
}

Result<> Stream::fill(CUdeviceptr to, unsigned char value, size_t bytes) const {
  if (bytes == 0) return {};
  return device_.check(device_.driver().fill(to, value, bytes, stream_), "cuMemsetD8Async");
}

Result<> Stream::set_cache_window(const CacheWindow& window) const {
  CUstreamAttrValue value{};
  value.accessPolicyWindow = window.policy();
  return device_.check(
      device_.driver().stream_set_attribute(stream_, CU_STREAM_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value),
      "cuStreamSetAttribute");
}

}  // namespace burnish::cuda
