"""Padding before convolutions and pools, against ONNX Runtime: a GPU has no kernel for it."""
import numpy as np
import onnxruntime
import pytest
from library import Library
from unit import Unit

INFINITY = np.float32(-np.inf)


def random_window(random):
    kernel = [int(v) for v in random.integers(2, 5, 2)]
    return {"kernel_shape": kernel, "strides": [int(v) for v in random.integers(1, 3, 2)]}


def padded(unit, x, pads, value=None):
    value = [] if value is None else [unit.constant(value)]
    return unit.node("Pad", x, unit.constant(np.array([0, 0, *pads[:2], 0, 0, *pads[2:]])), *value)


def model(kind, seed):
    """A window over a tensor with a border, of random sizes."""
    random, unit = np.random.default_rng(seed), Unit("float32")
    window = random_window(random)
    reach = 2 if kind == "Conv" else 1  # a convolution may have windows that see nothing but the border
    pads = [int(random.integers(0, reach * window["kernel_shape"][k % 2])) for k in range(4)]
    own = [int(v) for v in random.integers(0, 2, 4)]
    if kind == "Conv":
        w, _ = unit.weight(5, 3, *window["kernel_shape"])
        y = unit.node("Conv", padded(unit, "x", pads), w, pads=own, **window)
    elif kind == "AveragePool":
        y = unit.node("AveragePool", padded(unit, "x", pads), count_include_pad=seed % 2, **window)
    elif kind == "MaxPool":
        y = unit.node("MaxPool", padded(unit, "x", pads, INFINITY), **window)
    else:
        y = unit.node("MaxPool", padded(unit, unit.node("Relu", "x"), pads), **window)
    return unit.model(y, {"x": ["n", 3, "h", 11]}, 4)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["Conv", "AveragePool", "MaxPool", "MaxPool after Relu"])
def test_as_onnx_runtime(library, kind, seed):
    source = model(kind, seed)
    x = np.random.default_rng(seed + 100).standard_normal((2, 3, 9, 11)).astype(np.float32)
    (want,) = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    (got,) = library.run(library.build(source), {"x": x}, ["y"])
    np.testing.assert_allclose(got, want, 1e-5, 1e-5)
    engine = Library(library.folder, target="sm_90").build(source)
    text = engine[engine.index(b"graph unit(") :]
    assert b"= Pad(" not in text[: text.index(b"\n}")]
