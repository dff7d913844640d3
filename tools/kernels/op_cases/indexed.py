"""Gather and scatter."""
import itertools

import numpy as np

from op_case import Case, Operand, grid_for, literal, spread, storing_epilogue


def picked(x, q, axis, vector=1):
    """C++ text: where what operand q picks along an axis of x lies."""
    x_strides = x.strides[:axis] + [0] * q.values.ndim + x.strides[axis + 1:]
    q_strides = [0] * axis + q.strides + [0] * (x.values.ndim - axis - 1)
    x_strides[-1:] = [s * vector for s in x_strides[-1:]]
    return f"picked(q, {literal(q_strides)}, {literal(x_strides)}, {x.values.shape[axis]}, {x.strides[axis]})"


def gather(x, indices, axis, order=None, index="int", vector=0):
    """`vector`: how many elements of the last axis an epilogue gets at a time; 0: there is none."""
    inside = (indices >= -x.shape[axis]) & (indices < x.shape[axis])
    want = np.take(x, np.where(inside, indices, 0) % max(x.shape[axis], 1), axis) if x.shape[axis] else \
        np.zeros(x.shape[:axis] + indices.shape + x.shape[axis + 1:], x.dtype)
    shaped = inside.reshape((1,) * axis + indices.shape + (1,) * (x.ndim - axis - 1))
    want = np.where(shaped, want, np.zeros((), x.dtype)).astype(x.dtype)
    a, q = Operand(x, spread(x.shape, order, max(vector, 1))), Operand(indices, spread(indices.shape, pad=1))
    y = Operand(want, spread(want.shape, pad=2), result=True)
    name = f"{x.dtype.name} {list(x.shape)} by {list(indices.shape)} axis {axis}"
    if vector == 0:
        body = f"gather(x, {picked(a, q, axis)}, y, {literal(want.shape, index)}, {y.text});"
        return Case(f"gather {name}", "ops/gather/gather.cuh", body, {"x": a, "q": q, "y": y}, grid_for(want.size))
    y = Operand(want, result=True)
    extents = want.shape[:-1] + (want.shape[-1] // vector,)
    body = f"gather_rows<{vector}>(x, {picked(a, q, axis, vector)}, {literal(extents, index)}, Store{{y}});"
    return Case(f"gather_rows {name}", "ops/gather/gather.cuh", body, {"x": a, "q": q, "y": y},
                grid_for(want.size // vector), prelude=storing_epilogue(x.dtype, want.shape[-1]))


def gather_elements(x, indices, axis, order=None):
    want = np.take_along_axis(x[tuple(slice(n) if i != axis else slice(None) for i, n in enumerate(indices.shape))],
                              indices % x.shape[axis], axis)
    a, q = Operand(x, spread(x.shape, order, 1)), Operand(indices, spread(indices.shape, pad=1))
    y = Operand(want, result=True)
    body = (f"gather_elements<{axis}>(x, q, y, {x.shape[axis]}, {literal(indices.shape, 'int')}, {a.text}, {q.text}, "
            f"{y.text});")
    return Case(f"gather_elements {x.dtype.name} {list(x.shape)} by {list(indices.shape)} axis {axis}",
                "ops/gather_elements/gather_elements.cuh", body, {"x": a, "q": q, "y": y}, grid_for(want.size))


def gather_nd(x, indices, batch, index="int"):
    depth = indices.shape[-1]
    picked, inner = indices.shape[batch:-1], x.shape[batch + depth:]
    want = np.zeros(indices.shape[:-1] + inner, x.dtype)
    for at in np.ndindex(*indices.shape[:-1]):
        want[at] = x[at[:batch] + tuple(indices[at])]
    a, q = Operand(x, spread(x.shape, pad=1)), Operand(indices, spread(indices.shape, pad=1))
    y = Operand(want, spread(want.shape, pad=1), result=True)
    body = (f"gather_nd(x, q, y, {literal(x.shape[:batch], index)}, {literal(a.strides[:batch])}, "
            f"{literal(q.strides[:batch])}, {literal(picked, index)}, {literal(q.strides[batch:-1])}, {q.strides[-1]}, "
            f"{literal(x.shape[batch:batch + depth])}, {literal(a.strides[batch:batch + depth])}, {literal(inner, index)}, "
            f"{literal(a.strides[batch + depth:])}, {y.text});")
    return Case(f"gather_nd {x.dtype.name} {list(x.shape)} by {list(indices.shape)} batch {batch}",
                "ops/gather_nd/gather_nd.cuh", body, {"x": a, "q": q, "y": y}, grid_for(want.size))


APPLY = {"None": lambda old, new: new, "Add": lambda a, b: a + b, "Mul": lambda a, b: a * b, "Min": np.minimum,
         "Max": np.maximum}


def scatter_nd(reduction, data, indices, updates, partitions, distinct=False):
    depth = indices.shape[-1]
    picked, inner = indices.shape[:-1], data.shape[depth:]
    want = data.copy()
    for at in np.ndindex(*picked):
        where = tuple(indices[at])
        if all(-n <= i < n for i, n in zip(where, data.shape)):
            want[where] = APPLY[reduction](want[where], updates[at])
    y = Operand(want, spread(data.shape, pad=1), result=True, start=data)
    q, u = Operand(indices, spread(indices.shape, pad=1)), Operand(updates, spread(updates.shape, pad=2))
    p = len(picked)
    body = (f"scatter_nd<scatter::{reduction}, {str(distinct).lower()}>(y, q, u, {literal(picked, 'int')}, "
            f"{literal(q.strides[:-1])}, {q.strides[-1]}, {literal(u.strides[:p])}, {literal(data.shape[:depth])}, "
            f"{literal(y.strides[:depth])}, {literal(inner, 'int')}, {literal(y.strides[depth:])}, "
            f"{literal(u.strides[p:])}, {partitions});")
    return Case(f"scatter_nd {reduction} {data.dtype.name} {list(data.shape)} by {list(indices.shape)} parts {partitions}",
                "ops/scatter_nd/scatter_nd.cuh", body, {"y": y, "q": q, "u": u},
                grid_for(int(np.prod(inner)) * max(partitions, 1)))


def scatter_elements(reduction, data, indices, updates, axis, partitions, distinct=False):
    want = data.copy()
    for at in np.ndindex(*indices.shape):
        index = indices[at]
        if -data.shape[axis] <= index < data.shape[axis]:
            where = at[:axis] + (index,) + at[axis + 1:]
            want[where] = APPLY[reduction](want[where], updates[at])
    y = Operand(want, spread(data.shape, pad=1), result=True, start=data)
    q, u = Operand(indices, spread(indices.shape, pad=1)), Operand(updates)
    body = (f"scatter_elements<scatter::{reduction}, {str(distinct).lower()}, {axis}>(y, q, u, {data.shape[axis]}, "
            f"{literal(indices.shape, 'int')}, {y.text}, {q.text}, {u.text}, {partitions});")
    return Case(f"scatter_elements {reduction} {data.dtype.name} {list(data.shape)} by {list(indices.shape)} axis {axis} "
                f"parts {partitions}", "ops/scatter_elements/scatter_elements.cuh", body, {"y": y, "q": q, "u": u},
                grid_for(indices.size))


def cases():
    rng = np.random.default_rng(9)

    def normal(shape, dtype=np.float32):
        return rng.normal(size=shape).astype(dtype)

    def some(n, shape, dtype=np.int64):
        return rng.integers(-n, n, shape).astype(dtype)

    yield gather(normal((5, 30, 7)), some(30, (4, 3)), 1)
    yield gather(normal((30, 17), np.float16), some(30, (6,), np.int32), 0, (1, 0))
    yield gather(normal((4, 30)), np.array(-1), 1, index="")
    yield gather(normal((4, 30)), np.array([5, 30, -31, 1 << 40, -(1 << 40), -30]), 1)
    yield gather(normal((4, 30)), np.zeros((0,), np.int64), 1)
    yield gather(normal((4, 0)), np.zeros((2,), np.int64), 1)
    yield gather(rng.integers(0, 2, (9, 5)).astype(bool), some(9, (3,)), 0)
    yield gather(normal((3, 30, 24), np.float16), some(30, (4, 5)), 1, vector=8)
    yield gather(normal((30, 6)), np.array([5, 30, -31, 1 << 40, -30]), 0, vector=1)
    yield gather(normal((4, 9), np.float16), some(9, (3, 2)), 1, vector=1)
    yield gather_elements(normal((6, 20, 5), np.float16), some(20, (4, 11, 5)), 1, (2, 0, 1))
    yield gather_elements(normal((50,)), some(50, (70,), np.int32), 0)
    yield gather_nd(normal((4, 5, 6, 7)), np.stack([some(5, (4, 3)), some(6, (4, 3))], -1), 1)
    yield gather_nd(normal((4, 5, 6), np.float16), np.stack([some(4, (8,)), some(5, (8,)), some(6, (8,))], -1), 0, "")
    yield gather_nd(normal((4, 5)), some(4, (2, 3, 1)), 0)
    for reduction, parts in itertools.product(APPLY, (1, 7)):
        tuples = np.stack([some(4, (60,)), some(5, (60,))], -1)
        yield scatter_nd(reduction, normal((4, 5, 9)), tuples, normal((60, 9)), parts)
        yield scatter_nd(reduction, rng.integers(-9, 9, (4, 5)).astype(np.int32), tuples[:20],
                         rng.integers(-9, 9, (20,)).astype(np.int32), 64 * parts)
        yield scatter_elements(reduction, normal((6, 10, 4), np.float64), some(10, (5, 30, 4)),
                               normal((5, 30, 4), np.float64), 1, parts)
        yield scatter_elements(reduction, normal((40,)), some(41, (500,)), normal((500,)), 0, 32 * parts)
    order = np.array(list(itertools.product(range(4), range(5))))[rng.permutation(20)]
    yield scatter_nd("None", normal((4, 5, 300), np.float16), order, normal((20, 300), np.float16), 20, True)
    lines = np.stack([rng.permutation(10)[:7] for _ in range(6)])
    yield scatter_elements("Add", normal((6, 10)), lines, normal((6, 7)), 1, 1, True)
    yield scatter_nd("None", normal((4, 5)), np.array([[4, 0], [0, 5], [-4, -5], [-5, 0]]), normal((4,)), 3)
    yield scatter_nd("Add", normal((4, 5)), np.zeros((0, 2), np.int64), normal((0,)), 3)
