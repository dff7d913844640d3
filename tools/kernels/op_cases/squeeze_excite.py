"""Squeeze and excitation: by clusters, and as two launches."""
from dataclasses import dataclass

import numpy as np

from op_case import C_TYPE, Case, Operand, bfloat16, literal, spread

HEADER = "ops/squeeze_excite/squeeze_excite.cuh"
BLOCKS = 8


def ceil_div(a, b):
    return -(-a // b)


@dataclass
class Cut:
    """As SqueezeCut in ops/squeeze_excite/squeeze_excite_kernel.h."""
    element: int
    vector: int
    channels: int
    hidden: int
    positions: int
    shares: int  # of positions; the rest is shares of channels
    threads: int
    held: int = 0
    staged: bool = False
    clustered: bool = True

    @property
    def parts(self):
        return ceil_div(ceil_div(self.channels, self.vector), BLOCKS // self.shares)

    @property
    def own(self):
        return self.parts * self.vector

    @property
    def own_positions(self):
        return ceil_div(self.positions, self.shares)

    @property
    def rows(self):
        return self.threads // min(self.parts, self.threads)

    @property
    def rounds(self):
        return ceil_div(self.own_positions, self.rows)

    @property
    def cost(self):
        together = max(self.own * self.element, 64) // (self.vector * self.element)
        weights = 2 * ceil_div(self.hidden * self.own * self.element, 16) * 16
        return 2 * self.own_positions * together + weights // (self.vector * self.element)

    @property
    def shared(self):
        def array(count, size):
            return ceil_div(max(count, 1) * size, 16) * 16
        total, weights = max(self.element, 4), self.hidden * self.own if self.staged else 1
        return (array(self.held * self.threads * self.vector, self.element) + 2 * array(weights, self.element)
                + array(self.rows * (self.own + 4), total) + 3 * array(self.own, total)
                + array(2 * BLOCKS * self.hidden if self.clustered else 2, total) + 2 * array(self.hidden, total))

    def resident(self, memory=228 * 1024):
        return min(max(memory // (self.shared + 1024), 1), 1024 // self.threads)

    def text(self, c_type):
        return (f"using C = SqueezeExcite<{c_type}, {self.vector}, {self.channels}, {self.hidden}, {self.threads}, "
                f"{self.shares}, {BLOCKS // self.shares}, {self.held}, {str(self.staged).lower()}, {str(self.clustered).lower()}>; "
                f"static_assert(sizeof(C::Memory) <= {self.shared});\n")


FUNCTIONS = {"relu": lambda v: np.maximum(v, 0), "swish": lambda v: v / (1 + np.exp(-v)),
             "sigmoid": lambda v: 1 / (1 + np.exp(-v)), "hard": lambda v: np.clip(0.2 * v + 0.5, 0, 1)}
TEXTS = {"relu": "Relu{}", "swish": "Swish{}", "sigmoid": "Sigmoid{}", "hard": "HardSigmoid{0.2f, 0.5f}"}


def squeeze_excite(x, hidden, shares, threads, held=None, staged=False, activation="swish", gate="sigmoid", order=(0, 2, 3, 1),
                   pad=0, bias=True, clusters=2):
    """x: [n, c, h, w]. held: rounds that stay in shared memory; None: as two launches."""
    rng = np.random.default_rng(9)
    n, c, h, w = x.shape
    w1 = (rng.normal(size=(hidden, c)) * 2 / np.sqrt(c)).astype(x.dtype)
    w2 = (rng.normal(size=(c, hidden)) * 2 / np.sqrt(hidden)).astype(x.dtype)
    b1, b2 = rng.normal(size=hidden).astype(x.dtype), rng.normal(size=c).astype(x.dtype)
    wide = x.astype(np.float64)
    hidden_values = FUNCTIONS[activation](wide.mean((2, 3)) @ w1.T.astype(np.float64) + (b1.astype(np.float64) if bias else 0))
    gates = FUNCTIONS[gate](hidden_values @ w2.T.astype(np.float64) + (b2.astype(np.float64) if bias else 0))
    want = (wide * gates[:, :, None, None]).astype(x.dtype)

    size, vector = x.dtype.itemsize, 16 // x.dtype.itemsize
    a, y = Operand(x, spread(x.shape, order, pad)), Operand(want, spread(x.shape, order, pad), result=True)
    # Lines are as long as the fastest axis and what pads it, so every other stride is a multiple of it or a whole tensor's.
    vectors = order[-1] == 1 and c % vector == 0 and pad % vector == 0
    cut = Cut(size, vector if vectors else 1, c, hidden, h * w, shares, threads, held or 0, staged, held is not None)
    T, flag = C_TYPE[x.dtype.name], str(vectors).lower()
    def images(name, qualifier, operand):
        return (f"const SqueezedImages<{qualifier}{T}, 2, {flag}> {name}s{{{name}, {operand.strides[0]}, {operand.strides[1]}, "
                f"{literal(operand.strides[2:])}}};\n")

    setup = (cut.text(T) + images("x", "const ", a)
             + f"const SqueezeWeights<{T}> w{{w1, {'b1' if bias else 'nullptr'}, w2, {'b2' if bias else 'nullptr'}}};\n")
    result = images("y", "", y)
    functions = f"squeeze_function::{TEXTS[activation]}, squeeze_function::{TEXTS[gate]});"
    extents = f"{literal((h, w), 'int')}, {n}, w"
    operands = {"x": a, "w1": Operand(w1), "b1": Operand(b1), "w2": Operand(w2), "b2": Operand(b2)}
    name = (f"{x.dtype.name} {list(x.shape)} hidden {hidden} shares {shares} threads {threads} held {held} staged {staged} "
            f"{activation} {gate}")
    if held is not None:
        yield Case(f"squeeze_excite {name}", HEADER, f"{setup}{result}squeeze_excite<C, true>(xs, ys, {extents}, {functions}",
                   operands | {"y": y}, (BLOCKS * clusters,), threads, cut.shared, BLOCKS, only="sm_90a")
        return
    sums = np.zeros((n, BLOCKS, hidden))
    flat, each = wide.reshape(n, c, h * w), cut.own_positions
    for block in range(BLOCKS):
        p, k = block // (BLOCKS // shares) * each, block % (BLOCKS // shares) * cut.own
        part = flat[:, k: k + cut.own, p: p + each].sum(2)
        sums[:, block] = part @ w1[:, k: k + cut.own].T.astype(np.float64)
    sums = sums.astype(np.float64 if size == 8 else np.float32)
    tolerance = (1e-13 if size == 8 else 1e-6) * max(1.0, float(np.abs(flat).sum(2).max()))
    yield Case(f"squeeze {name}", HEADER, f"{setup}squeeze<C>(xs, {extents}, s);",
               operands | {"s": Operand(sums, result=True, tolerance=tolerance)},
               (BLOCKS * clusters,), threads, cut.shared)
    yield Case(f"excite {name}", HEADER, f"{setup}{result}excite<C>(xs, ys, {extents}, s, {functions}",
               operands | {"s": Operand(sums), "y": y}, (BLOCKS * clusters,), threads, cut.shared)


def cases():
    rng = np.random.default_rng(10)

    def normal(*shape, dtype=np.float16):
        return (rng.normal(size=shape) + 0.5).astype(dtype)

    # The layers of EfficientNet-B0, as the compiler cuts them.
    yield from squeeze_excite(normal(1, 32, 112, 112), 8, 8, 512, 13, True)
    yield from squeeze_excite(normal(3, 96, 56, 56), 4, 4, 512, 19, True)
    yield from squeeze_excite(normal(2, 144, 56, 56), 6, 4, 512, 10, True)  # the others are read twice
    yield from squeeze_excite(normal(3, 240, 28, 28), 10, 2, 512, 12, True)
    yield from squeeze_excite(normal(5, 480, 14, 14), 20, 1, 512, 6, True)
    yield from squeeze_excite(normal(2, 672, 14, 14), 28, 1, 256, 9, True)
    yield from squeeze_excite(normal(9, 1152, 7, 7), 48, 1, 256, 4, True)
    for held in (0, 3, None):
        for shares in (1, 2, 8):
            yield from squeeze_excite(normal(5, 72, 9, 11), 24, shares, 128, held, bool(held), "relu", "hard")
        yield from squeeze_excite(normal(3, 24, 1, 1), 1, 4, 128, held, bool(held))
        yield from squeeze_excite(normal(3, 8, 5, 3, dtype=bfloat16), 3, 2, 128, held, bool(held), bias=False)
        yield from squeeze_excite(normal(3, 24, 9, 5, dtype=np.float32), 6, 4, 128, held, bool(held), pad=4)
        yield from squeeze_excite(normal(2, 6, 9, 5, dtype=np.float64), 5, 4, 128, held, bool(held), "relu")
    for held in (0, None):
        yield from squeeze_excite(normal(3, 7, 6, 5), 1, 8, 128, held)
        yield from squeeze_excite(normal(3, 7, 6, 5, dtype=np.float32), 3, 4, 128, held, pad=1, gate="hard")
        yield from squeeze_excite(normal(3, 16, 6, 5), 4, 4, 128, held, order=(0, 1, 2, 3))
        yield from squeeze_excite(normal(2, 1500, 3, 2, dtype=np.float32), 9, 4, 128, held, order=(0, 1, 2, 3))
        yield from squeeze_excite(normal(2, 2048, 7, 7), 128, 2, 512, held, clusters=1)
