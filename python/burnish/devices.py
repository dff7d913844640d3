"""The GPUs of this machine, as the driver tells."""

from __future__ import annotations

import ctypes
import functools
from ctypes import byref, c_int, c_void_p
from typing import NamedTuple

from . import capi
from .errors import DeviceError


class Device(NamedTuple):
    """A GPU: its name, the target to build for ("sm_90"), its multiprocessors and its memory in bytes."""

    name: str
    target: str
    multiprocessors: int
    memory_bytes: int


def count() -> int:
    """GPUs that can be used; 0 where there is no driver."""
    error = c_void_p()
    found = capi.runtime().burnish_device_count(byref(error))
    if error:
        capi.runtime().burnish_error_free(error)
    return found


def describe(ordinal: int) -> Device:
    """The GPU of that number. Raises DeviceError where there is none."""
    info = capi.DeviceInfo()
    capi.call(capi.runtime().burnish_device_describe, ordinal, byref(info))
    return Device(info.name.decode(), info.target.decode(), info.multiprocessors, info.memory_bytes)


@functools.lru_cache(maxsize=None)
def driver() -> ctypes.CDLL:
    """libcuda.so.1. Raises DeviceError where there is none."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise DeviceError("there is no NVIDIA driver on this machine", "install it, or use the target 'cpu'") from error
    check(library.cuInit(0))
    library.cuMemcpyAsync.argtypes = [ctypes.c_uint64, ctypes.c_uint64, ctypes.c_size_t, c_void_p]
    library.cuStreamSynchronize.argtypes = [c_void_p]
    library.cuEventRecord.argtypes = [c_void_p, c_void_p]
    return library


def check(status: int) -> None:
    if status:
        raise DeviceError(f"the CUDA driver answers {status}", "see the driver's CUresult of that number")


def entered(ordinal: int) -> ctypes.CDLL:
    """The driver, with a context current on this thread: the primary one of that GPU where there is none."""
    library, context = driver(), c_void_p()
    check(library.cuCtxGetCurrent(byref(context)))
    if not context:
        check(library.cuDevicePrimaryCtxRetain(byref(context), c_int(ordinal)))
        check(library.cuCtxSetCurrent(context))
    return library


def current() -> int:
    """The GPU of the CUDA context that is current on this thread, else 0."""
    ordinal = c_int()
    try:
        return ordinal.value if driver().cuCtxGetDevice(byref(ordinal)) == 0 else 0
    except DeviceError:
        return 0
