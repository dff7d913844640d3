"""Layers that move elements and leave their values: reshapes, transposes, slices, joins."""

from __future__ import annotations

import numpy as np

from ..emitter import Unsayable
from ..enums import LayerType, SampleMode
from ..types import Dims, Permutation
from .layer import ILayer, Property, layer

__all__ = [
    "IShuffleLayer", "ISliceLayer", "IConcatenationLayer", "IPaddingLayer", "IShapeLayer", "ISqueezeLayer", "IUnsqueezeLayer",
]  # fmt: skip

_BEFORE_THE_FIRST = np.iinfo(np.int64).min


@layer(LayerType.SHUFFLE)
class IShuffleLayer(ILayer):
    """A transpose, a reshape (0 keeps an extent, -1 is what remains; or a second input), and another transpose; each optional."""

    __slots__ = ()
    first_transpose = Property(None, Permutation)
    reshape_dims = Property(None, Dims)
    second_transpose = Property(None, Permutation)
    zero_is_placeholder = Property(True, bool)

    def _emit(self, e) -> None:
        x = e.inputs[0]
        if self.first_transpose is not None:
            x = e.op("Transpose", [x], perm=list(self.first_transpose))
        if self.num_inputs > 1:
            x = e.op("Reshape", [x, e.int64s(1)], allowzero=int(not self.zero_is_placeholder))
        elif self.reshape_dims is not None:
            x = e.op("Reshape", [x, e.constant(self.reshape_dims, np.int64)], allowzero=int(not self.zero_is_placeholder))
        if self.second_transpose is not None:
            x = e.op("Transpose", [x], perm=list(self.second_transpose))
        e.op("Identity", [x], out=0)


@layer(LayerType.SLICE)
class ISliceLayer(ILayer):
    """`shape` elements from `start`, `stride` apart, along every axis or those of `axes`. Inputs 1 to 3 take their places."""

    __slots__ = ()
    start = Property(None, Dims)
    shape = Property(None, Dims)
    stride = Property(None, Dims)
    axes = Property(None, Dims)
    mode = Property(SampleMode.STRICT_BOUNDS)

    def _window(self, e) -> list:
        """start, shape and stride: numbers where they are known, else None."""
        found = []
        for index, numbers in ((1, self.start), (2, self.shape), (3, self.stride)):
            tensor = self.get_input(index)
            found.append(numbers if tensor is None else None if tensor._known is None else Dims(tensor._known))
        return found

    @staticmethod
    def _check_bounds(extents, axes, start, shape, stride) -> None:
        for axis, first, count, step in zip(axes, start, shape, stride):
            extent, last = extents[axis], first + (count - 1) * step
            if extent >= 0 and count > 0 and not (0 <= first < extent and 0 <= last < extent):
                raise ValueError(f"axis {axis} is sliced from {first} to {last}, and has {extent} elements")

    def _emit(self, e) -> None:
        if self.mode != SampleMode.STRICT_BOUNDS:
            raise Unsayable(f"slices of mode {self.mode.name} are not supported; pad or gather instead")
        window = self._window(e)
        axes = self.axes or range(len(e.tensors[0].shape))
        if all(numbers is not None for numbers in window):
            self._check_bounds(e.tensors[0].shape, axes, *window)
            start, shape, stride = window
            ends = [s + n * d for s, n, d in zip(start, shape, stride)]
            end = e.constant([_BEFORE_THE_FIRST if at < 0 and d < 0 else at for at, d in zip(ends, stride)], np.int64)
            start, stride = e.constant(start, np.int64), e.constant(stride, np.int64)
        else:
            start, count, stride = (e.int64s(i) if n is None else e.constant(n, np.int64) for i, n in zip((1, 2, 3), window))
            end = e.op("Add", [start, e.op("Mul", [count, stride])])
            passed = e.op("Less", [end, e.constant(0, np.int64)])
            end = e.op("Where", [passed, e.constant(_BEFORE_THE_FIRST, np.int64), end])
        e.op("Slice", [e.inputs[0], start, end, e.constant(axes, np.int64), stride], out=0)


@layer(LayerType.CONCATENATION)
class IConcatenationLayer(ILayer):
    """The inputs one after another along `axis`."""

    __slots__ = ()
    axis = Property(None, int)

    def _emit(self, e) -> None:
        # As the interface has it: the third axis from the end where none is set.
        axis = self.axis if self.axis is not None else max(0, len(e.tensors[0].shape) - 3)
        e.op("Concat", e.inputs, out=0, axis=axis)


@layer(LayerType.PADDING)
class IPaddingLayer(ILayer):
    """Zeros before and after the last axes; negative numbers crop."""

    __slots__ = ()
    pre_padding_nd = Property(None, Dims)
    post_padding_nd = Property(None, Dims)

    def _emit(self, e) -> None:
        free = (0,) * (len(e.tensors[0].shape) - len(self.pre_padding_nd))
        pads = [*free, *self.pre_padding_nd, *free, *self.post_padding_nd]
        e.op("Pad", [e.inputs[0], e.constant(pads, np.int64)], out=0)


@layer(LayerType.SHAPE)
class IShapeLayer(ILayer):
    """The extents, as INT64."""

    __slots__ = ()

    def _emit(self, e) -> None:
        e.op("Shape", [e.inputs[0]], out=0)


@layer(LayerType.SQUEEZE)
class ISqueezeLayer(ILayer):
    """Without the axes (extents of 1) that the second input names."""

    __slots__ = ()

    def _emit(self, e) -> None:
        e.op("Squeeze", [e.inputs[0], e.int64s(1)], out=0)


@layer(LayerType.UNSQUEEZE)
class IUnsqueezeLayer(ILayer):
    """With axes of extent 1 where the second input says."""

    __slots__ = ()

    def _emit(self, e) -> None:
        e.op("Unsqueeze", [e.inputs[0], e.int64s(1)], out=0)
