"""Arrays of other libraries as memory: numpy, torch, CuPy, and whatever speaks DLPack or __cuda_array_interface__."""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Tuple

import numpy as np

from . import capi
from .errors import InvalidArgument, Unsupported

_DLPACK_CPU, _DLPACK_CUDA, _DLPACK_CUDA_HOST, _DLPACK_CUDA_MANAGED = 1, 2, 3, 13
_DLPACK_KINDS = {0: "int", 1: "uint", 2: "float", 4: "bfloat", 6: "bool"}


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class View:
    """Dense row-major memory that something else owns. `owner` must live as long as the memory is used."""

    __slots__ = ("dtype", "shape", "address", "memory", "owner")

    def __init__(self, dtype: str, shape: Tuple[int, ...], address: int, memory: int, owner: Any):
        self.dtype, self.shape, self.address, self.memory, self.owner = dtype, tuple(shape), address, memory, owner

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        size = capi.ITEMSIZE[capi.DTYPE_NUMBER[self.dtype]]
        for extent in self.shape:
            size *= extent
        return size

    def as_tensor(self) -> capi.Tensor:
        """What the C API takes."""
        tensor = capi.Tensor(
            dtype=capi.DTYPE_NUMBER[self.dtype], rank=len(self.shape), data=self.address or None, bytes=self.nbytes, memory=self.memory
        )
        tensor.shape[: len(self.shape)] = self.shape
        return tensor


def numpy_dtype(name: str) -> np.dtype:
    """numpy's type of that name; bfloat16 needs the package ml_dtypes."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError as error:
        raise Unsupported("numpy itself has no bfloat16", "install ml_dtypes, or pass torch tensors") from error
    return np.dtype(ml_dtypes.bfloat16)


def _dtype_name(name: str, what: str) -> str:
    name = {"bool_": "bool"}.get(name, name)
    if name not in capi.DTYPE_NUMBER:
        raise InvalidArgument(f"{what} is of type {name}, which no engine takes", f"convert it to one of {', '.join(capi.DTYPES)}")
    return name


def _is_dense(shape, strides) -> bool:
    """strides in elements; None: dense."""
    expected = 1
    for extent, stride in zip(reversed(shape), reversed(strides or ())):
        if extent != 1 and stride != expected:
            return False
        expected *= extent
    return True


def _not_dense(what: str) -> InvalidArgument:
    return InvalidArgument(
        f"{what} on the GPU is not dense and row-major", "make it contiguous first (x.contiguous(), ascontiguousarray(x))"
    )


def _from_torch(x, what: str) -> View:
    if x.is_cuda and not x.is_contiguous():
        raise _not_dense(what)
    x = x.detach().contiguous()
    return View(
        _dtype_name(str(x.dtype).replace("torch.", ""), what), tuple(x.shape), x.data_ptr(), capi.DEVICE if x.is_cuda else capi.HOST, x
    )


def _from_cuda_interface(x, what: str) -> View:
    told = x.__cuda_array_interface__
    dtype, shape, strides = np.dtype(told["typestr"]), tuple(told["shape"]), told.get("strides")
    if not _is_dense(shape, [s // dtype.itemsize for s in strides] if strides else None):
        raise _not_dense(what)
    return View(_dtype_name(dtype.name, what), shape, told["data"][0] or 0, capi.DEVICE, x)


def _from_dlpack(x, what: str) -> View:
    if x.__dlpack_device__()[0] == _DLPACK_CPU:
        return _from_numpy(np.from_dlpack(x), what)
    capsule = x.__dlpack__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    tensor = _DLTensor.from_address(pointer(capsule, b"dltensor"))
    shape = tuple(tensor.shape[: tensor.ndim])
    if tensor.strides and not _is_dense(shape, tensor.strides[: tensor.ndim]):
        raise _not_dense(what)
    kind = _DLPACK_KINDS.get(tensor.code, "opaque")
    name = kind if kind == "bool" else f"{kind}{tensor.bits}"
    on_device = tensor.device_type in (_DLPACK_CUDA, _DLPACK_CUDA_MANAGED)
    if not on_device and tensor.device_type != _DLPACK_CUDA_HOST:
        raise InvalidArgument(f"{what} is on DLPack device {tensor.device_type}", "pass memory of the host or of an NVIDIA GPU")
    address = (tensor.data or 0) + tensor.byte_offset
    return View(_dtype_name(name, what), shape, address, capi.DEVICE if on_device else capi.HOST, capsule)


def _from_numpy(x, what: str) -> View:
    x = np.asarray(x)
    if not x.flags.c_contiguous:
        x = np.ascontiguousarray(x)
    return View(_dtype_name(x.dtype.name, what), x.shape, x.ctypes.data, capi.HOST, x)


def view(x: Any, what: str = "the array") -> View:
    """`x` as dense memory. Host arrays that are not dense are copied; on the GPU they are an error (InvalidArgument)."""
    if isinstance(x, np.ndarray):
        return _from_numpy(x, what)
    if type(x).__module__.split(".")[0] == "torch":
        return _from_torch(x, what)
    if hasattr(x, "__cuda_array_interface__"):
        return _from_cuda_interface(x, what)
    if hasattr(x, "__dlpack__"):
        return _from_dlpack(x, what)
    return _from_numpy(x, what)


def empty_like_kind(kind: Any, dtype: str, shape: Tuple[int, ...]) -> Any:
    """A new array of the library that `kind` is from and on the device where it is; numpy's for anything else on the host."""
    module = type(kind).__module__.split(".")[0]
    if module == "torch":
        import torch

        return torch.empty(shape, dtype=getattr(torch, dtype), device=kind.device)
    if module == "cupy":
        import cupy

        return cupy.empty(shape, dtype=dtype)
    return np.empty(shape, numpy_dtype(dtype))


def current_stream(kind: Any) -> Optional[int]:
    """The stream that the library of an array would work on now; None where it has no such thing."""
    module = type(kind).__module__.split(".")[0]
    if module == "torch":
        import torch

        return int(torch.cuda.current_stream(kind.device).cuda_stream)
    if module == "cupy":
        import cupy

        return int(cupy.cuda.get_current_stream().ptr)
    return None


def stream_handle(stream: Any) -> int:
    """A CUDA stream as a number: an int, torch's and CuPy's streams, cuda-python's, and what has __cuda_stream__."""
    for name in ("cuda_stream", "ptr", "handle"):
        if hasattr(stream, name):
            return int(getattr(stream, name))
    if hasattr(stream, "__cuda_stream__"):
        told = stream.__cuda_stream__
        return int((told() if callable(told) else told)[1])
    return int(stream)
