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


CASES = [(merged_patches, {"x": floats(2, 6, 10, 24)}), (class_token, {"x": floats(3, 3, 12, 16)})]


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
