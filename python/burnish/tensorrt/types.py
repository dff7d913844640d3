"""Small values: extents, weights, memory of the host."""

from __future__ import annotations

import math
from typing import Any, Iterable, Optional

import numpy as np

from .enums import DataType

_NUMPY = {
    DataType.FLOAT: np.float32,
    DataType.HALF: np.float16,
    DataType.INT8: np.int8,
    DataType.INT32: np.int32,
    DataType.INT64: np.int64,
    DataType.BOOL: np.bool_,
    DataType.UINT8: np.uint8,
}
_NAMES = {
    DataType.FLOAT: "float32", DataType.HALF: "float16", DataType.BF16: "bfloat16", DataType.INT8: "int8", DataType.INT32: "int32",
    DataType.INT64: "int64", DataType.UINT8: "uint8", DataType.BOOL: "bool",
}  # fmt: skip
_BY_NAME = {name: kind for kind, name in _NAMES.items()}


def volume(extents: Iterable[int]) -> int:
    """The product; 1 for none."""
    return math.prod(int(e) for e in extents)


def nptype(trt_type: DataType) -> type:
    """numpy's type of a DataType. TypeError for those that numpy lacks."""
    if trt_type not in _NUMPY:
        raise TypeError(f"Could not resolve TensorRT datatype to an equivalent numpy datatype: {trt_type}")
    return _NUMPY[trt_type]


def dtype_name(kind: DataType) -> Optional[str]:
    """What numpy calls it; None for types that Burnish has no tensors of."""
    return _NAMES.get(kind)


def dtype_named(name: str) -> Optional[DataType]:
    """The DataType that numpy calls so; None where there is none (float64, int16, …)."""
    return _BY_NAME.get(name)


class Dims(tuple):
    """Extents; -1 is dynamic. Equal to any tuple or list of the same numbers."""

    MAX_DIMS = 8

    def __new__(cls, shape: Iterable[int] = ()):
        shape = tuple(int(e) for e in shape)
        if len(shape) > cls.MAX_DIMS:
            raise ValueError(f"a shape of {len(shape)} axes is longer than {cls.MAX_DIMS}")
        return super().__new__(cls, shape)

    def __eq__(self, other: Any) -> bool:
        return tuple.__eq__(self, tuple(other)) if isinstance(other, (tuple, list)) else NotImplemented

    def __ne__(self, other: Any) -> bool:
        equal = self == other
        return equal if equal is NotImplemented else not equal

    __hash__ = tuple.__hash__

    def __getitem__(self, index):
        found = tuple.__getitem__(self, index)
        return Dims(found) if isinstance(index, slice) else found

    def __add__(self, other):
        return Dims(tuple(self) + tuple(other))

    def __repr__(self) -> str:
        return f"({', '.join(map(str, tuple(self)))}{',' if len(self) == 1 else ''})"

    __str__ = __repr__

    @property
    def volume(self) -> int:
        """The product of the extents."""
        return volume(self)


class _OfRank(Dims):
    _RANK = 0

    def __new__(cls, *extents):
        shape = extents[0] if len(extents) == 1 and not isinstance(extents[0], int) else extents
        shape = tuple(shape) or (0,) * cls._RANK
        if len(shape) != cls._RANK:
            raise ValueError(f"{cls.__name__} has {cls._RANK} extents, and {len(shape)} are given")
        return super().__new__(cls, shape)


class Dims2(_OfRank):
    """Two extents."""

    _RANK = 2


class DimsHW(Dims2):
    """Height and width."""

    @property
    def h(self) -> int:
        return self[0]

    @property
    def w(self) -> int:
        return self[1]


class Dims3(_OfRank):
    """Three extents."""

    _RANK = 3


class Dims4(_OfRank):
    """Four extents."""

    _RANK = 4


class Permutation(Dims):
    """An order of axes."""


class Weights:
    """Weights(DataType): none of that type; Weights(array); Weights(type, pointer, count): memory that must stay."""

    def __init__(self, a: Any = None, ptr: int = 0, count: int = 0):
        if isinstance(a, DataType) and count:
            import ctypes

            memory = (ctypes.c_uint8 * int(count * a.itemsize)).from_address(ptr)
            self._array: np.ndarray = np.frombuffer(memory, nptype(a), count)
            self.dtype = a
        elif isinstance(a, DataType):
            self.dtype = a
            self._array = np.empty(0, nptype(a))
        else:
            self._array = np.asarray(np.zeros(0, np.float32) if a is None else a, order="C")
            self.dtype = dtype_named(self._array.dtype.name)
            if self.dtype is None:
                raise TypeError(f"weights of {self._array.dtype} have no DataType")

    @property
    def size(self) -> int:
        """Elements."""
        return self._array.size

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    def numpy(self) -> np.ndarray:
        """The values, without a copy."""
        return self._array

    def __len__(self) -> int:
        return self.size


def array_of(weights: Any) -> Optional[np.ndarray]:
    """Weights, an array, or nothing (None, or no element) as an array or None."""
    if weights is None:
        return None
    array = weights.numpy() if isinstance(weights, Weights) else np.asarray(weights)
    return array if array.size else None


class IHostMemory(bytes):
    """Bytes on the host: a buffer to write, slice, hash, or hand to `Runtime.deserialize_cuda_engine`."""

    @property
    def dtype(self) -> DataType:
        """INT8: bytes."""
        return DataType.INT8

    @property
    def nbytes(self) -> int:
        """How many."""
        return len(self)

    def __enter__(self) -> IHostMemory:
        return self

    def __exit__(self, *exc) -> None:
        pass
