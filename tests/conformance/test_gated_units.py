"""Gated linear units as exporters spell them, value * activation(gate) of a product's two halves, against numpy in binary64."""
import math

import numpy as np
import pytest
from library import Library
from unit import Unit

ERF = np.vectorize(math.erf)
ACTIVATIONS = {
    "gelu": lambda x: 0.5 * x * (1 + ERF(x / np.sqrt(2))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


class Gated(Unit):
    def halves(self, x, columns, axis, sliced):
        if not sliced:
            return self.node("Split", x, count=2, axis=axis)
        bounds = [self.constant(np.array([at])) for at in (0, columns, 2 * columns)]
        along = self.constant(np.array([axis]))
        return [self.node("Slice", x, bounds[k], bounds[k + 1], along) for k in range(2)]

    def activation(self, kind, x):
        if kind == "sigmoid":
            return self.node("Sigmoid", x)
        if kind == "silu":
            return self.node("Mul", x, self.node("Sigmoid", x))
        root, one, half = (self.constant(np.array(v, self.dtype)) for v in (np.sqrt(2), 1, 0.5))
        erf = self.node("Erf", self.node("Div", x, root))
        return self.node("Mul", self.node("Mul", x, self.node("Add", erf, one)), half)


def by_matrix(dtype, kind, k, columns, sliced):
    """x·W + b, and what is added to the unit's result."""
    unit = Gated(dtype)
    (w, weight), (b, bias) = unit.weight(k, 2 * columns), unit.weight(2 * columns)
    value, gate = unit.halves(unit.node("Add", unit.node("MatMul", "x", w), b), columns, 2, sliced)
    y = unit.node("Add", "r", unit.node("Mul", value, unit.activation(kind, gate)))
    wanted = lambda x, r: r + gated(x @ weight + bias, kind, 2)
    return unit.model(y, {"x": ["n", "m", k], "r": ["n", "m", columns]}, 3), wanted


def by_gemm(dtype, kind, k, columns, sliced):
    """The gate comes first, and the weight lies transposed."""
    unit = Gated(dtype)
    (w, weight), (b, bias) = unit.weight(2 * columns, k), unit.weight(2 * columns)
    product = unit.node("Gemm", "x", w, b, alpha=0.5, transB=1)
    gate, value = unit.halves(product, columns, 1, sliced)
    y = unit.node("Mul", unit.activation(kind, gate), value)

    def wanted(x):
        gate, value = np.split(0.5 * x @ weight.T + bias, 2, 1)
        return ACTIVATIONS[kind](gate) * value

    return unit.model(y, {"x": ["n", k]}, 2), wanted


def by_two_products(dtype, kind, k, columns, _sliced):
    """As in language models: value and gate have a weight each."""
    unit = Gated(dtype)
    (g, gate), (v, value) = unit.weight(k, columns), unit.weight(k, columns)
    y = unit.node("Mul", unit.activation(kind, unit.node("MatMul", "x", g)), unit.node("MatMul", "x", v))
    return unit.model(y, {"x": ["n", "m", k]}, 3), lambda x: ACTIVATIONS[kind](x @ gate) * (x @ value)


def by_convolution(dtype, kind, k, columns, sliced):
    """A convolution over one axis, as in conformers."""
    unit = Gated(dtype)
    (w, weight), (b, bias) = unit.weight(2 * columns, k, 1), unit.weight(2 * columns)
    value, gate = unit.halves(unit.node("Conv", "x", w, b), columns, 1, sliced)
    y = unit.node("Mul", value, unit.activation(kind, gate))
    wanted = lambda x: gated(np.einsum("oi,nit->not", weight[:, :, 0], x) + bias[:, None], kind, 1)
    return unit.model(y, {"x": ["n", k, "t"]}, 3), wanted


def by_window(dtype, kind, k, columns, sliced):
    """A convolution over two axes that is no matrix product."""
    unit = Gated(dtype)
    w, weight = unit.weight(2 * columns, k, 3, 3)
    value, gate = unit.halves(unit.node("Conv", "x", w, pads=[1, 1, 1, 1]), columns, 1, sliced)
    y = unit.node("Mul", value, unit.activation(kind, gate))

    def wanted(x):
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
        return gated(np.einsum("oiab,nihwab->nohw", weight, windows), kind, 1)

    return unit.model(y, {"x": ["n", k, "h", "w"]}, 4), wanted


def gated(columns, kind, axis):
    value, gate = np.split(columns, 2, axis)
    return value * ACTIVATIONS[kind](gate)


CASES = [
    (by_matrix, "gelu", 64, 48, True, {"x": (2, 300, 64), "r": (2, 300, 48)}),
    (by_matrix, "silu", 256, 512, False, {"x": (1, 1, 256), "r": (1, 1, 512)}),
    (by_matrix, "gelu", 320, 1280, True, {"x": (2, 2100, 320), "r": (2, 2100, 1280)}),
    (by_matrix, "sigmoid", 33, 13, False, {"x": (3, 5, 33), "r": (3, 5, 13)}),
    (by_gemm, "silu", 64, 96, False, {"x": (300, 64)}),
    (by_gemm, "gelu", 2304, 44, True, {"x": (130, 2304)}),
    (by_two_products, "silu", 128, 344, False, {"x": (2, 40, 128)}),
    (by_two_products, "gelu", 20, 9, False, {"x": (1, 6, 20)}),
    (by_convolution, "sigmoid", 64, 64, False, {"x": (2, 64, 75)}),
    (by_convolution, "silu", 7, 5, True, {"x": (1, 7, 30)}),
    (by_window, "sigmoid", 16, 24, False, {"x": (2, 16, 9, 11)}),
    (by_window, "gelu", 3, 8, True, {"x": (1, 3, 20, 20)}),
]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(
    ("make", "kind", "k", "columns", "sliced", "shapes"), CASES, ids=[f"{c[0].__name__}-{c[1]}-{c[2]}-{c[3]}" for c in CASES]
)
def test_as_numpy(library, dtype, make, kind, k, columns, sliced, shapes):
    source, wanted = make(dtype, kind, k, columns, sliced)
    random = np.random.default_rng(3)
    inputs = {name: random.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    (got,) = library.run(library.build(source), inputs, ["y"])
    want = wanted(*(x.astype(np.float64) for x in inputs.values()))
    assert (got.dtype, got.shape) == (np.dtype(dtype), want.shape)
    tolerance = 1e-5 if dtype == "float32" else 2e-3
    np.testing.assert_allclose(got, want, tolerance, tolerance * np.abs(want).max() / 2)


@pytest.mark.parametrize("make", [by_matrix, by_gemm, by_two_products, by_convolution, by_window])
@pytest.mark.parametrize("sliced", [False, True])
def test_is_one_node_on_a_gpu(library, make, sliced):
    """An engine holds the graph that it was made of as text."""
    engine = Library(library.folder, target="sm_90").build(make("float16", "gelu", 64, 48, sliced)[0])
    text = engine[engine.index(b"graph unit(") :]
    nodes = [line for line in text[: text.index(b"\n}")].split(b"\n") if line.startswith(b"  %") and b"= constant" not in line]
    assert len(nodes) == 1 and b"Fused(" in nodes[0], nodes
