"""Layers that bring values to a common scale."""

from __future__ import annotations

import numpy as np

from ..enums import DataType, LayerType
from .layer import ILayer, Property, layer
from .reduction import axes_of

__all__ = ["ISoftMaxLayer", "ILRNLayer", "INormalizationLayer", "IRaggedSoftMaxLayer"]


@layer(LayerType.SOFTMAX)
class ISoftMaxLayer(ILayer):
    """exp(x) over its sum along the axes of a mask."""

    __slots__ = ()
    axes = Property(None, int)

    def _emit(self, e) -> None:
        rank = len(e.tensors[0].shape)
        axes = axes_of(self.axes) if self.axes is not None else [max(0, rank - 3)]  # the interface's default
        if len(axes) == 1:
            e.op("Softmax", [e.inputs[0]], out=0, axis=axes[0])
            return
        along = e.constant(axes, np.int64)
        below = e.op("Sub", [e.inputs[0], e.op("ReduceMax", [e.inputs[0], along], keepdims=1)])
        power = e.op("Exp", [below])
        e.op("Div", [power, e.op("ReduceSum", [power, along], keepdims=1)], out=0)


@layer(LayerType.LRN)
class ILRNLayer(ILayer):
    """x / (k + alpha / window_size * the sum of squares of neighbouring channels) ^ beta."""

    __slots__ = ()
    window_size = Property(5, int)
    alpha = Property(1e-4, float)
    beta = Property(0.75, float)
    k = Property(1.0, float)

    def _emit(self, e) -> None:
        e.op("LRN", [e.inputs[0]], out=0, size=self.window_size, alpha=self.alpha, beta=self.beta, bias=self.k)


@layer(LayerType.NORMALIZATION)
class INormalizationLayer(ILayer):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, over the axes of a mask, or over groups of channels."""

    __slots__ = ()
    epsilon = Property(1e-5, float)
    axes = Property(0, int)
    num_groups = Property(1, int)
    compute_precision = Property(DataType.FLOAT)
    is_v2 = Property(False, bool)

    def _emit(self, e) -> None:
        x, scale, bias = e.inputs
        axes, rank = axes_of(self.axes), len(e.tensors[0].shape)
        trailing = axes == list(range(rank - len(axes), rank))
        if self.num_groups == 1 and trailing and len(e.tensors[1].shape) == len(axes):
            e.op("LayerNormalization", [x, scale, bias], out=0, axis=axes[0], epsilon=self.epsilon)
            return
        if self.num_groups != 1:  # [N, C, …] -> [N, groups, all else]
            rows = e.op("Reshape", [x, e.constant([0, self.num_groups, -1], np.int64)])
            y = e.op("Reshape", [self._normalized(e, rows, [2]), e.op("Shape", [x])])
        else:
            y = self._normalized(e, x, axes)
        e.op("Add", [e.op("Mul", [y, scale]), bias], out=0)

    def _normalized(self, e, x, axes) -> str:
        along = e.constant(axes, np.int64)
        centred = e.op("Sub", [x, e.op("ReduceMean", [x, along], keepdims=1)])
        variance = e.op("ReduceMean", [e.op("Mul", [centred, centred]), along], keepdims=1)
        return e.op("Div", [centred, e.op("Sqrt", [e.op("Add", [variance, e.like_input(self.epsilon)])])])


@layer(LayerType.RAGGED_SOFTMAX)
class IRaggedSoftMaxLayer(ILayer):
    """Softmax along the last axis, of as many elements of each row as the second input [rows…, 1] says; those after them are 0."""

    __slots__ = ()

    def _emit(self, e) -> None:
        length = e.op("Squeeze", [e.op("Shape", [e.inputs[0]], start=-1)])
        places = e.op("Range", [e.constant(0, np.int64), length, e.constant(1, np.int64)])
        inside = e.op("Less", [places, e.int64s(1)])
        least = e.like_input(-1e4 if e.tensors[0].dtype == DataType.HALF else -1e30)
        share = e.op("Softmax", [e.op("Where", [inside, e.inputs[0], least])], axis=-1)
        e.op("Where", [inside, share, e.like_input(0)], out=0)
