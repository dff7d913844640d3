/* Burnish compiler: an ONNX model becomes an engine. Needs no GPU unless kernels are to be timed. */
#ifndef BURNISH_COMPILER_H
#define BURNISH_COMPILER_H

#include "burnish.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Extents of one input; -1 leaves an axis free. */
typedef struct burnish_input_shape {
  const char* name;
  int rank;
  const int64_t* shape;
} burnish_input_shape;

/* Ranges that an engine is for, by input; an input left out is free. Any shape within is right, opt is what it is tuned for. */
typedef struct burnish_profile {
  const burnish_shape_range* inputs;
  int input_count;
} burnish_profile;

/* How the axes of an input or output follow each other in memory. Never renumbered. */
typedef enum burnish_layout {
  BURNISH_ROW_MAJOR = 0,    /* as the model declares them: NCHW */
  BURNISH_CHANNELS_LAST = 1 /* axis 1 is the fastest: NHWC; for three axes and more */
} burnish_layout;
/* What an input or output of the engine is in memory, where the model's own form is not wanted. */
typedef struct burnish_port_format {
  const char* name;
  int dtype; /* a burnish_dtype, floating-point as the model's is; -1: as the model declares it */
  burnish_layout layout;
} burnish_port_format;

/* In what an FP16 or BF16 build computes and stores what an ONNX node makes: BURNISH_F32, or the build's type as it would by itself.
 * Of those that fit a name the last one counts. */
typedef struct burnish_node_precision {
  const char* name; /* one * in it stands for anything */
  burnish_dtype dtype;
  int result; /* that of its results, counted from 1, which alone is to be stored so; 0: all that the node does */
} burnish_node_precision;

/* Called now and then with what is being done and how much of it is. Returning nonzero cancels the build. May be called
 * from threads of the compiler, never from two at once. */
typedef int (*burnish_progress)(void* user, const char* stage, int done, int total);

/* Told, one line each, what the caller should know of a build: what was timed, or why nothing was. */
typedef void (*burnish_note)(void* user, const char* text);

/* What is done about kernels that the timing cache says nothing of. */
typedef enum burnish_timing_cache_mode {
  BURNISH_TIMING_CACHE_APPEND = 0, /* they are timed and added */
  BURNISH_TIMING_CACHE_READ = 1,  /* they are chosen by estimate; nothing is timed, the file stays as it is */
  BURNISH_TIMING_CACHE_WRITE = 2, /* all are timed, whatever the file holds, and take its place */
  BURNISH_TIMING_CACHE_STRICT = 3 /* they are an error */
} burnish_timing_cache_mode;

/* Which weights of an engine burnish_refit may replace. Weights are the model's initialisers of a floating-point type. An engine
 * that can be refitted keeps the model too: with `any` and `listed` its weights as they are written there, beside its own form
 * of them. */
typedef enum burnish_refittable {
  BURNISH_REFIT_NONE = 0,
  BURNISH_REFIT_ANY = 1,
  BURNISH_REFIT_IDENTICAL = 2, /* by themselves alone, which is of use where they were stripped */
  BURNISH_REFIT_LISTED = 3     /* refittable_weights; the others by themselves */
} burnish_refittable;

/* Set all of it to zero, then struct_size and what is wanted. An older, shorter form is understood. */
typedef struct burnish_build_options {
  size_t struct_size;         /* sizeof(burnish_build_options) */
  const char* const* targets; /* "cpu", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120" */
  int target_count;
  int fp16; /* nonzero: FP16 storage, FP32 accumulation; before bf16 */
  int tf32; /* nonzero: FP32 matrix products may run as TF32 */
  const burnish_input_shape* shapes;
  int shape_count;
  const char* cuda_library_directory; /* where to look for NVRTC first; NULL: the usual places */
  int threads;                        /* 0: one per core */
  burnish_progress progress;          /* NULL: silent */
  void* progress_user;
  /* 0 and 1: kernels are chosen by estimate, which needs no GPU and always repeats. 2 to 5: they are timed on the GPU, ever
   * more of them and longer, where it is the target; elsewhere estimated, and `note` is told. */
  int optimization_level;
  double time_budget; /* seconds that compiling candidates and timing them may take; 0: as long as it takes */
  const char*
      timing_cache; /* a file that keeps times from build to build; NULL: none. The same one, the same engine */
  burnish_timing_cache_mode timing_cache_mode;
  burnish_note note; /* NULL: untold */
  void* note_user;
  const burnish_port_format* input_formats; /* those left out are as the model declares them */
  int input_format_count;
  const burnish_port_format* output_formats;
  int output_format_count;
  /* Libraries of NVIDIA's whose routines are candidates too where kernels are timed, by commas: "cublaslt,cudnn"; one that cannot
   * be opened is an error. "present": those that are there. NULL or "none": none. An engine that uses one names it among its
   * providers, and runs where the library is. */
  const char* libraries;
  /* All of the same inputs. Axes that are one number in all of them are fixed; memory is planned, and kernels are chosen, for the
   * first one's opt. */
  const burnish_profile* profiles;
  int profile_count;
  size_t
      workspace_bytes; /* scratch memory that a kernel may ask for beside its operands at most; 0: no limit */
  int max_tactics;     /* of a node that are timed at most; 0: as many as the level says */
  const burnish_node_precision* node_precisions;
  int node_precision_count;
  /* Whose operators a model may have beside those of ONNX (burnish_load_plugin). */
  const burnish_plugin* const* plugins;
  int plugin_count;
  int plugin_override;  /* nonzero: they are taken for ONNX's operators of the same name, too */
  int bf16;             /* nonzero: BF16 storage, FP32 accumulation */
  int averaged_timings; /* of a kernel that make one time; 0: one */
  size_t shared_bytes;  /* shared memory that a block of a kernel may ask for at most; 0: no limit */
  int max_branches;     /* of the graph that run side by side at most; 1: one after the other; 0: no limit */
  /* ONNX nodes, named as in burnish_node_precision, whose attention is not to be one kernel. */
  const char* const* decomposed_attention;
  int decomposed_attention_count;
  /* Tensors of the model that can be looked at when it runs (burnish_engine_debug_tensor): they are not fused away. */
  const char* const* debug_tensors;
  int debug_tensor_count;
  int debug_unfused; /* nonzero: and all others that are not fused away anyway */
  /* Knobs of burnish_build_knobs, which go before the options: "-optimization_level=4 -max_branches=1"; NULL: none. */
  const char* build_route;
  burnish_refittable refittable;
  int strip_weights; /* nonzero: weights of more than one element are left out, and the engine runs once it is refitted;
                        `refittable` is BURNISH_REFIT_IDENTICAL at least */
  const char* const* refittable_weights;
  int refittable_weight_count;
} burnish_build_options;

/* What a build route may choose, as JSON: {tuner_version, tuner_options: [{option, allowed_values, default_value, help}]}. Free with
 * burnish_text_free. */
BURNISH_API burnish_status burnish_build_knobs(char** json, burnish_error** error) BURNISH_NOEXCEPT;
/* Builds and writes `engine_path` (complete, or not at all). */
BURNISH_API burnish_status burnish_build(const char* model_path, const char* engine_path,
                                         const burnish_build_options*,
                                         burnish_error** error) BURNISH_NOEXCEPT;
/* Builds from a model in memory (external data is sought in `folder`; NULL: refused) to bytes freed with
 * burnish_bytes_free. */
BURNISH_API burnish_status burnish_build_bytes(const void* model, size_t model_bytes, const char* folder,
                                               const burnish_build_options*, void** engine,
                                               size_t* engine_bytes, burnish_error** error) BURNISH_NOEXCEPT;
BURNISH_API void burnish_bytes_free(void*) BURNISH_NOEXCEPT;

/* Values for a weight, by the name of the model's initialiser: row-major, in host memory. */
typedef struct burnish_weight {
  const char* name;
  burnish_tensor tensor;
} burnish_weight;
/* Set all of it to zero, then struct_size and what is wanted. */
typedef struct burnish_refit_options {
  size_t struct_size; /* sizeof(burnish_refit_options) */
  const char*
      model_path; /* the weights of this model, which is the engine's apart from them; NULL: the engine's own */
  const void* model; /* the same in memory; external data is sought in model_folder, NULL: refused */
  size_t model_bytes;
  const char* model_folder;
  const burnish_weight* weights; /* in place of those */
  int weight_count;
  int threads;               /* 0: one per core */
  burnish_progress progress; /* NULL: silent */
  void* progress_user;
} burnish_refit_options;
/* Writes to `output_path`, complete or not at all, the engine with other weights: the bytes that building it with these would give. Takes
 * its kernels and decisions, so that it needs neither a GPU nor NVRTC. A weight that is a number in a kernel's text, or decides how
 * something is done, can stay as it is only. Errors name the weight. `output_path` may be `engine_path`. */
BURNISH_API burnish_status burnish_refit(const char* engine_path, const char* output_path,
                                         const burnish_refit_options*,
                                         burnish_error** error) BURNISH_NOEXCEPT;
/* The same in memory; the bytes are freed with burnish_bytes_free. */
BURNISH_API burnish_status burnish_refit_bytes(const void* engine, size_t engine_bytes,
                                               const burnish_refit_options*, void** refitted,
                                               size_t* refitted_bytes,
                                               burnish_error** error) BURNISH_NOEXCEPT;

/* Writes to `output_path` what `count` timing caches know together; of two that know the same the later counts. */
BURNISH_API burnish_status burnish_timing_cache_merge(const char* const* paths, int count,
                                                      const char* output_path,
                                                      burnish_error** error) BURNISH_NOEXCEPT;

/* The model after import and passes, in the text form of the IR; constants as references. Free with burnish_text_free. */
BURNISH_API burnish_status burnish_model_text(const char* model_path, const burnish_build_options*,
                                              char** text, burnish_error** error) BURNISH_NOEXCEPT;
/* A JSON description of a model: inputs, outputs, opsets, operators with their counts. Free with burnish_text_free. */
BURNISH_API burnish_status burnish_model_describe(const char* model_path, char** json,
                                                  burnish_error** error) BURNISH_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
