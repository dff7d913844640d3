"""What all layers have in common."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Type

from ..enums import DataType, LayerType


class State:
    """A layer as its network knows it. ILayer objects are views of it, of whichever class the script asks for."""

    def __init__(self, network: Any, type: LayerType, name: str, inputs: List[Any]):
        self.network, self.type, self.name, self.inputs = network, type, name, inputs
        self.outputs: List[Any] = []
        self.values: Dict[str, Any] = {}
        self.node: Any = None  # the ONNX node, of a layer that was parsed
        self.slots: List[int] = []  # which inputs of that node the layer's inputs are; the others are weights
        self.metadata = ""
        self.num_ranks = 1
        self.precision: Optional[DataType] = None
        self.output_types: Dict[int, DataType] = {}


class Property:
    """A property of a kind of layer: a default, and what makes the value of what a script assigns."""

    def __init__(self, default: Any = None, convert: Optional[Callable[[Any], Any]] = None, doc: str = ""):
        self._default, self._convert, self.__doc__ = default, convert, doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        return self if layer is None else layer._state.values.get(self._name, self._default)

    def __set__(self, layer: Any, value: Any) -> None:
        state = layer._state
        if state.node is not None:
            raise RuntimeError(
                f"layer '{state.name}' comes from an ONNX {state.node.op_type} node and keeps its {self._name}; change the model instead"
            )
        state.values[self._name] = value if self._convert is None or value is None else self._convert(value)
        state.network._changed(state)


class ILayer:
    """A layer of a network."""

    __slots__ = ("_state", "__weakref__")
    _TYPE: Optional[LayerType] = None

    def __init__(self, state: State):
        self._state = state

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ILayer) and other._state is self._state

    def __hash__(self) -> int:
        return hash(id(self._state))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def _emit(self, e: Any) -> None:
        raise NotImplementedError

    def _types(self) -> Optional[List[tuple]]:
        """(type, extents) of the outputs; None: ONNX infers them from the nodes."""
        return None

    @property
    def name(self) -> str:
        """What reports and errors call it."""
        return self._state.name

    @name.setter
    def name(self, name: str) -> None:
        self._state.network._rename_layer(self._state, name)

    @property
    def type(self) -> Any:
        """Its LayerType; some kinds of layer have a `type` of their own."""
        return self._state.type

    @property
    def metadata(self) -> str:
        return self._state.metadata

    @metadata.setter
    def metadata(self, text: str) -> None:
        self._state.metadata = text

    @property
    def num_ranks(self) -> int:
        return self._state.num_ranks

    @num_ranks.setter
    def num_ranks(self, count: int) -> None:
        self._state.num_ranks = count

    @property
    def num_inputs(self) -> int:
        return len(self._state.inputs)

    @property
    def num_outputs(self) -> int:
        return len(self._state.outputs)

    def get_input(self, index: int) -> Any:
        """The tensor, or None."""
        return self._state.inputs[index] if 0 <= index < len(self._state.inputs) else None

    def set_input(self, index: int, tensor: Any) -> None:
        """Replaces an input, or gives an optional one."""
        state = self._state
        if state.node is not None and index >= len(state.inputs):
            raise RuntimeError(f"layer '{state.name}' has {len(state.inputs)} inputs, all from its ONNX node; there is no input {index}")
        state.inputs.extend([None] * (index + 1 - len(state.inputs)))
        state.inputs[index] = tensor
        state.network._changed(state)

    def get_output(self, index: int) -> Any:
        """The tensor, or None."""
        return self._state.outputs[index] if 0 <= index < len(self._state.outputs) else None

    @property
    def precision(self) -> DataType:
        return self._state.precision or DataType.FLOAT

    @precision.setter
    def precision(self, kind: DataType) -> None:
        self._state.precision = kind

    @property
    def precision_is_set(self) -> bool:
        return self._state.precision is not None

    def reset_precision(self) -> None:
        self._state.precision = None

    def set_output_type(self, index: int, kind: DataType) -> None:
        """What an output is stored as: FLOAT, or what the flags FP16 and BF16 allow."""
        self._state.output_types[index] = kind
        self._state.network._as_parsed = False  # so that the node has its name

    def get_output_type(self, index: int) -> DataType:
        return self._state.output_types.get(index) or self._state.outputs[index].dtype

    def output_type_is_set(self, index: int) -> bool:
        return index in self._state.output_types

    def reset_output_type(self, index: int) -> None:
        self._state.output_types.pop(index, None)


CLASSES: Dict[LayerType, Type[ILayer]] = {}


def layer(kind: LayerType) -> Callable[[Type[ILayer]], Type[ILayer]]:
    """Registers the class of a kind of layer."""

    def register(cls: Type[ILayer]) -> Type[ILayer]:
        cls._TYPE = kind
        CLASSES[kind] = cls
        return cls

    return register
