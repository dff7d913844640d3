"""The LSTM recurrence."""
import numpy as np

from op_case import Case, Operand, literal


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def recurrence(gates, r, p, h, c, lengths, clip, couple, backwards):
    """One direction: gates [time, batch, 4, hidden]; y, and the last h and c."""
    y = np.zeros(gates.shape[:2] + gates.shape[3:])
    h, c = h.copy(), c.copy()
    for b in range(gates.shape[1]):
        steps = range(min(lengths[b], gates.shape[0]))
        for t in reversed(steps) if backwards else steps:
            i, o, f, g = gates[t, b] + (h[b] @ r.T).reshape(4, -1)
            i = sigmoid(np.clip(i + p[0] * c[b], -clip, clip))
            f = 1 - i if couple else sigmoid(np.clip(f + p[2] * c[b], -clip, clip))
            c[b] = f * c[b] + i * np.tanh(np.clip(g, -clip, clip))
            h[b] = sigmoid(np.clip(o + p[1] * c[b], -clip, clip)) * np.tanh(np.clip(c[b], -clip, clip))
            y[t, b] = h[b]
    return y, h, c


def lstm(time, directions, batch, hidden, dtype=np.float32, tile=1, block=128, full=False, reverse=False, couple=False,
         batch_first=False):
    rng = np.random.default_rng(10)

    def normal(*shape):
        return rng.normal(size=shape).astype(dtype)

    gates, r = normal(time, directions, batch, 4 * hidden), normal(directions, 4 * hidden, hidden) * dtype(0.3)
    p, h, c = normal(directions, 3, hidden), normal(directions, batch, hidden), normal(directions, batch, hidden)
    lengths = rng.integers(0, time + 3, batch).astype(np.int32)
    clip = 1.5 if full else np.inf
    if not full:
        p, h, c, lengths = p * dtype(0), h * dtype(0), c * dtype(0), np.full(batch, time, np.int32)
    each = [recurrence(gates[:, d].astype(np.float64).reshape(time, batch, 4, hidden), r[d].astype(np.float64),
                       p[d].astype(np.float64), h[d].astype(np.float64), c[d].astype(np.float64), lengths, clip, couple,
                       reverse or d == 1) for d in range(directions)]
    y, y_h, y_c = (np.stack(v, 1 if v[0].ndim == 3 else 0).astype(dtype) for v in
                   ([e[0] for e in each], [e[1][None] for e in each], [e[2][None] for e in each]))
    y_h, y_c = y_h.reshape(directions, batch, hidden), y_c.reshape(directions, batch, hidden)
    strides = [directions * hidden, hidden, time * directions * hidden, 1] if batch_first else None
    operands = {"gates": Operand(gates), "r": Operand(np.ascontiguousarray(r.transpose(0, 2, 1))),
                "y": Operand(y.reshape(time, directions, batch, hidden), strides, result=True),
                "y_h": Operand(y_h, result=True), "y_c": Operand(y_c, result=True)}
    if full:
        operands |= {"p": Operand(p), "h": Operand(h), "c": Operand(c), "lengths": Operand(lengths)}
    state = literal([batch * hidden, hidden])
    optional = "p, h, c" if full else "nullptr, nullptr, nullptr"
    T = operands["y"].c_type
    body = (f"lstm<{tile}, {str(couple).lower()}>(LstmOperands<{T}>{{gates, {literal(operands['gates'].strides[:3])}, r, "
            f"{optional}, {state}, {state}, {'lengths' if full else 'nullptr'}, y, {literal(operands['y'].strides[:3])}, "
            f"y_h, y_c, {state}, {state}}}, {time}, {batch}, {hidden}, "
            f"{'1.5f' if full else 'float(prim::infinity())'}, {str(reverse).lower()});")
    return Case(f"lstm {np.dtype(dtype).name} time {time} directions {directions} batch {batch} hidden {hidden} tile {tile} "
                f"full {full}", "ops/lstm/lstm.cuh", body, operands, (-(-batch // tile), directions), block,
                tile * 6 * hidden * 4)


def cases():
    yield lstm(9, 2, 3, 20)
    yield lstm(9, 2, 5, 33, tile=2, full=True)
    yield lstm(6, 1, 4, 24, tile=4, full=True, reverse=True, couple=True, batch_first=True)
    yield lstm(7, 1, 2, 16, np.float16, block=64)
    yield lstm(5, 2, 1, 256, block=1024, full=True)
    yield lstm(0, 1, 2, 8, full=True)
