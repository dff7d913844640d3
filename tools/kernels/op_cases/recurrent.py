"""Recurrent nets: the inputs' products, and the recurrence of each cell."""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from op_case import Case, Operand, bfloat16, literal, spread

# Three different ones, so that none can stand for another.
ACTIVATIONS = """struct Activations {
  static BURNISH_DEVICE float f(float x) { return prim::sigmoid(x); }
  static BURNISH_DEVICE float g(float x) { return prim::tanh(x); }
  static BURNISH_DEVICE float h(float x) { return prim::softsign(x); }
};"""


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softsign(x):
    return x / (1 + np.abs(x))


def lstm(x, r, p, h, c, limited, couple):
    """The states after a step of one sequence: x the gates of this step, r [gates * hidden, hidden]."""
    i, o, f, g = (x + r @ h).reshape(4, -1)
    i = sigmoid(limited(i + p[0] * c))
    f = 1 - i if couple else sigmoid(limited(f + p[2] * c))
    c = f * c + i * np.tanh(limited(g))
    return sigmoid(limited(o + p[1] * c)) * softsign(limited(c)), c


def gru(x, r, p, h, c, limited, linear_before_reset):
    (x_z, x_r, x_n), (r_z, r_r, r_n) = x.reshape(3, -1), r.reshape(3, h.size, h.size)
    z, reset = sigmoid(limited(x_z + r_z @ h)), sigmoid(limited(x_r + r_r @ h))
    n = np.tanh(limited(x_n + (reset * (r_n @ h + p[0]) if linear_before_reset else r_n @ (reset * h))))
    return (1 - z) * n + z * h, c


def rnn(x, r, p, h, c, limited, _):
    return sigmoid(limited(x + r @ h)), c


@dataclass
class Cell:
    name: str
    step: Callable
    variant: bool | None  # the cell's template argument
    gates: int
    parameters: int = 0
    states: int = 1

    @property
    def type(self):
        variant = "" if self.variant is None else f", {str(self.variant).lower()}"
        return f"{self.name.capitalize()}Cell<Activations{variant}>"


LSTM, COUPLED = (Cell("lstm", lstm, couple, 4, 3, 2) for couple in (False, True))
RESET_BEFORE, RESET_AFTER = Cell("gru", gru, False, 3), Cell("gru", gru, True, 3, 1)
RNN = Cell("rnn", rnn, None, 1)


def recurrence(cell, x, r, p, h, c, lengths, clip, backwards):
    """One direction in binary64: x [time, batch, gates * hidden]; y, and the last h and c."""
    y = np.zeros((*x.shape[:2], h.shape[1]))
    h, c = h.copy(), c.copy()
    for b, length in enumerate(lengths):
        steps = range(min(length, len(x)))
        for t in reversed(steps) if backwards else steps:
            h[b], c[b] = cell.step(x[t, b], r, p, h[b], c[b], lambda v: np.clip(v, -clip, clip), cell.variant)
            y[t, b] = h[b]
    return y, h, c


def packed(r, pack):
    """R as the kernel reads it: [direction, hidden / pack, gates * hidden, pack]."""
    directions, rows, hidden = r.shape
    return np.ascontiguousarray(r.reshape(directions, rows, hidden // pack, pack).transpose(0, 2, 1, 3))


def recur(cell, time, directions, batch, hidden, dtype=np.float32, tile=1, pack=1, block=128, full=False, reverse=False,
          batch_first=False, weights=None):
    """`full`: with every optional operand, and clipping. `weights`: R's type, where it is not the data's."""
    rng = np.random.default_rng(10)

    def normal(*shape, scale=1):
        return (rng.normal(size=shape) * (full or scale)).astype(dtype)

    x, r = normal(time, directions, batch, cell.gates * hidden), rng.normal(size=(directions, cell.gates * hidden, hidden))
    r = (r * 0.3).astype(weights or dtype)
    p, h, c = (normal(*shape, scale=0) for shape in ((directions, cell.parameters, hidden), *[(directions, batch, hidden)] * 2))
    lengths = rng.integers(0, time + 3, batch).astype(np.int32) if full else np.full(batch, time, np.int32)
    wide = [[v[d].astype(np.float64) for v in (r, p, h, c)] for d in range(directions)]
    each = [recurrence(cell, x[:, d].astype(np.float64), *wide[d], lengths, 1.5 if full else np.inf, reverse or d == 1)
            for d in range(directions)]
    y, last_h, last_c = (np.stack(v, axis).astype(dtype) for v, axis in zip(zip(*each), (1, 0, 0)))

    operands = {"x": Operand(x.astype(np.float32)), "r": Operand(packed(r, pack)),
                "y": Operand(y, spread(y.shape, (2, 0, 1, 3)) if batch_first else None, result=True),
                "last_h": Operand(last_h, result=True)}
    optional = {"p": p} if cell.parameters else {}
    optional |= {"h": h, "lengths": lengths} | ({"c": c} if cell.states == 2 else {})
    operands |= {name: Operand(values) for name, values in optional.items()} if full else {}
    operands |= {"last_c": Operand(last_c, result=True)} if cell.states == 2 else {}

    def pointer(name):
        return name if name in operands else "nullptr"

    T, R, state = operands["y"].c_type, operands["r"].c_type, literal([batch * hidden, hidden])
    body = (f"recur<{cell.type}, {tile}, {pack}>(RecurrentOperands<{T}, {R}>{{x, {literal(operands['x'].strides[:3])}, r, "
            f"{pointer('p')}, {cell.parameters * hidden}, {pointer('lengths')}, {{{pointer('h')}, {pointer('c')}}}, "
            f"{{{state}, {state}}}, y, {literal(operands['y'].strides[:3])}, {{last_h, {pointer('last_c')}}}, "
            f"{{{state}, {state}}}}}, {time}, {batch}, {hidden}, {'1.5f' if full else 'float(prim::infinity())'}, "
            f"{str(reverse).lower()});")
    return Case(f"{cell.type} {np.dtype(dtype).name} time {time} directions {directions} batch {batch} hidden {hidden} "
                f"tile {tile} pack {pack} full {full} reverse {reverse} weights {R}", f"ops/recurrent/{cell.name}.cuh", body, operands,
                (-(-batch // tile), directions), block, tile * (cell.states + cell.gates) * hidden * 4, ACTIVATIONS)


def projection(time, directions, batch, inputs, rows, summed, dtype=np.float32, batch_first=False):
    rng = np.random.default_rng(11)
    x, w, bias = (rng.normal(size=shape).astype(dtype) for shape in
                  ((time, batch, inputs), (directions, rows, inputs), (directions, 2, rows)))
    wide = bias.astype(np.float64)
    both = wide[:, 0] + wide[:, 1] * (np.arange(rows) < summed)
    gates = np.einsum("tbk,drk->tdbr", x.astype(np.float64), w.astype(np.float64)) + both[:, None]
    operands = {"x": Operand(x, spread(x.shape, (1, 0, 2)) if batch_first else None), "w": Operand(w, spread(w.shape, pad=3)),
                "bias": Operand(bias), "gates": Operand(gates.astype(np.float32), result=True)}
    body = (f"recurrent_projection(x, w, bias, gates, {time}, {batch}, {inputs}, {rows}, {summed}, "
            f"{operands['x'].text}, {operands['w'].text});")
    return Case(f"recurrent projection {np.dtype(dtype).name} {time} {directions} {batch} {inputs} {rows} {summed}",
                "ops/recurrent/projection.cuh", body, operands, (-(-time * batch // 64), -(-rows // 64), directions), 256)


def cases():
    for cell in (LSTM, COUPLED, RESET_BEFORE, RESET_AFTER, RNN):
        yield recur(cell, 9, 2, 3, 20, pack=4)
        yield recur(cell, 9, 1, 3, 24, pack=8, weights=np.float16)
        yield recur(cell, 9, 2, 5, 33, tile=2, full=True)
        yield recur(cell, 6, 1, 4, 24, tile=4, pack=2, full=True, reverse=True, batch_first=True)
        yield recur(cell, 7, 1, 2, 16, np.float16, pack=8, block=64)
        yield recur(cell, 7, 2, 5, 12, bfloat16, tile=4, pack=4, block=64, full=True)
        yield recur(cell, 5, 2, 1, 256, pack=4, block=1024, full=True)
        yield recur(cell, 0, 1, 2, 8, full=True)
    yield projection(7, 2, 11, 37, 96, 96)
    yield projection(7, 1, 11, 37, 90, 60, np.float16, batch_first=True)
