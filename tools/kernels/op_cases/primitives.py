"""base/primitives.cuh on the device, against numpy."""
import math

import numpy as np

from op_case import Case, Operand

SPECIAL = [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, 88, -88, 100, -100, 1e-30, -1e-30, 3e38, -3e38, np.inf, -np.inf,
           np.nan, 4, 1e4, -1e4]
MIN = np.iinfo(np.int64).min
erf = np.vectorize(lambda x: math.erf(x), otypes=[np.float64])


def softplus(x):
    return np.logaddexp(0, x)


def sigmoid(x):
    return np.where(x < 0, np.exp(np.minimum(x, 0)) / (1 + np.exp(np.minimum(x, 0))), 1 / (1 + np.exp(-np.maximum(x, 0))))


UNARY = {
    "neg": lambda x: -x, "abs": np.abs, "sign": np.sign, "relu": lambda x: np.maximum(x, 0), "sigmoid": sigmoid,
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1), "tanh": np.tanh, "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)), "mish": lambda x: x * np.tanh(softplus(x)),
    "gelu_erf": lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "erf": erf, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "reciprocal": lambda x: 1 / x, "floor": np.floor,
    "ceil": np.ceil, "round": np.rint, "trunc": np.trunc, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh,
}
BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "min": np.minimum, "max": np.maximum,
    "pow": np.power, "mod": np.mod, "fmod": np.fmod, "leaky_relu": lambda x, a: np.where(x < 0, a * x, x),
    "elu": lambda x, a: np.where(x < 0, a * np.expm1(np.minimum(x, 0)), x),
    "equal": np.equal, "less": np.less, "greater_or_equal": np.greater_equal,
}
INTEGER = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "min": np.minimum, "max": np.maximum,
    "mod": lambda a, b: np.where(b == 0, 0, np.mod(a, np.where(b == 0, 1, b))),
    "fmod": lambda a, b: np.where(b == 0, 0, np.fmod(a, np.where(b == 0, 1, b))),
    "div": lambda a, b: truncated(a, b),
    "bit_and": np.bitwise_and, "bit_or": np.bitwise_or, "bit_xor": np.bitwise_xor,
}
def truncated(a, b):
    """Quotients toward zero, exact; modulo 2^64 for the one that does not fit."""
    def quotient(x, y):
        q = 0 if y == 0 else abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
        return q if q <= np.iinfo(np.int64).max else MIN
    return np.array([quotient(int(x), int(y)) for x, y in zip(a, b)], np.int64)


def table(name, functions, columns, dtype, tolerance=None):
    """One kernel for all functions: y[f, i] = f(columns[.][i])."""
    columns = [np.asarray(c, dtype) for c in columns]
    n = len(columns[0])
    wide = [c.astype(np.float64) if np.issubdtype(dtype, np.floating) else c for c in columns]
    with np.errstate(all="ignore"):
        want = np.stack([np.asarray(f(*wide)).astype(dtype) for f in functions.values()])
    operands = {f"x{i}": Operand(c) for i, c in enumerate(columns)}
    arguments = ", ".join(f"load(x{i} + i)" for i in range(len(columns)))
    C = "compute<" + operands["x0"].c_type + ">"
    lines = [f"store(y + {row * n} + i, {C}(prim::{f}({arguments})));" for row, f in enumerate(functions)]
    operands["y"] = Operand(want, result=True, tolerance=tolerance)
    return Case(f"primitives {name}", "providers/nvrtc/device/reduce.cuh",
                f"for (i64 i = grid_first<i64>(); i < {n}; i += grid_step<i64>()) {{ {' '.join(lines)} }}", operands)


def casts():
    x = np.array([0, -0.9, 0.9, -1, 1.5, 127, 128, 255, 256, -128, -129, 3e9, -3e9, 1e30, -1e30, np.inf, -np.inf, np.nan],
                 np.float32)
    for dtype in (np.int8, np.uint8, np.int32, np.int64, np.uint64, bool):
        if dtype is bool:
            want = np.array([not v == 0 for v in x])
        else:
            ends = np.iinfo(dtype)
            want = np.array([0 if np.isnan(v) else ends.max if v == np.inf else ends.min if v == -np.inf else
                             min(max(int(v), ends.min), ends.max) for v in x], dtype)
        out = Operand(want, result=True)
        yield Case(f"primitives cast float to {np.dtype(dtype).name}", "providers/nvrtc/device/reduce.cuh",
                   f"for (i64 i = grid_first<i64>(); i < {len(x)}; i += grid_step<i64>()) "
                   f"y[i] = prim::cast<{out.c_type}>(x[i]);", {"x": Operand(x), "y": out})


def quantized(rng):
    """round(x / scale) + zero, with ties, and (q - zero) * scale of that again."""
    scales = np.exp2(rng.uniform(-20, 4, 400)).astype(np.float32)
    halves = rng.integers(-700, 700, 400).astype(np.float32) / 2
    x = np.concatenate([scales * halves, scales * rng.normal(size=400).astype(np.float32) * 90, [np.inf, -np.inf, 1e38]]).astype(np.float32)
    scales = np.concatenate([scales, scales, [1, 1, 1e-4]]).astype(np.float32)
    for dtype, zero in ((np.int8, -3), (np.uint8, 128)):
        ends = np.iinfo(dtype)
        with np.errstate(all="ignore"):
            steps = np.clip(np.rint(x / scales) + np.float32(zero), ends.min, ends.max).astype(dtype)
        again = (steps.astype(np.int64) - zero).astype(np.float32) * scales
        y, z = Operand(steps, result=True), Operand(again, result=True)
        yield Case(f"primitives quantize to {np.dtype(dtype).name}", "providers/nvrtc/device/reduce.cuh",
                   f"for (i64 i = grid_first<i64>(); i < {len(x)}; i += grid_step<i64>()) {{ "
                   f"y[i] = prim::quantize<{y.c_type}>(x[i], s[i], {zero}); z[i] = prim::dequantize(y[i], s[i], {zero}); }}",
                   {"x": Operand(x), "s": Operand(scales), "y": y, "z": z})


def cases():
    rng = np.random.default_rng(1)
    values = np.concatenate([SPECIAL, rng.normal(size=200) * 3, rng.normal(size=50) * 40])
    pairs = [np.repeat(SPECIAL, len(SPECIAL)), np.tile(SPECIAL, len(SPECIAL))]
    pairs = [np.concatenate([p, rng.normal(size=300) * 3]) for p in pairs]
    for dtype, tolerance in ((np.float32, 3e-6), (np.float64, 1e-13)):
        name = np.dtype(dtype).name
        yield table(f"unary {name}", UNARY, [values], dtype, tolerance)
        yield table(f"binary {name}", BINARY, pairs, dtype, tolerance)
    yield table("unary float16", UNARY, [values[np.abs(values) < 6e4]], np.float16)
    ends = [0, 1, -1, 2, -2, 7, -7, MIN, np.iinfo(np.int64).max, 3, 1000003]
    integers = [np.repeat(ends, len(ends)), np.tile(ends, len(ends))]
    yield table("integer", INTEGER, integers, np.int64)
    yield from casts()
    yield from quantized(rng)
