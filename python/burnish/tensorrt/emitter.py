"""Layers as ONNX: nodes, weights, and the types that ONNX infers for them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .enums import DataType
from .types import Dims

OPSET = 20  # of the nodes that layers become
FUNCTION_DOMAIN = "burnish.layers"  # where layers added to a model of another opset are spelled out
_ONNX = {
    DataType.FLOAT: TensorProto.FLOAT, DataType.HALF: TensorProto.FLOAT16, DataType.BF16: TensorProto.BFLOAT16,
    DataType.INT8: TensorProto.INT8, DataType.INT32: TensorProto.INT32, DataType.INT64: TensorProto.INT64,
    DataType.UINT8: TensorProto.UINT8, DataType.BOOL: TensorProto.BOOL, DataType.FP8: TensorProto.FLOAT8E4M3FN,
    DataType.INT4: TensorProto.INT4,
}  # fmt: skip
_FROM_ONNX = {number: kind for kind, number in _ONNX.items()}
# What scripts see of types that the interface has no name for, as its own parser shows them.
_FROM_ONNX.update({TensorProto.DOUBLE: DataType.FLOAT, TensorProto.INT16: DataType.INT32, TensorProto.UINT32: DataType.INT64,
                   TensorProto.UINT16: DataType.INT32, TensorProto.UINT64: DataType.INT64})  # fmt: skip


class Unsayable(Exception):
    """A layer that ONNX, or Burnish's part of it, has no words for."""


def onnx_type(kind: DataType) -> int:
    """The TensorProto type of a DataType."""
    if kind not in _ONNX:
        raise Unsayable(f"ONNX has no tensors of {kind}")
    return _ONNX[kind]


def datatype(onnx_number: int) -> Optional[DataType]:
    """The DataType of a TensorProto type."""
    return _FROM_ONNX.get(onnx_number)


class Emitter:
    """Collects the nodes of one layer. Names of its own are under the layer's."""

    def __init__(self, layer_name: str, inputs: Sequence[Any], outputs: Sequence[Any]):
        self.tensors = inputs
        self.inputs = [t.name if t is not None else "" for t in inputs]
        self.outputs = [t.name for t in outputs]
        self.nodes: List[onnx.NodeProto] = []
        self.initializers: List[onnx.TensorProto] = []
        self._layer = layer_name

    def op(self, op_type: str, inputs: Sequence[Optional[str]], *, out: Any = None, **attributes: Any) -> Any:
        """Adds a node; returns the name of its output. out: an index into the layer's outputs, or a list of names."""
        name = f"{self._layer}/{op_type}_{len(self.nodes)}" if self.nodes or out is None else self._layer
        outputs = [self.outputs[out]] if isinstance(out, int) else out or [f"{name}_out"]
        attributes = {k: v for k, v in attributes.items() if v is not None}
        self.nodes.append(helper.make_node(op_type, [i or "" for i in inputs], outputs, name=name, **attributes))
        return outputs[0]

    def constant(self, value: Any, dtype: Any = None) -> str:
        """An array as a weight of the graph; returns its name."""
        name = f"{self._layer}/constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype, order="C"), name))
        return name

    def like_input(self, value: Any, index: int = 0) -> str:
        """A constant of the type of an input."""
        from .types import dtype_name

        name = dtype_name(self.tensors[index].dtype)
        if name is None:
            raise Unsayable(f"there are no tensors of {self.tensors[index].dtype}")
        if name == "bfloat16":
            import ml_dtypes

            return self.constant(np.asarray(value, ml_dtypes.bfloat16))
        return self.constant(value, name)

    def int64s(self, index: int) -> str:
        """An input as INT64, which ONNX wants of extents and axes."""
        if self.tensors[index]._known is not None:
            return self.constant(self.tensors[index]._known, np.int64)
        if self.tensors[index].dtype == DataType.INT64:
            return self.inputs[index]
        return self.op("Cast", [self.inputs[index]], to=TensorProto.INT64)


def value_info(tensor: Any, anonymous: bool = False) -> onnx.ValueInfoProto:
    """An input as ONNX declares it. Dynamic extents have names, so that equal names are equal extents."""
    extents = [
        e if e >= 0 else tensor._axes.get(i) or (None if anonymous else f"{tensor.name}_{i}") for i, e in enumerate(tensor._shape or ())
    ]
    return helper.make_tensor_value_info(tensor.name, tensor._elem_type or onnx_type(tensor._dtype or DataType.FLOAT), extents)


def read_types(model: onnx.ModelProto, strict: bool = False) -> Dict[str, tuple]:
    """{tensor: (DataType or None, Dims or None)} of what ONNX infers. strict: raises where operands do not fit."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=strict, data_prop=True).graph
    found = {}
    for info in [*graph.input, *graph.value_info, *graph.output]:
        told = info.type.tensor_type
        shape = None
        if told.HasField("shape") and len(told.shape.dim) <= Dims.MAX_DIMS:
            shape = Dims(d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else -1 for d in told.shape.dim)
        found[info.name] = (datatype(told.elem_type), shape)
    return found


def infer(emitter: Emitter, outputs: Sequence[Any]) -> None:
    """Gives the outputs of one layer their types and extents."""
    known, seen, initializers, inputs = set(), set(), list(emitter.initializers), []
    for tensor in emitter.tensors:
        if tensor is None or tensor.name in seen:
            continue
        seen.add(tensor.name)
        if tensor._known is not None:
            initializers.append(numpy_helper.from_array(tensor._known, tensor.name))
            known.add(tensor.name)
        else:
            inputs.append(value_info(tensor, anonymous=True))
    declared = [onnx.ValueInfoProto(name=t.name) for t in outputs]
    graph = helper.make_graph(emitter.nodes, "layer", inputs, declared, initializers)
    types = read_types(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9), strict=True)
    types.update({w.name: (datatype(w.data_type), Dims(w.dims)) for w in emitter.initializers})  # a constant has no node
    for tensor in outputs:
        tensor._dtype, tensor._shape = types.get(tensor.name, (None, None))
