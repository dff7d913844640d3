/* Burnish device work: streams, events and memory of a GPU, for programs that overlap and time copies and runs without linking
 * CUDA themselves. They are CUDA's own, so they mix with what a program has from there. In libburnish_runtime.so.
 *
 * Each may be used by one thread at a time, and by several streams of one GPU. Freeing NULL does nothing. */
#ifndef BURNISH_DEVICE_H
#define BURNISH_DEVICE_H

#include "burnish.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a GPU is, beyond burnish_device_info. */
typedef struct burnish_device_details {
  char uuid[48];    /* "GPU-01234567-89ab-cdef-0123-456789abcdef" */
  int major, minor; /* compute capability */
  size_t shared_bytes_per_multiprocessor;
  int memory_bus_bits;
  int ecc;                         /* nonzero: memory errors are corrected */
  int clock_khz, memory_clock_khz; /* the highest */
  size_t persistent_cache_bytes; /* of the L2 cache that burnish_context_set_persistent_cache may set aside */
} burnish_device_details;
BURNISH_API burnish_status burnish_device_describe_details(int device, burnish_device_details*,
                                                           burnish_error** error) BURNISH_NOEXCEPT;

/* A block of memory that a GPU reaches: its own, the host's, pinned, or managed. Its bytes are undefined until written. */
typedef struct burnish_block burnish_block;
BURNISH_API burnish_status burnish_block_create(int device, burnish_memory, size_t bytes, burnish_block**,
                                                burnish_error** error) BURNISH_NOEXCEPT;
BURNISH_API void* burnish_block_data(const burnish_block*) BURNISH_NOEXCEPT;
BURNISH_API void burnish_block_free(burnish_block*) BURNISH_NOEXCEPT;

/* A point in a stream's work. */
typedef struct burnish_event burnish_event;
/* How the CPU waits for it: at once noticing, or leaving its core to others meanwhile. */
typedef enum burnish_wait { BURNISH_WAIT_SPINNING = 0, BURNISH_WAIT_BLOCKED = 1 } burnish_wait;
BURNISH_API burnish_status burnish_event_create(int device, burnish_wait, burnish_event**,
                                                burnish_error** error) BURNISH_NOEXCEPT;
BURNISH_API void burnish_event_free(burnish_event*) BURNISH_NOEXCEPT;
/* Waits until the work before it is done. */
BURNISH_API burnish_status burnish_event_synchronize(burnish_event*, burnish_error** error) BURNISH_NOEXCEPT;
/* Milliseconds from one to the other; both are done. */
BURNISH_API burnish_status burnish_event_elapsed(const burnish_event* from, const burnish_event* to,
                                                 float* milliseconds, burnish_error** error) BURNISH_NOEXCEPT;

/* A queue of GPU work, unordered with all others. */
typedef struct burnish_stream burnish_stream;
BURNISH_API burnish_status burnish_stream_create(int device, burnish_stream**,
                                                 burnish_error** error) BURNISH_NOEXCEPT;
/* Waits for its work. */
BURNISH_API void burnish_stream_free(burnish_stream*) BURNISH_NOEXCEPT;
/* The CUstream, as burnish_context_run takes it. */
BURNISH_API void* burnish_stream_handle(const burnish_stream*) BURNISH_NOEXCEPT;
BURNISH_API burnish_status burnish_stream_synchronize(burnish_stream*,
                                                      burnish_error** error) BURNISH_NOEXCEPT;
/* Copies bytes between host and device, or within the device, after the work given so far. Host memory is best a burnish_block. */
BURNISH_API burnish_status burnish_stream_copy(burnish_stream*, void* to, burnish_memory to_memory,
                                               const void* from, burnish_memory from_memory, size_t bytes,
                                               burnish_error** error) BURNISH_NOEXCEPT;
BURNISH_API burnish_status burnish_stream_record(burnish_stream*, burnish_event*,
                                                 burnish_error** error) BURNISH_NOEXCEPT;
/* Later work waits for what the event was last recorded after. */
BURNISH_API burnish_status burnish_stream_wait(burnish_stream*, const burnish_event*,
                                               burnish_error** error) BURNISH_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
