"""reduce.cuh: every functor and variant, odd extents, strides in any order, nothing to reduce, NaN and infinities."""
import numpy as np

from op_case import Case, Operand, bfloat16, block_of, grid_for, literal, spread, squaring_prologue, storing_epilogue


def logsumexp(x, axis):
    with np.errstate(all="ignore"):
        m = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
        shifted = np.where(x == m, 0, x - m)
        return np.squeeze(m, axis) + np.log(np.sum(np.exp(shifted), axis=axis))


REFERENCE = {
    "Sum": np.sum, "Mean": lambda x, axis: np.mean(x, axis=axis),
    "Max": lambda x, axis: np.max(x, axis=axis, initial=-np.inf), "Prod": np.prod,
    "Min": lambda x, axis: np.min(x, axis=axis, initial=np.inf), "L1": lambda x, axis: np.sum(np.abs(x), axis=axis),
    "L2": lambda x, axis: np.sqrt(np.sum(x * x, axis=axis)), "SumSquare": lambda x, axis: np.sum(x * x, axis=axis),
    "LogSum": lambda x, axis: np.log(np.sum(x, axis=axis)), "LogSumExp": logsumexp,
}


def case(functor, x, axes, team=None, columns=None, order=None, pad=0, index="int", tolerance=None, dynamic=False):
    kept = [i for i in range(x.ndim) if i not in axes]
    wide = x.astype(np.float64)
    with np.errstate(all="ignore"):
        want = REFERENCE[functor](wide, axis=tuple(axes))
        if x.dtype.kind in "iu":
            want = np.trunc(want)
        want = np.asarray(want).astype(x.dtype)
    source = Operand(x, spread(x.shape, order, pad))
    y = Operand(want, spread(want.shape, pad=pad), result=True, tolerance=tolerance)
    results = int(np.prod(want.shape))
    extents = literal([x.shape[i] for i in kept], index)
    scalars = {}
    if dynamic:
        extents, scalars = f"dims<{index}>({', '.join(f'n{i}' for i in kept)})", {f"n{i}": x.shape[i] for i in kept}
    extents_text = (f"(x, y, {extents}, {literal([source.strides[i] for i in kept])}, {y.text}, "
                    f"{literal([x.shape[i] for i in axes], index)}, {literal([source.strides[i] for i in axes])});")
    functor_text = f"reduction::{functor}<{source.c_type}>"
    name = f"reduce {functor} {x.dtype.name} {list(x.shape)} axes {list(axes)} "
    if columns:  # threads, results of a thread, blocks of a cluster
        threads, at_once, cluster = columns
        grid = (max(1, -(-results // 64)) * cluster,)
        return Case(f"{name}columns {columns}", "providers/nvrtc/device/reduce.cuh",
                    f"reduce_columns<{functor_text}, {threads}, {at_once}, {cluster}>{extents_text}", {"x": source, "y": y},
                    grid, threads, scalars=scalars, cluster=cluster, only="sm_90a" if cluster > 1 else "")
    block = block_of(team)
    return Case(f"{name}team {team}", "providers/nvrtc/device/reduce.cuh", f"reduce<{functor_text}, {team}>{extents_text}",
                {"x": source, "y": y}, grid_for(results, max(1, block // team)), block, scalars=scalars)


def fused(dtype, columns):
    """A sum of x * x + 1, stored by an epilogue, for neighbouring results by `columns` as above."""
    x = np.random.default_rng(3).normal(size=(70, 40)).astype(dtype)
    want = np.sum(np.square(x.astype(np.float64)) + 1, axis=0).astype(np.float32)
    threads, at_once, cluster = columns or (128, 1, 1)
    call = f"reduce_columns<reduction::Sum<float>, {threads}, {at_once}, {cluster}>" if columns else "reduce<reduction::Sum<float>, 32>"
    return Case(f"reduce {x.dtype.name} with prologue and epilogue, columns {columns}", "providers/nvrtc/device/reduce.cuh",
                f"{call}((const float*)nullptr, y, dims<int>(40), dims(1), dims(1), dims<int>(70), dims(40), "
                "Squares{x, 40, 1}, Store{y});", {"x": Operand(x), "y": Operand(want, result=True)}, (cluster,), threads,
                cluster=cluster, prelude=squaring_prologue(dtype) + storing_epilogue(np.float32, 40),
                only="sm_90a" if cluster > 1 else "")


def cases():
    rng = np.random.default_rng(2)

    def normal(shape, dtype=np.float32, shift=0.0):
        return (rng.normal(size=shape) + shift).astype(dtype)

    for functor in REFERENCE:
        positive = 3.0 if functor == "LogSum" else 0.0
        small = (6, 5, 7) if functor == "Prod" else (6, 5, 133)
        yield case(functor, normal(small, shift=positive), (2,), team=32)
        yield case(functor, normal(small, np.float16, positive), (1, 2), team=128)
        yield case(functor, normal((3, 9, 50), shift=positive), (1,), columns=(256, 1, 1), pad=3)
        integers = rng.integers(1, 4, (4, 9, 5)).astype(np.int32)
        if functor not in ("LogSumExp", "LogSum", "L2"):
            yield case(functor, integers, (1,), team=1, index="")
    yield case("Mean", normal((2, 64, 7, 7), bfloat16), (2, 3), columns=(64, 8, 1), order=(0, 2, 3, 1))
    for functor in ("Mean", "LogSumExp"):
        yield case(functor, normal((2, 40, 112, 57), np.float16, 1), (2, 3), columns=(1024, 8, 4), order=(0, 2, 3, 1))
        yield case(functor, normal((1, 72, 5, 9)), (2, 3), columns=(32, 4, 8), order=(0, 2, 3, 1))
    yield case("Mean", normal((2, 20, 31, 33)), (2, 3), team=256, order=(0, 2, 3, 1), pad=1)
    yield case("Sum", normal((3, 100003), shift=1), (1,), team=1024)
    yield case("Sum", normal((100003, 3), shift=1), (0,), columns=(1024, 1, 1))
    yield case("Sum", normal((4, 0, 3)), (1,), team=32)
    yield case("Max", normal((4, 0, 3)), (1,), columns=(64, 1, 1))
    yield case("Mean", normal((0, 5, 3)), (1,), team=32)
    yield case("Sum", np.float64(rng.normal(size=(2, 3, 4, 5, 6))), (0, 2, 4), team=16, index="", dynamic=True)
    yield case("Max", rng.integers(-128, 128, (7, 300)).astype(np.int8), (1,), team=64)
    yield case("Min", rng.integers(0, 256, (7, 300)).astype(np.uint8), (1,), team=2)
    hard = normal((6, 100))
    hard[0, 7], hard[1, 50], hard[2] = np.nan, np.inf, -np.inf
    hard[3, 3], hard[3, 90] = -np.inf, np.inf
    hard[4] += 3e38 / 4
    for functor in ("Max", "Min", "LogSumExp"):
        yield case(functor, hard, (1,), team=32)
        yield case(functor, hard, (1,), team=256)
        yield case(functor, hard.T.copy(), (0,), columns=(128, 2, 1))
    for columns in (None, (64, 1, 1), (128, 8, 1), (64, 4, 2)):
        yield fused(np.float16, columns)
        yield fused(np.float32, columns)
