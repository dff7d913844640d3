"""Layers that look at one element at a time."""

from __future__ import annotations

from ..emitter import Unsayable, onnx_type
from ..enums import ActivationType, DataType, ElementWiseOperation, LayerType, ScaleMode, UnaryOperation
from ..types import array_of
from .layer import ILayer, Property, layer

__all__ = [
    "IActivationLayer", "IElementWiseLayer", "IUnaryLayer", "IScaleLayer", "IParametricReLULayer", "ISelectLayer", "IIdentityLayer",
    "ICastLayer",
]  # fmt: skip

_INTEGERS = (DataType.INT8, DataType.INT32, DataType.INT64, DataType.UINT8)
_ACTIVATIONS = {  # (operator, its attributes of alpha and beta)
    ActivationType.RELU: ("Relu", ()),
    ActivationType.SIGMOID: ("Sigmoid", ()),
    ActivationType.TANH: ("Tanh", ()),
    ActivationType.LEAKY_RELU: ("LeakyRelu", ("alpha",)),
    ActivationType.ELU: ("Elu", ("alpha",)),
    ActivationType.SELU: ("Selu", ("alpha", "gamma")),
    ActivationType.SOFTSIGN: ("Softsign", ()),
    ActivationType.HARD_SIGMOID: ("HardSigmoid", ("alpha", "beta")),
    ActivationType.THRESHOLDED_RELU: ("ThresholdedRelu", ("alpha",)),
}


@layer(LayerType.ACTIVATION)
class IActivationLayer(ILayer):
    """A function of each element, with up to two parameters."""

    __slots__ = ()
    type = Property(ActivationType.RELU)
    alpha = Property(0.0, float)
    beta = Property(0.0, float)

    def _emit(self, e) -> None:
        x, kind = e.inputs[0], self.type
        if kind in _ACTIVATIONS:
            op, parameters = _ACTIVATIONS[kind]
            e.op(op, [x], out=0, **dict(zip(parameters, (self.alpha, self.beta))))
        elif kind == ActivationType.CLIP:
            e.op("Clip", [x, e.like_input(self.alpha), e.like_input(self.beta)], out=0)
        elif kind == ActivationType.SCALED_TANH:
            inner = e.op("Tanh", [e.op("Mul", [x, e.like_input(self.beta)])])
            e.op("Mul", [inner, e.like_input(self.alpha)], out=0)
        elif kind == ActivationType.SOFTPLUS:
            inner = e.op("Softplus", [e.op("Mul", [x, e.like_input(self.beta)])])
            e.op("Mul", [inner, e.like_input(self.alpha)], out=0)
        else:
            e.op("Gelu", [x], out=0, approximate="tanh" if kind == ActivationType.GELU_TANH else "none")


_BINARY = dict(
    zip(
        ElementWiseOperation,
        "Add Mul Max Min Sub Div Pow FloorDiv And Or Xor Equal Greater Less".split(),
    )
)


@layer(LayerType.ELEMENTWISE)
class IElementWiseLayer(ILayer):
    """A function of two elements; extents of 1 are broadcast."""

    __slots__ = ()
    op = Property(ElementWiseOperation.SUM)

    def _emit(self, e) -> None:
        a, b = e.inputs
        if self.op != ElementWiseOperation.FLOOR_DIV:
            e.op(_BINARY[self.op], [a, b], out=0)
        elif e.tensors[0].dtype in _INTEGERS:  # Div rounds towards zero
            e.op("Div", [e.op("Sub", [a, e.op("Mod", [a, b])]), b], out=0)
        else:
            e.op("Floor", [e.op("Div", [a, b])], out=0)


_UNARY = dict(
    zip(
        UnaryOperation,
        "Exp Log Sqrt Reciprocal Abs Neg Sin Cos Tan Sinh Cosh Asin Acos Atan Asinh Acosh Atanh Ceil Floor Erf Not Sign Round IsInf "
        "IsNaN".split(),
    )
)


@layer(LayerType.UNARY)
class IUnaryLayer(ILayer):
    """A function of one element."""

    __slots__ = ()
    op = Property(UnaryOperation.EXP)

    def _emit(self, e) -> None:
        e.op(_UNARY[self.op], [e.inputs[0]], out=0)


@layer(LayerType.SCALE)
class IScaleLayer(ILayer):
    """(x * scale + shift) ^ power, with weights for all, for each channel, or for each element."""

    __slots__ = ()
    mode = Property(ScaleMode.UNIFORM)
    shift = Property(None)
    scale = Property(None)
    power = Property(None)
    channel_axis = Property(1, int)

    def _weights(self, e, weights):
        array = array_of(weights)
        if array is None:
            return None
        extents = e.tensors[0].shape
        if self.mode == ScaleMode.UNIFORM:
            shape: tuple = ()
        elif self.mode == ScaleMode.CHANNEL:
            shape = (-1,) + (1,) * (len(extents) - self.channel_axis - 1)
        else:
            shape = tuple(extents[self.channel_axis :])
        return e.constant(array.reshape(shape))

    def _emit(self, e) -> None:
        x = e.inputs[0]
        for op, weights in (("Mul", self.scale), ("Add", self.shift), ("Pow", self.power)):
            operand = self._weights(e, weights)
            x = x if operand is None else e.op(op, [x, operand])
        e.op("Identity", [x], out=0)


@layer(LayerType.PARAMETRIC_RELU)
class IParametricReLULayer(ILayer):
    """x where x > 0, else slope * x."""

    __slots__ = ()

    def _emit(self, e) -> None:
        e.op("PRelu", e.inputs, out=0)


@layer(LayerType.SELECT)
class ISelectLayer(ILayer):
    """The second input where the first is true, else the third."""

    __slots__ = ()

    def _emit(self, e) -> None:
        e.op("Where", e.inputs, out=0)


@layer(LayerType.IDENTITY)
class IIdentityLayer(ILayer):
    """The input, or, where set_output_type says so, of another type."""

    __slots__ = ()

    def _emit(self, e) -> None:
        kind = self._state.output_types.get(0)
        if kind is None:
            e.op("Identity", [e.inputs[0]], out=0)
        else:
            e.op("Cast", [e.inputs[0]], out=0, to=onnx_type(kind))


@layer(LayerType.CAST)
class ICastLayer(ILayer):
    """The input as another type."""

    __slots__ = ()
    to_type = Property(DataType.FLOAT)

    def _emit(self, e) -> None:
        if self.to_type in (DataType.FP8, DataType.INT4, DataType.FP4, DataType.E8M0):
            raise Unsayable(f"Burnish has no tensors of {self.to_type}")
        e.op("Cast", [e.inputs[0]], out=0, to=onnx_type(self.to_type))
