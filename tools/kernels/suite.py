"""The cases themselves: `checks()` for correctness, `timings()` for speed."""
import dataclasses

from cases import Config, Conv, Depthwise, Gemm, ImageConv, Stationary

BIG = Config(128, 128, 32, 2, 4, 4)
WIDE = Config(128, 256, 32, 2, 4, 4)
TALL = Config(256, 128, 32, 4, 2, 4)
HALF = [BIG, WIDE, TALL, Config(128, 128, 32, 2, 2, 4), Config(128, 128, 64, 2, 4, 3), Config(128, 64, 32, 2, 2, 4),
        Config(64, 128, 32, 2, 2, 4), Config(64, 64, 64, 2, 2, 4), Config(32, 64, 64, 2, 2, 4),
        Config(64, 32, 64, 2, 2, 5), Config(32, 32, 64, 2, 2, 6), Config(128, 32, 32, 4, 1, 4),
        Config(16, 64, 64, 1, 4, 4), Config(64, 64, 16, 2, 2, 2)]
SMALL = Config(64, 64, 64, 2, 2, 4)
FAST = [BIG, Config(128, 128, 32, 2, 4, 4, carry=False, blocks=2), Config(128, 128, 32, 2, 4, 4, blocks=2), WIDE,
        Config(128, 256, 32, 2, 4, 4, carry=False), TALL, Config(128, 128, 32, 2, 2, 4),
        Config(128, 128, 32, 2, 2, 4, carry=False), Config(128, 128, 64, 2, 4, 3),
        Config(128, 128, 64, 2, 4, 3, carry=False, blocks=2), Config(128, 256, 64, 2, 4, 3)]
TF32 = [Config(128, 128, 16, 2, 4, 4), Config(128, 128, 32, 2, 4, 3), Config(64, 64, 32, 2, 2, 3),
        Config(32, 64, 32, 2, 2, 3)]
PLAIN = [Config(128, 128, 16, 2, 4, 3), Config(128, 64, 16, 2, 2, 4), Config(64, 64, 16, 2, 2, 4),
         Config(32, 64, 16, 2, 2, 4), Config(32, 32, 32, 1, 2, 3), Config(128, 128, 32, 2, 4, 3)]
# Tiles of warpgroups, sm_90a alone: 16-bit types, 64 of k a step.
WARPGROUP = [Config(64, 64, 64, 4, 1, 4), Config(64, 64, 128, 4, 1, 3), Config(64, 128, 64, 4, 1, 4),
             Config(64, 256, 64, 4, 1, 3), Config(64, 256, 64, 4, 2, 4), Config(128, 64, 64, 8, 1, 4),
             Config(128, 64, 64, 4, 1, 4), Config(128, 128, 64, 8, 1, 3), Config(128, 128, 64, 4, 2, 5),
             Config(128, 256, 64, 8, 1, 4), Config(256, 64, 64, 8, 1, 4), Config(256, 128, 64, 8, 1, 4)]
# Those where one warpgroup copies for two others, one tile together or one each.
SPECIALISED = [Config(128, 256, 64, 8, 1, 4, teams=1), Config(256, 128, 64, 8, 1, 4, teams=1),
               Config(128, 128, 64, 4, 1, 6, teams=2), Config(64, 256, 64, 4, 1, 5, teams=2),
               Config(64, 128, 64, 4, 1, 8, teams=2), Config(128, 64, 64, 4, 1, 8, teams=2),
               Config(128, 192, 64, 8, 1, 5, teams=1), Config(128, 96, 64, 4, 1, 7, teams=2)]
# Those whose slices of k are shared out between blocks, and in each between teams.
SLICED_TEAMS = [Config(64, 128, 64, 4, 1, 8, slices=4, teams=2), Config(128, 64, 64, 4, 1, 8, slices=8, teams=2),
                Config(128, 128, 64, 4, 1, 6, slices=2, teams=2), Config(128, 256, 64, 8, 1, 4, slices=2, teams=1)]
# Tiles of which B stays in shared memory.
STATIONARY = [Stationary(16, 64, 16), Stationary(32, 64, 12)]
MAJORS = [("k", "mn"), ("k", "k"), ("mn", "mn"), ("mn", "k")]


def gemms():
    for config in HALF:
        for a, b in MAJORS if config.bm * config.bn <= 128 * 128 else MAJORS[:3:2]:
            yield Gemm(200, 136, 104, config, a_major=a, b_major=b, c_pad=8, bias=True, relu=True)
    for config in TF32 + PLAIN:
        math = "tensor" if config in TF32 else "plain"
        for a, b in MAJORS:
            yield Gemm(200, 136, 100, config, dtype="float", math=math, a_major=a, b_major=b, c_pad=4, bias=True)
    for a, b in MAJORS + [("none", "none"), ("none", "k"), ("mn", "none")]:
        # Extents and leading dimensions that are multiples of nothing, of 2, of 4; operands that start unaligned.
        for m, n, k, a_pad, b_pad, offset in [(77, 131, 45, 0, 0, 0), (77, 131, 45, 3, 5, 8), (130, 66, 70, 0, 0, 0),
                                              (132, 68, 36, 0, 0, 4), (129, 40, 33, 7, 0, 1), (1, 1, 1, 0, 0, 0),
                                              (1, 1000, 257, 0, 0, 0), (300, 1, 64, 0, 0, 0), (5, 3, 0, 8, 8, 0)]:
            yield Gemm(m, n, k, SMALL, a_major=a, b_major=b, a_pad=a_pad, b_pad=b_pad, offset=offset, relu=True)
            yield Gemm(m, n, k, PLAIN[2], dtype="float", math="plain", a_major=a, b_major=b, a_pad=a_pad, b_pad=b_pad,
                       offset=offset)
        yield Gemm(77, 131, 45, BIG, dtype="bfloat16", a_major=a, b_major=b, bias=True, residual=True, c_pad=1)
        yield Gemm(77, 131, 45, TF32[0], dtype="float", a_major=a, b_major=b)
        yield Gemm(77, 131, 45, Config(32, 32, 16, 1, 1, 2), dtype="double", math="plain", a_major=a, b_major=b)
        yield Gemm(77, 131, 45, Config(32, 32, 16, 1, 1, 2), dtype="long long", math="plain", a_major=a, b_major=b)
    for config in (BIG, SMALL, FAST[1], FAST[9]):
        yield Gemm(197, 64, 197, config, batch=(2, 3), a_pad=3, b_major="mn", residual=True)
        yield Gemm(197, 197, 64, config, batch=(3, 2), b_major="k", out="float")
        yield Gemm(96, 80, 64, config, c_columns=True, residual=True, bias=True)
        yield Gemm(2000, 1500, 512, config, dtype="bfloat16", residual=True, bias=True, relu=True)
    yield Gemm(1100, 2300, 300, WIDE, dtype="bfloat16", out="float")


def warpgroup_gemms():
    for config in WARPGROUP:
        common = dict(config=config, math="warpgroup")
        for a, b in MAJORS:
            yield Gemm(200, 136, 104, a_major=a, b_major=b, c_pad=8, bias=True, relu=True, **common)
            yield Gemm(333, 261, 709, a_major=a, b_major=b, a_pad=3, b_pad=3, dtype="bfloat16", residual=True, **common)
        yield Gemm(197, 64, 197, batch=(2, 3), a_pad=3, b_major="mn", residual=True, **common)
        yield Gemm(197, 197, 64, batch=(3, 2), b_major="k", out="float", **common)
        yield Gemm(1, 1000, 512, bias=True, **common)
        yield Gemm(300, 8, 64, c_columns=True, residual=True, **common)
    for config in (WARPGROUP[0], WARPGROUP[9]):
        common = dict(config=config, math="warpgroup")
        for a, b in MAJORS:
            yield Gemm(5, 3, 0, a_major=a, b_major=b, a_pad=8, b_pad=8, **common)
            yield Gemm(64, 64, 8, a_major=a, b_major=b, **common)
            yield Gemm(77, 131, 45, a_major=a, b_major=b, a_pad=1, offset=4, **common)  # narrower copies, gathers
        yield Gemm(77, 131, 45, a_major="none", b_major="none", **common)
        yield Gemm(2000, 1500, 512, dtype="bfloat16", residual=True, bias=True, relu=True, **common)


def warpgroup_convs():
    for config in WARPGROUP:
        common = dict(config=config, math="warpgroup")
        yield Conv(2, 64, (14, 14), 72, (3, 3), pad=(1, 1, 1, 1), **common)
        yield Conv(2, 40, (15, 17), 264, (3, 5), stride=(2, 1), pad=(0, 1, 2, 3), dilation=(2, 1), **common)
        yield Conv(3, 64, (13, 11), 96, (1, 1), stride=(2, 2), dtype="bfloat16", **common)
        yield Conv(2, 144, (9, 11), 96, (3, 3), pad=(2, 2, 2, 2), dilation=(2, 2), groups=3, **common)
    for config in (WARPGROUP[0], WARPGROUP[9]):
        common = dict(config=config, math="warpgroup")
        yield Conv(3, 3, (31, 29), 24, (7, 7), stride=(2, 2), pad=(3, 3, 3, 3), **common)
        yield Conv(1, 20, (12, 12), 30, (1, 1), stride=(2, 2), groups=5, **common)
        yield Conv(2, 32, (7, 8), 24, (4, 4), stride=(2, 2), pad=(1, 1, 1, 1), transposed=True, **common)
        yield Conv(2, 64, (14, 14), 72, (3, 3), pad=(1, 1, 1, 1), channels_last=False, **common)
        yield Conv(2, 16, (10, 9), 16, (3, 3), pad=(5, 5, 5, 5), pitch=8, **common)


def specialised():
    """Fewer tiles than teams and many more than blocks, tiles of several batches, k of no step, one and many."""
    for config in SPECIALISED:
        common = dict(config=config, math="warpgroup")
        yield Gemm(200, 136, 104, b_major="k", c_pad=8, bias=True, relu=True, **common)
        yield Gemm(128, 2304, 768, b_major="k", **common)  # sums are results: nothing lies between wait and conversion
        yield Gemm(333, 261, 709, a_major="mn", b_major="k", a_pad=3, b_pad=3, dtype="bfloat16", residual=True, **common)
        yield Gemm(197, 64, 197, batch=(2, 3), a_pad=3, b_pad=3, b_major="k", residual=True, **common)
        yield Gemm(99, 197, 64, batch=(30, 2), b_major="k", out="float", **common)
        yield Gemm(1, 1000, 512, b_major="k", bias=True, **common)
        yield Gemm(300, 8, 64, b_major="k", c_columns=True, residual=True, **common)
        yield Gemm(5, 3, 0, b_major="k", a_pad=8, b_pad=8, **common)
        yield Gemm(6200, 1500, 512, b_major="k", dtype="bfloat16", residual=True, bias=True, relu=True, **common)
        yield Conv(2, 64, (14, 14), 72, (3, 3), pad=(1, 1, 1, 1), **common)
        yield Conv(2, 40, (15, 17), 264, (3, 5), stride=(2, 1), pad=(0, 1, 2, 3), dilation=(2, 1), **common)
        yield Conv(9, 64, (53, 71), 96, (1, 1), stride=(2, 2), dtype="bfloat16", **common)
        yield Conv(30, 144, (19, 21), 96, (3, 3), pad=(2, 2, 2, 2), dilation=(2, 2), groups=3, **common)


def stationary():
    """Rows and columns that end within a tile, k within a chunk; all columns at once and not; fewer rows than warps and many more."""
    for config in STATIONARY:
        common = dict(config=config, b_major="k")
        for n, k in [(96, 16), (24, 96), (144, 24), (256, 64), (131, 104), (1, 8), (72, 40), (240, 40)]:
            yield Gemm(333, n, k, bias=True, relu=True, **common)
            yield Gemm(333, n, k, dtype="bfloat16", bias=True, residual=True, a_pad=8, c_pad=3, **common)
        yield Gemm(333, 72, 24, smooth="silu", bias=True, **common)
        yield Gemm(333, 64, 96, smooth="gelu", bias=True, residual=True, **common)
        yield Gemm(1, 40, 32, **common)
        yield Gemm(7, 16, 64, c_columns=True, residual=True, **common)
        yield Gemm(300, 64, 32, b_pad=8, out="float", residual=True, **common)
        yield Gemm(100007, 48, 56, bias=True, relu=True, residual=True, **common)
        yield Gemm(52001, 20, 384, bias=True, residual=True, **common)  # all columns at once, more k than are held
        yield Gemm(1000, 8, 1000, **common)
    for config in (Stationary(16, 96, 12), Stationary(32, 96, 8), Stationary(16, 128, 12)):
        yield Gemm(100352, 96, 384, config, b_major="k", bias=True, residual=True)
        yield Gemm(555, 81, 168, config, b_major="k", dtype="bfloat16", bias=True)
        yield Gemm(70001, 96, 16, config, b_major="k", bias=True, relu=True)
        yield Gemm(70001, 72, 200, config, b_major="k", bias=True, relu=True)


def sliced():
    """Clusters that share a tile: k that ends within a slice, slices that have none of it, sums of float alone."""
    for slices in (2, 4, 8):
        for math, dtype, config in [("tensor", "half", Config(64, 64, 64, 2, 2, 4, slices=slices)),
                                    ("tensor", "bfloat16", Config(32, 64, 64, 2, 2, 4, slices=slices)),
                                    ("tensor", "half", Config(128, 256, 32, 2, 4, 4, slices=slices)),
                                    ("tensor", "float", Config(64, 64, 32, 2, 2, 3, slices=slices)),
                                    ("plain", "float", Config(32, 64, 16, 1, 2, 4, slices=slices)),
                                    ("plain", "float", Config(128, 64, 16, 2, 2, 4, slices=slices)),
                                    ("warpgroup", "half", Config(64, 64, 64, 4, 1, 4, slices=slices)),
                                    ("warpgroup", "bfloat16", Config(128, 128, 64, 8, 1, 3, slices=slices)),
                                    ("warpgroup", "half", Config(256, 128, 64, 8, 1, 4, slices=slices))]:
            common = dict(math=math, dtype=dtype, config=config)
            yield Gemm(197, 136, 2304, bias=True, relu=True, **common)
            yield Gemm(77, 131, 456, a_major="mn", b_major="k", a_pad=3, c_pad=5, residual=True, **common)
            yield Gemm(49, 264, 40, batch=(2, 3), **common)
            yield Conv(2, 64, (9, 7), 72, (3, 3), pad=(1, 1, 1, 1), **common)
            yield Conv(1, 96, (8, 9), 64, (3, 2), stride=(2, 1), pad=(0, 1, 1, 0), groups=2, **common)


def sliced_teams():
    """The same between teams of a block as well: k of one step, of fewer than there are teams, and of many."""
    for config in SLICED_TEAMS:
        common = dict(math="warpgroup", config=config)
        yield Gemm(197, 136, 2304, b_major="k", bias=True, relu=True, **common)
        yield Gemm(77, 131, 456, a_major="mn", b_major="k", dtype="bfloat16", a_pad=3, c_pad=5, residual=True, **common)
        yield Gemm(49, 264, 40, b_major="k", batch=(2, 3), **common)
        yield Conv(2, 64, (9, 7), 72, (3, 3), pad=(1, 1, 1, 1), **common)


def mapped():
    """What the copy engine brings: rows, columns and k that end within a tile, fewer tiles than teams and many more than blocks;
    B alone, fetched early, beside A that threads copy, or both, of images too."""
    for config in SPECIALISED + SLICED_TEAMS:
        for count in (1, 2):
            common = dict(math="warpgroup", config=dataclasses.replace(config, mapped=count, constant_b=count == 1))
            yield Gemm(200, 160, 104, b_major="k", c_pad=8, bias=True, relu=True, **common)
            yield Gemm(6200, 1504, 512, b_major="k", dtype="bfloat16", residual=True, bias=True, relu=True, **common)
        common = dict(math="warpgroup", config=dataclasses.replace(config, mapped=1))
        yield Gemm(333, 288, 712, a_major="mn", b_major="k", a_pad=3, dtype="bfloat16", residual=True, **common)
        yield Conv(2, 64, (14, 14), 96, (3, 3), pad=(1, 1, 1, 1), **common)
        yield Conv(30, 144, (19, 21), 32, (3, 3), pad=(2, 2, 2, 2), dilation=(2, 2), dtype="bfloat16", **common)
        common = dict(math="warpgroup", config=dataclasses.replace(config, mapped=2))
        yield Conv(2, 64, (14, 14), 96, (3, 3), pad=(1, 1, 1, 1), **common)
        yield Conv(30, 128, (19, 21), 32, (3, 3), pad=(2, 2, 2, 2), dilation=(2, 2), dtype="bfloat16", **common)
        yield Conv(3, 64, (15, 18), 64, (5, 3), stride=(2, 3), pad=(2, 0, 1, 1), pitch=8, **common)
        yield Conv(70, 192, (9, 8), 64, (1, 1), stride=(2, 2), **common)


def early():
    """Contractions that fetch B before they wait: of fewer steps than there are stages, and of more."""
    for math, config in [("tensor", Config(64, 64, 64, 2, 2, 4)), ("tensor", Config(32, 64, 64, 2, 2, 4, slices=4)),
                         ("warpgroup", Config(64, 64, 64, 4, 1, 4)), ("warpgroup", SPECIALISED[2]),
                         ("warpgroup", SPECIALISED[6]), ("warpgroup", SLICED_TEAMS[0])]:
        common = dict(math=math, config=dataclasses.replace(config, constant_b=True))
        yield Gemm(197, 136, 2304, b_major="k", bias=True, relu=True, **common)
        yield Gemm(333, 200, 104, b_major="k", residual=True, **common)
        yield Gemm(77, 264, 40, b_major="k", **common)
        yield Conv(2, 64, (29, 27), 72, (3, 3), pad=(1, 1, 1, 1), **common)
    for n, k in [(96, 16), (256, 64), (40, 168)]:
        yield Gemm(555, n, k, Stationary(16, 64, 12, constant_b=True), math="tensor", b_major="k", bias=True, residual=True)


def convs():
    layouts = [dict(channels_last=True), dict(channels_last=False)]
    for layout in layouts:
        for dtype, math, config in [("half", "tensor", BIG), ("half", "tensor", SMALL), ("bfloat16", "tensor", SMALL),
                                    ("float", "tensor", TF32[2]), ("float", "plain", PLAIN[2]),
                                    ("float", "plain", PLAIN[0])]:
            common = dict(dtype=dtype, math=math, config=config, **layout)
            yield Conv(2, 64, (14, 14), 72, (3, 3), pad=(1, 1, 1, 1), **common)
            yield Conv(3, 3, (31, 29), 24, (7, 7), stride=(2, 2), pad=(3, 3, 3, 3), **common)
            yield Conv(2, 40, (15, 17), 33, (3, 5), stride=(2, 1), pad=(0, 1, 2, 3), dilation=(2, 1), **common)
            yield Conv(2, 48, (9, 11), 96, (3, 3), pad=(2, 2, 2, 2), dilation=(2, 2), groups=3, **common)
            yield Conv(1, 20, (12, 12), 30, (1, 1), stride=(2, 2), groups=5, **common)
            yield Conv(2, 12, (1, 100), 20, (1, 9), pad=(0, 4, 0, 4), stride=(1, 3), **common)
            yield Conv(2, 32, (7, 8), 24, (4, 4), stride=(2, 2), pad=(1, 1, 1, 1), transposed=True, **common)
            yield Conv(1, 24, (5, 6), 20, (3, 2), stride=(3, 2), pad=(0, 1, 1, 0), transposed=True, groups=2,
                       dilation=(2, 1), **common)
            yield Conv(2, 5, (10, 9), 7, (3, 3), pad=(1, 1, 1, 1), pitch=3, **common)
            yield Conv(2, 16, (10, 9), 16, (3, 3), pad=(5, 5, 5, 5), pitch=8, **common)


def depthwises():
    for dtype in ("half", "bfloat16", "float"):
        v = 4 if dtype == "float" else 8
        yield Depthwise(2, 40, (15, 17), (3, 3), dtype, pad=(1, 1, 1, 1), v=v)
        yield Depthwise(2, 40, (15, 17), (5, 5), dtype, stride=(2, 2), pad=(2, 1, 2, 3), v=v, strip=2)
        yield Depthwise(1, 24, (14, 13), (7, 7), dtype, pad=(3, 3, 3, 3), v=v, strip=1)
        yield Depthwise(2, 37, (9, 10), (3, 3), dtype, pad=(2, 2, 2, 2), dilation=(2, 2), v=v)
        yield Depthwise(2, 40, (9, 10), (3, 3), dtype, pad=(1, 1, 1, 1), v=v, pitch=v)
        yield Depthwise(2, 13, (9, 10), (3, 3), dtype, pad=(1, 1, 1, 1), multiplier=3, v=1)
        for rows, strip, part in ((1, 2, 4), (1, 4, 2), (2, 4, 4), (3, 2, 2)):  # fewer channels a thread, several rows
            yield Depthwise(2, 40, (15, 17), (7, 7), dtype, pad=(3, 3, 3, 3), v=part, rows=rows, strip=strip)
            yield Depthwise(2, 37, (9, 10), (3, 3), dtype, pad=(2, 2, 2, 2), dilation=(2, 2), v=part, rows=rows, strip=strip)
            yield Depthwise(2, 40, (15, 17), (5, 3), dtype, stride=(2, 1), pad=(2, 1, 2, 3), dilation=(3, 1), v=part, rows=rows, strip=strip)
        yield Depthwise(2, 40, (15, 17), (3, 1), dtype, stride=(1, 2), pad=(1, 0, 1, 0), channels_last=False, v=1)
        yield Depthwise(1, 8, (1, 50), (1, 5), dtype, pad=(0, 2, 0, 2), channels_last=False, v=1, multiplier=2, pitch=2)


def depthwise_bands():
    """Tiles that end within the image, images within a block, channels within 16; every cut, steps and dilations of both axes."""
    for dtype in ("half", "bfloat16"):
        for across, pairs, images in [(1, 1, 1), (2, 1, 1), (4, 1, 1), (1, 2, 1), (2, 2, 1), (1, 4, 1), (1, 1, 2), (1, 2, 2), (1, 4, 2)]:
            common = dict(dtype=dtype, band=(across, pairs, images))
            width = 16 * across + 5
            yield Depthwise(3, 16 * pairs + 8, (19, width), (3, 3), pad=(1, 1, 1, 1), **common)
            yield Depthwise(3, 16 * pairs, (7, width), (7, 7), pad=(3, 3, 3, 3), **common)
            yield Depthwise(2, 40, (21, width), (5, 5), pad=(2, 0, 1, 4), pitch=8, **common)
            if across < 4:
                yield Depthwise(3, 40, (37, 2 * width + 1), (3, 3), stride=(2, 2), pad=(0, 0, 1, 1), **common)
        for kernel, more in [((3, 3), dict(dilation=(2, 3), pad=(2, 3, 2, 3))), ((1, 5), dict(pad=(0, 2, 0, 2))), ((5, 1), dict(pad=(2, 0, 2, 0))),
                             ((2, 4), dict(stride=(2, 1))), ((3, 3), dict(stride=(1, 3), pad=(1, 1, 1, 1))),
                             ((3, 2), dict(stride=(3, 2), dilation=(1, 4), pad=(1, 2, 1, 2))), ((9, 9), dict(pad=(4, 4, 4, 4))),
                             ((3, 3), dict(pad=(20, 20, 20, 20)))]:
            yield Depthwise(2, 24, (20, 23), kernel, dtype, band=(1, 1, 1), **more)
        yield Depthwise(1, 8, (1, 1), (3, 3), dtype, pad=(1, 1, 1, 1), band=(1, 1, 1))
        yield Depthwise(200, 24, (14, 14), (3, 3), dtype, pad=(1, 1, 1, 1), band=(1, 2, 1))


def image_convs():
    """First layers: tiles that end within the image, channels that end within 32, every padding; images of any type and strides."""
    layouts = [dict(channels_last=True), dict(channels_last=False), dict(channels_last=True, pitch=3),
               dict(channels_last=False, pitch=5)]
    for layout in layouts:
        for dtype, image in (("half", ""), ("half", "float"), ("bfloat16", ""), ("bfloat16", "float")):
            common = dict(dtype=dtype, image_type=image, **layout)
            yield ImageConv(3, 3, (45, 71), 64, (7, 7), 2, 64, pad=(3, 3, 3, 3), **common)
            yield ImageConv(2, 3, (64, 64), 32, (3, 3), 4, 32, pad=(1, 1, 1, 1), **common)
            yield ImageConv(3, 3, (37, 50), 32, (3, 3), 2, 32, pad=(0, 0, 1, 1), **common)
            yield ImageConv(2, 1, (41, 29), 24, (5, 5), 1, 32, pad=(2, 1, 2, 3), **common)
            yield ImageConv(2, 4, (33, 39), 20, (3, 3), 1, 32, pad=(1, 1, 1, 1), **common)
            yield ImageConv(2, 3, (56, 64), 96, (4, 4), 2, 32, stride=(4, 4), **common)
    yield ImageConv(2, 3, (31, 67), 96, (7, 7), 1, 32, pad=(3, 3, 3, 3), stride=(4, 4))
    yield ImageConv(2, 3, (40, 66), 128, (7, 7), 1, 64, pad=(3, 3, 3, 3))
    yield ImageConv(1, 3, (70, 67), 32, (7, 7), 4, 32, pad=(3, 3, 3, 3))
    yield ImageConv(2, 2, (20, 40), 7, (2, 6), 2, 32, stride=(1, 2), pad=(1, 5, 0, 2), relu=False)
    yield ImageConv(2, 3, (20, 40), 8, (1, 1), 4, 32, stride=(3, 6))
    yield ImageConv(1, 3, (1, 1), 8, (3, 3), 1, 32, pad=(1, 1, 1, 1))
    yield ImageConv(200, 3, (33, 33), 16, (3, 3), 2, 32, pad=(1, 1, 1, 1))  # more tiles than blocks
    yield ImageConv(300, 3, (35, 33), 64, (7, 7), 2, 64, pad=(3, 3, 3, 3))


def checks():
    return [*gemms(), *warpgroup_gemms(), *convs(), *warpgroup_convs(), *specialised(), *stationary(), *sliced(), *sliced_teams(),
            *mapped(), *early(),
            *depthwises(),
            *depthwise_bands(),
            *image_convs()]


def problems():
    """(name, a function from a tile and what multiplies to the case): matrix products and convolutions of known networks."""
    residual = True
    for m, n, k, *more in [
            (4096, 4096, 4096), (25216, 3072, 768), (6304, 2304, 768), (6304, 3072, 768), (6304, 768, 3072, residual),
            (6304, 768, 768, residual), (1576, 2304, 768), (1576, 768, 3072, residual), (197, 2304, 768), (197, 768, 3072),
            (197, 768, 768), (128, 3072, 768), (128, 768, 3072), (100352, 384, 96), (100352, 96, 384, residual),
            (1568, 3072, 768), (100352, 256, 64, residual), (100352, 64, 256), (25088, 512, 128, residual),
            (25088, 128, 512), (6272, 1024, 256, residual), (6272, 256, 1024), (1568, 2048, 512, residual),
            (819200, 64, 64), (196, 1024, 256, residual), (49, 512, 2048)]:
        yield (f"gemm {m}x{n}x{k}" + " + residual" * bool(more),
               lambda c, math, m=m, n=n, k=k, r=bool(more):
               Gemm(m, n, k, c, math=math, b_major="k", bias=True, residual=r))
    for batch, size, cin, cout in [(1, 56, 64, 64), (1, 14, 256, 256), (1, 7, 512, 512), (32, 160, 32, 32), (32, 80, 64, 64),
                                   (32, 56, 64, 64), (32, 28, 128, 128), (32, 14, 256, 256), (32, 7, 512, 512),
                                   (128, 14, 256, 256)]:
        yield (f"conv n{batch} {size}^2 {cin}->{cout} 3x3",
               lambda c, math, n=batch, s=size, i=cin, o=cout:
               Conv(n, i, (s, s), o, (3, 3), c, math=math, pad=(1, 1, 1, 1)))


def memory_bound():
    """The same for products that take as long as memory takes: expansions, projections and residuals at a batch of 128."""
    large, half, quarter = 128 * 112 * 112, 128 * 56 * 56, 128 * 28 * 28
    for m, n, k, end in [
            (large, 96, 16, "relu"), (half, 144, 24, "relu"), (half, 144, 24, "silu"), (half, 144, 32, "relu"),
            (large, 16, 32, ""), (half, 24, 96, ""), (half, 24, 144, "residual"), (half, 256, 64, "residual"),
            (quarter, 512, 128, "residual"), (half, 64, 256, "relu"), (half, 384, 96, "gelu"), (half, 96, 384, "residual"),
            (128 * 160 * 160, 64, 64, "silu")]:
        ends = dict(relu=end == "relu", residual=end == "residual", smooth=end if end in ("silu", "gelu") else "")
        yield (f"memory {m}x{n}x{k} {end}".strip(),
               lambda c, math, m=m, n=n, k=k, ends=ends: Gemm(m, n, k, c, math=math, b_major="k", bias=True, **ends))


def stationary_tiles(n, k, residuals):
    """Those that the compiler offers on sm_90 (ir/contraction_text.cpp)."""
    whole, chunks = n - n % 64 + 64 if n % 64 > 32 else -(-n // 32) * 32, -(-k // 32)
    for rows in (16, 32):
        for columns in sorted({64, whole}):
            turns = 1 if columns < n else -(-chunks // (6 if rows == 16 else 3))
            registers = (rows * columns // 32 + -(-chunks // turns) * rows // 2 + 8 + columns * (rows * residuals + 4) // 64 +
                         rows // 8 + chunks // 4 + (22 if turns > 1 else 18))
            warps = next((w for w in (24, 20, 16, 12) if 2048 // w // 8 * 8 >= registers), 8)
            fits = registers <= 248 and whole * chunks * 64 <= 227 * 1024
            if fits and columns <= (128 if columns == whole else whole):
                yield Stationary(rows, columns, warps)


def timings():
    """(heading, cases that compute the same)."""
    yield "4096^3 half, B [k][n]", [Gemm(4096, 4096, 4096, c) for c in FAST]
    yield "4096^3 half, B [n][k]", [Gemm(4096, 4096, 4096, c, b_major="k") for c in FAST]
    yield "4096^3 tf32", [Gemm(4096, 4096, 4096, c, dtype="float") for c in TF32[:2]]
    yield "4096^3 tf32, B [n][k]", [Gemm(4096, 4096, 4096, c, dtype="float", b_major="k") for c in TF32[:2]]
    yield "4096^3 fp32", [Gemm(4096, 4096, 4096, c, dtype="float", math="plain", b_major=b)
                          for c in (PLAIN[0], PLAIN[5], PLAIN[1]) for b in ("mn", "k")]
    yield "6304x3072x768 half, bias", [Gemm(6304, 3072, 768, c, bias=True) for c in FAST]
    yield "197x768x768 half", [Gemm(197, 768, 768, c, bias=True) for c in HALF[5:11]]
    same = dict(pad=(1, 1, 1, 1))
    yield "conv n32 56x56 64->64 3x3 half", [Conv(32, 64, (56, 56), 64, (3, 3), c, **same) for c in (
        HALF[5], Config(128, 64, 64, 2, 2, 3), Config(128, 64, 64, 2, 2, 3, carry=False), Config(128, 64, 64, 4, 1, 3),
        Config(128, 64, 32, 4, 1, 4, carry=False), Config(256, 64, 32, 4, 1, 4), Config(256, 64, 64, 4, 2, 3),
        Config(256, 64, 32, 4, 2, 4, carry=False, blocks=2))]
    yield "conv n32 14x14 256->256 3x3 half", [Conv(32, 256, (14, 14), 256, (3, 3), c, **same) for c in
                                               (*FAST[:4], *FAST[6:10], SMALL)]
    yield "conv n1 14x14 256->256 3x3 half", [Conv(1, 256, (14, 14), 256, (3, 3), c, **same) for c in (
        SMALL, HALF[8], HALF[10], Config(32, 32, 64, 2, 2, 6, carry=False), Config(32, 32, 128, 2, 2, 5),
        Config(16, 64, 64, 1, 4, 4))]
    yield "conv n32 224x224 3->64 7x7/2 half, gathered", [
        Conv(32, 3, (224, 224), 64, (7, 7), c, stride=(2, 2), pad=(3, 3, 3, 3), channels_last=last)
        for c in (HALF[5],) for last in (True, False)]
    yield "conv n32 56x56 64->64 3x3 half, channels first", [
        Conv(32, 64, (56, 56), 64, (3, 3), HALF[6], channels_last=False, **same)]
    yield "conv n32 56x56 64->64 3x3 fp32", [
        Conv(32, 64, (56, 56), 64, (3, 3), c, dtype="float", math="plain", channels_last=last, **same)
        for last, c in ((True, PLAIN[1]), (True, PLAIN[2]), (False, PLAIN[2]), (False, Config(64, 128, 16, 2, 2, 3)))]
    yield "depthwise n32 112x112 96 3x3 half", [Depthwise(32, 96, (112, 112), (3, 3), strip=s, **same)
                                                for s in (1, 2, 4, 8)]
    for batch in (1, 32, 128):
        for cout, k, columns, tiles in ((64, 7, 64, (1, 2)), (32, 3, 32, (1, 2, 4))):
            yield f"image n{batch} 224x224 3->{cout} {k}x{k}/2 half", [
                ImageConv(batch, 3, (224, 224), cout, (k, k), rows, columns, pad=(k // 2,) * 4, channels_last=last)
                for rows in tiles for last in (True, False)]
    yield "image n32 224x224 3->96 4x4/4 half", [
        ImageConv(32, 3, (224, 224), 96, (4, 4), rows, 32, stride=(4, 4), channels_last=False) for rows in (1, 2)]
