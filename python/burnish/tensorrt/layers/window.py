"""Convolutions and poolings: what looks at a window of its input."""

from __future__ import annotations

from ..emitter import Unsayable
from ..enums import LayerType, PaddingMode, PoolingType
from ..types import Dims, array_of
from .layer import ILayer, Property, layer

__all__ = ["IConvolutionLayer", "IDeconvolutionLayer", "IPoolingLayer"]


class _Alias:
    """The name that 8.x had for a property."""

    def __init__(self, name: str):
        self._name = name

    def __get__(self, instance, owner):
        return self if instance is None else getattr(instance, self._name)

    def __set__(self, instance, value):
        setattr(instance, self._name, value)


class _Padding:
    """padding_nd: the same before and after. Reads what is before."""

    def __get__(self, instance, owner):
        return self if instance is None else instance.pre_padding

    def __set__(self, instance, value):
        instance.pre_padding = value
        instance.post_padding = value


def _window(layer, rank: int) -> dict:
    """The attributes that convolutions and poolings share."""
    attributes = {"strides": list(layer.stride_nd or (1,) * rank)}
    if layer.padding_mode in (PaddingMode.SAME_UPPER, PaddingMode.SAME_LOWER):
        attributes["auto_pad"] = layer.padding_mode.name
    else:
        attributes["pads"] = [*(layer.pre_padding or (0,) * rank), *(layer.post_padding or (0,) * rank)]
    return attributes


class _Convolution(ILayer):
    """Input [N, C, spatial…]; weights of the kernel, or a second input in their place; bias of num_output_maps, or a third."""

    __slots__ = ()
    num_output_maps = Property(0, int)
    kernel_size_nd = Property(None, Dims)
    stride_nd = Property(None, Dims)
    dilation_nd = Property(None, Dims)
    pre_padding = Property(None, Dims)
    post_padding = Property(None, Dims)
    padding_mode = Property(PaddingMode.EXPLICIT_ROUND_DOWN)
    num_groups = Property(1, int)
    kernel = Property(None)
    bias = Property(None)
    padding_nd = _Padding()
    kernel_size, stride, dilation, padding = _Alias("kernel_size_nd"), _Alias("stride_nd"), _Alias("dilation_nd"), _Alias("padding_nd")

    def _weights_shape(self) -> tuple:
        raise NotImplementedError

    def _emit(self, e) -> None:
        rank = len(self.kernel_size_nd)
        if self.padding_mode == PaddingMode.EXPLICIT_ROUND_UP:
            raise Unsayable("convolutions round down; choose another padding_mode")
        kernel, bias = array_of(self.kernel), array_of(self.bias)
        if kernel is None and self.num_inputs < 2:
            raise Unsayable("it has neither kernel weights nor a second input in their place")
        w = e.constant(kernel.reshape(self._weights_shape())) if kernel is not None else e.inputs[1]
        b = e.constant(bias.reshape(-1)) if bias is not None else e.inputs[2] if self.num_inputs > 2 else None
        e.op(
            self._OP,
            [e.inputs[0], w, b],
            out=0,
            kernel_shape=list(self.kernel_size_nd),
            dilations=list(self.dilation_nd or (1,) * rank),
            group=self.num_groups,
            **_window(self, rank),
        )


_Convolution._OP = ILayer._OP = ""  # on the base, so that it is no attribute of a kind of layer


@layer(LayerType.CONVOLUTION)
class IConvolutionLayer(_Convolution):
    """Cross-correlation; kernel weights [num_output_maps, C / num_groups, kernel…]."""

    __slots__ = ()
    _OP = "Conv"

    def _weights_shape(self) -> tuple:
        return (self.num_output_maps, -1, *self.kernel_size_nd)


@layer(LayerType.DECONVOLUTION)
class IDeconvolutionLayer(_Convolution):
    """Its transpose; kernel weights [C, num_output_maps / num_groups, kernel…]."""

    __slots__ = ()
    _OP = "ConvTranspose"

    def _weights_shape(self) -> tuple:
        return (-1, self.num_output_maps // self.num_groups, *self.kernel_size_nd)


@layer(LayerType.POOLING)
class IPoolingLayer(ILayer):
    """Maximum, average, or (1 - blend_factor) * maximum + blend_factor * average, of each window."""

    __slots__ = ()
    type = Property(PoolingType.MAX)
    window_size_nd = Property(None, Dims)
    stride_nd = Property(None, Dims)
    pre_padding = Property(None, Dims)
    post_padding = Property(None, Dims)
    padding_mode = Property(PaddingMode.EXPLICIT_ROUND_DOWN)
    blend_factor = Property(0.0, float)
    average_count_excludes_padding = Property(True, bool)
    padding_nd = _Padding()
    window_size, stride, padding = _Alias("window_size_nd"), _Alias("stride_nd"), _Alias("padding_nd")

    def _emit(self, e) -> None:
        window = _window(self, len(self.window_size_nd))
        window.update(kernel_shape=list(self.window_size_nd), ceil_mode=int(self.padding_mode == PaddingMode.EXPLICIT_ROUND_UP))
        average = {"count_include_pad": int(not self.average_count_excludes_padding)}
        if self.type == PoolingType.MAX:
            e.op("MaxPool", [e.inputs[0]], out=0, **window)
        elif self.type == PoolingType.AVERAGE:
            e.op("AveragePool", [e.inputs[0]], out=0, **window, **average)
        else:
            most = e.op("Mul", [e.op("MaxPool", [e.inputs[0]], **window), e.like_input(1 - self.blend_factor)])
            mean = e.op("Mul", [e.op("AveragePool", [e.inputs[0]], **window, **average), e.like_input(self.blend_factor)])
            e.op("Add", [most, mean], out=0)
