"""Loops and conditions. Hand-built ones are not supported yet; those of ONNX models are."""
from __future__ import annotations

from ..emitter import Unsayable
from ..enums import LayerType
from .layer import ILayer, layer

__all__ = [
    "ILoop", "ILoopBoundaryLayer", "IRecurrenceLayer", "IIteratorLayer", "ITripLimitLayer", "ILoopOutputLayer", "IIfConditional",
    "IIfConditionalBoundaryLayer", "IConditionLayer", "IIfConditionalInputLayer", "IIfConditionalOutputLayer",
]  # fmt: skip


class ILoop:
    """A loop of a network."""


class IIfConditional:
    """A condition of a network."""


class ILoopBoundaryLayer(ILayer):
    """A layer between a loop and what is around it."""

    __slots__ = ()

    def _emit(self, e) -> None:
        raise Unsayable("loops are built from ONNX models only")


class IIfConditionalBoundaryLayer(ILayer):
    """A layer between a branch and what is around it."""

    __slots__ = ()

    def _emit(self, e) -> None:
        raise Unsayable("conditions are built from ONNX models only")


def _boundary(kind: LayerType, name: str, base: type, doc: str) -> type:
    return layer(kind)(type(name, (base,), {"__slots__": (), "__doc__": doc, "__module__": __name__}))


IRecurrenceLayer = _boundary(LayerType.RECURRENCE, "IRecurrenceLayer", ILoopBoundaryLayer, "A value carried from one iteration to the next.")
IIteratorLayer = _boundary(LayerType.ITERATOR, "IIteratorLayer", ILoopBoundaryLayer, "A slice for each iteration.")
ITripLimitLayer = _boundary(LayerType.TRIP_LIMIT, "ITripLimitLayer", ILoopBoundaryLayer, "How often it runs.")
ILoopOutputLayer = _boundary(LayerType.LOOP_OUTPUT, "ILoopOutputLayer", ILoopBoundaryLayer, "What it leaves.")
IConditionLayer = _boundary(LayerType.CONDITION, "IConditionLayer", IIfConditionalBoundaryLayer, "What decides.")
IIfConditionalInputLayer = _boundary(
    LayerType.CONDITIONAL_INPUT, "IIfConditionalInputLayer", IIfConditionalBoundaryLayer, "What a branch reads."
)
IIfConditionalOutputLayer = _boundary(
    LayerType.CONDITIONAL_OUTPUT, "IIfConditionalOutputLayer", IIfConditionalBoundaryLayer, "What the branch that was taken gives."
)
