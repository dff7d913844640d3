"""Products that normalise the rows they multiply, as exporters spell the two, against numpy in binary64."""
import numpy as np
import pytest
from library import Library
from unit import Unit

EPSILON = 1e-5


def normalized(x, kind, scale, bias):
    if kind == "RMSNormalization":
        return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + EPSILON) * scale
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + EPSILON) * scale + bias


def silu(x):
    return x / (1 + np.exp(-x))


def gated(x):
    value, gate = np.split(x, 2, -1)
    return value / (1 + np.exp(-gate))


def product(kind, k, columns, end, rank, scale=1.0):
    """x normalised, times a weight, plus a bias; then a residual, SiLU, a gated unit, or nothing."""
    unit = Unit("float16")
    (g, gains), (c, shifts) = unit.weight(k, scale=scale * np.sqrt(k)), unit.weight(k, scale=scale * np.sqrt(k))
    (w, weight), (b, bias) = unit.weight(k, columns), unit.weight(columns, scale=scale)
    operands = ["x", g] + [c] * (kind == "LayerNormalization")
    y = unit.node("Add", unit.node("MatMul", unit.node(kind, *operands, axis=-1, epsilon=EPSILON), w), b)
    inputs, ends = {"x": ["n", "m", k][3 - rank :]}, {"": lambda y: y, "silu": silu, "gated": gated, "residual": lambda y, r: y + r}
    if end == "residual":
        inputs["r"] = ["n", "m", columns][3 - rank :]
        y = unit.node("Add", y, "r")
    elif end == "silu":
        y = unit.node("Mul", y, unit.node("Sigmoid", y))
    elif end == "gated":
        value, gate = unit.node("Split", y, count=2, axis=-1, num_outputs=2)
        y = unit.node("Mul", value, unit.node("Sigmoid", gate))
    wanted = lambda x, *r: ends[end](normalized(x, kind, gains, shifts) @ weight + bias, *r)
    return unit.model(y, inputs, rank, opset=23), wanted


def transposed(k, columns):
    """Rows in another order, as before attention over the first axis."""
    unit = Unit("float16")
    (g, gains), (c, shifts), (w, weight) = unit.weight(k), unit.weight(k), unit.weight(k, columns)
    rows = unit.node("LayerNormalization", "x", g, c, axis=-1, epsilon=EPSILON)
    y = unit.node("MatMul", unit.node("Transpose", rows, perm=[1, 0, 2]), w)
    wanted = lambda x: normalized(x, "LayerNormalization", gains, shifts).transpose(1, 0, 2) @ weight
    return unit.model(y, {"x": ["n", "m", k]}, 3), wanted


def expect_as_numpy(library, made, shapes, mean=0.0):
    source, wanted = made
    random = np.random.default_rng(3)
    inputs = {name: (mean * (name == "x") + random.standard_normal(shape)).astype("float16") for name, shape in shapes.items()}
    (got,) = library.run(library.build(source), inputs, ["y"])
    want = wanted(*(x.astype(np.float64) for x in inputs.values()))
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, 2e-3, 2e-3 * np.abs(want).max() / 2)


CASES = [  # kind, k, columns, end, extents of rows
    ("LayerNormalization", 768, 2304, "", (1, 197)),
    ("LayerNormalization", 768, 3072, "silu", (8, 197)),
    ("LayerNormalization", 96, 384, "silu", (2, 3136)),
    ("LayerNormalization", 768, 96, "residual", (1, 1)),
    ("LayerNormalization", 200, 72, "residual", (3, 50)),
    ("LayerNormalization", 64, 512, "gated", (2, 300)),
    ("LayerNormalization", 2048, 128, "", (49,)),
    ("LayerNormalization", 33, 40, "residual", (5, 7)),
    ("LayerNormalization", 8, 3, "", (5,)),
    ("LayerNormalization", 64, 1, "residual", (90,)),
    ("RMSNormalization", 512, 1536, "gated", (1, 130)),
    ("RMSNormalization", 1024, 64, "", (700,)),
    ("RMSNormalization", 40, 24, "residual", (70,)),
]


@pytest.mark.parametrize(("kind", "k", "columns", "end", "rows"), CASES, ids=["-".join(map(str, c[:4])) for c in CASES])
def test_as_numpy(library, kind, k, columns, end, rows):
    shapes = {"x": (*rows, k)} | ({"r": (*rows, columns)} if end == "residual" else {})
    expect_as_numpy(library, product(kind, k, columns, end, len(rows) + 1), shapes)


def test_rows_in_another_order(library):
    expect_as_numpy(library, transposed(64, 96), {"x": (6, 50, 64)})


@pytest.mark.parametrize("mean", [30, -200])
def test_rows_far_from_zero(library, mean):
    expect_as_numpy(library, product("LayerNormalization", 256, 64, "", 2), {"x": (90, 256)}, mean)


@pytest.mark.parametrize("scale", [1e-4, 60])
def test_scales_small_and_large(library, scale):
    expect_as_numpy(library, product("LayerNormalization", 128, 64, "", 2, scale), {"x": (90, 128)})


def test_is_one_node_on_a_gpu(library):
    """An engine holds the graph that it was made of as text."""
    engine = Library(library.folder, target="sm_90").build(product("LayerNormalization", 64, 48, "residual", 3)[0])
    text = engine[engine.index(b"graph unit(") :]
    nodes = [line for line in text[: text.index(b"\n}")].split(b"\n") if line.startswith(b"  %") and b"= constant" not in line]
    assert len(nodes) == 1 and b"Fused(" in nodes[0], nodes


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("k", "columns"), [(64, 1), (33, 1), (1, 24), (1, 1), (24, 24)])
@pytest.mark.parametrize("op", ["MatMul", "Gemm"])
def test_weights_of_one_row_or_column(library, dtype, k, columns, op):
    """Also as they are without a normalisation: their strides do not say which axis is which."""
    unit = Unit(dtype)
    w, weight = unit.weight(*((columns, k) if op == "Gemm" else (k, columns)))
    y = unit.node(op, "x", w, **({"transB": 1} if op == "Gemm" else {}))
    source = unit.model(y, {"x": ["n", k]}, 2)
    x = np.random.default_rng(3).standard_normal((70, k)).astype(dtype)
    (got,) = library.run(library.build(source), {"x": x}, ["y"])
    want = x.astype(np.float64) @ (weight.T if op == "Gemm" else weight)
    tolerance = 1e-5 if dtype == "float32" else 2e-3
    np.testing.assert_allclose(got, want, tolerance, tolerance * np.abs(want).max() / 2)
