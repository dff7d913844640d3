"""Loops and conditions: what stands between them and what is around. `control_flow.py` makes ONNX of them."""

from __future__ import annotations

from typing import Any, List, Optional

from ..emitter import Unsayable
from ..enums import LayerType, LoopOutput, TripLimit
from ..types import Dims
from .layer import ILayer, Property, layer

__all__ = [
    "ILoop", "ILoopBoundaryLayer", "IRecurrenceLayer", "IIteratorLayer", "ITripLimitLayer", "ILoopOutputLayer", "IIfConditional",
    "IIfConditionalBoundaryLayer", "IConditionLayer", "IIfConditionalInputLayer", "IIfConditionalOutputLayer", "IAssertionLayer",
]  # fmt: skip


class ILoop:
    """A loop. Layers belong to it by what they read: the outputs of its recurrences and iterators, and what follows from them."""

    def __init__(self, network: Any, name: str):
        self.network, self.name = network, name
        self._members: List[Any] = []

    def _add(self, layer_kind: LayerType, inputs: List[Any], outputs: int = 1, **values: Any) -> Optional[ILayer]:
        made = self.network._add(layer_kind, inputs, outputs, _owner=self, **values)
        if made is not None:
            self._members.append(made._state)
        return made

    def add_recurrence(self, initial_value: Any) -> Optional[ILayer]:
        """A value carried from one iteration to the next, which set_input(1, …) gives."""
        return self._add(LayerType.RECURRENCE, [initial_value])

    def add_trip_limit(self, tensor: Any, kind: TripLimit) -> Optional[ILayer]:
        """How often it runs: a number, or a bool of each iteration that is looked at before it."""
        return self._add(LayerType.TRIP_LIMIT, [tensor], 0, kind=kind)

    def add_iterator(self, tensor: Any, axis: int = 0, reverse: bool = False) -> Optional[ILayer]:
        """A slice of a tensor along an axis for each iteration."""
        return self._add(LayerType.ITERATOR, [tensor], axis=axis, reverse=reverse)

    def add_loop_output(self, tensor: Any, kind: LoopOutput, axis: int = 0) -> Optional[ILayer]:
        """What it leaves: a recurrence's last value, or the values of all iterations along a new axis."""
        return self._add(LayerType.LOOP_OUTPUT, [tensor], kind=kind, axis=axis)


class IIfConditional:
    """A condition. Layers belong to a branch by what they read: the outputs of its inputs, and what follows from them."""

    def __init__(self, network: Any, name: str):
        self.network, self.name = network, name
        self._members: List[Any] = []

    _add = ILoop._add

    def set_condition(self, condition: Any) -> Optional[ILayer]:
        """A scalar bool."""
        return self._add(LayerType.CONDITION, [condition], 0)

    def add_input(self, input: Any) -> Optional[ILayer]:
        """A tensor for the branches to read."""
        return self._add(LayerType.CONDITIONAL_INPUT, [input])

    def add_output(self, true_subgraph_output: Any, false_subgraph_output: Any) -> Optional[ILayer]:
        """One of two tensors."""
        return self._add(LayerType.CONDITIONAL_OUTPUT, [true_subgraph_output, false_subgraph_output])


class _Boundary(ILayer):
    """Emitted with its loop or condition, not by itself."""

    __slots__ = ()

    def _emit(self, e: Any) -> None:
        raise Unsayable("it is outside of what it belongs to")


class ILoopBoundaryLayer(_Boundary):
    """A layer between a loop and what is around it."""

    __slots__ = ()

    @property
    def loop(self) -> ILoop:
        return self._state.values["_owner"]


class IIfConditionalBoundaryLayer(_Boundary):
    """A layer between a branch and what is around it."""

    __slots__ = ()

    @property
    def conditional(self) -> IIfConditional:
        return self._state.values["_owner"]


def _same(tensor: Any) -> list:
    return [(tensor.dtype, tensor.shape)]


@layer(LayerType.RECURRENCE)
class IRecurrenceLayer(ILoopBoundaryLayer):
    """A value carried from one iteration to the next: of input 0 at first, then of input 1."""

    __slots__ = ()

    def _types(self) -> list:
        return _same(self._state.inputs[0])


@layer(LayerType.ITERATOR)
class IIteratorLayer(ILoopBoundaryLayer):
    """A slice of its input for each iteration."""

    __slots__ = ()
    axis = Property(0, int)
    reverse = Property(False, bool)

    def _types(self) -> list:
        tensor = self._state.inputs[0]
        return [(tensor.dtype, Dims(e for i, e in enumerate(tensor.shape) if i != self.axis))]


@layer(LayerType.TRIP_LIMIT)
class ITripLimitLayer(ILoopBoundaryLayer):
    """How often a loop runs."""

    __slots__ = ()
    kind = Property(TripLimit.COUNT)

    def _types(self) -> list:
        return []


@layer(LayerType.LOOP_OUTPUT)
class ILoopOutputLayer(ILoopBoundaryLayer):
    """What a loop leaves. Input 1, where it is set, says how many values there are."""

    __slots__ = ()
    kind = Property(LoopOutput.LAST_VALUE)
    axis = Property(0, int)

    def _types(self) -> list:
        tensor = self._state.inputs[0]
        if self.kind == LoopOutput.LAST_VALUE:
            return _same(tensor)
        limits = (s for s in self.loop._members if s.type == LayerType.TRIP_LIMIT and s.values.get("kind") == TripLimit.COUNT)
        known = next((s.inputs[0]._known for s in limits), None)
        extents = list(tensor.shape)
        extents.insert(self.axis, -1 if known is None else int(known.reshape(())))
        return [(tensor.dtype, Dims(extents))]


@layer(LayerType.CONDITION)
class IConditionLayer(IIfConditionalBoundaryLayer):
    """What decides."""

    __slots__ = ()

    def _types(self) -> list:
        return []


@layer(LayerType.CONDITIONAL_INPUT)
class IIfConditionalInputLayer(IIfConditionalBoundaryLayer):
    """What a branch reads."""

    __slots__ = ()

    def _types(self) -> list:
        return _same(self._state.inputs[0])


@layer(LayerType.CONDITIONAL_OUTPUT)
class IIfConditionalOutputLayer(IIfConditionalBoundaryLayer):
    """What the branch that was taken gives."""

    __slots__ = ()

    def _types(self) -> list:
        one, other = self._state.inputs
        extents = [a if a == b else -1 for a, b in zip(one.shape, other.shape)]
        return [(one.dtype, Dims(extents))]


@layer(LayerType.ASSERTION)
class IAssertionLayer(ILayer):
    """That a constant is true everywhere, looked at when the network is built."""

    __slots__ = ()
    message = Property("", str)

    def _emit(self, e) -> None:
        known = e.tensors[0]._known
        if known is None:
            raise Unsayable("its condition is no small constant, and engines assert nothing as they run; leave it out")
        if not known.all():
            raise Unsayable(f"what it asserts is false: {self.message}")
