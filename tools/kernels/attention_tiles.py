#!/usr/bin/env python3
"""Times the cuts that the compiler chooses from (ops/attention/attention_kernel.h), on a machine with a GPU and torch.

A line for each problem: torch's attention, then the cuts, best first. Results are compared with torch in binary32; WRONG
lines name what fails. Queries, keys and values lie in one tensor, as a merged projection leaves them."""
import argparse
import concurrent.futures
import functools
import os
import sys

import nvrtc

# name, batch, heads, queries, keys, head dim
PROBLEMS = [
    ("vit b8", 8, 12, 197, 197, 64), ("vit b32", 32, 12, 197, 197, 64), ("vit b128", 128, 12, 197, 197, 64),
    ("vit b1", 1, 12, 197, 197, 64),
    ("bert b1", 1, 12, 128, 128, 64), ("bert b8", 8, 12, 128, 128, 64), ("bert b32", 32, 12, 128, 128, 64),
    ("bert b128", 128, 12, 128, 128, 64),
    ("diffusion 40 b1", 1, 8, 4096, 4096, 40), ("diffusion 80 b1", 1, 8, 4096, 4096, 80),
    ("diffusion 40 b8", 8, 8, 4096, 4096, 40), ("diffusion 80 b8", 8, 8, 4096, 4096, 80),
    ("swin 1 b32", 2048, 3, 49, 49, 32), ("swin 3 b1", 4, 12, 49, 49, 32),
    ("cross 40 b1", 1, 8, 4096, 77, 40), ("cross 80 b8", 8, 8, 4096, 77, 80),
]


def cuts(keys):
    """(warpgroups, warps, key tile, stages): one of the first two is 0."""
    for tile in (64, 80, 96, 112, 128):
        stages = 1 if keys <= tile else 2
        if -(-keys // tile) * tile > keys + 63:
            continue
        for groups in (1, 2, 3):
            yield groups, 0, tile, stages
            if tile == 64 and stages > 1:
                yield groups, 0, tile, 3
        if tile == 64 or keys < 1000:
            for warps in (2, 4, 8):
                yield 0, warps, tile, stages


class Cut:
    def __init__(self, problem, cut):
        _, self.batch, self.heads, self.queries, self.keys, self.dim = problem
        self.groups, self.warps, self.tile, self.stages = cut
        self.rows = 64 * self.groups or 16 * self.warps
        self.tiles = -(-self.queries // self.rows)
        self.block = 128 * self.groups or 32 * self.warps
        span = -(-self.dim // 16) * 16
        if self.groups:
            lines = -(-self.dim // 64) * 128
            self.shared = 1024 + -(-self.rows * max(lines, (span + 8) * 2) // 1024) * 1024 + 2 * self.stages * self.tile * lines
        else:
            self.shared = (self.rows + 2 * self.tile * self.stages) * (span + 8) * 2

    @property
    def name(self):
        return (f"w{64 * self.groups}" if self.groups else f"m{16 * self.warps}") + f"x{self.tile}/{self.stages}"

    def unit(self):
        width = 3 * self.heads * self.dim
        rows = [f"AttentionRows<half, 16>{{x + {i * self.heads * self.dim} + offset_of(at, dims({n * width}LL, {self.dim}LL)), "
                f"{width}LL, 1LL}}".replace("x +", f"{name} +")
                for i, (name, n) in enumerate((("q", self.queries), ("k", self.keys), ("k", self.keys)))]
        kind, function = (("WarpgroupAttentionTiles", "warpgroup_attention") if self.groups else ("AttentionTiles", "attention"))
        row = self.heads * self.dim
        return (f'#include "ops/attention/attention{"_warpgroup" if self.groups else ""}.cuh"\nusing namespace burnish;\n'
                f'extern "C" __global__ void __launch_bounds__({self.block}) kernel(const half* q, const half* k, half* y) {{\n'
                f"using C = {kind}<half, {self.dim}, {self.dim}, {self.groups or self.warps}, {self.tile}, {self.stages}>;\n"
                f"const int tiles = {self.tiles};\n"
                f"const auto at = decompose(int(blockIdx.x) / tiles, dims<int>(1, {self.heads}));\n"
                f"{function}<C>(int(blockIdx.x) % tiles, {', '.join(rows)}, NoMask{{}}, "
                f"y + offset_of(at, dims({self.queries * row}LL, {self.dim}LL)), {row}LL, 1LL, true, {self.queries}, "
                f"{self.keys}, {self.dim ** -0.5}f);\n}}\n")


@functools.cache
def compile_unit(unit):
    try:
        return nvrtc.compile(unit, "sm_90a")
    except nvrtc.CompileError as error:
        return str(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="problems whose name contains this")
    parser.add_argument("--top", type=int, default=9, help="cuts to name for a problem")
    parser.add_argument("--compile", action="store_true", help="compile only, with no GPU")
    options = parser.parse_args()
    problems = [p for p in PROBLEMS if options.only in p[0]]
    jobs = [(p, Cut(p, c)) for p in problems for c in cuts(p[4])]
    jobs = [(p, c) for p, c in jobs if c.shared <= 227 * 1024]
    failures, texts = 0, {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_unit, {cut.unit() for _, cut in jobs}))  # each once
        built = list(pool.map(compile_unit, (cut.unit() for _, cut in jobs)))
    for (_, cut), result in zip(jobs, built):
        if isinstance(result, str) or result[3]:
            texts.setdefault(f"{cut.name} dim {cut.dim}", result if isinstance(result, str) else f"{result[1]} registers, {result[2]} spilled: {result[3]}")
    for name, text in texts.items():
        print(f"{name}: {text[:160]}")
    if options.compile:
        return 0

    import torch

    import driver

    torch.manual_seed(5)
    for problem in problems:
        name, batch, heads, queries, keys, dim = problem
        q, k = (torch.randn(batch, n, 3, heads, dim, device="cuda", dtype=torch.half) for n in (queries, keys))
        if queries == keys:
            k = q
        parts = [x.transpose(1, 2) for x in (q[:, :, 0], k[:, :, 1], k[:, :, 2])]
        want = torch.cat([torch.nn.functional.scaled_dot_product_attention(*(x[i:i + 1].float() for x in parts))
                          for i in range(min(batch, 8))]).transpose(1, 2)
        y = torch.empty(batch, queries, heads, dim, device="cuda", dtype=torch.half)
        library = driver.microseconds(lambda: torch.nn.functional.scaled_dot_product_attention(*parts), 10)
        times = []
        for (p, cut), result in zip(jobs, built):
            if p is not problem or isinstance(result, str):
                continue
            kernel = driver.Kernel(result[0], cut.tiles * batch * heads, cut.block, cut.shared)
            y.fill_(float("nan"))
            launch = lambda: kernel(q.data_ptr(), k.data_ptr(), y.data_ptr())
            launch()
            torch.cuda.synchronize()
            error = (y[:len(want)].float() - want).abs().max().item()
            if not (error < 2e-3 and torch.isfinite(y).all().item()):
                failures += 1
                print(f"WRONG {name} {cut.name}: off by {error}")
            times.append((driver.microseconds(launch, 10), cut.name, result[1]))
        times.sort()
        flops = 4 * batch * heads * queries * keys * dim
        mma = min(t for t in times if t[1].startswith("m"))
        print(f"{name}: torch {library:.1f} us, best {flops / times[0][0] * 1e-6:.0f} TFLOP/s, mma {mma[1]} {mma[0]:.1f}; " +
              ", ".join(f"{n} {us:.1f}" for us, n, r in times[:options.top]), flush=True)
    print(f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(main())
