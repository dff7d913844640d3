"""Nodes of a parsed ONNX model as layers. They keep their node, so what is built is what was parsed."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional

import onnx
from onnx import helper, numpy_helper

from .emitter import FUNCTION_DOMAIN, OPSET, datatype, onnx_type, read_types, value_info
from .enums import ActivationType, ElementWiseOperation, LayerType, PoolingType, ReduceOperation, UnaryOperation
from .layers.layer import State
from .tensor import ITensor
from .types import Dims

_SMALL = 1024  # elements of a weight that ONNX's inference may want to see


class Source:
    """The model that a network was parsed from."""

    def __init__(self, model: onnx.ModelProto, data: Optional[bytes], folder: Optional[str]):
        self.model, self.data, self.folder = model, data, folder
        self.opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), OPSET)
        self.weights = {t.name: t for t in model.graph.initializer}
        self.weights.update({t.values.name: None for t in model.graph.sparse_initializer})
        self.outputs = {o.name: o for o in model.graph.output}
        self.captured = {name for node in model.graph.node for name in _captured(node)}
        self.names: Dict[int, str] = {}  # id of a tensor: what the model called it


def _captured(node: onnx.NodeProto) -> List[str]:
    """What the bodies of a node read from around it."""
    names: List[str] = []
    for attribute in node.attribute:
        for body in [attribute.g, *attribute.graphs]:
            own = {o for inner in body.node for o in inner.output} | {i.name for i in body.input} | {w.name for w in body.initializer}
            names += [n for n in [*read_by(body.node), *(o.name for o in body.output)] if n not in own]
    return names


def read_by(nodes: Iterable[onnx.NodeProto]) -> List[str]:
    """Every name that nodes, and their bodies, read."""
    return [name for node in nodes for name in [*node.input, *_captured(node)] if name]


def _kinds() -> Dict[str, tuple]:
    """ONNX operator: (kind of layer, its properties)."""
    table: Dict[str, tuple] = {}

    def fill(kind: LayerType, names: str, **values: Any) -> None:
        for name in names.split():
            table[name] = (kind, values)

    fill(LayerType.CONVOLUTION, "Conv")
    fill(LayerType.DECONVOLUTION, "ConvTranspose")
    fill(LayerType.MATRIX_MULTIPLY, "MatMul Gemm")
    fill(LayerType.EINSUM, "Einsum")
    fill(LayerType.POOLING, "MaxPool GlobalMaxPool", type=PoolingType.MAX)
    fill(LayerType.POOLING, "AveragePool GlobalAveragePool LpPool", type=PoolingType.AVERAGE)
    for name, kind in zip("Relu Sigmoid Tanh LeakyRelu Elu Selu Softsign Softplus Clip HardSigmoid ThresholdedRelu Gelu".split(),
                          (k for k in ActivationType if k != ActivationType.SCALED_TANH)):  # fmt: skip
        fill(LayerType.ACTIVATION, name, type=kind)
    fill(LayerType.ACTIVATION, "HardSwish Mish Celu Shrink Swish")
    for name, op in zip("Add Mul Max Min Sub Div Pow Mod And Or Xor Equal Greater Less".split(), ElementWiseOperation):
        fill(LayerType.ELEMENTWISE, name, op=op)
    fill(LayerType.ELEMENTWISE, "Sum Mean GreaterOrEqual LessOrEqual BitwiseAnd BitwiseOr BitwiseXor BitShift")
    for name, op in zip(
        "Exp Log Sqrt Reciprocal Abs Neg Sin Cos Tan Sinh Cosh Asin Acos Atan Asinh Acosh Atanh Ceil Floor Erf Not Sign Round IsInf IsNaN".split(),
        UnaryOperation,
    ):
        fill(LayerType.UNARY, name, op=op)
    for name, op in zip("ReduceSum ReduceProd ReduceMax ReduceMin ReduceMean".split(), ReduceOperation):
        fill(LayerType.REDUCE, name, op=op)
    fill(LayerType.REDUCE, "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare")
    fill(LayerType.SCALE, "BatchNormalization")
    fill(
        LayerType.NORMALIZATION,
        "LayerNormalization InstanceNormalization GroupNormalization RMSNormalization MeanVarianceNormalization LpNormalization",
    )
    fill(LayerType.SOFTMAX, "Softmax LogSoftmax Hardmax")
    fill(LayerType.LRN, "LRN")
    fill(LayerType.CONCATENATION, "Concat")
    fill(LayerType.SHUFFLE, "Reshape Transpose Flatten DepthToSpace SpaceToDepth")
    fill(LayerType.SQUEEZE, "Squeeze")
    fill(LayerType.UNSQUEEZE, "Unsqueeze")
    fill(LayerType.SLICE, "Slice Split Expand Tile")
    fill(LayerType.PADDING, "Pad")
    fill(LayerType.SHAPE, "Shape Size")
    fill(LayerType.GATHER, "Gather GatherElements GatherND")
    fill(LayerType.SCATTER, "ScatterElements ScatterND Scatter")
    fill(LayerType.TOPK, "TopK ArgMax ArgMin")
    fill(LayerType.CUMULATIVE, "CumSum")
    fill(LayerType.SELECT, "Where")
    fill(LayerType.CONSTANT, "Constant")
    fill(LayerType.FILL, "ConstantOfShape Range EyeLike")
    fill(LayerType.IDENTITY, "Identity Dropout")
    fill(LayerType.CAST, "Cast CastLike")
    fill(LayerType.PARAMETRIC_RELU, "PRelu")
    fill(LayerType.RESIZE, "Resize Upsample")
    fill(LayerType.GRID_SAMPLE, "GridSample")
    fill(LayerType.ONE_HOT, "OneHot")
    fill(LayerType.NON_ZERO, "NonZero")
    fill(LayerType.NMS, "NonMaxSuppression")
    fill(LayerType.REVERSE_SEQUENCE, "ReverseSequence")
    fill(LayerType.CONDITIONAL_OUTPUT, "If")
    fill(LayerType.LOOP_OUTPUT, "Loop Scan LSTM GRU RNN")
    fill(LayerType.ATTENTION_OUTPUT, "Attention")
    return table


KINDS = _kinds()


def _window_values(node: onnx.NodeProto, given: Dict[str, Any]) -> Dict[str, Any]:
    """What convolutions and poolings show."""
    values = {"stride_nd": given.get("strides"), "dilation_nd": given.get("dilations"), "num_groups": given.get("group")}
    pads = given.get("pads")
    if pads:
        values["pre_padding"], values["post_padding"] = pads[: len(pads) // 2], pads[len(pads) // 2 :]
    values["kernel_size_nd" if "Conv" in node.op_type else "window_size_nd"] = given.get("kernel_shape")
    return {k: Dims(v) if isinstance(v, list) else v for k, v in values.items() if v is not None}


def _values(node: onnx.NodeProto, source: Source) -> Dict[str, Any]:
    """Properties that a layer shows, read from its node."""
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.type != onnx.AttributeProto.GRAPH}
    values = dict(KINDS.get(node.op_type, (None, {}))[1])
    if node.op_type in ("Conv", "ConvTranspose", "MaxPool", "AveragePool"):
        values.update(_window_values(node, given))
    if node.op_type == "Conv" and len(node.input) > 1 and source.weights.get(node.input[1]) is not None:
        kernel = source.weights[node.input[1]]
        values["num_output_maps"] = kernel.dims[0]
        values.setdefault("kernel_size_nd", Dims(kernel.dims[2:]))
        if kernel.data_location != onnx.TensorProto.EXTERNAL:
            values["kernel"] = numpy_helper.to_array(kernel)
    for name in ("axis", "alpha", "beta", "epsilon"):
        if name in given:
            values[name] = given[name]
    if node.op_type == "Softmax":
        values.pop("axis", None)
    if node.op_type == "Transpose" and "perm" in given:
        values["first_transpose"] = Dims(given["perm"])
    if node.op_type == "Cast":
        values["to_type"] = datatype(given["to"])
    if node.op_type == "Einsum":
        values["equation"] = given["equation"].decode()
    return values


def read(network: Any, source: Source) -> None:
    """Fills an empty network with a model's inputs, nodes and outputs."""
    graph = source.model.graph
    network._source = source
    network.name = graph.name or network.name
    tensors: Dict[str, ITensor] = {}
    for info in graph.input:
        if info.name in source.weights:
            continue
        told = info.type.tensor_type
        extents = [d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else -1 for d in told.shape.dim]
        tensor = tensors[info.name] = ITensor(network, info.name, datatype(told.elem_type), extents)
        tensor._elem_type = told.elem_type
        tensor._axes = {i: d.dim_param for i, d in enumerate(told.shape.dim) if d.dim_param}
        network._inputs.append(tensor)
    network._names.update(tensors, source.weights)
    for node in graph.node:
        kind = KINDS.get(node.op_type, (LayerType.PLUGIN_V3,))[0] if node.domain in ("", "ai.onnx") else LayerType.PLUGIN_V3
        slots = [i for i, name in enumerate(node.input) if name in tensors]
        state = State(network, kind, node.name or f"{node.op_type}_{len(network._layers)}", [tensors[node.input[i]] for i in slots])
        state.node, state.slots, state.values = node, slots, _values(node, source)
        state.metadata = f"[ONNX Layer: {state.name}]"
        for name in node.output:
            if name:
                tensors[name] = ITensor(network, name, state=state)
                state.outputs.append(tensors[name])
        network._names.update(node.output)
        network._layers.append(state)
    source.names = {id(t): name for name, t in tensors.items()}
    network._outputs.extend(tensors[o.name] for o in graph.output if o.name in tensors)


def empty_model(source: Optional[Source]) -> onnx.ModelProto:
    """What is around the nodes: versions, functions, weights."""
    model = onnx.ModelProto(ir_version=9)
    if source is None:
        model.opset_import.append(helper.make_opsetid("", OPSET))
        return model
    model.ir_version = max(source.model.ir_version, 8)  # of functions
    model.opset_import.extend(source.model.opset_import)
    model.functions.extend(f for f in source.model.functions if f.domain != FUNCTION_DOMAIN)
    model.graph.initializer.extend(source.model.graph.initializer)
    model.graph.sparse_initializer.extend(source.model.graph.sparse_initializer)
    return model


def renamed(state: State, source: Source) -> List[onnx.NodeProto]:
    """A parsed node, reading and writing what its tensors are called now. Bodies read the old names, so those stay as well."""
    node = onnx.NodeProto()
    node.CopyFrom(state.node)
    node.name = state.name
    for slot, tensor in zip(state.slots, state.inputs):
        node.input[slot] = tensor.name
    written = iter(state.outputs)
    nodes = [node]
    for i, name in enumerate(node.output):
        if not name:
            continue
        tensor = next(written)
        node.output[i] = tensor.name
        nodes += under_old_name(tensor, name, source)
    return nodes


def under_old_name(tensor: ITensor, name: str, source: Source) -> List[onnx.NodeProto]:
    """A renamed tensor as bodies read it."""
    if tensor.name == name or name not in source.captured:
        return []
    return [helper.make_node("Identity", [tensor.name], [name], name=f"{name}/before_renaming")]


def declared(tensor: ITensor, kind: Optional[int], source: Optional[Source]) -> onnx.ValueInfoProto:
    """An output as ONNX declares it."""
    if kind is None and source is not None:
        was = source.outputs.get(source.names.get(id(tensor), ""))
        if was is not None:
            info = onnx.ValueInfoProto()
            info.CopyFrom(was)
            info.name = tensor.name
            return info
        kind = onnx_type(tensor._dtype) if tensor._dtype is not None else 0
    return onnx.ValueInfoProto(name=tensor.name) if not kind else helper.make_tensor_value_info(tensor.name, kind, None)


def infer(network: Any) -> None:
    """Gives the outputs of all parsed layers their types. Weights that are large are told by their types alone."""
    source = network._source
    model = onnx.ModelProto(ir_version=max(source.model.ir_version, 8))
    model.opset_import.extend(source.model.opset_import)
    model.functions.extend(source.model.functions)
    graph = model.graph
    graph.name = "network"
    graph.input.extend(value_info(t) for t in network._inputs)
    for name, weight in source.weights.items():
        if weight is None:
            continue
        size = 1
        for extent in weight.dims:
            size *= extent
        if size <= _SMALL and weight.data_location != onnx.TensorProto.EXTERNAL:
            graph.initializer.append(weight)
        else:
            graph.input.append(helper.make_tensor_value_info(name, weight.data_type, weight.dims))
    parsed = [s for s in network._layers if s.node is not None]
    for state in parsed:
        graph.node.extend(renamed(state, source))
    graph.output.extend(declared(t, None, source) for t in network._outputs if t._state is not None and t._state.node is not None)
    try:
        types = read_types(model)
    except Exception as error:
        network._report.verbose(f"types of the model's tensors are not known before it is built: {error}")
        types = {}
    for state in parsed:
        for tensor in state.outputs:
            tensor._dtype, tensor._shape = types.get(tensor.name, (None, None))
