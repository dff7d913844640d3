/* Burnish runtime: opens an engine file and runs it.
 *
 *   burnish_engine* engine;
 *   burnish_engine_open("model.engine", &engine, &error);
 *   burnish_context* context;
 *   burnish_context_create(engine, &options, &context, &error);
 *   burnish_context_set_input(context, "images", &tensor, &error);
 *   burnish_context_run(context, NULL, &error);
 *   burnish_context_output(context, "scores", &tensor, &error);
 *
 * Every function that can fail returns a burnish_status and, where `error` is not NULL and the status is not
 * BURNISH_OK, a burnish_error to be freed with burnish_error_free. No function throws. An engine may be used by many
 * threads at once; a context by one at a time. */
#ifndef BURNISH_H
#define BURNISH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define BURNISH_NOEXCEPT noexcept
#else
#define BURNISH_NOEXCEPT
#endif

#define BURNISH_API __attribute__((visibility("default")))

/* Never renumbered. */
typedef enum burnish_status {
  BURNISH_OK = 0,
  BURNISH_INVALID_ARGUMENT = 1,
  BURNISH_INVALID_MODEL = 2,
  BURNISH_UNSUPPORTED = 3,
  BURNISH_OUT_OF_MEMORY = 4,
  BURNISH_DEVICE_ERROR = 5,
  BURNISH_INCOMPATIBLE_ENGINE = 6,
  BURNISH_IO_ERROR = 7,
  BURNISH_CANCELLED = 8,
  BURNISH_INTERNAL = 9
} burnish_status;

/* Element types. Never renumbered. */
typedef enum burnish_dtype {
  BURNISH_F32 = 0,
  BURNISH_F16 = 1,
  BURNISH_BF16 = 2,
  BURNISH_F64 = 3,
  BURNISH_I8 = 4,
  BURNISH_I16 = 5,
  BURNISH_I32 = 6,
  BURNISH_I64 = 7,
  BURNISH_U8 = 8,
  BURNISH_U16 = 9,
  BURNISH_U32 = 10,
  BURNISH_U64 = 11,
  BURNISH_BOOL = 12
} burnish_dtype;

/* Where bytes are. */
typedef enum burnish_memory {
  BURNISH_HOST = 0,
  BURNISH_DEVICE = 1,
  BURNISH_MANAGED =
      2 /* where they are touched; for burnish_block_create. A tensor there is in BURNISH_DEVICE as well */
} burnish_memory;

typedef struct burnish_error burnish_error;
BURNISH_API burnish_status burnish_error_status(const burnish_error*) BURNISH_NOEXCEPT;
/* One line of cause. */
BURNISH_API const char* burnish_error_cause(const burnish_error*) BURNISH_NOEXCEPT;
/* One line of what to do; "" when nothing is known to help. */
BURNISH_API const char* burnish_error_remedy(const burnish_error*) BURNISH_NOEXCEPT;
BURNISH_API void burnish_error_free(burnish_error*) BURNISH_NOEXCEPT;

/* "0.1.0" */
BURNISH_API const char* burnish_version(void) BURNISH_NOEXCEPT;
/* Bytes of one element; 0 for a number that is no burnish_dtype. */
BURNISH_API size_t burnish_dtype_size(burnish_dtype) BURNISH_NOEXCEPT;
/* "f32", "i64", …; NULL likewise. */
BURNISH_API const char* burnish_dtype_name(burnish_dtype) BURNISH_NOEXCEPT;

/* ---------------------------------------------------------------------------------------------------- devices */

/* GPUs that can be used; 0 when there is no driver (then `error` says why). */
BURNISH_API int burnish_device_count(burnish_error** error) BURNISH_NOEXCEPT;
typedef struct burnish_device_info {
  char name[256];
  char target[16]; /* "sm_90" */
  int multiprocessors;
  size_t memory_bytes;
  int driver_version; /* 13000: CUDA 13.0 */
} burnish_device_info;
BURNISH_API burnish_status burnish_device_describe(int device, burnish_device_info* info,
                                                   burnish_error** error) BURNISH_NOEXCEPT;

/* What a GPU does at this moment. BURNISH_UNSUPPORTED where the driver does not tell. */
typedef struct burnish_device_sensors {
  double sm_clock_mhz, power_watts;
} burnish_device_sensors;
BURNISH_API burnish_status burnish_device_read_sensors(int device, burnish_device_sensors*,
                                                       burnish_error** error) BURNISH_NOEXCEPT;

/* ---------------------------------------------------------------------------------------------------- plugins */

/* A library of operators, as burnish_plugin.h says. */
typedef struct burnish_plugin burnish_plugin;

/* Opens a library of operators for the life of the process: from now on contexts run them, and a build takes them that is given
 * `plugin` (burnish_build_options). The same file again is the same plugin. */
BURNISH_API burnish_status burnish_load_plugin(const char* path, const burnish_plugin** plugin,
                                               burnish_error** error) BURNISH_NOEXCEPT;
/* The same for operators of the program itself; `plugin` stays as it is until it is taken away. */
BURNISH_API burnish_status burnish_add_plugin(const burnish_plugin* plugin,
                                              burnish_error** error) BURNISH_NOEXCEPT;
/* Contexts that are there go on with it. */
BURNISH_API void burnish_remove_plugin(const burnish_plugin* plugin) BURNISH_NOEXCEPT;

/* ---------------------------------------------------------------------------------------------------- engines */

typedef struct burnish_engine burnish_engine;
/* Maps the file, checks header, checksums and plan. */
BURNISH_API burnish_status burnish_engine_open(const char* path, burnish_engine** engine,
                                               burnish_error** error) BURNISH_NOEXCEPT;
/* The same from memory; the bytes are copied. */
BURNISH_API burnish_status burnish_engine_from_bytes(const void* bytes, size_t size, burnish_engine** engine,
                                                     burnish_error** error) BURNISH_NOEXCEPT;
BURNISH_API void burnish_engine_free(burnish_engine*) BURNISH_NOEXCEPT;

/* A tensor that the engine takes or gives. Strings live as long as the engine. */
typedef struct burnish_port {
  const char* name;
  burnish_dtype dtype;
  int rank;
  const int64_t* shape;    /* -1 where the extent is free */
  const char* const* axes; /* "batch", "2*seq + 1", "3" */
} burnish_port;
BURNISH_API int burnish_engine_input_count(const burnish_engine*) BURNISH_NOEXCEPT;
BURNISH_API int burnish_engine_output_count(const burnish_engine*) BURNISH_NOEXCEPT;
BURNISH_API burnish_status burnish_engine_input(const burnish_engine*, int index,
                                                burnish_port* port) BURNISH_NOEXCEPT;
BURNISH_API burnish_status burnish_engine_output(const burnish_engine*, int index,
                                                 burnish_port* port) BURNISH_NOEXCEPT;
/* Tensors inside the engine that it was built to show, and what is in memory anyway if it was built to show that: `unfused` tells
 * which of the two. They are read like outputs, with burnish_context_output and burnish_context_read_output, and are among none. */
BURNISH_API int burnish_engine_debug_tensor_count(const burnish_engine*) BURNISH_NOEXCEPT;
BURNISH_API burnish_status burnish_engine_debug_tensor(const burnish_engine*, int index, burnish_port* port,
                                                       int* unfused) BURNISH_NOEXCEPT;
/* The axes of an input or output from the slowest to the fastest in memory, as many as its rank; NULL: row-major, as always
 * where the build asked for nothing else. Its shape names the axes as the model does. */
BURNISH_API const int* burnish_engine_input_order(const burnish_engine*, int index) BURNISH_NOEXCEPT;
BURNISH_API const int* burnish_engine_output_order(const burnish_engine*, int index) BURNISH_NOEXCEPT;
/* What the axes of one input may be, and what the engine is tuned for: min[k] <= opt[k] <= max[k] for each axis k < rank. */
typedef struct burnish_shape_range {
  const char* name;
  int rank;
  const int64_t *min, *opt, *max;
} burnish_shape_range;
/* The profiles that the engine was built with: a run's inputs are within one of them. 0: it was built with none, and takes what
 * its inputs' axes allow. */
BURNISH_API int burnish_engine_profile_count(const burnish_engine*) BURNISH_NOEXCEPT;
/* What a profile says of input `input` (an index as of burnish_engine_input); fixed axes have min = opt = max. The numbers live as
 * long as the engine. */
BURNISH_API burnish_status burnish_engine_profile(const burnish_engine*, int profile, int input,
                                                  burnish_shape_range* range) BURNISH_NOEXCEPT;
/* The targets that the engine has a plan for, "sm_90 cpu". */
BURNISH_API const char* burnish_engine_targets(const burnish_engine*) BURNISH_NOEXCEPT;
/* A weight of an engine that can be refitted (burnish_refit): a floating-point initialiser of its model. Pointers live as long as the
 * engine. */
typedef struct burnish_weight_info {
  const char* name;
  const char* layer; /* how scripts for TensorRT name it: the node that reads it, or itself */
  const char* role;  /* "KERNEL", "BIAS", "SCALE", "SHIFT", "CONSTANT" */
  burnish_dtype dtype;
  int rank;
  const int64_t* shape;
  int fixed; /* nonzero: only the values that the engine was built with are taken */
  const void*
      data; /* row-major; NULL where the engine does not keep them, so that a refit must be given them */
  size_t bytes;
} burnish_weight_info;
/* 0: the engine cannot be refitted. */
BURNISH_API int burnish_engine_weight_count(const burnish_engine*) BURNISH_NOEXCEPT;
BURNISH_API burnish_status burnish_engine_weight(const burnish_engine*, int index,
                                                 burnish_weight_info*) BURNISH_NOEXCEPT;
/* Nonzero: it was built without weights, and runs once it is refitted. */
BURNISH_API int burnish_engine_is_stripped(const burnish_engine*) BURNISH_NOEXCEPT;
/* A JSON description: versions, the graph as text, and for each target steps, decisions between tactics, memory. A step's
 * `reads` and `writes` are places in `storage`, the list of buffers: {kind, space, first_step, last_step} and, where all extents
 * are fixed, {bytes, offset}; steps count in order, those of an If's branches after it. Free with burnish_text_free. */
BURNISH_API burnish_status burnish_engine_describe(const burnish_engine*, char** json,
                                                   burnish_error** error) BURNISH_NOEXCEPT;
BURNISH_API void burnish_text_free(char*) BURNISH_NOEXCEPT;

/* ---------------------------------------------------------------------------------------------------- contexts */

typedef struct burnish_context burnish_context;
typedef struct burnish_context_options {
  size_t struct_size; /* sizeof(burnish_context_options) */
  int device;         /* GPU ordinal; -1: the host (the engine must have a plan for "cpu") */
  int threads;        /* host threads for host steps; 0: one per core */
  int no_graphs;      /* nonzero: launch kernel by kernel instead of as CUDA graphs */
} burnish_context_options;
/* Memory for one inference at a time. Uses the CUDA context that is current on this thread, else the primary one. */
BURNISH_API burnish_status burnish_context_create(burnish_engine*, const burnish_context_options*,
                                                  burnish_context**, burnish_error** error) BURNISH_NOEXCEPT;
BURNISH_API void burnish_context_free(burnish_context*) BURNISH_NOEXCEPT;

#define BURNISH_MAX_RANK 16
/* A dense tensor: row-major, or in the order that the engine has for it (burnish_engine_input_order). */
typedef struct burnish_tensor {
  burnish_dtype dtype;
  int rank;
  int64_t shape[BURNISH_MAX_RANK];
  void* data;
  size_t bytes; /* size of the memory at data */
  burnish_memory memory;
} burnish_tensor;

/* Says where input `name` is for the runs to come. Host memory is copied when a run starts; device memory is read in place
 * and must stay until the run is done. NULL data: the shape alone, enough for burnish_context_output_shape. Errors name input,
 * axis, value and what is allowed. */
BURNISH_API burnish_status burnish_context_set_input(burnish_context*, const char* name,
                                                     const burnish_tensor*,
                                                     burnish_error** error) BURNISH_NOEXCEPT;
/* The profile that runs to come keep to; -1: any that takes their inputs, as it is until then. */
BURNISH_API burnish_status burnish_context_set_profile(burnish_context*, int profile,
                                                       burnish_error** error) BURNISH_NOEXCEPT;
/* Sets `bytes` of the GPU's L2 cache aside, at most what it has for that, for the intermediate results of the runs to come; 0: none,
 * as at first. What is set aside is so for all that shares the CUDA context. BURNISH_UNSUPPORTED on the host. */
BURNISH_API burnish_status burnish_context_set_persistent_cache(burnish_context*, size_t bytes,
                                                                burnish_error** error) BURNISH_NOEXCEPT;
/* What output `name` will be by the inputs set so far, before any run: type, rank, and shape, -1 where they do not tell (the data
 * decides, or another input). `bytes` is its size, 0 while that is open; `data` is NULL. */
BURNISH_API burnish_status burnish_context_output_shape(burnish_context*, const char* name, burnish_tensor*,
                                                        burnish_error** error) BURNISH_NOEXCEPT;
/* Optional: where output `name` shall be written, `bytes` being the room there. NULL data: memory of the context again. */
BURNISH_API burnish_status burnish_context_set_output(burnish_context*, const char* name,
                                                      const burnish_tensor*,
                                                      burnish_error** error) BURNISH_NOEXCEPT;
/* Runs on `stream` (a CUstream; NULL: a stream of the context) and, for NULL or a plan with host steps, returns when all
 * outputs are there; else after enqueueing. While the stream is being captured kernels are launched one by one. */
BURNISH_API burnish_status burnish_context_run(burnish_context*, void* stream,
                                               burnish_error** error) BURNISH_NOEXCEPT;
/* Shape and place of output `name` after a run: memory of the context (until its next run), or what was set. */
BURNISH_API burnish_status burnish_context_output(burnish_context*, const char* name, burnish_tensor*,
                                                  burnish_error** error) BURNISH_NOEXCEPT;
/* Copies output `name` to host memory of at least its size. Waits for the run. */
BURNISH_API burnish_status burnish_context_read_output(burnish_context*, const char* name, void* data,
                                                       size_t bytes, burnish_error** error) BURNISH_NOEXCEPT;

/* One inference, timed. Milliseconds. */
typedef struct burnish_timing {
  float gpu_ms;  /* between events around the run on the stream; for a host plan the same as host_ms */
  float host_ms; /* wall time of the call, until the outputs are there */
} burnish_timing;
/* Runs `count` times on the context's stream, inputs as set (device copies reused), and gives the time of each. */
BURNISH_API burnish_status burnish_context_time(burnish_context*, int count, burnish_timing* timings,
                                                burnish_error** error) BURNISH_NOEXCEPT;
/* The same, but the GPU's L2 cache holds nothing of the engine when a run begins; flushing it is not timed. */
BURNISH_API burnish_status burnish_context_time_flushed(burnish_context*, int count, burnish_timing* timings,
                                                        burnish_error** error) BURNISH_NOEXCEPT;
/* Runs once, step by step, and gives a JSON list of {name, kind, ms} and, at the first step of a layer, what that layer has to
 * do at least: {flops, bytes_read, bytes_written}, and how long that takes at the GPU's peak: {least_ms}. Free with
 * burnish_text_free. */
BURNISH_API burnish_status burnish_context_profile(burnish_context*, char** json,
                                                   burnish_error** error) BURNISH_NOEXCEPT;
/* A JSON description of what runs where: {target, precision, memory: {constants, code, device_arena, host_arena, bindings},
 * storage, peak: {flops, bytes_per_second}}. Memory in bytes; `storage` as in burnish_engine_describe, with the sizes of the
 * latest run; `peak` what the GPU could do at most in this precision, where it is known. Free with burnish_text_free. */
BURNISH_API burnish_status burnish_context_describe(const burnish_context*, char** json,
                                                    burnish_error** error) BURNISH_NOEXCEPT;
/* Bytes held: constants on the device, arenas on device and host, inputs and outputs. */
typedef struct burnish_memory_use {
  size_t constants, device_arena, host_arena, bindings;
} burnish_memory_use;
BURNISH_API burnish_status burnish_context_memory(const burnish_context*,
                                                  burnish_memory_use*) BURNISH_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
