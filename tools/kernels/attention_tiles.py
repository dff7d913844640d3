#!/usr/bin/env python3
"""Times the cuts that the compiler chooses from (ops/attention/attention_kernel.h), on a machine with a GPU and torch.

A line for each problem: torch's attention, the best cut of each form (m: warps, w: warpgroups, t: warpgroups that share the work
out and take turns) with percent of 989 TFLOP/s, then the cuts, best first. Results are compared with torch in binary32; WRONG
lines name what fails. Queries, keys and values lie in one tensor, as a merged projection leaves them."""
import argparse
import concurrent.futures
import functools
import os
import sys

import nvrtc
import tensor_map

# name, batch, heads, queries, keys, head dim
PROBLEMS = [
    ("vit b8", 8, 12, 197, 197, 64), ("vit b32", 32, 12, 197, 197, 64), ("vit b128", 128, 12, 197, 197, 64),
    ("vit b1", 1, 12, 197, 197, 64),
    ("bert b1", 1, 12, 128, 128, 64), ("bert b8", 8, 12, 128, 128, 64), ("bert b32", 32, 12, 128, 128, 64),
    ("bert b128", 128, 12, 128, 128, 64),
    ("diffusion 40 b1", 1, 8, 4096, 4096, 40), ("diffusion 80 b1", 1, 8, 4096, 4096, 80),
    ("diffusion 40 b8", 8, 8, 4096, 4096, 40), ("diffusion 80 b8", 8, 8, 4096, 4096, 80),
    ("diffusion 40 b32", 32, 8, 4096, 4096, 40), ("diffusion 80 b32", 32, 8, 4096, 4096, 80),
    ("swin 1 b32", 2048, 3, 49, 49, 32), ("swin 3 b1", 4, 12, 49, 49, 32),
    ("cross 40 b1", 1, 8, 4096, 77, 40), ("cross 80 b8", 8, 8, 4096, 77, 80),
]
PEAK = 989e6  # operations in a microsecond


def cuts(keys):
    """(form, warpgroups or warps, key tile, stages)"""
    for tile in (64, 80, 96, 112, 128):
        stages = 1 if keys <= tile else 2
        if -(-keys // tile) * tile > keys + 63:
            continue
        for groups in (1, 2, 3):
            yield "w", groups, tile, stages
        if tile == 64 or keys < 1000:
            for warps in (2, 4, 8):
                yield "m", warps, tile, stages
    for tile in (80, 96, 112, 128, 144, 160, 176):
        for groups in (1, 2, 3):
            for stages in (2, 3):
                yield "t", groups, tile, stages
        if keys <= tile:
            break


class Cut:
    def __init__(self, problem, cut):
        _, self.batch, self.heads, self.queries, self.keys, self.dim = problem
        self.form, self.size, self.tile, self.stages = cut
        self.specialised = self.form == "t"
        self.rows = self.size * (16 if self.form == "m" else 64)
        self.tiles = -(-self.queries // self.rows)
        self.block = self.size * (32 if self.form == "m" else 128) + (128 if self.specialised else 0)
        self.resident = (2 if self.size == 1 else 1) if self.specialised else 0
        self.blocks = self.tiles * self.batch * self.heads
        self.grid = min(self.blocks, 132 * self.resident) if self.specialised else self.blocks
        span, lines = -(-self.dim // 16) * 16, -(-self.dim // 64) * 128
        result_row, ring = (span + 8) * 2, 2 * self.stages * self.tile * lines
        self.shared = {"m": (self.rows + 2 * self.tile * self.stages) * result_row,
                       "w": 1024 + -(-self.rows * max(lines, result_row) // 1024) * 1024 + ring,
                       }.get(self.form, 1024 + self.rows * (lines + result_row) + ring + 16 * (1 + 2 * self.stages))

    @property
    def fits(self):
        return self.shared <= (113 if self.resident == 2 else 227) * 1024

    @property
    def name(self):
        return f"{self.form}{self.rows}x{self.tile}/{self.stages}"

    def operands(self):
        """The kernel's parameters and the text of its q, k, v."""
        if self.specialised:
            rows = ", ".join(f"MappedRows{{{name}, {{at.at[1], at.at[0], 0}}}}" for name in "qkv")
            return ", ".join(f"const __grid_constant__ TensorMap {name}" for name in "qkv"), rows
        width = 3 * self.heads * self.dim
        rows = ", ".join(f"AttentionRows<half, 16>{{{name} + offset_of(at, dims({n * width}LL, {self.dim}LL)), {width}LL, 1LL}}"
                         for name, n in (("q", self.queries), ("k", self.keys), ("v", self.keys)))
        return "const half* q, const half* k, const half* v", rows

    def arguments(self, q, k):
        """What the parameters are, for q and k as the projections leave them."""
        places = [x.data_ptr() + i * self.heads * self.dim * 2 for i, x in enumerate((q, k, k))]
        if not self.specialised:
            return places
        width = 3 * self.heads * self.dim
        return [tensor_map.encode(at, 2, (self.dim, n, self.heads, self.batch, 1), (width, self.dim, n * width, width),
                                  (64, rows, 1, 1, 1))
                for at, n, rows in zip(places, (self.queries, self.keys, self.keys), (self.rows, self.tile, self.tile))]

    def unit(self):
        parameters, rows = self.operands()
        kind, function, header = {"m": ("AttentionTiles", "attention", "attention"),
                                  "w": ("WarpgroupAttentionTiles", "warpgroup_attention", "attention_warpgroup"),
                                  }.get(self.form, ("SpecialisedAttentionTiles", "", "attention_specialised"))
        row = self.heads * self.dim
        extent = f"{self.queries}, {self.keys}, {self.dim ** -0.5}f"
        place = f"const auto at = decompose(tile / {self.tiles}, dims<int>({self.batch}, {self.heads}));\n"
        operands = (f"tile % {self.tiles}, {rows}, NoMask{{}}, y + offset_of(at, dims({self.queries * row}LL, {self.dim}LL)), "
                    f"{row}LL, 1LL, true")
        body = (f"specialised_attention<C>({self.blocks}, {extent}, [&](int tile, const auto& compute) {{\n{place}"
                f"compute({operands});\n}});" if self.specialised else
                f"const int tile = int(blockIdx.x);\n{place}{function}<C>({operands}, {extent});")
        bounds = f"{self.block}{f', {self.resident}' if self.resident else ''}"
        return (f'#include "ops/attention/{header}.cuh"\nusing namespace burnish;\n'
                f'extern "C" __global__ void __launch_bounds__({bounds}) kernel({parameters}, half* y) {{\n'
                f"using C = {kind}<half, {self.dim}, {self.dim}, {self.size}, {self.tile}, {self.stages}>;\n"
                f"{body}\n}}\n")


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
    jobs = [(p, c) for p, c in jobs if c.fits]
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
            if result[2] and cut.specialised:
                continue
            kernel = driver.Kernel(result[0], cut.grid, cut.block, cut.shared)
            y.fill_(float("nan"))
            arguments = cut.arguments(q, k)
            launch = lambda: kernel(*arguments, y.data_ptr())
            launch()
            torch.cuda.synchronize()
            error = (y[:len(want)].float() - want).abs().max().item()
            if not (error < 2e-3 and torch.isfinite(y).all().item()):
                failures += 1
                print(f"WRONG {name} {cut.name}: off by {error}")
            times.append((driver.microseconds(launch, 10), cut.name, result[1]))
        times.sort()
        flops = 4 * batch * heads * queries * keys * dim
        best = {form: min((t for t in times if t[1][0] == form), default=None) for form in "mwt"}
        print(f"{name}: torch {library:.1f} us {100 * flops / library / PEAK:.0f} %; " +
              "; ".join(f"{t[1]} {t[0]:.1f} us {100 * flops / t[0] / PEAK:.0f} %" for t in best.values() if t) + " | " +
              ", ".join(f"{n} {us:.1f}" for us, n, r in times[:options.top]), flush=True)
    print(f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(main())
