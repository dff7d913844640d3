"""A tensor of a network."""

from __future__ import annotations

from typing import Any, Dict, Optional

from .enums import DataType, TensorFormat, TensorLocation
from .logger import NoEffect
from .types import Dims


class ITensor:
    """An input of a network, or what a layer makes. Its type and extents (-1: dynamic) follow from the layers before it."""

    location = NoEffect(TensorLocation.DEVICE, "inputs and outputs are on the device; extents are read from there")
    broadcast_across_batch = NoEffect(False, "batches are explicit")

    def __init__(self, network: Any, name: str, dtype: Optional[DataType] = None, shape: Any = None, state: Any = None):
        self._network = network
        self._report = network._report
        self._name = name
        self._state = state  # the layer that makes it; None: an input
        self._dtype = dtype
        self._shape = None if shape is None else Dims(shape)
        self._elem_type: Optional[int] = None  # ONNX's, of an input that was parsed; it has more of them
        self._known: Any = None  # its values, where they are few and constant
        self._format_dtype: Optional[DataType] = None
        self._allowed_formats = 0
        self._axes: Dict[int, str] = {}
        self._range: Optional[tuple] = None

    @property
    def name(self) -> str:
        """What the engine calls it, if it is an input or output."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._network._rename(self, name)

    @property
    def shape(self) -> Dims:
        """Extents; -1 is dynamic. An input's may be set."""
        self._network._infer()
        return self._shape if self._shape is not None else Dims()

    @shape.setter
    def shape(self, shape: Any) -> None:
        if self._state is not None:
            raise RuntimeError(f"'{self._name}' is made by a layer, which decides its shape; set the shapes of inputs")
        self._shape = Dims(shape)
        self._network._changed()

    @property
    def dtype(self) -> DataType:
        """Element type. Set on an input or output: what it is in the caller's memory (floating-point as the network's is)."""
        self._network._infer()
        return self._format_dtype or self._dtype or DataType.FLOAT

    @dtype.setter
    def dtype(self, dtype: DataType) -> None:
        self._format_dtype = dtype

    @property
    def allowed_formats(self) -> int:
        """A mask of TensorFormat: LINEAR is row-major (NCHW), HWC has the channels last (NHWC)."""
        return self._allowed_formats or (1 << int(TensorFormat.LINEAR))

    @allowed_formats.setter
    def allowed_formats(self, mask: int) -> None:
        self._allowed_formats = int(mask)

    @property
    def is_network_input(self) -> bool:
        return any(t is self for t in self._network._inputs)

    @property
    def is_network_output(self) -> bool:
        return any(t is self for t in self._network._outputs)

    @property
    def is_shape_tensor(self) -> bool:
        """False: Burnish reads extents from any tensor, so none is apart."""
        return False

    @property
    def is_execution_tensor(self) -> bool:
        return True

    def get_dimension_name(self, index: int) -> Optional[str]:
        """The name of an axis of an input, if it has one."""
        return self._axes.get(index)

    def set_dimension_name(self, index: int, name: str) -> None:
        """Axes of one name have equal extents when it runs."""
        self._axes[index] = name
        self._network._changed()

    @property
    def dynamic_range(self) -> Optional[tuple]:
        """(min, max) for quantisation, or None."""
        return self._range

    @dynamic_range.setter
    def dynamic_range(self, bounds: Any) -> None:
        self._range = None if bounds is None else (float(bounds[0]), float(bounds[1]))
        if bounds is not None:
            self._report.no_effect("ITensor.dynamic_range", "Burnish has no quantised kernels yet")

    def set_dynamic_range(self, min: float, max: float) -> bool:
        self.dynamic_range = (min, max)
        return True

    def reset_dynamic_range(self) -> None:
        self._range = None

    def __repr__(self) -> str:
        return f"<ITensor {self.name}: {self.dtype.name}{list(self.shape)}>"
