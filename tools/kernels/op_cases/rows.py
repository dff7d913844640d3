"""Functions along rows: softmax, normalisation, scans, arg max, top k."""
import numpy as np

from op_case import Case, Operand, bfloat16, block_of, grid_for, literal, spread, squaring_prologue, storing_epilogue


def without(values, axis):
    return [v for i, v in enumerate(values) if i != axis]


def rows_grid(rows, team, block):
    return grid_for(rows, block // team)


def softmax(x, axis, team, cached, logarithm=False, order=None, pad=0, index="int"):
    wide = x.astype(np.float64)
    with np.errstate(all="ignore"):
        e = wide - np.max(wide, axis=axis, keepdims=True, initial=-np.inf)
        total = np.sum(np.exp(e), axis=axis, keepdims=True)
        want = (e - np.log(total) if logarithm else np.exp(e) / total).astype(x.dtype)
    a, y = Operand(x, spread(x.shape, order, pad)), Operand(want, spread(x.shape, pad=pad + 1), result=True)
    block = block_of(team)
    body = (f"softmax<{str(logarithm).lower()}, {team}, {cached}>(x, y, {literal(without(x.shape, axis), index)}, "
            f"{literal(without(a.strides, axis))}, {literal(without(y.strides, axis))}, {x.shape[axis]}, "
            f"{a.strides[axis]}, {y.strides[axis]});")
    rows = int(np.prod(without(x.shape, axis)))
    return Case(f"{'log_' if logarithm else ''}softmax {x.dtype.name} {list(x.shape)} axis {axis} team {team} cached {cached}",
                "ops/softmax/softmax.cuh", body, {"x": a, "y": y}, rows_grid(rows, team, block), block)


def layer_normalization(x, first, team, cached, rms=False, scale=True, order=None, pad=0, picks=None):
    """`picks`: numbers of the rows that are normalised, along the last axis before them."""
    rng = np.random.default_rng(5)
    a = Operand(x, spread(x.shape, order, pad))
    x_rows, table = literal(a.strides[:first]), {}
    if picks is not None:
        table = {"t": Operand(picks, spread(picks.shape, pad=1))}
        x_rows = (f"picked_rows({literal(a.strides[:first - 1] + [0] * picks.ndim)}, t, "
                  f"{literal([0] * (first - 1) + table['t'].strides)}, {a.strides[first - 1]})")
        x, first = np.take(x, picks, first - 1), first - 1 + picks.ndim
    inner, outer = x.shape[first:], x.shape[:first]
    s, b = rng.normal(size=inner).astype(np.float32), rng.normal(size=inner).astype(x.dtype).astype(np.float32)
    axes, wide = tuple(range(first, x.ndim)), x.astype(np.float64)
    mean = 0 if rms else wide.mean(axes, keepdims=True)
    inverse = 1 / np.sqrt(np.mean((wide - mean) ** 2, axes, keepdims=True) + 1e-5)
    want = (wide - mean) * inverse
    if scale:
        want = want * s + b
    shape = [-1] if outer else [1]
    y = Operand(want.astype(x.dtype), spread(x.shape, pad=pad), result=True)
    operands = {"x": a, "s": Operand(s), "b": Operand(b), "y": y} | table
    operands["inverses"] = Operand(np.broadcast_to(inverse, outer + (1,) * len(inner)).reshape(shape).astype(np.float32),
                                   result=True)
    if not rms:
        operands["means"] = Operand(mean.reshape(shape).astype(np.float32), result=True)
    null = "(const float*)nullptr"
    body = (f"layer_normalization<{str(rms).lower()}, {team}, {cached}>(x, {'s, b' if scale else f'{null}, {null}'}, y, "
            f"{'(float*)nullptr' if rms else 'means'}, inverses, {literal(outer, 'int')}, {literal(inner, 'int')}, "
            f"{x_rows}, {literal(a.strides[a.values.ndim - len(inner):])}, {operands['s'].text}, {operands['b'].text}, "
            f"{literal(y.strides[:first])}, {literal(y.strides[first:])}, 1e-5);")
    block = block_of(team)
    return Case(f"layer_normalization {x.dtype.name} {list(x.shape)} from {first} team {team} rms {rms}{' picked' if table else ''}",
                "ops/layer_normalization/layer_normalization.cuh", body, operands,
                rows_grid(int(np.prod(outer)), team, block), block)


def around(function, x, team, cached):
    """Softmax or layer_normalization along rows of x * x + 1, stored by an epilogue."""
    rows, length = x.shape
    wide = np.square(x.astype(np.float64)) + 1
    if function == "softmax":
        e = np.exp(wide - wide.max(1, keepdims=True))
        want, header = e / e.sum(1, keepdims=True), "ops/softmax/softmax.cuh"
        call = (f"softmax<false, {team}, {cached}>((const float*)nullptr, y, dims<int>({rows}), dims({length}), dims({length}), "
                f"{length}, 1, 1")
    else:
        want = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-3)
        null, header = "(const float*)nullptr", "ops/layer_normalization/layer_normalization.cuh"
        call = (f"layer_normalization<false, {team}, {cached}>({null}, {null}, {null}, y, (float*)nullptr, (float*)nullptr, "
                f"dims<int>({rows}), dims<int>({length}), dims({length}), dims(1), dims(0), dims(0), dims({length}), dims(1), 1e-3")
    block = block_of(team)
    return Case(f"{function} {x.dtype.name} {list(x.shape)} with prologue and epilogue, team {team} cached {cached}", header,
                f"{call}, Squares{{x, {length}, 1}}, Store{{y}});", {"x": Operand(x), "y": Operand(want.astype(x.dtype), result=True)},
                rows_grid(rows, team, block), block, prelude=squaring_prologue(x.dtype) + storing_epilogue(x.dtype, length))


def instance_normalization(x, groups, team, cached, order=None, pad=0):
    rng = np.random.default_rng(6)
    n, c = x.shape[:2]
    s, b = rng.normal(size=c).astype(np.float32), rng.normal(size=c).astype(np.float32)
    grouped = x.astype(np.float64).reshape(n, groups, -1)
    wide = (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + 1e-3)
    channel = (1, c) + (1,) * (x.ndim - 2)
    want = (wide.reshape(x.shape) * s.reshape(channel) + b.reshape(channel)).astype(x.dtype)
    a, y = Operand(x, spread(x.shape, order, pad)), Operand(want, spread(x.shape, order), result=True)
    block = block_of(team)
    body = (f"instance_normalization<{team}, {cached}>(x, s, b, y, {groups}, {literal(x.shape, 'int')}, {a.text}, "
            f"{y.text}, 2, 1, 1e-3);")
    return Case(f"instance_normalization {x.dtype.name} {list(x.shape)} groups {groups} team {team}",
                "ops/instance_normalization/instance_normalization.cuh", body,
                {"x": a, "s": Operand(s, [2]), "b": Operand(b), "y": y}, rows_grid(n * groups, team, block), block)


def channels_last_normalization(x, groups, v, threads, slabs):
    """The moments of each block's part of an image, and the whole from moments as they must be."""
    rng = np.random.default_rng(6)
    n, positions, c = x.shape
    s, b = rng.normal(size=c).astype(np.float32), rng.normal(size=c).astype(np.float32)
    each = -(-positions // slabs)
    moments = np.zeros((n, slabs, groups, 3))
    for slab in range(slabs):
        part = x[:, slab * each: (slab + 1) * each].astype(np.float64).reshape(n, -1, groups, c // groups)
        if part.size:
            mean = part.mean((1, 3))
            moments[:, slab, :, 0] = part.shape[1] * part.shape[3]
            moments[:, slab, :, 1], moments[:, slab, :, 2] = mean, ((part - mean[:, None, :, None]) ** 2).sum((1, 3))
    grouped = x.astype(np.float64).reshape(n, positions, groups, -1)
    wide = (grouped - grouped.mean((1, 3), keepdims=True)) / np.sqrt(grouped.var((1, 3), keepdims=True) + 1e-3)
    want = (wide.reshape(x.shape) * s + b).astype(x.dtype)
    rows = max(1, threads // (c // v))
    a = Operand(x, [positions * (c + v), c + v, 1])
    frame = f"using Frame = ChannelsLast<{c}, {groups}, {v}, {threads}>; const Frame frame({positions}, {slabs}); "
    image = f"<Frame, {v}>(frame, x, {a.strides[0]}, {a.strides[1]}, "
    name, header = f"{x.dtype.name} {list(x.shape)} groups {groups}", "ops/instance_normalization/channels_last_normalization.cuh"
    yield Case(f"group_moments {name}", header, f"{frame}group_moments{image}m);",
               {"x": a, "m": Operand(moments.astype(np.float32), result=True)}, (n * slabs,), threads, rows * c * 8)
    yield Case(f"group_normalize {name}", header, f"{frame}group_normalize{image}{positions}, {slabs}, m, s, 2, b, 1, 1e-3f, Store{{y}});",
               {"x": a, "m": Operand(moments.astype(np.float32)), "s": Operand(s, [2]), "b": Operand(b),
                "y": Operand(want, result=True)}, (n * slabs,), threads, prelude=storing_epilogue(x.dtype, c))


def cum_sum(x, axis, team, exclusive, reverse, order=None):
    wide = x if x.dtype.kind in "iu" else x.astype(np.float64)
    walked = np.flip(wide, axis) if reverse else wide
    sums = np.cumsum(walked, axis)
    if exclusive and x.shape[axis]:
        sums = np.concatenate([np.zeros_like(np.take(sums, [0], axis)), np.take(sums, range(x.shape[axis] - 1), axis)], axis)
    want = (np.flip(sums, axis) if reverse else sums).astype(x.dtype)
    # Each addition rounds by a part of the sum it gives, and the greatest sum may be far from the last.
    tolerance = 2.0**-21 * np.abs(want).max(initial=16) if x.dtype == np.float32 else None
    a = Operand(x, spread(x.shape, order))
    y = Operand(want, spread(x.shape, pad=2), result=True, tolerance=tolerance)
    block = block_of(team)
    body = (f"cum_sum<{str(exclusive).lower()}, {str(reverse).lower()}, {team}>(x, y, "
            f"{literal(without(x.shape, axis))}, {literal(without(a.strides, axis))}, {literal(without(y.strides, axis))}, "
            f"{x.shape[axis]}, {a.strides[axis]}, {y.strides[axis]});")
    return Case(f"cum_sum {x.dtype.name} {list(x.shape)} axis {axis} team {team} {exclusive} {reverse}",
                "ops/cum_sum/cum_sum.cuh", body, {"x": a, "y": y},
                rows_grid(int(np.prod(without(x.shape, axis))), team, block), block)


def arg_max(x, axis, team, smallest, last, order=None):
    wide = x.astype(np.float64)
    search = np.argmin if smallest else np.argmax
    want = x.shape[axis] - 1 - search(np.flip(wide, axis), axis) if last else search(wide, axis)
    a, y = Operand(x, spread(x.shape, order, 1)), Operand(np.asarray(want, np.int64), result=True)
    block = block_of(team)
    body = (f"arg_max<{str(smallest).lower()}, {str(last).lower()}, {team}>(x, y, {literal(without(x.shape, axis), 'int')}, "
            f"{literal(without(a.strides, axis))}, {y.text}, {x.shape[axis]}, {a.strides[axis]});")
    return Case(f"arg_max {x.dtype.name} {list(x.shape)} axis {axis} team {team} {smallest} {last}",
                "ops/arg_max/arg_max.cuh", body, {"x": a, "y": y},
                rows_grid(int(np.prod(without(x.shape, axis))), team, block), block)


def top_k(x, axis, k, largest, threads=256, capacity=64, order=None):
    wide = x if x.dtype.kind in "iub" else x.astype(np.float64)
    # A stable ascending sort of the negated values; NaN is above inf, which argsort puts last.
    if largest:
        key = np.where(np.isnan(wide), -np.inf, -wide) if wide.dtype.kind == "f" else ~wide.astype(np.int64)
        order_of = np.argsort(key, axis, kind="stable")
        if wide.dtype.kind == "f":
            order_of = np.lexsort((key, ~np.isnan(wide)), axis)
    else:
        order_of = np.argsort(wide, axis, kind="stable")
    indices = np.take(order_of, range(k), axis)
    values = np.take_along_axis(x, indices, axis)
    strides = spread(values.shape, pad=1)
    a, v = Operand(x, spread(x.shape, order)), Operand(values, strides, result=True)
    i = Operand(indices.astype(np.int64), strides, result=True)
    lines, operands, scratch, size = int(np.prod(without(x.shape, axis))), {"x": a, "v": v, "i": i}, "nullptr", 1
    while size < k:
        size *= 2
    grid = (max(1, lines // 2),)
    if size > capacity:
        words = size * (2 if x.dtype.itemsize > 4 else 1) * grid[0]
        operands["scratch"], scratch = Scratch(words), "scratch"
    body = (f"top_k<{str(largest).lower()}, {threads}, {capacity}>(x, v, i, {scratch}, "
            f"{literal(without(x.shape, axis), 'int')}, {literal(without(a.strides, axis))}, "
            f"{literal(without(strides, axis))}, {x.shape[axis]}, {a.strides[axis]}, {k}, {strides[axis]});")
    return Case(f"top_k {x.dtype.name} {list(x.shape)} axis {axis} k {k} largest {largest}", "ops/top_k/top_k.cuh", body,
                operands, grid, threads)


class Scratch(Operand):
    """Memory a kernel may use as it likes; what lies around it must survive."""

    def __init__(self, words):
        super().__init__(np.zeros(words, np.uint64), result=True)

    def complaint(self, before, after):
        self.values = self.window(after).copy()
        return super().complaint(before, after)


def cases():
    rng = np.random.default_rng(7)

    def normal(shape, dtype=np.float32, scale=1.0):
        return (rng.normal(size=shape) * scale).astype(dtype)

    hard = normal((7, 90), scale=5)
    hard[0, 3], hard[1], hard[2, 5], hard[3, ::2] = np.nan, -np.inf, np.inf, -np.inf
    for logarithm in (False, True):
        yield softmax(hard, 1, 32, 3, logarithm)
        yield softmax(hard, 1, 32, 0, logarithm)
        yield softmax(hard, 1, 128, 1, logarithm)
        yield softmax(normal((3, 5, 197), np.float16, 4), 2, 64, 4, logarithm, pad=3)
        yield softmax(normal((2, 50257), scale=6), 1, 1024, 0, logarithm)
    for function in ("softmax", "layer_normalization"):
        for team, cached in ((8, 12), (32, 0), (128, 1)):
            yield around(function, normal((11, 90)), team, cached)
            yield around(function, normal((11, 90), np.float16), team, cached)
    yield softmax(normal((2, 9, 33, 5)), 1, 8, 2, order=(0, 2, 3, 1))
    yield softmax(normal((2, 9, 33, 5), bfloat16), 2, 1, 0, index="")
    yield softmax(normal((3, 0)), 1, 32, 1)
    yield softmax(normal((0, 8)), 1, 32, 1)
    yield softmax(np.float64(rng.normal(size=(4, 10)) * 300), 0, 4, 3)
    for team, cached in ((128, 6), (32, 24), (256, 0)):
        yield layer_normalization(normal((3, 11, 768)) + 5, 2, team, cached)
    yield layer_normalization(normal((5, 4, 33), np.float16), 1, 64, 3, pad=5)
    yield layer_normalization(normal((2, 8, 7, 96), np.float16), 3, 32, 3, rms=True, order=(0, 3, 1, 2))
    yield layer_normalization(normal((70,)), 0, 32, 0, scale=False)
    yield layer_normalization(normal((0, 70)), 1, 32, 3)
    yield layer_normalization(normal((4, 100)) + 30, 1, 32, 4)
    for order in (None, (1, 2, 0)):
        yield layer_normalization(normal((2, 30, 96), np.float16), 2, 32, 3, order=order, picks=rng.integers(0, 30, (4, 3, 5)))
    yield layer_normalization(normal((9, 33)), 1, 8, 0, picks=rng.integers(0, 9, (7,)))
    yield instance_normalization(normal((3, 6, 15, 17)), 6, 256, 1)
    yield instance_normalization(normal((2, 12, 9, 5), np.float16), 3, 128, 0, order=(0, 2, 3, 1), pad=1)
    yield instance_normalization(normal((2, 4, 1000)), 2, 512, 0)
    yield from channels_last_normalization(normal((2, 100, 320), np.float16) + np.float16(7), 32, 8, 256, 4)
    yield from channels_last_normalization(normal((1, 37, 1280), np.float16), 32, 8, 320, 8)
    yield from channels_last_normalization(normal((3, 5, 24)) + 30, 24, 4, 256, 2)
    for exclusive in (False, True):
        for reverse in (False, True):
            yield cum_sum(normal((3, 700)), 1, 256, exclusive, reverse)
            yield cum_sum(rng.integers(-9, 9, (3, 77, 5)).astype(np.int32), 1, 32, exclusive, reverse, (2, 0, 1))
    yield cum_sum(normal((5, 9), np.float16), 0, 1, False, False)
    yield cum_sum(normal((1, 100000)), 1, 1024, False, False)
    yield cum_sum(normal((3, 0)), 1, 32, False, True)
    ties = rng.integers(0, 5, (6, 300)).astype(np.float32)
    ties[2, 100] = ties[2, 200] = np.nan
    for smallest in (False, True):
        for last in (False, True):
            yield arg_max(ties, 1, 32, smallest, last)
            yield arg_max(ties.astype(np.float16), 1, 128, smallest, last, (1, 0))
            yield arg_max(rng.integers(-3, 3, (4, 9, 5)), 1, 4, smallest, last)
    yield arg_max(normal((1, 100001)), 1, 1024, False, False)
    for largest in (True, False):
        yield top_k(ties, 1, 50, largest)
        yield top_k(ties, 1, 300, largest)
        yield top_k(hard, 0, 7, largest, threads=64)
        yield top_k(normal((3, 1000, 4), np.float16), 1, 64, largest, order=(0, 2, 1))
        yield top_k(rng.integers(-2**40, 2**40, (3, 500)), 1, 100, largest)
        yield top_k(rng.integers(0, 256, (2, 999)).astype(np.uint8), 1, 33, largest)
        yield top_k(np.float64(rng.normal(size=(2, 200))), 1, 1, largest)
    yield top_k(normal((2, 100000)), 1, 300, True, 1024, 512)
    yield top_k(normal((1, 100000)), 1, 100000, True, 1024, 64)
    yield top_k(normal((2, 5)), 1, 0, True)
