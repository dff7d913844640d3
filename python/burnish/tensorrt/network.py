"""The network definition: a graph that is parsed from ONNX, built layer by layer, or both, and becomes an ONNX model."""

from __future__ import annotations

import itertools
from typing import Any, Iterator, List, Optional, Sequence

import onnx
from onnx import helper

from . import onnx_layers
from .control_flow import Writer, units
from .emitter import FUNCTION_DOMAIN, OPSET, Emitter, Unsayable, infer, onnx_type, value_info
from .enums import DataType, LayerType, NetworkDefinitionCreationFlag
from .layer_makers import LayerMakers
from .layers.layer import CLASSES, ILayer, State
from .logger import Reporter, Scoped
from .tensor import ITensor
from .types import array_of


class INetworkDefinition(Scoped, LayerMakers):
    """What a builder compiles. Iterating gives the layers as ILayer."""

    def __init__(self, builder: Any, flags: int = 0):
        self.builder = builder
        self._name = "Unnamed Network 0"
        self.flags = flags
        self.error_recorder = None
        self.has_implicit_batch_dimension = False
        self._report = Reporter(builder.logger, self)
        self._inputs: List[ITensor] = []
        self._outputs: List[ITensor] = []
        self._debug: List[ITensor] = []
        self._debug_unfused = False
        self._layers: List[State] = []
        self._names: set = set()
        self._source: Optional[onnx_layers.Source] = None  # the model that was parsed
        self._as_parsed = False  # nothing was changed since
        self._plugin_override = False  # plugins' operators go before ONNX's of the same name
        self._inferred = 0  # layers whose outputs have types
        self._counter = itertools.count()
        self._refittable: set = set()  # names of weights that are marked

    # ---- what there is

    @property
    def name(self) -> str:
        """What the engine is called."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name
        self._as_parsed = False

    num_layers = property(lambda self: len(self._layers))
    num_inputs = property(lambda self: len(self._inputs))
    num_outputs = property(lambda self: len(self._outputs))

    def get_layer(self, index: int) -> ILayer:
        """As ILayer, whose `type` is a LayerType; assign its __class__ to see what is particular."""
        return ILayer(self._layers[index])

    def get_input(self, index: int) -> Optional[ITensor]:
        """An input, or None."""
        return self._inputs[index] if 0 <= index < len(self._inputs) else None

    def get_output(self, index: int) -> Optional[ITensor]:
        """An output, or None."""
        return self._outputs[index] if 0 <= index < len(self._outputs) else None

    def get_flag(self, flag: NetworkDefinitionCreationFlag) -> bool:
        """Whether the network was created with it."""
        return bool(self.flags >> int(flag) & 1) or flag == NetworkDefinitionCreationFlag.EXPLICIT_BATCH

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, index: Any) -> Any:
        return [ILayer(s) for s in self._layers[index]] if isinstance(index, slice) else ILayer(self._layers[index])

    def __iter__(self) -> Iterator[ILayer]:
        return (ILayer(s) for s in list(self._layers))

    # ---- inputs and outputs

    def add_input(self, name: str, dtype: DataType, shape: Sequence[int]) -> Optional[ITensor]:
        """An input; -1 in `shape` is dynamic and needs a profile."""
        if name in self._names or not name:
            self._report.error(f"an input cannot be called '{name}': " + ("that name is taken" if name else "it needs a name"))
            return None
        try:
            onnx_type(dtype)
        except Unsayable as error:
            self._report.error(f"input '{name}': {error}")
            return None
        tensor = ITensor(self, name, dtype, shape)
        self._names.add(name)
        self._inputs.append(tensor)
        self._changed()
        return tensor

    def mark_output(self, tensor: ITensor) -> None:
        """Makes a tensor an output of the engine."""
        if not tensor.is_network_output:
            self._outputs.append(tensor)
            self._as_parsed = False

    def unmark_output(self, tensor: ITensor) -> None:
        """It is no output any more."""
        self._outputs = [t for t in self._outputs if t is not tensor]
        self._as_parsed = False

    def mark_output_for_shapes(self, tensor: ITensor) -> bool:
        """The same as mark_output: extents are data like any other."""
        self.mark_output(tensor)
        return True

    def unmark_output_for_shapes(self, tensor: ITensor) -> bool:
        """The same as unmark_output."""
        self.unmark_output(tensor)
        return True

    def remove_tensor(self, tensor: ITensor) -> None:
        """Takes an input, or what only names an output, out of the network."""
        self._inputs = [t for t in self._inputs if t is not tensor]
        self.unmark_output(tensor)

    # ---- debugging

    def mark_debug(self, tensor: ITensor) -> bool:
        """The tensor can be looked at when the engine runs (IExecutionContext.set_debug_listener): it is not fused away."""
        if not self.is_debug_tensor(tensor):
            self._debug.append(tensor)
        return True

    def unmark_debug(self, tensor: ITensor) -> bool:
        """Takes mark_debug back."""
        self._debug = [t for t in self._debug if t is not tensor]
        return True

    def is_debug_tensor(self, tensor: ITensor) -> bool:
        """Whether it was marked."""
        return any(t is tensor for t in self._debug)

    def mark_unfused_tensors_as_debug_tensors(self) -> bool:
        """What is not fused away anyway can be looked at as well (IExecutionContext.unfused_tensors_debug_state)."""
        self._debug_unfused = True
        return True

    def unmark_unfused_tensors_as_debug_tensors(self) -> bool:
        """Takes mark_unfused_tensors_as_debug_tensors back."""
        self._debug_unfused = False
        return True

    # ---- refitting

    def mark_weights_refittable(self, name: str) -> bool:
        """With REFIT_INDIVIDUAL these weights may be refitted. A name that is none fails the build."""
        self._refittable.add(name)
        return True

    def unmark_weights_refittable(self, name: str) -> bool:
        """Takes the mark away."""
        self._refittable.discard(name)
        return True

    def are_weights_marked_refittable(self, name: str) -> bool:
        """Whether they are marked."""
        return name in self._refittable

    def set_weights_name(self, weights: Any, name: str) -> bool:
        """What a Refitter calls the weights of a constant layer; those of other layers are called after their layer."""
        array = array_of(weights)
        for state in self._layers if array is not None else ():
            own = array_of(state.values.get("weights")) if state.type == LayerType.CONSTANT else None
            if own is not None and own.ctypes.data == array.ctypes.data:
                self._rename(state.outputs[0], name)
                return state.outputs[0].name == name
        self._report.no_effect("set_weights_name", "only weights of constant layers can be named")
        return False

    # ---- layers

    def _unique(self, name: str) -> str:
        while name in self._names:
            name = f"{name}_{next(self._counter)}"
        self._names.add(name)
        return name

    def _add(self, layer_kind: Any, inputs: Sequence[Optional[ITensor]], outputs: int = 1, **values: Any) -> Optional[ILayer]:
        """A layer of a kind with these properties; None, and an error in the log, where it cannot be."""
        cls = CLASSES[layer_kind]
        name = f"(Unnamed Layer* {len(self._layers)}) [{layer_kind.name.replace('_', ' ').title()}]"
        state = State(self, layer_kind, self._unique(name), list(inputs))
        state.values = {k: v for k, v in values.items() if v is not None}
        layer = cls(state)
        for k, v in state.values.items():  # as if the script had assigned them
            convert = getattr(getattr(cls, k, None), "_convert", None)
            state.values[k] = v if convert is None else convert(v)
        state.outputs = [ITensor(self, self._unique(f"{state.name}_output" + (f"_{i}" if i else "")), state=state) for i in range(outputs)]
        self._infer()
        try:
            self._type(state)
        except Unsayable as error:
            for tensor in state.outputs:
                self._names.discard(tensor.name)
            self._report.error(f"{cls.__name__} cannot be added: {error}")
            return None
        except Exception as error:  # properties that are set later may mend it; else the build says what is wrong
            self._report.verbose(f"the outputs of '{state.name}' have no types yet: {error}")
        self._as_parsed = False
        self._layers.append(state)
        self._inferred = len(self._layers)
        return layer

    def _emitted(self, state: State) -> Emitter:
        """The nodes of a layer that was added here."""
        emitter = Emitter(state.name, state.inputs, state.outputs)
        CLASSES[state.type](state)._emit(emitter)
        return emitter

    def _type(self, state: State) -> None:
        """Gives the outputs of a layer that was added here their types."""
        told = CLASSES[state.type](state)._types()
        if told is None:
            infer(self._emitted(state), state.outputs)
            return
        for tensor, (dtype, shape) in zip(state.outputs, told):
            tensor._dtype, tensor._shape = dtype, shape

    def _changed(self, state: Optional[State] = None) -> None:
        """A layer, or with none an input, is another one now; what follows is typed again when it is asked for."""
        self._as_parsed = False
        at = self._layers.index(state) if state in self._layers else 0
        self._inferred = min(self._inferred, at)

    def _rename(self, tensor: ITensor, name: str) -> None:
        if name == tensor._name:
            return
        if name in self._names:
            self._report.error(f"'{tensor._name}' cannot be called '{name}': that name is taken")
            return
        self._names.discard(tensor._name)
        self._names.add(name)
        tensor._name = name
        self._as_parsed = False

    def _rename_layer(self, state: State, name: str) -> None:
        state.name = name
        self._as_parsed = False

    def _infer(self) -> None:
        """Types of all tensors, as far as something changed."""
        parsed = sum(1 for s in self._layers if s.node is not None)
        if self._inferred < parsed:
            self._inferred = parsed
            onnx_layers.infer(self)
        while self._inferred < len(self._layers):
            state = self._layers[self._inferred]
            self._inferred += 1
            if state.node is None:
                try:
                    self._type(state)
                except Exception as error:
                    self._report.verbose(f"the outputs of '{state.name}' have no types yet: {error}")

    # ---- the whole

    def to_onnx(self) -> onnx.ModelProto:
        """The network as an ONNX model. Raises Unsayable, which names the layer, for what ONNX cannot say."""
        self._infer()
        source = self._source
        model = onnx_layers.empty_model(source)
        graph = model.graph
        graph.name = self.name
        graph.input.extend(value_info(t) for t in self._inputs)
        for tensor in self._inputs if source else ():
            graph.node.extend(onnx_layers.under_old_name(tensor, source.names.get(id(tensor), tensor.name), source))
        writer = Writer(self._nodes)
        for unit in units(self._layers):
            nodes, weights = writer.nodes(unit)
            if source is None or source.opset == OPSET or unit.states[0].node is not None:
                graph.node.extend(nodes)
                graph.initializer.extend(weights)
            else:
                _as_function(model, unit.states[0].name, nodes, weights)
        for tensor in self._outputs:
            kind = onnx_type(tensor._dtype or DataType.FLOAT) if tensor._state is None or tensor._state.node is None else None
            graph.output.append(onnx_layers.declared(tensor, kind, source))
        return model

    def _nodes(self, state: State) -> tuple:
        """(nodes, weights) of one layer."""
        if state.node is not None:
            return onnx_layers.renamed(state, self._source), []
        try:
            emitter = self._emitted(state)
        except Exception as error:
            raise Unsayable(f"layer '{state.name}': {error}") from error
        return emitter.nodes, emitter.initializers

    def _node_name(self, state: State, node: onnx.NodeProto) -> str:
        """What an ONNX node of a layer is called in the model."""
        name = node.name or next(filter(None, node.output), "")
        inlined = state.node is None and self._source is not None and self._source.opset != OPSET  # in a function
        return f"{state.name}/{name}" if inlined else name

    def _node_names(self, state: State) -> List[str]:
        """What all of them are called."""
        return [self._node_name(state, node) for node in self._nodes(state)[0]]

    def _maker(self, state: State, index: int) -> Optional[tuple]:
        """(name of the ONNX node that makes an output of a layer, which of its results that is, from 1); None: no node does."""
        name = state.outputs[index].name
        for node in reversed(self._nodes(state)[0]):
            if name in node.output and node.op_type == "Identity":
                name = node.input[0]
            elif name in node.output:
                return self._node_name(state, node), list(node.output).index(name) + 1
        return None

    def serialized(self) -> tuple:
        """(ONNX bytes, folder of its external data or None)."""
        if self._as_parsed and self._source is not None and self._source.data is not None:
            return self._source.data, self._source.folder
        return self.to_onnx().SerializeToString(), self._source.folder if self._source else None


def _as_function(model: onnx.ModelProto, name: str, nodes: Sequence[onnx.NodeProto], weights: Sequence[onnx.TensorProto]) -> None:
    """What was added to a model of another opset is a function, which has an opset of its own."""
    nodes = [*(helper.make_node("Constant", [], [w.name], name=w.name, value=w) for w in weights), *nodes]
    written = {o for n in nodes for o in n.output}
    inputs = [name for name in dict.fromkeys(onnx_layers.read_by(nodes)) if name not in written]
    function = f"layer_{len(model.functions)}"
    model.functions.append(
        helper.make_function(FUNCTION_DOMAIN, function, inputs, sorted(written), nodes, [helper.make_opsetid("", OPSET)])
    )
    if all(o.domain != FUNCTION_DOMAIN for o in model.opset_import):
        model.opset_import.append(helper.make_opsetid(FUNCTION_DOMAIN, 1))
    model.graph.node.append(helper.make_node(function, inputs, sorted(written), name=name, domain=FUNCTION_DOMAIN))
