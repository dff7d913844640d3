"""Layers that pick elements by indices, and those that make indices."""

from __future__ import annotations

import numpy as np

from ..emitter import Unsayable, onnx_type
from ..enums import BoundingBoxFormat, DataType, GatherMode, KVCacheMode, LayerType, ScatterMode
from .layer import ILayer, Property, layer

__all__ = ["IGatherLayer", "IScatterLayer", "IOneHotLayer", "INonZeroLayer", "INMSLayer", "IReverseSequenceLayer", "IKVCacheUpdateLayer"]


@layer(LayerType.GATHER)
class IGatherLayer(ILayer):
    """Elements of the first input at the indices of the second."""

    __slots__ = ()
    axis = Property(0, int)
    num_elementwise_dims = Property(0, int)
    mode = Property(GatherMode.DEFAULT)

    def _emit(self, e) -> None:
        if self.mode == GatherMode.ND:
            e.op("GatherND", [e.inputs[0], e.int64s(1)], out=0, batch_dims=self.num_elementwise_dims)
        elif self.mode == GatherMode.ELEMENT:
            e.op("GatherElements", e.inputs, out=0, axis=self.axis)
        elif self.num_elementwise_dims:
            raise Unsayable("num_elementwise_dims other than 0 needs the mode ND")
        else:
            e.op("Gather", e.inputs, out=0, axis=self.axis)


@layer(LayerType.SCATTER)
class IScatterLayer(ILayer):
    """The first input, with the third's elements at the indices of the second."""

    __slots__ = ()
    axis = Property(0, int)
    mode = Property(ScatterMode.ELEMENT)

    def _emit(self, e) -> None:
        if self.mode == ScatterMode.ND:
            e.op("ScatterND", [e.inputs[0], e.int64s(1), e.inputs[2]], out=0)
        else:
            e.op("ScatterElements", e.inputs, out=0, axis=self.axis)


@layer(LayerType.ONE_HOT)
class IOneHotLayer(ILayer):
    """Of indices, values (off, on) and a depth: an axis with `on` at the index."""

    __slots__ = ()
    axis = Property(-1, int)

    def _emit(self, e) -> None:
        e.op("OneHot", [e.inputs[0], e.int64s(2), e.inputs[1]], out=0, axis=self.axis)


@layer(LayerType.NON_ZERO)
class INonZeroLayer(ILayer):
    """The places [rank, n] of what is not zero."""

    __slots__ = ()
    indices_type = Property(DataType.INT32)

    def _emit(self, e) -> None:
        e.op("Cast", [e.op("NonZero", [e.inputs[0]])], out=0, to=onnx_type(self.indices_type))


@layer(LayerType.NMS)
class INMSLayer(ILayer):
    """Of boxes [N, B, 4] and scores [N, B, classes]: (image, class, box) of those that stay, and their number. Further inputs:
    the most for each class, the overlap and the score to decide by."""

    __slots__ = ()
    bounding_box_format = Property(BoundingBoxFormat.CORNER_PAIRS)
    topk_box_limit = Property(2000, int)
    indices_type = Property(DataType.INT32)

    def _emit(self, e) -> None:
        boxes = e.inputs[0]
        if len(e.tensors[0].shape) == 4:
            boxes = e.op("Squeeze", [boxes, e.constant([2], np.int64)])
        scores = e.op("Transpose", [e.inputs[1]], perm=[0, 2, 1])
        limits = [self._scalar(e, i) for i in (2, 3, 4)]
        center = int(self.bounding_box_format == BoundingBoxFormat.CENTER_SIZES)
        kept = e.op("NonMaxSuppression", [boxes, scores, *limits], center_point_box=center)
        e.op("Cast", [kept], out=0, to=onnx_type(self.indices_type))
        count = e.op("Gather", [e.op("Shape", [kept]), e.constant(0, np.int64)])
        e.op("Cast", [count], out=1, to=onnx_type(self.indices_type))

    def _scalar(self, e, index: int):
        """ONNX has these as one element of one axis."""
        if index >= self.num_inputs or self.get_input(index) is None:
            return None
        value = e.int64s(index) if index == 2 else e.inputs[index]
        return e.op("Reshape", [value, e.constant([1], np.int64)])


@layer(LayerType.REVERSE_SEQUENCE)
class IReverseSequenceLayer(ILayer):
    """The first elements of each sequence, as many as the second input says, backwards."""

    __slots__ = ()
    batch_axis = Property(1, int)
    sequence_axis = Property(0, int)

    def _emit(self, e) -> None:
        e.op("ReverseSequence", [e.inputs[0], e.int64s(1)], out=0, batch_axis=self.batch_axis, time_axis=self.sequence_axis)


@layer(LayerType.KVCACHE_UPDATE)
class IKVCacheUpdateLayer(ILayer):
    """A cache [batch, heads, capacity, width], with an update [batch, heads, length, width] from the place on that the third input
    [batch] gives for each sequence. Cache and output may be bound to the same memory."""

    __slots__ = ()
    cache_mode = Property(KVCacheMode.LINEAR)

    def _emit(self, e) -> None:
        cache, update = e.inputs[:2]
        extents = e.op("Shape", [update])
        length = e.op("Gather", [extents, e.constant(2, np.int64)])
        steps = e.op("Range", [e.constant(0, np.int64), length, e.constant(1, np.int64)])
        begin = e.op("Unsqueeze", [e.int64s(2), e.constant([1, 2, 3], np.int64)])
        places = e.op("Add", [begin, e.op("Unsqueeze", [steps, e.constant([1], np.int64)])])
        e.op("ScatterElements", [cache, e.op("Expand", [places, extents]), update], out=0, axis=2)
