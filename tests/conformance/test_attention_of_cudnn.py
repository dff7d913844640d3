"""Attention by every engine that cuDNN proposes for it, against numpy in binary64. Needs a GPU and the library."""
import ctypes
import re

import numpy as np
import pytest
from unit import Unit

SCALE = 0.25
STRICT = 3  # a cache is to know all


def attention(q, k, v, mask=0.0):
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], 1) for x in (k, v))
    scores = SCALE * q @ k.swapaxes(-1, -2) + mask
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


def model(shapes):
    unit = Unit("float16")
    return unit.model(unit.node("Attention", *shapes, scale=SCALE), shapes, 4, opset=23)


def hidden(mask, first, end):
    mask[..., first:end] = -np.inf


WINDOW, IMAGE, TEXT = (16, 3, 49, 32), (2, 12, 197, 64), (3, 4, 128, 64)
CASES = {  # queries, keys, mask, what of it is hidden
    "image": (IMAGE, IMAGE, None, (0, 0)),
    "cross": ((2, 4, 40, 64), (2, 4, 77, 64), None, (0, 0)),
    "wide heads": ((1, 4, 100, 128), (1, 4, 333, 128), None, (0, 0)),
    "shared keys": ((2, 8, 50, 40), (2, 2, 70, 40), None, (0, 0)),
    "one query": ((2, 4, 1, 64), (2, 4, 90, 64), None, (0, 0)),
    "positions": (WINDOW, WINDOW, (1, 3, 49, 49), (0, 0)),
    "windows": (WINDOW, WINDOW, (16, 1, 49, 49), (0, 0)),
    "padded": (TEXT, TEXT, (3, 1, 1, 128), (100, 128)),
    "first keys hidden": ((1, 4, 160, 64), (1, 4, 300, 64), (1, 1, 160, 300), (0, 256)),
    "last key hidden": ((1, 4, 33, 64), (1, 4, 333, 64), (1, 1, 1, 333), (332, 333)),
}


@pytest.fixture(scope="module")
def cudnn(library):
    if library.device < 0:
        pytest.skip("there is no GPU")
    try:
        ctypes.CDLL("libcudnn.so.9")
    except OSError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("case", CASES)
def test_as_numpy(library, cudnn, tmp_path, case):
    q, k, mask, (first, end) = CASES[case]
    shapes = {"q": q, "k": k, "v": k} | ({"m": mask} if mask else {})
    random = np.random.default_rng(3)
    inputs = {name: random.standard_normal(shape).astype(np.float16) for name, shape in shapes.items()}
    if mask:
        hidden(inputs["m"], first, end)
    want = attention(*(x.astype(np.float64) for x in inputs.values()))
    cache = tmp_path / "attention.timing"
    options = {"libraries": b"cudnn", "timing_cache": str(cache).encode()}
    library.build(model(shapes), optimization_level=5, **options)
    timed = cache.read_text().replace(" us *", " us")
    engines = re.findall(r"(cudnn [0-9.]+ engine [0-9= -]+): ([^\t\n]*)", timed)
    assert any(found.endswith(" us") for _, found in engines), timed
    for name, found in engines:
        assert found.endswith(" us") or not found.startswith("refused, its results differ"), found
        if not found.endswith(" us"):
            continue
        cache.write_text(timed.replace(f"{name}: {found}", f"{name}: {found} *"))
        engine = library.build(model(shapes), optimization_level=5, timing_cache_mode=STRICT, **options)
        assert b'"cudnnVersion"' in engine  # of a plan
        (got,) = library.run(engine, inputs, ["y"])
        np.testing.assert_allclose(got, want, 2e-3, 2e-3, err_msg=name)
