"""Pointwise work that becomes one kernel with several results, against ONNX Runtime."""
import numpy as np
import onnx
import onnxruntime
import pytest
from library import Library
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(2)


def floats(*shape):
    return RANDOM.standard_normal(shape, np.float32)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name=outputs.split()[0], **attributes)


def model(nodes, inputs, outputs, constants):
    ports = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in of.items()] for of in (inputs, outputs)]
    weights = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "merged", *ports, weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def rotary():
    """Rotary embeddings of queries and keys, half by half, of heads that two products give."""
    nodes = []
    for x in "qk":
        nodes += [
            node("MatMul", f"x w{x}", f"{x}_flat"),
            node("Reshape", f"{x}_flat heads", f"{x}_heads"),
            node("Transpose", f"{x}_heads", x, perm=[0, 2, 1, 3]),
            node("Split", x, f"{x}1 {x}2", axis=-1),
            node("Neg", f"{x}2", f"{x}_negated"),
            node("Concat", f"{x}_negated {x}1", f"{x}_turned", axis=-1),
            node("Mul", f"{x} cos", f"{x}_cos"),
            node("Mul", f"{x}_turned sin", f"{x}_sin"),
            node("Add", f"{x}_cos {x}_sin", f"{x}_out"),
        ]
    nodes += [node("Transpose", "k_out", "k_t", perm=[0, 1, 3, 2]), node("MatMul", "q_out k_t", "scores")]
    angles = np.outer(np.arange(6), 0.1 ** np.arange(8)).astype(np.float32).repeat(2, axis=1)
    constants = {"wq": floats(32, 64), "wk": floats(32, 64), "heads": [0, 0, 4, 16], "cos": np.cos(angles), "sin": np.sin(angles)}
    return model(nodes, {"x": ["n", 6, 32]}, {"q_out": ["n", 4, 6, 16], "scores": ["n", 4, 6, 6]}, constants)


def unrolled_gru():
    """Three steps of a GRU, spelled out."""
    nodes, h = [], "h0"
    for t in range(3):
        nodes += [
            node("MatMul", f"x{t} w", f"xs{t}"),
            node("MatMul", f"{h} r", f"hs{t}"),
            node("Split", f"xs{t}", f"xz{t} xr{t} xn{t}", axis=-1),
            node("Split", f"hs{t}", f"hz{t} hr{t} hn{t}", axis=-1),
            node("Add", f"xz{t} hz{t}", f"zs{t}"),
            node("Sigmoid", f"zs{t}", f"z{t}"),
            node("Add", f"xr{t} hr{t}", f"rs{t}"),
            node("Sigmoid", f"rs{t}", f"r{t}"),
            node("Mul", f"r{t} hn{t}", f"reset{t}"),
            node("Add", f"xn{t} reset{t}", f"ns{t}"),
            node("Tanh", f"ns{t}", f"n{t}"),
            node("Sub", f"{h} n{t}", f"d{t}"),
            node("Mul", f"z{t} d{t}", f"zd{t}"),
            node("Add", f"n{t} zd{t}", f"h{t + 1}"),
        ]
        h = f"h{t + 1}"
    inputs = {"h0": ["n", 16], **{f"x{t}": ["n", 8] for t in range(3)}}
    return model(nodes, inputs, {name: ["n", 16] for name in ("h1", "z2", "h3")}, {"w": floats(8, 48), "r": floats(16, 48)})


def three_images():
    """Inputs that are brought to the same range; one is seen by a convolution, and one is a result."""
    nodes = []
    for k in range(3):
        nodes += [node("Sub", f"x{k} mean{k}", f"c{k}"), node("Div", f"c{k} deviation", f"y{k}")]
    nodes += [
        node("Conv", "y0 w", "a", pads=[1, 1, 1, 1]),
        node("Add", "y1 y2", "sum"),
        node("Sigmoid", "y1", "gate"),
        node("Mul", "gate a", "gated"),
    ]
    constants = {f"mean{k}": floats(8, 1, 1) for k in range(3)}
    constants |= {"deviation": 1 + np.abs(floats(8, 1, 1)), "w": floats(8, 8, 3, 3)}
    inputs = {f"x{k}": ["n", 8, 10, 12] for k in range(3)}
    return model(nodes, inputs, {name: ["n", 8, 10, 12] for name in ("gated", "sum", "y2")}, constants)


CASES = [
    (rotary, {"x": floats(2, 6, 32)}),
    (unrolled_gru, {"h0": floats(3, 16), **{f"x{t}": floats(3, 8) for t in range(3)}}),
    (three_images, {f"x{k}": floats(2, 8, 10, 12) for k in range(3)}),
]


@pytest.mark.parametrize(("fp16", "bar"), [(0, 1e-4), (1, 1e-2)], ids=["fp32", "fp16"])
@pytest.mark.parametrize(("make", "inputs"), CASES, ids=[make.__name__ for make, _ in CASES])
def test_as_onnx_runtime(library, make, inputs, fp16, bar):
    source = make()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    got = library.run(library.build(source, fp16=fp16), inputs, names)
    for name, array, want in zip(names, got, session.run(names, inputs), strict=True):
        assert (array.dtype, array.shape) == (want.dtype, want.shape), name
        assert np.linalg.norm(array - want) <= bar * np.linalg.norm(want), name


@pytest.mark.parametrize("make", [make for make, _ in CASES])
@pytest.mark.parametrize("fp16", [0, 1])
def test_builds_for_a_gpu(library, make, fp16):
    assert Library(library.folder, target="sm_90").build(make(), fp16=fp16)
