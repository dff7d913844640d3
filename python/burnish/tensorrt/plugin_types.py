"""What plugins are told and tell: fields and descriptions of tensors."""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple

import numpy as np

from .enums import DataType, PluginFieldType, TensorFormat
from .types import Dims


class PluginField:
    """A named parameter of a plugin: an array, or bytes."""

    def __init__(self, name: str = "", data: Any = None, type: PluginFieldType = PluginFieldType.UNKNOWN):
        self.name, self.data, self.type = name, data, type

    @property
    def size(self) -> int:
        """Elements, or bytes."""
        return 0 if self.data is None else len(self.data) if isinstance(self.data, (bytes, str)) else int(np.size(self.data))


class PluginFieldCollection(list):
    """Parameters of a plugin."""


class PluginTensorDesc:
    """A tensor that a plugin takes or gives."""

    def __init__(self, dims: Iterable[int] = (), type: DataType = DataType.FLOAT, format: TensorFormat = TensorFormat.LINEAR):
        self.dims, self.type, self.format, self.scale = Dims(dims), type, format, 1.0


class DynamicPluginTensorDesc(NamedTuple):
    """The same while an engine is built: extents are -1 where they are dynamic, and between `min` and `max`."""

    desc: PluginTensorDesc
    min: Dims
    max: Dims
    opt: Dims
