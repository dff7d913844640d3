"""Layers that make one element of many along axes, and running sums. Axes are bit masks."""

from __future__ import annotations

from typing import List

import numpy as np

from ..emitter import Unsayable, onnx_type
from ..enums import DataType, LayerType, ReduceOperation, TopKOperation
from .layer import ILayer, Property, layer

__all__ = ["IReduceLayer", "ITopKLayer", "ICumulativeLayer"]

_REDUCE = {
    ReduceOperation.SUM: "ReduceSum",
    ReduceOperation.PROD: "ReduceProd",
    ReduceOperation.MAX: "ReduceMax",
    ReduceOperation.MIN: "ReduceMin",
    ReduceOperation.AVG: "ReduceMean",
}


def axes_of(mask: int) -> List[int]:
    """The axes whose bits are set."""
    return [i for i in range(32) if mask >> i & 1]


@layer(LayerType.REDUCE)
class IReduceLayer(ILayer):
    """The sum, product, maximum, minimum or mean along axes."""

    __slots__ = ()
    op = Property(ReduceOperation.SUM)
    axes = Property(0, int)
    keep_dims = Property(False, bool)

    def _emit(self, e) -> None:
        if self.op not in _REDUCE:
            raise Unsayable(f"there is no reduction {self.op.name} on one GPU")
        e.op(_REDUCE[self.op], [e.inputs[0], e.constant(axes_of(self.axes), np.int64)], out=0, keepdims=int(self.keep_dims))


@layer(LayerType.TOPK)
class ITopKLayer(ILayer):
    """The k greatest or least along one axis, in order, and their indices. A second input may give k."""

    __slots__ = ()
    op = Property(TopKOperation.MAX)
    k = Property(1, int)
    axes = Property(0, int)
    indices_type = Property(DataType.INT32)

    def _emit(self, e) -> None:
        axes = axes_of(self.axes)
        if len(axes) != 1:
            raise Unsayable(f"top-k is along one axis, and {len(axes)} are given")
        k = e.constant([self.k], np.int64)
        if self.num_inputs > 1:
            k = e.op("Reshape", [e.int64s(1), e.constant([1], np.int64)])
        found = f"{self.name}/indices"
        e.op("TopK", [e.inputs[0], k], out=[e.outputs[0], found], axis=axes[0], largest=int(self.op == TopKOperation.MAX))
        e.op("Cast", [found], out=1, to=onnx_type(self.indices_type))


@layer(LayerType.CUMULATIVE)
class ICumulativeLayer(ILayer):
    """Running sums along the axis that the second input gives."""

    __slots__ = ()
    op = Property(None)
    exclusive = Property(False, bool)
    reverse = Property(False, bool)

    def _emit(self, e) -> None:
        e.op("CumSum", e.inputs, out=0, exclusive=int(self.exclusive), reverse=int(self.reverse))
