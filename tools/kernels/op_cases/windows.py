"""Pooling and resizing."""
import itertools
import math

import numpy as np

from op_case import Case, Operand, bfloat16, grid_for, literal, spread


def windows(x, y_extents, kernel, stride, pad, dilation):
    """For every output point: (its coordinates, the positions of x under its window)."""
    for at in itertools.product(*map(range, y_extents)):
        taps = [[a * s - p + t * d for t in range(k)] for a, s, p, d, k in zip(at, stride, pad, dilation, kernel)]
        inside = [[i for i in axis if 0 <= i < n] for axis, n in zip(taps, x.shape[2:])]
        yield at, taps, inside


def pool(kind, x, kernel, stride, pad, pad_end, dilation, ceil=False, channels_last=False, vector=1, column_major=False,
         index="int", include=False, want_indices=False):
    spatial = len(kernel)
    rounding = math.ceil if ceil else math.floor
    y_extents = [rounding((n + a + b - d * (k - 1) - 1) / s) + 1
                 for n, a, b, d, k, s in zip(x.shape[2:], pad, pad_end, dilation, kernel, stride)]
    shape = (*x.shape[:2], *y_extents)
    wide = x.astype(np.float64)
    want, winners = np.zeros(shape), np.full(shape, -1, np.int64)
    for at, taps, inside in windows(x, y_extents, kernel, stride, pad, dilation):
        under = wide[(slice(None), slice(None), *np.ix_(*inside))].reshape(*x.shape[:2], math.prod(map(len, inside)))
        spot = (slice(None), slice(None), *at)
        if kind == "average":
            counted = [sum(-p <= i < n + e for i in axis) for axis, p, e, n in zip(taps, pad, pad_end, x.shape[2:])] \
                if include else [len(axis) for axis in inside]
            with np.errstate(all="ignore"):
                want[spot] = under.sum(-1) / math.prod(counted)
            continue
        lowest = -np.inf if x.dtype.kind not in "iu" else np.iinfo(x.dtype).min
        want[spot] = under.max(-1, initial=lowest)
        if under.shape[-1]:
            flat = np.array([int(np.ravel_multi_index(p, x.shape[2:], order="F" if column_major else "C"))
                             for p in itertools.product(*inside)])
            plane = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2]) * math.prod(x.shape[2:])
            winners[spot] = plane + flat[under.argmax(-1)]
    if kind == "average" and x.dtype.kind in "iu":
        want = np.trunc(want)
    order = (0, *range(2, x.ndim), 1) if channels_last else None
    pad_lines = 0 if vector > 1 else 1
    a = Operand(x, spread(x.shape, order, pad_lines))
    y = Operand(want.astype(x.dtype), spread(shape, order), result=True)
    operands = {"x": a, "y": y}
    if want_indices:
        operands["i"] = Operand(winners, y.strides, result=True)
    i = "i" if want_indices else "(i64*)nullptr"
    lines = ", ".join("{" + ", ".join(map(str, v)) + "}" for v in (kernel, stride, pad, dilation))
    frame = (f"{x.shape[0]}, {x.shape[1]}, {literal(x.shape[2:], index)}, {literal(y_extents, index)}, {a.text}, {y.text}, "
             f"Window<{spatial}>{{{lines}}}")
    flags = f"{str(channels_last).lower()}, {vector}"
    body = f"max_pool<{flags}>(x, y, {i}, {frame}, {str(column_major).lower()});" if kind == "max" else \
        f"average_pool<{flags}, {str(include).lower()}>(x, y, {frame}, {literal(pad_end, 'int')});"
    return Case(f"{kind}_pool {x.dtype.name} {list(x.shape)} kernel {list(kernel)} stride {list(stride)} pad {list(pad)} "
                f"last {channels_last} vector {vector}", f"ops/{kind}_pool/{kind}_pool.cuh", body, operands,
                grid_for(math.prod(shape) // vector))


def source(mode, p, n, m, scale, roi):
    """Coordinate in x of y's point p, in float32 like the definition's users expect."""
    f = np.float32
    p, scale = f(p), f(scale)
    if mode == "half_pixel":
        return (p + f(0.5)) / scale - f(0.5)
    if mode == "tf_half_pixel_for_nn":
        return (p + f(0.5)) / scale
    if mode == "half_pixel_symmetric":
        return f(n) / 2 * (1 - f(m) / (scale * f(n))) + (p + f(0.5)) / scale - f(0.5)
    if mode == "pytorch_half_pixel":
        return (p + f(0.5)) / scale - f(0.5) if m > 1 else f(0)
    if mode == "align_corners":
        return p * f(n - 1) / f(m - 1) if m > 1 else f(0)
    if mode == "asymmetric":
        return p / scale
    a, b = map(f, roi)
    return a * f(n - 1) + p * (b - a) * f(n - 1) / f(m - 1) if m > 1 else f(0.5) * (a + b) * f(n - 1)


def weights(kind, mode, rounding, n, m, scale, roi, a, exclude):
    """Matrix [m, n] of one axis, and which points extrapolate."""
    matrix, outside = np.zeros((m, n)), np.zeros(m, bool)
    for p in range(m):
        x = float(source(mode, p, n, m, scale, roi))
        outside[p] = mode == "tf_crop_and_resize" and not 0 <= x <= n - 1
        if kind == "nearest":
            i = {"floor": math.floor(x), "ceil": math.ceil(x), "round_prefer_floor": math.ceil(x - 0.5),
                 "round_prefer_ceil": math.floor(x + 0.5)}[rounding]
            matrix[p, min(max(i, 0), n - 1)] = 1
            continue
        low = math.floor(x)
        for i in range(low - 1, low + 3):
            d = abs(x - i)
            if kind == "linear":
                w = max(0.0, 1 - d)
            elif d <= 1:
                w = (a + 2) * d**3 - (a + 3) * d**2 + 1
            else:
                w = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0
            if not (exclude and not 0 <= i < n):
                matrix[p, min(max(i, 0), n - 1)] += w
        if exclude:
            matrix[p] /= matrix[p].sum()
    return matrix, outside


def resize(kind, mode, x, sizes, rounding="round_prefer_floor", scales=None, roi=(0.1, 0.8), a=-0.75, exclude=False,
           order=None, index="int", tolerance=None,
           plain_fastest=False):
    axes = len(sizes)
    plain = x.ndim - axes
    scales = scales or [m / n for m, n in zip(sizes, x.shape[plain:])]
    want, outside = x.astype(np.float64), np.zeros(sizes, bool)
    for axis, (n, m, scale) in enumerate(zip(x.shape[plain:], sizes, scales)):
        matrix, out = weights(kind, mode, rounding, n, m, scale, roi, a, exclude)
        want = np.moveaxis(np.tensordot(matrix, want, (1, plain + axis)), 0, plain + axis)
        outside |= out.reshape([-1 if i == axis else 1 for i in range(axes)])
    want = np.where(outside, 9.0, want).astype(x.dtype)
    s = Operand(x, spread(x.shape, order, 1))
    y = Operand(want, spread(want.shape, order), result=True, tolerance=tolerance)
    parts = ", ".join(f"{{{n}, {m}, float({np.float32(f)!s}), {roi[0]}f, {roi[1]}f}}"
                      for n, m, f in zip(x.shape[plain:], sizes, scales))
    body = (f"resize<resize_mode::{kind}, resize_mode::{mode}, resize_mode::{rounding}, {str(plain_fastest).lower()}>(x, y, "
            f"{literal(x.shape[:plain], index)}, {literal(s.strides[:plain])}, {literal(y.strides[:plain])}, {{{parts}}}, "
            f"{literal(s.strides[plain:])}, {literal(y.strides[plain:])}, {a}f, {str(exclude).lower()}, 9.0f);")
    return Case(f"resize {kind} {mode} {rounding} {x.dtype.name} {list(x.shape)} to {list(sizes)}", "ops/resize/resize.cuh",
                body, {"x": s, "y": y}, grid_for(want.size))


def pools(rng):
    def normal(shape, dtype=np.float32):
        return rng.normal(size=shape).astype(dtype)

    hard = normal((2, 3, 9, 11))
    hard[0, 0, 4, 4], hard[1, 1], hard[0, 2] = np.nan, -np.inf, np.round(hard[0, 2])
    two = ((3, 2), (2, 2), (1, 0), (1, 1), (1, 1))
    yield pool("max", hard, *two, want_indices=True)
    yield pool("max", hard, *two, want_indices=True, column_major=True)
    yield pool("max", normal((2, 16, 13, 10), np.float16), (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), channels_last=True,
               vector=8)
    yield pool("max", normal((2, 3, 20)), (4,), (3,), (2,), (1,), (2,), ceil=True, want_indices=True, index="")
    yield pool("max", normal((1, 2, 6, 7, 8)), (2, 3, 2), (1, 2, 3), (0, 1, 1), (1, 0, 1), (2, 1, 1), want_indices=True)
    yield pool("max", rng.integers(-128, 128, (2, 3, 9, 9)).astype(np.int8), (3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    yield pool("max", normal((0, 3, 9, 9)), (3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    for include in (False, True):
        yield pool("average", normal((2, 3, 9, 11)), (3, 4), (2, 3), (1, 2), (1, 1), (1, 1), ceil=True, include=include)
        yield pool("average", normal((2, 16, 9, 11), bfloat16), (3, 3), (1, 2), (1, 1), (1, 1), (2, 2), include=include,
                   channels_last=True, vector=4)
        yield pool("average", normal((1, 2, 6, 7, 8), np.float16), (2, 3, 2), (1, 2, 3), (0, 1, 1), (1, 0, 1), (2, 1, 1),
                   include=include)
        yield pool("average", normal((3, 4, 17)), (5,), (2,), (2,), (2,), (1,), include=include, channels_last=True)


def grid_position(i, extent, padding, corners):
    """Which element stands for position i of an axis; None: a zero."""
    if padding == "border":
        return min(max(i, 0), extent - 1)
    if padding == "reflection":
        line = list(range(extent)) + (list(range(extent - 2, 0, -1)) if corners else list(range(extent - 1, -1, -1)))
        return line[i % len(line)]
    return i if 0 <= i < extent else None


def grid_taps(place, extent, mode, padding, corners):
    """[(element of x, weight)] that one element of the grid reads along its axis."""
    place = np.float32(place)
    at = (place + 1) / 2 * (extent - 1) if corners else ((place + 1) * extent - 1) / 2
    at = min(at, np.float32(1e9)) if at > -1e9 else np.float32(-1e9)  # as for what is no number
    if mode == "nearest":
        read = [(int(np.rint(at)), 1.0)]
    else:
        first, t = int(np.floor(at)), float(at - np.floor(at))
        reach = (0, 1) if mode == "linear" else (-1, 0, 1, 2)

        def weight(d):
            if mode == "linear":
                return 1 - d
            return 1.25 * d**3 - 2.25 * d**2 + 1 if d <= 1 else -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)

        read = [(first + k, weight(abs(t - k))) for k in reach]
    read = [(grid_position(i, extent, padding, corners), w) for i, w in read]
    return [(i, w) for i, w in read if i is not None]


def grid_sample(x, grid, mode, padding, corners, order=None, index="int"):
    axes, wide = x.ndim - 2, x.astype(np.float64)
    want = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for at in np.ndindex(*grid.shape[:-1]):
        places = grid[at][::-1].astype(np.float32)
        taps = [grid_taps(p, n, mode, padding, corners) for p, n in zip(places, x.shape[2:])]
        for read in itertools.product(*taps):
            weight = math.prod(w for _, w in read)
            want[(at[0], slice(None), *at[1:])] += weight * wide[(at[0], slice(None), *(i for i, _ in read))]
    a, g = Operand(x, spread(x.shape, order, 1)), Operand(grid, spread(grid.shape, pad=1))
    y = Operand(want.astype(x.dtype), spread(want.shape, order, 2), result=True, tolerance=2e-3 if x.dtype == np.float16 else 2e-5)
    count = {"nearest": 1, "linear": 2, "cubic": 4}[mode]
    body = (f"grid_sample<{count}>(x, g, y, GridPadding::{padding}, {str(corners).lower()}, {literal(x.shape[2:])}, "
            f"{literal(want.shape, index)}, {a.text}, {g.text}, {y.text});")
    return Case(f"grid_sample {mode} {padding} {x.dtype.name} {list(x.shape)} {'corners' * corners} {axes} axes",
                "ops/grid_sample/grid_sample.cuh", body, {"x": a, "g": g, "y": y}, grid_for(want.size))


def cases():
    rng = np.random.default_rng(8)
    yield from pools(rng)
    modes = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
             "tf_half_pixel_for_nn", "tf_crop_and_resize")
    image = rng.normal(size=(2, 3, 7, 9)).astype(np.float32)
    for mode in modes:
        for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            yield resize("nearest", mode, image, (12, 5), rounding)
        yield resize("linear", mode, image, (13, 4))
        yield resize("cubic", mode, image, (5, 20), exclude=mode == "asymmetric")
    yield resize("nearest", "asymmetric", rng.integers(-9, 9, (3, 4, 6)), (8, 12), "floor", index="")
    yield resize("linear", "half_pixel", rng.normal(size=(1, 4, 5, 6, 7)).astype(np.float16), (9, 3, 14),
                 order=(0, 2, 3, 4, 1), plain_fastest=True)
    yield resize("linear", "align_corners", rng.normal(size=(2, 9)).astype(np.float32), (1,))
    yield resize("cubic", "half_pixel", rng.normal(size=(1, 2, 8, 8)).astype(np.float32), (16, 19), a=-0.5, exclude=True,
                 scales=[2.1, 2.4])
    for mode, padding, corners in itertools.product(("nearest", "linear", "cubic"), ("zeros", "border", "reflection"), (False, True)):
        yield grid_sample(rng.normal(size=(2, 3, 5, 7)).astype(np.float32), rng.uniform(-1.7, 1.7, (2, 4, 6, 2)).astype(np.float32), mode,
                          padding, corners)
    yield grid_sample(rng.normal(size=(1, 8, 6, 9)).astype(np.float16), rng.uniform(-1, 1, (1, 5, 5, 2)).astype(np.float32), "linear",
                      "zeros", False, (0, 2, 3, 1), "")
    yield grid_sample(rng.normal(size=(2, 2, 3, 4, 5)).astype(np.float32), rng.uniform(-1.2, 1.2, (2, 3, 2, 4, 3)).astype(np.float32),
                      "linear", "border", True)
    yield grid_sample(rng.normal(size=(1, 2, 9)).astype(np.float32), np.array([[[np.nan], [1e30], [-1e30], [0.1]]], np.float32), "linear",
                      "zeros", False)
