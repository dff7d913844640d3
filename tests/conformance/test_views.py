"""What copies of a tensor would be, were it not read or written as it lies, against ONNX Runtime."""
import numpy as np
import onnxruntime
import pytest
from library import Library
from test_merged import floats, model, node


def merged_patches():
    """The pixels of each block side by side, normalised as one row, and multiplied."""
    nodes = []
    for row in "01":
        nodes.append(node("Slice", f"x at{row} end rows two", f"row{row}"))
        nodes += [node("Slice", f"row{row} at{column} end columns two", f"p{row}{column}") for column in "01"]
    nodes += [
        node("Concat", "p00 p10 p01 p11", "patches", axis=-1),
        node("LayerNormalization", "patches scale bias", "normalized", axis=-1),
        node("MatMul", "normalized w", "y"),
    ]
    integers = {"at0": [0], "at1": [1], "end": [2**63 - 1], "rows": [1], "columns": [2], "two": [2]}
    constants = {name: np.int64(value) for name, value in integers.items()}
    constants |= {"scale": floats(96), "bias": floats(96), "w": floats(96, 40)}
    return model(nodes, {"x": ["n", 6, 10, 24]}, {"y": ["n", 3, 5, 40]}, constants)


def class_token():
    """Patches of an image after a token, and positions that are added to both."""
    nodes = [
        node("Conv", "x w b", "image", strides=[4, 4]),
        node("Reshape", "image flat", "pixels"),
        node("Transpose", "pixels", "patches", perm=[0, 2, 1]),
        node("Shape", "x", "batch", start=0, end=1),
        node("Concat", "batch ones", "extents", axis=0),
        node("Expand", "token extents", "tokens"),
        node("Concat", "tokens patches", "all", axis=1),
        node("Add", "all positions", "y"),
    ]
    constants = {"flat": np.int64([0, 64, -1]), "ones": np.int64([1, 1]), "token": floats(1, 1, 64)}
    constants |= {"w": floats(64, 3, 4, 4), "b": floats(64), "positions": floats(1, 13, 64)}
    return model(nodes, {"x": ["n", 3, 12, 16]}, {"y": ["n", 13, 64]}, constants)


def shared_heads():
    """Attention of six heads, three to each of keys and values, which are repeated for them."""
    nodes = []
    for x, heads in (("q", "six"), ("k", "two"), ("v", "two")):
        nodes += [
            node("MatMul", f"x w{x}", f"{x}_flat"),
            node("Reshape", f"{x}_flat {heads}", f"{x}_heads"),
            node("Transpose", f"{x}_heads", f"{x}_once", perm=[0, 2, 1, 3]),
        ]
    nodes += [node("Shape", "x", "batch", start=0, end=1), node("Shape", "x", "length", start=1, end=2)]
    nodes += [node("Concat", "batch groups length dim", "apart", axis=0), node("Concat", "batch all length dim", "joined", axis=0)]
    for x in "kv":
        nodes += [
            node("Unsqueeze", f"{x}_once axis", f"{x}_five"),
            node("Expand", f"{x}_five apart", f"{x}_repeated"),
            node("Reshape", f"{x}_repeated joined", f"{x}_all"),
        ]
    nodes += [
        node("Transpose", "k_all", "k_t", perm=[0, 1, 3, 2]),
        node("MatMul", "q_once k_t", "products"),
        node("Mul", "products scale", "scores"),
        node("Softmax", "scores", "weights", axis=-1),
        node("MatMul", "weights v_all", "attended"),
        node("Transpose", "attended", "rows", perm=[0, 2, 1, 3]),
        node("Reshape", "rows flat", "y_heads"),
        node("MatMul", "y_heads wo", "y"),
    ]
    constants = {"wq": floats(32, 96) / 6, "wk": floats(32, 32) / 6, "wv": floats(32, 32) / 6, "wo": floats(96, 32) / 10}
    integers = {"six": [0, 0, 6, 16], "two": [0, 0, 2, 16], "groups": [2, 3], "all": [6], "dim": [16], "axis": [2], "flat": [0, 0, 96]}
    constants |= {name: np.int64(value) for name, value in integers.items()}
    return model(nodes, {"x": ["n", "l", 32]}, {"y": ["n", "l", 32]}, constants | {"scale": np.float32(0.25)})


CASES = [(merged_patches, {"x": floats(2, 6, 10, 24)}), (class_token, {"x": floats(3, 3, 12, 16)}), (shared_heads, {"x": floats(2, 20, 32)})]


@pytest.mark.parametrize(("fp16", "bar"), [(0, 1e-4), (1, 1e-2)], ids=["fp32", "fp16"])
@pytest.mark.parametrize(("make", "inputs"), CASES, ids=[make.__name__ for make, _ in CASES])
def test_as_onnx_runtime(library, make, inputs, fp16, bar):
    source = make()
    (want,) = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"]).run(["y"], inputs)
    (got,) = library.run(library.build(source, fp16=fp16), inputs, ["y"])
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    assert np.linalg.norm(got - want) <= bar * np.linalg.norm(want)


@pytest.mark.parametrize("make", [make for make, _ in CASES])
@pytest.mark.parametrize("fp16", [0, 1])
def test_builds_for_a_gpu(library, make, fp16):
    assert Library(library.folder, target="sm_90").build(make(), fp16=fp16)
