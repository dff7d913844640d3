"""The C API (api/burnish.h, api/burnish_compiler.h) through ctypes: structs, signatures, and statuses as exceptions.

ctypes releases the GIL around every call."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import pathlib
from ctypes import POINTER, byref, c_char, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_void_p
from typing import Optional

from .errors import BY_STATUS, Error, FileError

MAX_RANK = 16
HOST, DEVICE = 0, 1
LEGACY_STREAM = 1  # CU_STREAM_LEGACY: what stream 0 means to CUDA's runtime, in order with its copies
#: numpy's name of each burnish_dtype, in the order of their numbers
DTYPES = ("float32", "float16", "bfloat16", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
DTYPE_NUMBER = {name: number for number, name in enumerate(DTYPES)}
ITEMSIZE = (4, 2, 2, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1)

ProgressFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_int, c_int)
NoteFunction = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)


class DeviceInfo(ctypes.Structure):
    _fields_ = [
        ("name", c_char * 256),
        ("target", c_char * 16),
        ("multiprocessors", c_int),
        ("memory_bytes", c_size_t),
        ("driver_version", c_int),
    ]


class Port(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("dtype", c_int), ("rank", c_int), ("shape", POINTER(c_int64)), ("axes", POINTER(c_char_p))]


class ContextOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("device", c_int), ("threads", c_int), ("no_graphs", c_int)]


class Tensor(ctypes.Structure):
    _fields_ = [
        ("dtype", c_int),
        ("rank", c_int),
        ("shape", c_int64 * MAX_RANK),
        ("data", c_void_p),
        ("bytes", c_size_t),
        ("memory", c_int),
    ]


class Timing(ctypes.Structure):
    _fields_ = [("gpu_ms", c_float), ("host_ms", c_float)]


class MemoryUse(ctypes.Structure):
    _fields_ = [("constants", c_size_t), ("device_arena", c_size_t), ("host_arena", c_size_t), ("bindings", c_size_t)]


class InputShape(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("rank", c_int), ("shape", POINTER(c_int64))]


class PortFormat(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("dtype", c_int), ("layout", c_int)]


class ShapeRange(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("rank", c_int),
        ("min", POINTER(c_int64)),
        ("opt", POINTER(c_int64)),
        ("max", POINTER(c_int64)),
    ]


class Profile(ctypes.Structure):
    _fields_ = [("inputs", POINTER(ShapeRange)), ("input_count", c_int)]


class NodePrecision(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("dtype", c_int), ("result", c_int)]


class WeightInfo(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("layer", c_char_p),
        ("role", c_char_p),
        ("dtype", c_int),
        ("rank", c_int),
        ("shape", POINTER(c_int64)),
        ("fixed", c_int),
        ("data", c_void_p),
        ("bytes", c_size_t),
    ]


class Weight(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("tensor", Tensor)]


class BuildOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("targets", POINTER(c_char_p)),
        ("target_count", c_int),
        ("fp16", c_int),
        ("tf32", c_int),
        ("shapes", POINTER(InputShape)),
        ("shape_count", c_int),
        ("cuda_library_directory", c_char_p),
        ("threads", c_int),
        ("progress", ProgressFunction),
        ("progress_user", c_void_p),
        ("optimization_level", c_int),
        ("time_budget", c_double),
        ("timing_cache", c_char_p),
        ("timing_cache_mode", c_int),
        ("note", NoteFunction),
        ("note_user", c_void_p),
        ("input_formats", POINTER(PortFormat)),
        ("input_format_count", c_int),
        ("output_formats", POINTER(PortFormat)),
        ("output_format_count", c_int),
        ("libraries", c_char_p),
        ("profiles", POINTER(Profile)),
        ("profile_count", c_int),
        ("workspace_bytes", c_size_t),
        ("max_tactics", c_int),
        ("node_precisions", POINTER(NodePrecision)),
        ("node_precision_count", c_int),
        ("plugins", POINTER(c_void_p)),
        ("plugin_count", c_int),
        ("plugin_override", c_int),
        ("bf16", c_int),
        ("averaged_timings", c_int),
        ("shared_bytes", c_size_t),
        ("max_branches", c_int),
        ("decomposed_attention", POINTER(c_char_p)),
        ("decomposed_attention_count", c_int),
        ("debug_tensors", POINTER(c_char_p)),
        ("debug_tensor_count", c_int),
        ("debug_unfused", c_int),
        ("build_route", c_char_p),
        ("refittable", c_int),
        ("strip_weights", c_int),
        ("refittable_weights", POINTER(c_char_p)),
        ("refittable_weight_count", c_int),
    ]


class RefitOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("model_path", c_char_p),
        ("model", c_char_p),
        ("model_bytes", c_size_t),
        ("model_folder", c_char_p),
        ("weights", POINTER(Weight)),
        ("weight_count", c_int),
        ("threads", c_int),
        ("progress", ProgressFunction),
        ("progress_user", c_void_p),
    ]


_ERROR = POINTER(c_void_p)
_STATUS = c_int
_RUNTIME = {  # name: (result, arguments)
    "burnish_error_status": (c_int, [c_void_p]),
    "burnish_error_cause": (c_char_p, [c_void_p]),
    "burnish_error_remedy": (c_char_p, [c_void_p]),
    "burnish_error_free": (None, [c_void_p]),
    "burnish_version": (c_char_p, []),
    "burnish_text_free": (None, [c_void_p]),
    "burnish_device_count": (c_int, [_ERROR]),
    "burnish_device_describe": (_STATUS, [c_int, POINTER(DeviceInfo), _ERROR]),
    "burnish_load_plugin": (_STATUS, [c_char_p, POINTER(c_void_p), _ERROR]),
    "burnish_add_plugin": (_STATUS, [c_void_p, _ERROR]),
    "burnish_remove_plugin": (None, [c_void_p]),
    "burnish_engine_open": (_STATUS, [c_char_p, POINTER(c_void_p), _ERROR]),
    "burnish_engine_from_bytes": (_STATUS, [c_void_p, c_size_t, POINTER(c_void_p), _ERROR]),
    "burnish_engine_free": (None, [c_void_p]),
    "burnish_engine_input_count": (c_int, [c_void_p]),
    "burnish_engine_output_count": (c_int, [c_void_p]),
    "burnish_engine_input": (_STATUS, [c_void_p, c_int, POINTER(Port)]),
    "burnish_engine_output": (_STATUS, [c_void_p, c_int, POINTER(Port)]),
    "burnish_engine_debug_tensor_count": (c_int, [c_void_p]),
    "burnish_engine_debug_tensor": (_STATUS, [c_void_p, c_int, POINTER(Port), POINTER(c_int)]),
    "burnish_engine_targets": (c_char_p, [c_void_p]),
    "burnish_engine_weight_count": (c_int, [c_void_p]),
    "burnish_engine_weight": (_STATUS, [c_void_p, c_int, POINTER(WeightInfo)]),
    "burnish_engine_is_stripped": (c_int, [c_void_p]),
    "burnish_engine_describe": (_STATUS, [c_void_p, POINTER(c_void_p), _ERROR]),
    "burnish_engine_profile_count": (c_int, [c_void_p]),
    "burnish_engine_profile": (_STATUS, [c_void_p, c_int, c_int, POINTER(ShapeRange)]),
    "burnish_context_create": (_STATUS, [c_void_p, POINTER(ContextOptions), POINTER(c_void_p), _ERROR]),
    "burnish_context_free": (None, [c_void_p]),
    "burnish_context_set_persistent_cache": (_STATUS, [c_void_p, c_size_t, _ERROR]),
    "burnish_context_set_profile": (_STATUS, [c_void_p, c_int, _ERROR]),
    "burnish_context_set_input": (_STATUS, [c_void_p, c_char_p, POINTER(Tensor), _ERROR]),
    "burnish_context_set_output": (_STATUS, [c_void_p, c_char_p, POINTER(Tensor), _ERROR]),
    "burnish_context_run": (_STATUS, [c_void_p, c_void_p, _ERROR]),
    "burnish_context_output": (_STATUS, [c_void_p, c_char_p, POINTER(Tensor), _ERROR]),
    "burnish_context_output_shape": (_STATUS, [c_void_p, c_char_p, POINTER(Tensor), _ERROR]),
    "burnish_context_read_output": (_STATUS, [c_void_p, c_char_p, c_void_p, c_size_t, _ERROR]),
    "burnish_context_time": (_STATUS, [c_void_p, c_int, POINTER(Timing), _ERROR]),
    "burnish_context_profile": (_STATUS, [c_void_p, POINTER(c_void_p), _ERROR]),
    "burnish_context_describe": (_STATUS, [c_void_p, POINTER(c_void_p), _ERROR]),
    "burnish_context_memory": (_STATUS, [c_void_p, POINTER(MemoryUse)]),
}
_COMPILER = {
    "burnish_build_bytes": (
        _STATUS,
        [c_char_p, c_size_t, c_char_p, POINTER(BuildOptions), POINTER(c_void_p), POINTER(c_size_t), _ERROR],
    ),
    "burnish_build": (_STATUS, [c_char_p, c_char_p, POINTER(BuildOptions), _ERROR]),
    "burnish_refit_bytes": (
        _STATUS,
        [c_char_p, c_size_t, POINTER(RefitOptions), POINTER(c_void_p), POINTER(c_size_t), _ERROR],
    ),
    "burnish_bytes_free": (None, [c_void_p]),
    "burnish_build_knobs": (_STATUS, [POINTER(c_void_p), _ERROR]),
    "burnish_timing_cache_merge": (_STATUS, [POINTER(c_char_p), c_int, c_char_p, _ERROR]),
    "burnish_model_describe": (_STATUS, [c_char_p, POINTER(c_void_p), _ERROR]),
}


def library_folder() -> pathlib.Path:
    """Where the libraries are: in the installed package, or built in the clone that this file is part of."""
    here = pathlib.Path(__file__).resolve().parent
    folders = (here / "lib", here.parents[1] / "build" / "lib")
    for folder in folders:
        if (folder / "libburnish_runtime.so").exists():
            return folder
    raise FileError(
        f"libburnish_runtime.so is in neither of {folders[0]} and {folders[1]}",
        "install the package (pip install . in a clone), or run ./dev build in the clone",
    )


def cuda_library_folder() -> Optional[str]:
    """Where the PyPI package nvidia-cuda-nvrtc put NVRTC; None: the compiler looks in the usual places."""
    found = importlib.util.find_spec("nvidia")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = pathlib.Path(folder) / "cu13" / "lib"
        if (path / "libnvrtc.so.13").exists():
            return str(path)
    return None


def _load(name: str, signatures: dict) -> ctypes.CDLL:
    path = library_folder() / name
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise FileError(f"{path} cannot be loaded: {error}", "reinstall the package") from error
    for function, (result, arguments) in signatures.items():
        entry = getattr(library, function)
        entry.restype, entry.argtypes = result, arguments
    return library


@functools.lru_cache(maxsize=None)
def runtime() -> ctypes.CDLL:
    """libburnish_runtime.so: opens and runs engines."""
    return _load("libburnish_runtime.so", _RUNTIME)


@functools.lru_cache(maxsize=None)
def compiler() -> ctypes.CDLL:
    """libburnish_compiler.so: builds them. Loaded when a build first needs it."""
    return _load("libburnish_compiler.so", _COMPILER)


def take_error(pointer: c_void_p, status: int) -> Error:
    """The exception for a status that is not OK; frees the C error."""
    lib = runtime()
    cause = (lib.burnish_error_cause(pointer) or b"").decode("utf-8", "replace")
    remedy = (lib.burnish_error_remedy(pointer) or b"").decode("utf-8", "replace")
    if pointer:
        lib.burnish_error_free(pointer)
        pointer.value = None
    return BY_STATUS.get(status, Error)(cause or f"the library answers status {status}", remedy)


def call(function, *arguments) -> None:
    """Calls a function whose last argument is a burnish_error**, and raises what it reports."""
    error = c_void_p()
    status = function(*arguments, byref(error))
    if status:
        raise take_error(error, status)


def text(function, *arguments) -> str:
    """The text that a function gives through its char** argument."""
    pointer = c_void_p()
    call(function, *arguments, byref(pointer))
    try:
        return ctypes.string_at(pointer.value or 0).decode("utf-8", "replace")
    finally:
        runtime().burnish_text_free(pointer)


def given_bytes(function, *arguments) -> bytes:
    """The bytes that a function of the compiler gives through its void** and size_t* arguments."""
    data, size = c_void_p(), c_size_t()
    call(function, *arguments, byref(data), byref(size))
    try:
        return ctypes.string_at(data, size.value)
    finally:
        compiler().burnish_bytes_free(data)


def version() -> str:
    """The library's version, "0.1.0"."""
    return runtime().burnish_version().decode()


def int64s(values) -> ctypes.Array:
    values = [int(v) for v in values]
    return (c_int64 * len(values))(*values)
