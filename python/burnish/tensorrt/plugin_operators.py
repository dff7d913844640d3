"""Plugins in Python as operators of burnish_plugin.h: what the library asks is asked of the plugin."""

from __future__ import annotations

import ctypes
import itertools
import weakref
from typing import Any, Callable, Dict, Iterable, List, Optional

import numpy as np

from .. import capi, plugin_interface as abi
from ..arrays import numpy_dtype
from .enums import DataType, PluginCapabilityType, PluginFieldType, TensorFormat, TensorRTPhase
from .plugin_extents import UNBOUNDED, DimsExprs, IDimensionExpr, SymbolicBuilder, bounds
from .plugin_types import DynamicPluginTensorDesc, PluginField, PluginFieldCollection, PluginTensorDesc
from .types import Dims, dtype_name, dtype_named

INSTANCE, TACTIC = "burnish_instance", "burnish_tactic"  # attributes of our own beside a plugin's fields
_HIDDEN = (INSTANCE, TACTIC, "plugin_version", "plugin_namespace")
_FIELD_TYPES = {  # numpy's name of elements: the type of a field of them
    "float16": PluginFieldType.FLOAT16, "float32": PluginFieldType.FLOAT32, "float64": PluginFieldType.FLOAT64,
    "bfloat16": PluginFieldType.BF16, "int8": PluginFieldType.INT8, "int16": PluginFieldType.INT16, "int32": PluginFieldType.INT32,
    "int64": PluginFieldType.INT64,
}  # fmt: skip
_ELEMENTS = {kind: name for name, kind in _FIELD_TYPES.items()}
_TOO_MUCH = 1 << 62  # bytes of workspace that no build takes
_numbers = itertools.count(1)
_instances: Any = weakref.WeakValueDictionary()  # plugins that networks were given, by number


def number_of(plugin: Any) -> int:
    """Under which a node names this very plugin, for as long as its network lives."""
    number = next((n for n, p in _instances.items() if p is plugin), None) or next(_numbers)
    _instances[number] = plugin
    return number


def array_or_bytes(field: PluginField) -> Any:
    """What a field holds, in the elements of its type."""
    if field.type in _ELEMENTS:
        return np.atleast_1d(np.asarray(field.data, numpy_dtype(_ELEMENTS[field.type])))
    data = b"" if field.data is None else field.data
    return data.encode() if isinstance(data, str) else bytes(data)


# ---------------------------------------------------------------------------------------- attributes


def _tensor_of(array: np.ndarray) -> capi.Tensor:
    tensor = capi.Tensor(dtype=capi.DTYPE_NUMBER[array.dtype.name], rank=array.ndim, data=array.ctypes.data, bytes=array.nbytes)
    tensor.shape[: array.ndim] = array.shape
    return tensor


class _Attributes:
    """Fields as the library reads them, and all memory behind that."""

    def __init__(self, fields: Iterable[PluginField], tactic: int):
        self._kept: List[Any] = []
        listed = [self._attribute(f) for f in fields]
        number = (ctypes.c_int64 * 1)(tactic)
        listed.append(abi.Attribute(name=TACTIC.encode(), kind=abi.INT, count=1, ints=number))
        self.list = (abi.Attribute * len(listed))(*listed)

    def _attribute(self, field: PluginField) -> abi.Attribute:
        value = array_or_bytes(field)
        if isinstance(value, bytes):
            text = ctypes.create_string_buffer(value, len(value) + 1)
            strings, sizes = (ctypes.c_void_p * 1)(ctypes.addressof(text)), (ctypes.c_size_t * 1)(len(value))
            self._kept += [text, strings, sizes]
            return abi.Attribute(name=field.name.encode(), kind=abi.STRING, count=1, strings=strings, string_sizes=sizes)
        tensor = _tensor_of(value)
        self._kept += [value, tensor]
        return abi.Attribute(name=field.name.encode(), kind=abi.TENSOR, tensor=ctypes.pointer(tensor))


def _array_at(tensor: capi.Tensor) -> np.ndarray:
    shape = tuple(tensor.shape[: tensor.rank])
    return np.frombuffer(ctypes.string_at(tensor.data or 0, tensor.bytes), numpy_dtype(capi.DTYPES[tensor.dtype])).reshape(shape)


def _field_of(attribute: abi.Attribute, declared: Dict[str, PluginFieldType]) -> PluginField:
    """Whole numbers of a model are INT32, as its parser has it, where the creator's own list does not say INT64."""
    name = attribute.name.decode()
    if attribute.kind in (abi.FLOAT, abi.FLOATS):
        return PluginField(name, np.array(attribute.floats[: attribute.count], np.float32), PluginFieldType.FLOAT32)
    if attribute.kind in (abi.INT, abi.INTS):
        kind = PluginFieldType.INT64 if declared.get(name) == PluginFieldType.INT64 else PluginFieldType.INT32
        return PluginField(name, np.array(attribute.ints[: attribute.count], np.dtype(_ELEMENTS[kind])), kind)
    if attribute.kind == abi.TENSOR:
        array = _array_at(attribute.tensor[0])
        return PluginField(name, array.reshape(-1), _FIELD_TYPES.get(array.dtype.name, PluginFieldType.UNKNOWN))
    if attribute.count != 1:
        raise ValueError(f"attribute '{name}' is a list of strings, which no field can be")
    return PluginField(name, abi.text_of(attribute), PluginFieldType.CHAR)


# ---------------------------------------------------------------------------------------- one plugin for one node


def _datatype(number: int) -> DataType:
    kind = dtype_named(capi.DTYPES[number])
    if kind is None:
        raise TypeError(f"plugins take no tensors of {capi.DTYPES[number]}")
    return kind


def _desc(tensor: capi.Tensor) -> PluginTensorDesc:
    return PluginTensorDesc(tensor.shape[: max(tensor.rank, 0)], _datatype(tensor.dtype))


def _dynamic_desc(extents: Iterable[IDimensionExpr], kind: DataType) -> DynamicPluginTensorDesc:
    now, least, most = bounds(extents)
    return DynamicPluginTensorDesc(PluginTensorDesc(now, kind), Dims(least), Dims(most), Dims(most))


def output_types(plugin: Any, inputs: List[DimsExprs], types: List[DataType], builder: Any) -> tuple:
    """(element types, extents as expressions) of its outputs."""
    build = plugin.get_capability_interface(PluginCapabilityType.BUILD)
    kinds, shapes = list(build.get_output_data_types(list(types))), list(build.get_output_shapes(inputs, [], builder))
    for what, found in (("get_output_data_types", kinds), ("get_output_shapes", shapes)):
        if len(found) != build.num_outputs:
            raise ValueError(f"{what} gives {len(found)} outputs, num_outputs is {build.num_outputs}")
    return kinds, shapes


class NodePlugin:
    """A plugin while it serves one node: between the library's structs and the plugin's own objects."""

    def __init__(self, plugin: Any, phase: TensorRTPhase, tactic: int):
        self._plugin = plugin
        self._tactic = tactic
        if phase == TensorRTPhase.BUILD:
            self._build = plugin.get_capability_interface(PluginCapabilityType.BUILD)
            return
        runtime = plugin.get_capability_interface(PluginCapabilityType.RUNTIME)
        runtime.set_tactic(tactic)
        attached = runtime.attach_to_context(None) or plugin
        self._runtime = attached.get_capability_interface(PluginCapabilityType.RUNTIME)
        self._shapes: Optional[tuple] = None

    def infer(self, extents: Any, inputs: Any, count: int, outputs: Any, output_count: Any) -> None:
        builder = SymbolicBuilder(extents)
        types = [_datatype(inputs[i].dtype) for i in range(count)]
        shapes = [self._expressions(builder, inputs[i]) for i in range(count)]
        kinds, made = output_types(self._plugin, shapes, types, builder)
        self._described = [_dynamic_desc(s, t) for s, t in zip(shapes + made, types + kinds)]
        for i, (kind, shape) in enumerate(zip(kinds, made)):
            outputs[i].dtype, outputs[i].rank = capi.DTYPE_NUMBER[dtype_name(kind)], len(shape)
            outputs[i].extents[: len(shape)] = [e._value for e in shape]
        output_count[0] = len(kinds)
        self._settle(count)

    @staticmethod
    def _expressions(builder: SymbolicBuilder, operand: abi.Type) -> DimsExprs:
        return DimsExprs(IDimensionExpr(builder, e) for e in operand.extents[: max(operand.rank, 0)])

    def _settle(self, count: int) -> None:
        """The types are the model's: the plugin can only say whether it has them."""
        for pos, described in enumerate(self._described):
            if not self._build.supports_format_combination(pos, list(self._described), count):
                where = f"input {pos}" if pos < count else f"output {pos - count}"
                raise TypeError(f"it does not support {described.desc.type.name} and {TensorFormat.LINEAR.name} for {where}")
        self._build.configure_plugin(self._described[:count], self._described[count:])
        tactics = list(self._build.get_valid_tactics())
        self._tactic = tactics[0] if tactics else 0

    def workspace(self, extents: Any, inputs: Any, count: int, outputs: Any, output_count: int, size: Any) -> None:
        most = int(self._build.get_workspace_size(self._described[:count], self._described[count:]) or 0)
        if most and any(e >= UNBOUNDED for d in self._described for e in d.max):
            most = _TOO_MUCH  # what the plugin computed may have overflown; importing a model alone does not mind
        size[0] = extents.constant(extents.self, most)

    def attributes(self, listed: Any, count: Any) -> None:
        fields = self._plugin.get_capability_interface(PluginCapabilityType.RUNTIME).get_fields_to_serialize()
        self._saved = _Attributes(fields or (), self._tactic)
        listed[0], count[0] = self._saved.list, len(self._saved.list)

    def run(self, inputs: Any, count: int, outputs: Any, output_count: int, workspace: Optional[int], stream: Optional[int]) -> None:
        told = [_desc(inputs[i]) for i in range(count)], [_desc(outputs[i]) for i in range(output_count)]
        shapes = tuple(tuple(d.dims) for listed in told for d in listed)
        if shapes != self._shapes:
            self._runtime.on_shape_change(*told)
            self._shapes = shapes
        addresses = [inputs[i].data or 0 for i in range(count)], [outputs[i].data or 0 for i in range(output_count)]
        status = self._runtime.enqueue(*told, *addresses, workspace or 0, stream or 0)
        if status:
            raise RuntimeError(f"enqueue answers {status}")


# ---------------------------------------------------------------------------------------- a creator as an operator


class CreatorOperator:
    """A creator's plugins as one operator, in a plugin of its own. It fits nodes of any domain, as in that interface."""

    def __init__(self, creator: Any, namespace: str):
        self._creator = creator
        self.key = (namespace, creator.name, creator.plugin_version)
        self._nodes: Dict[int, NodePlugin] = {}
        self._count = itertools.count(1)
        operator = abi.Operator(name=creator.name.encode(), version=creator.plugin_version.encode())
        operator.create = abi.CreateFunction(_answering(self._create))
        operator.destroy = abi.DestroyFunction(lambda state: self._nodes.pop(state, None) and None)
        operator.infer = abi.InferFunction(_answering(lambda s, *a: self._nodes[s].infer(a[0][0], *a[1:])))
        operator.workspace = abi.WorkspaceFunction(_answering(lambda s, *a: self._nodes[s].workspace(a[0][0], *a[1:])))
        operator.attributes = abi.AttributesFunction(_answering(lambda s, *a: self._nodes[s].attributes(*a)))
        operator.run = abi.RunFunction(_answering(lambda s, *a: self._nodes[s].run(*a, None)))
        operator.enqueue = abi.EnqueueFunction(_answering(lambda s, *a: self._nodes[s].run(*a)))
        self.plugin = abi.plugin_of("::".join(filter(None, self.key[:2])) + f" {self.key[2]} in Python", self.key[2], operator)

    def _create(self, user: Any, node: Any, state: Any) -> None:
        told = node[0]
        phase = TensorRTPhase.BUILD if told.phase == abi.BUILD else TensorRTPhase.RUNTIME
        given = {a.name.decode(): a for a in told.attributes[: told.attribute_count]}
        tactic = given[TACTIC].ints[0] if TACTIC in given else 0
        plugin = _instances.get(given[INSTANCE].ints[0]) if INSTANCE in given else None
        if plugin is None:
            plugin = self._made(told.name.decode(), [a for name, a in given.items() if name not in _HIDDEN], phase)
        number = next(self._count)
        self._nodes[number] = NodePlugin(plugin, phase, tactic)
        state[0] = number

    def _made(self, name: str, attributes: List[abi.Attribute], phase: TensorRTPhase) -> Any:
        declared = {f.name: f.type for f in self._creator.field_names or ()}
        fields = PluginFieldCollection(_field_of(a, declared) for a in attributes)
        plugin = self._creator.create_plugin(name, fields, phase)
        if plugin is None:
            raise RuntimeError("create_plugin gives None")
        return plugin


def _answering(function: Callable) -> Callable:
    """An exception cannot cross C: it becomes the reason, which is the last argument."""

    def answering(*arguments: Any) -> int:
        try:
            function(*arguments[:-1])
            return 0
        except BaseException as error:  # KeyboardInterrupt too
            arguments[-1][0].text = f"{type(error).__name__}: {error}".encode()[:511]
            return 1

    return answering
