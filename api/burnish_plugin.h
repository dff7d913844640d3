/* Burnish plugins: operators of your own, in a shared library that exports one function, burnish_plugin_entry.
 *
 * A library includes this header and links nothing of Burnish. docs/plugins.md leads through one, examples/plugin has it.
 * Functions return 0, or anything else after they have written one line to `reason`. None may throw. */
#ifndef BURNISH_PLUGIN_H
#define BURNISH_PLUGIN_H

#include "burnish.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when anything below changes its meaning or layout. */
#define BURNISH_PLUGIN_ABI 1
#define BURNISH_PLUGIN_MAX_INPUTS 32
#define BURNISH_PLUGIN_MAX_OUTPUTS 32

typedef struct burnish_plugin_reason {
  char text[512];
} burnish_plugin_reason;

/* ---------------------------------------------------------------------------------------------------- nodes */

/* Numbered as ONNX numbers them. */
typedef enum burnish_attribute_kind {
  BURNISH_ATTRIBUTE_FLOAT = 1,
  BURNISH_ATTRIBUTE_INT = 2,
  BURNISH_ATTRIBUTE_STRING = 3,
  BURNISH_ATTRIBUTE_TENSOR = 4,
  BURNISH_ATTRIBUTE_FLOATS = 6,
  BURNISH_ATTRIBUTE_INTS = 7,
  BURNISH_ATTRIBUTE_STRINGS = 8
} burnish_attribute_kind;

/* An attribute of a node, in the member of its kind; a single one is a list of one. Pointers live until the call returns. */
typedef struct burnish_attribute {
  const char* name;
  burnish_attribute_kind kind;
  size_t count; /* of floats, ints or strings */
  const float* floats;
  const int64_t* ints;
  const char* const* strings;
  const size_t* string_sizes; /* for strings may hold zeros */
  const burnish_tensor* tensor;
} burnish_attribute;

typedef enum burnish_plugin_phase {
  BURNISH_PLUGIN_BUILD = 0, /* an engine is built: `infer`, `workspace` and `attributes` may follow */
  BURNISH_PLUGIN_RUN = 1    /* an engine is run: `run` or `enqueue` follow */
} burnish_plugin_phase;

/* A node of the model that is such an operator. */
typedef struct burnish_plugin_node {
  const char* name; /* of the node, for messages */
  burnish_plugin_phase phase;
  burnish_memory
      memory; /* where it is to run: BURNISH_DEVICE, with the GPU's context current. Open in the phase of a build */
  const burnish_attribute* attributes;
  int attribute_count;
} burnish_plugin_node;

/* ---------------------------------------------------------------------------------------------------- extents */

/* An extent as an expression over those of the model's inputs: the engine computes it for each run. */
typedef uint32_t burnish_extent;

typedef enum burnish_extent_operation {
  BURNISH_EXTENT_SUM = 0,
  BURNISH_EXTENT_DIFFERENCE = 1,
  BURNISH_EXTENT_PRODUCT = 2,
  BURNISH_EXTENT_FLOOR_DIVIDE = 3,
  BURNISH_EXTENT_CEIL_DIVIDE = 4,
  BURNISH_EXTENT_MIN = 5,
  BURNISH_EXTENT_MAX = 6,
  BURNISH_EXTENT_EQUAL = 7, /* 1 or 0 */
  BURNISH_EXTENT_LESS = 8   /* 1 or 0 */
} burnish_extent_operation;

/* What makes them; `self` comes first in each. */
typedef struct burnish_extents {
  void* self;
  burnish_extent (*constant)(void* self, int64_t value);
  burnish_extent (*combine)(void* self, burnish_extent_operation, burnish_extent a, burnish_extent b);
  /* What it can be; *least == *most where it is known. */
  void (*range)(void* self, burnish_extent, int64_t* least, int64_t* most);
} burnish_extents;

/* Element type and extents of an operand; rank -1: an input that the node leaves out. */
typedef struct burnish_plugin_type {
  burnish_dtype dtype;
  int rank;
  burnish_extent extents[BURNISH_MAX_RANK];
} burnish_plugin_type;

/* ---------------------------------------------------------------------------------------------------- operators */

/* One operator: a function of its inputs and attributes alone, so that equal calls may be made once. Tensors are dense and
 * row-major, of the types that the model gives them, also in an FP16 engine. */
typedef struct burnish_plugin_operator {
  const char* domain;  /* of the ONNX operator; NULL: any */
  const char* name;    /* its op_type */
  const char* version; /* an engine runs with the version it was built with */
  void* user;          /* handed to `create` */

  /* A node, once a build and once for every context that runs it; what is made is used by one thread at a time. NULL: there is
   * nothing to make. */
  int (*create)(void* user, const burnish_plugin_node*, void** state, burnish_plugin_reason*);
  void (*destroy)(void* state); /* NULL: nothing to do */

  /* Types of the outputs: `outputs` has room for BURNISH_PLUGIN_MAX_OUTPUTS. Extents that only the data tell cannot be said. */
  int (*infer)(void* state, const burnish_extents*, const burnish_plugin_type* inputs, int input_count,
               burnish_plugin_type* outputs, int* output_count, burnish_plugin_reason*);
  /* Bytes of scratch memory, aligned to 256. NULL: none. */
  int (*workspace)(void* state, const burnish_extents*, const burnish_plugin_type* inputs, int input_count,
                   const burnish_plugin_type* outputs, int output_count, burnish_extent* bytes,
                   burnish_plugin_reason*);
  /* The attributes that an engine keeps, for `create` where it runs; they live until the next call. NULL: the node's. */
  int (*attributes)(void* state, const burnish_attribute** list, int* count, burnish_plugin_reason*);

  /* Does the work in host memory: for the target cpu, and for GPUs where `enqueue` is NULL. */
  int (*run)(void* state, const burnish_tensor* inputs, int input_count, const burnish_tensor* outputs,
             int output_count, void* workspace, burnish_plugin_reason*);
  /* Puts the work in GPU memory on `stream`, a CUstream of the current context, and does not wait for it. NULL: there is none. */
  int (*enqueue)(void* state, const burnish_tensor* inputs, int input_count, const burnish_tensor* outputs,
                 int output_count, void* workspace, void* stream, burnish_plugin_reason*);
} burnish_plugin_operator;

/* What a library holds. It stays as it is while it is loaded. */
struct burnish_plugin {
  uint32_t abi;     /* BURNISH_PLUGIN_ABI */
  const char* name; /* under which engines ask for it */
  const char* version;
  const burnish_plugin_operator* operators;
  int operator_count;
};

/* Exported by the library: its operators for this version of the interface, or NULL. */
BURNISH_API const burnish_plugin* burnish_plugin_entry(uint32_t abi) BURNISH_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
