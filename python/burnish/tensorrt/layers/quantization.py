"""Layers of quantised networks. Burnish has no quantised kernels yet, so none can be added."""

from __future__ import annotations

from ..emitter import Unsayable
from ..enums import LayerType
from .layer import ILayer, Property, layer

__all__ = ["IQuantizeLayer", "IDequantizeLayer", "IDynamicQuantizeLayer"]


class _Quantized(ILayer):
    __slots__ = ()

    def _emit(self, e) -> None:
        raise Unsayable("Burnish has no quantised kernels yet; build the unquantised model, in FP16 for speed")


@layer(LayerType.QUANTIZE)
class IQuantizeLayer(_Quantized):
    """To a type of few bits."""

    __slots__ = ()
    axis, block_shape, to_type = Property(-1), Property(), Property()


@layer(LayerType.DEQUANTIZE)
class IDequantizeLayer(_Quantized):
    """And back."""

    __slots__ = ()
    axis, block_shape, to_type = Property(-1), Property(), Property()


@layer(LayerType.DYNAMIC_QUANTIZE)
class IDynamicQuantizeLayer(_Quantized):
    """With scales found as it runs."""

    __slots__ = ()
    axis, block_size, block_shape, to_type, scale_type = Property(-1), Property(), Property(), Property(), Property()
