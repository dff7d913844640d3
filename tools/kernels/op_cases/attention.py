"""Attention: head dims, lengths, masks, layouts, rows that see nothing."""
import numpy as np

from op_case import Case, Map, Operand, bfloat16, literal, spread


def reference(q, k, v, mask, scale):
    """As Softmax and MatMul have it: a row of -inf is NaN, no keys give 0."""
    with np.errstate(all="ignore"):
        scores = np.einsum("bhqd,bhkd->bhqk", q, k) * scale + mask
        e = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
        return np.einsum("bhqk,bhkd->bhqd", e / e.sum(-1, keepdims=True), v)


def attention(queries, keys, dim, value_dim=None, dtype=np.float16, batch=(2, 3), warps=4, groups=0, turns=None,
              key_tile=64, stages=2, blocks=5, order=(0, 2, 1, 3), pad=0, step=1, width=16, mask=None, mask_shape=None,
              scale=0.3, loud=0.0):
    rng = np.random.default_rng(13)
    value_dim = value_dim or dim
    q, k, v = (rng.normal(size=(*batch, rows, columns)).astype(dtype)
               for rows, columns in ((queries, dim), (keys, dim), (keys, value_dim)))
    q = (q + np.asarray(loud, dtype)).astype(dtype)
    if mask == "random":
        added = rng.normal(size=mask_shape).astype(dtype)
        added[rng.random(mask_shape) < 0.2] = -np.inf
    elif mask == "causal":
        added = np.where(np.tri(queries, keys, dtype=bool), 0, -np.inf).astype(dtype)[None, None]
    elif mask == "hard":  # rows of -inf, of NaN, of +inf; the first keys of a row -inf
        added = np.zeros((1, 1, queries, keys), dtype)
        added[..., 1, :], added[..., 2, 3], added[..., 3, 5], added[..., 4, :-1] = -np.inf, np.nan, np.inf, -np.inf
    else:
        added = np.zeros((1, 1, 1, 1), dtype)
    want = reference(*(x.astype(np.float64) for x in (q, k, v, added)), scale).astype(dtype)
    operands = {name: Operand(x, spread(x.shape, order, pad, step)) for name, x in (("q", q), ("k", k), ("v", v))}
    operands["y"] = Operand(want, spread(want.shape, order, pad), result=True,
                            tolerance={"float16": 3e-3, "bfloat16": 2e-2}[np.dtype(dtype).name])
    text = "NoMask{}"
    if mask:
        operands["m"] = Operand(added, spread(added.shape, pad=1 if mask == "random" else 0))
        along = [s if n > 1 else 0 for s, n in zip(operands["m"].strides, added.shape)]
        pairs = str(along[3] == 1 and keys % 2 == 0 and all(s % 2 == 0 for s in along[:3])).lower()
        text = (f"AttentionMask<{operands['m'].c_type}, {pairs}>{{m + offset_of(at, {literal(along[:2])}), {along[2]}LL, "
                f"{along[3]}LL}}")
    T = operands["q"].c_type

    rows_of_block = 64 * groups or 16 * warps
    specialised, pace = turns is not None, ", false" if turns is False else ""
    maps = {}

    def rows(name):
        strides = operands[name].strides
        if specialised:
            extents = operands[name].values.shape
            maps[f"{name}_map"] = Map(name, [*extents[:1:-1], *extents[:2], 1], [strides[2], *strides[:2], strides[2]],
                                      [64, rows_of_block if name == "q" else key_tile, 1, 1, 1])
            return f"MappedRows{{{name}_map, {{at.at[0], at.at[1], 0}}}}"
        return f"AttentionRows<{T}, {width}>{{{name} + offset_of(at, {literal(strides[:2])}), {strides[2]}LL, {strides[3]}LL}}"

    y = operands["y"].strides
    aligned = str(all(s % 8 == 0 for s in y[:3])).lower()
    kind, function, header = (("SpecialisedAttentionTiles", "specialised_attention", "_specialised") if specialised else
                              ("WarpgroupAttentionTiles", "warpgroup_attention", "_warpgroup") if groups else
                              ("AttentionTiles", "attention", ""))
    tiles = -(-queries // rows_of_block)
    count = tiles * int(np.prod(batch))
    operand_text = (f"tile % {tiles}, {rows('q')}, {rows('k')}, {rows('v')}, {text}, y + offset_of(at, {literal(y[:2])}), "
                    f"{y[2]}LL, {y[3]}LL, {aligned}")
    place = f"const auto at = decompose(tile / {tiles}, {literal(batch, 'int')});\n  "
    body = f"using C = {kind}<{T}, {dim}, {value_dim}, {groups or warps}, {key_tile}, {stages}{pace}>;\n  "
    if specialised:
        body += (f"specialised_attention<C>({count}, {queries}, {keys}, {scale}f, [&](int tile, const auto& compute) {{\n"
                 f"  {place}compute({operand_text});\n  }});")
    else:
        body += f"const int tile = int(blockIdx.x);\n  {place}{function}<C>({operand_text}, {queries}, {keys}, {scale}f);"
    name = (f"{function} {np.dtype(dtype).name} {queries}x{keys} dim {dim} {value_dim} batch {batch} of {groups or warps} tile "
            f"{key_tile} stages {stages} width {width} mask {mask} loud {loud} turns {turns}")
    if groups:
        panels, value_panels = -(-dim // 64), -(-value_dim // 64)
        result_row = (-(-value_dim // 16) * 16 + 8) * 2
        shared = 1024 + stages * key_tile * 128 * (panels + value_panels)
        if specialised:
            shared += rows_of_block * (panels * 128 + result_row) + 16 * (1 + 2 * stages)
        else:
            shared += -(-rows_of_block * max(panels * 128, result_row) // 1024) * 1024
    else:
        pitch = max(-(-dim // 16), -(-value_dim // 16)) * 16 + 8
        shared = (16 * warps + 2 * key_tile * stages) * pitch * 2
    return Case(name, f"ops/attention/attention{header}.cuh", body, operands, (min(count, blocks) if specialised else count,),
                (128 * groups or 32 * warps) + 128 * specialised, shared, maps=maps, only="sm_90a" if groups else "",
                resident=(2 if groups == 1 else 1) if specialised else 0)


def cases():
    yield attention(37, 37, 16)
    yield attention(49, 49, 32, stages=1, mask="random", mask_shape=(1, 3, 49, 49))
    yield attention(49, 49, 32, stages=1, mask="random", mask_shape=(2, 1, 49, 49), warps=2)
    yield attention(197, 197, 64, key_tile=112, warps=8)
    yield attention(300, 77, 40, key_tile=80, stages=1)
    yield attention(128, 128, 64, mask="random", mask_shape=(2, 1, 1, 128), warps=2)
    yield attention(100, 100, 64, mask="causal", scale=0.125)
    yield attention(1, 130, 80, order=None)
    yield attention(70, 1000, 128, batch=(1, 2), warps=4)
    yield attention(40, 90, 64, 48)
    yield attention(40, 90, 32, 128)
    for width, pad in ((8, 4), (4, 2), (0, 1)):
        yield attention(50, 70, 36, pad=pad, width=width, order=None)
    yield attention(50, 70, 33, width=0, step=2)
    for tile in (32, 64):
        yield attention(50, 100, 32, mask="hard", key_tile=tile)
        yield attention(50, 100, 32, dtype=bfloat16, mask="hard", key_tile=tile)
    for shape in ((1, 1, 80, 80), (2, 1, 1, 80), (2, 3, 80, 1)):
        yield attention(80, 80, 64, dtype=bfloat16, mask="random", mask_shape=shape)
    yield attention(64, 256, 64, loud=6.0)  # scores around 100
    yield attention(20, 0, 32)
    yield attention(513, 4096, 40, batch=(1, 1))
    for groups, tile, stages in ((1, 64, 2), (2, 128, 2), (3, 96, 3)):
        yield attention(300, 333, 64, groups=groups, key_tile=tile, stages=stages)
    yield attention(300, 77, 40, groups=2, key_tile=80, stages=1)
    yield attention(130, 520, 80, batch=(1, 2), groups=2, key_tile=128)
    yield attention(64, 65, 128, groups=1, key_tile=64)
    yield attention(197, 197, 64, groups=3, key_tile=112)
    yield attention(65, 90, 40, 128, groups=1, key_tile=48)
    yield attention(65, 90, 120, 24, groups=1, key_tile=32, order=None)
    yield attention(128, 128, 64, groups=2, key_tile=128, stages=1, mask="random", mask_shape=(2, 1, 1, 128))
    yield attention(200, 200, 64, groups=2, key_tile=128, mask="causal", scale=0.125)
    for dtype in (np.float16, bfloat16):
        yield attention(50, 100, 32, dtype=dtype, groups=1, mask="hard", key_tile=64)
    yield attention(200, 1000, 64, groups=2, key_tile=128, loud=3.0)

    def turns(*arguments, **named):
        return attention(*arguments, turns=True, **named)

    for groups, tile, stages in ((1, 64, 2), (1, 128, 2), (2, 128, 2), (2, 176, 2), (3, 96, 3), (3, 112, 2)):
        yield turns(300, 333, 64, groups=groups, key_tile=tile, stages=stages)
    for groups in (2, 3):
        yield attention(333, 1021, 80, turns=False, groups=groups, key_tile=96, blocks=2)
    for dim in (32, 40, 64, 80, 96, 128):
        yield turns(333, 523, dim, groups=2, key_tile=128 if dim < 128 else 112)
    yield turns(333, 1021, 40, groups=3, key_tile=128, stages=3, blocks=2)
    yield turns(333, 1021, 80, groups=3, key_tile=96, dtype=bfloat16, blocks=2)
    yield turns(300, 700, 80, groups=2, key_tile=160, batch=(1, 3), blocks=1)
    yield turns(65, 90, 40, 128, groups=1, key_tile=48)
    yield turns(65, 200, 120, 24, groups=1, key_tile=32, order=None)
    for keys in (1, 16, 77):
        yield turns(150, keys, 64, groups=2, key_tile=80)
    yield turns(1, 130, 64, groups=2, key_tile=96)
    yield turns(128, 128, 64, groups=2, key_tile=96, mask="random", mask_shape=(2, 1, 1, 128))
    yield turns(197, 197, 64, groups=3, key_tile=80, mask="random", mask_shape=(1, 3, 197, 197))
    yield turns(200, 200, 64, groups=2, key_tile=128, mask="causal", scale=0.125)
    for dtype in (np.float16, bfloat16):
        for groups in (1, 2):
            yield turns(150, 200, 32, dtype=dtype, groups=groups, mask="hard", key_tile=64)
    yield turns(400, 1000, 64, groups=2, key_tile=128, loud=3.0)
    yield turns(513, 4096, 80, batch=(1, 2), groups=2, key_tile=128, scale=0.1118)
