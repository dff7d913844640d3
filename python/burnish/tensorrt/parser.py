"""From ONNX to a network."""

from __future__ import annotations

import ctypes
import os
import re
from typing import Any, List, Optional, Tuple

import onnx

from .. import building
from ..errors import Error, InvalidModel, Unsupported
from . import onnx_layers
from .enums import ErrorCode, OnnxParserFlag
from .logger import ILogger, Reporter, Scoped
from .network import INetworkDefinition
from .plugins import registry

_NODE = re.compile(r"node '(?P<name>[^']*)' \((?P<operator>\w+)\)|(?:node )?(?P<unnamed>\w+) that makes '(?P<output>[^']*)'")


class ParserError:
    """Why a model was not parsed: what, where, and what to do."""

    def __init__(self, code: ErrorCode, desc: str, node: int = -1, node_name: str = "", node_operator: str = "", remedy: str = ""):
        self._code, self._desc, self._node, self._name, self._operator = code, desc, node, node_name, node_operator
        self._remedy = remedy

    def code(self) -> ErrorCode:
        return self._code

    def desc(self) -> str:
        """One line of cause, and one of what to do where that is known."""
        return f"{self._desc}; {self._remedy}" if self._remedy else self._desc

    def file(self) -> str:
        """ "": the importer is not in a file of the user's."""
        return ""

    def line(self) -> int:
        return 0

    def func(self) -> str:
        return ""

    def node(self) -> int:
        """The node's index in the model's graph; -1 where it is no node's fault."""
        return self._node

    def node_name(self) -> str:
        return self._name

    def node_operator(self) -> str:
        return self._operator

    def local_function_stack(self) -> List[str]:
        return []

    def local_function_stack_size(self) -> int:
        return 0

    def __str__(self) -> str:
        where = f"In node {self._node} with name: {self._name} and operator: {self._operator} " if self._node >= 0 else ""
        return f"{where}({self._code.name}): {self.desc()}"

    def __repr__(self) -> str:
        return f"<ParserError {self}>"


def _error_of(error: Error, model: Optional[onnx.ModelProto]) -> ParserError:
    """What the importer says, with the node that it names."""
    found = _NODE.search(error.cause)
    nodes = list(model.graph.node) if model is not None else []
    index = -1
    if found:
        for i, node in enumerate(nodes):
            if node.name == found["name"] and found["name"] is not None or found["output"] in node.output:
                index = i
                break
    if isinstance(error, Unsupported):
        code = ErrorCode.UNSUPPORTED_NODE if found else ErrorCode.UNSUPPORTED_GRAPH
    elif isinstance(error, InvalidModel):
        code = ErrorCode.INVALID_NODE if found else ErrorCode.INVALID_GRAPH
    else:
        code = ErrorCode.INTERNAL_ERROR
    name = nodes[index].name if index >= 0 else (found["name"] or "") if found else ""
    operator = (found["operator"] or found["unnamed"] or "") if found else ""
    return ParserError(code, error.cause, index, name, operator, error.remedy)


class OnnxParser(Scoped):
    """Fills a network from an ONNX model. False is answered where that fails, and `get_error` says why."""

    def __init__(self, network: INetworkDefinition, logger: ILogger):
        self._network, self.logger = network, logger
        self._report = Reporter(logger, network)
        self._errors: List[ParserError] = []
        self._flags = 1 << int(OnnxParserFlag.NATIVE_INSTANCENORM)
        self._proto: Optional[onnx.ModelProto] = None
        self._folder: Optional[str] = None
        self._supported: Tuple[List[int], bool] = ([], True)

    # ---- parsing

    def parse(self, model: bytes, path: Optional[str] = None) -> bool:
        """model: the bytes of a model; path: where it is from, whose folder has its external data."""
        self._errors.clear()
        data = bytes(model)
        folder = os.path.dirname(os.path.abspath(path)) if path else None
        try:
            proto = onnx.ModelProto.FromString(data)
        except Exception:
            return self._fail(ParserError(ErrorCode.MODEL_DESERIALIZE_FAILED, self._unreadable(data, folder)))
        return self._take(proto, data, folder)

    def parse_from_file(self, path: str) -> bool:
        """External data is sought beside the file."""
        self._errors.clear()
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            return self._fail(ParserError(ErrorCode.MODEL_DESERIALIZE_FAILED, f"the model '{path}' cannot be read: {error.strerror}"))
        return self.parse(data, path)

    def parse_with_weight_descriptors(self, model: bytes) -> bool:
        return self.parse(model)

    @staticmethod
    def _unreadable(data: bytes, folder: Optional[str]) -> str:
        """Where the bytes stop being ONNX, as the importer sees it."""
        try:
            building.check(data, folder)
        except Error as error:
            return error.cause
        return "the bytes are no ONNX model"

    def _take(self, proto: onnx.ModelProto, data: bytes, folder: Optional[str]) -> bool:
        try:
            building.check(data, folder, self._network._plugin_override)
        except Error as error:
            if "extents that the condition depends on" not in error.remedy:
                return self._fail(_error_of(error, proto))
            self._report.warning(f"{error.cause}: whether that can be built is known when the extents are")
        if self._network._layers:
            return self._fail(ParserError(ErrorCode.INVALID_GRAPH, "the network already has layers; parse into an empty one"))
        onnx_layers.read(self._network, onnx_layers.Source(proto, data, folder))
        self._network._infer()
        self._network._as_parsed = True
        return True

    def _fail(self, error: ParserError) -> bool:
        self._errors.append(error)
        self._report.error(str(error))
        return False

    # ---- errors

    num_errors = property(lambda self: len(self._errors))

    def get_error(self, index: int) -> Optional[ParserError]:
        return self._errors[index] if 0 <= index < len(self._errors) else None

    def clear_errors(self) -> None:
        self._errors.clear()

    # ---- what is supported

    def supports_operator(self, op_name: str) -> bool:
        """Whether an operator of ONNX is among Burnish's, or one of a creator that is registered."""
        if any(creator.name == op_name for creator in registry.plugin_creator_list):
            return True
        try:
            schema = onnx.defs.get_schema(op_name)
        except Exception:
            return False
        node = onnx.NodeProto(op_type=op_name, name="asked", input=["x"] * schema.min_input, output=["y"] * max(1, schema.min_output))
        graph = onnx.helper.make_graph([node], "asked", [onnx.helper.make_tensor_value_info("x", 1, [1])], [onnx.ValueInfoProto(name="y")])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", schema.since_version)], ir_version=9)
        try:
            building.check(model.SerializeToString())
        except Unsupported as error:
            return f"operator '{op_name}' of domain" not in error.cause
        except Error:  # its operands are nonsense here
            pass
        return True

    def supports_model(self, model: bytes, path: Optional[str] = None) -> Tuple[bool, List[Tuple[List[int], bool]]]:
        """(whether all of it can be built, [(indices of nodes, whether those can)])."""
        whole = self.supports_model_v2(model, path)
        return whole, [self._supported] if self._supported[0] else []

    def supports_model_v2(self, model: bytes, path: Optional[str] = None) -> bool:
        """Whether all of it can be built; the errors say what keeps it."""
        self._errors.clear()
        data = bytes(model)
        proto = None
        try:
            proto = onnx.ModelProto.FromString(data)
            building.check(data, os.path.dirname(os.path.abspath(path)) if path else None, self._network._plugin_override)
        except Error as error:
            self._errors.append(_error_of(error, proto))
        except Exception as error:
            self._errors.append(ParserError(ErrorCode.MODEL_DESERIALIZE_FAILED, str(error)))
        self._supported = (list(range(len(proto.graph.node))) if proto is not None else [], not self._errors)
        return not self._errors

    num_subgraphs = property(lambda self: 1 if self._supported[0] else 0)

    def is_subgraph_supported(self, index: int) -> bool:
        return index == 0 and self._supported[1]

    def get_subgraph_nodes(self, index: int) -> List[int]:
        return self._supported[0] if index == 0 else []

    # ---- weights from memory

    def load_model_proto(self, model: bytes, path: Optional[str] = None) -> bool:
        """The graph; weights may follow with load_initializer, then parse_model_proto."""
        self._errors.clear()
        try:
            self._proto = onnx.ModelProto.FromString(bytes(model))
        except Exception as error:
            return self._fail(ParserError(ErrorCode.MODEL_DESERIALIZE_FAILED, f"the bytes are no ONNX model: {error}"))
        self._folder = os.path.dirname(os.path.abspath(path)) if path else None
        return True

    def load_initializer(self, name: str, data: int, size: int) -> bool:
        """`size` bytes at the address `data` are the values of that weight."""
        weight = next((t for t in self._proto.graph.initializer if t.name == name), None) if self._proto is not None else None
        if weight is None:
            return self._fail(ParserError(ErrorCode.INVALID_VALUE, f"the model has no weight '{name}'"))
        weight.ClearField("external_data")
        weight.data_location = onnx.TensorProto.DEFAULT
        weight.raw_data = ctypes.string_at(data, size)
        return True

    def parse_model_proto(self) -> bool:
        if self._proto is None:
            return self._fail(ParserError(ErrorCode.INVALID_VALUE, "there is no model; call load_model_proto first"))
        return self._take(self._proto, self._proto.SerializeToString(), self._folder)

    # ---- the rest

    @property
    def flags(self) -> int:
        """A mask of OnnxParserFlag."""
        return self._flags

    @flags.setter
    def flags(self, mask: int) -> None:
        for flag in OnnxParserFlag:
            if mask >> int(flag) & 1:
                self.set_flag(flag)
        self._flags = int(mask)

    def set_flag(self, flag: OnnxParserFlag) -> None:
        self._flags |= 1 << int(flag)
        if flag == OnnxParserFlag.ENABLE_PLUGIN_OVERRIDE:
            self._network._plugin_override = True
        elif flag != OnnxParserFlag.NATIVE_INSTANCENORM:
            self._report.no_effect(str(flag), "Burnish has no DLA")

    def clear_flag(self, flag: OnnxParserFlag) -> None:
        self._flags &= ~(1 << int(flag))
        if flag == OnnxParserFlag.ENABLE_PLUGIN_OVERRIDE:
            self._network._plugin_override = False
        if flag == OnnxParserFlag.NATIVE_INSTANCENORM:
            self._report.no_effect("clearing NATIVE_INSTANCENORM", "Burnish has no plugin in its place")

    def get_flag(self, flag: OnnxParserFlag) -> bool:
        return bool(self._flags >> int(flag) & 1)

    def get_layer_output_tensor(self, name: str, i: int) -> Any:
        """Output `i` of the layer of that name, or None."""
        state = next((s for s in self._network._layers if s.name == name), None)
        return state.outputs[i] if state is not None and i < len(state.outputs) else None

    def get_used_vc_plugin_libraries(self) -> List[str]:
        return []

    def set_builder_config(self, config: Any) -> bool:
        """True: what is supported does not depend on it."""
        return True


def get_nv_onnx_parser_version() -> int:
    """The interface's version of the parser."""
    return 101600
