#!/usr/bin/env python3
"""Times every tile that the compiler chooses from (ir/contraction_text.cpp), on a machine with a GPU and torch.

A line for each problem: cuBLAS or cuDNN, then the tiles, best first. Results are compared with the reference as well;
WRONG lines name what fails.
"""
import argparse
import dataclasses
import os
import sys

import cases
import check
import nvrtc
import suite
from cases import Config

TENSOR = [Config(128, 256, 32, 2, 4, 4), Config(128, 128, 32, 2, 2, 4), Config(128, 64, 64, 4, 1, 3),
          Config(64, 128, 64, 2, 2, 3), Config(64, 64, 64, 2, 2, 4), Config(32, 64, 64, 2, 2, 4),
          Config(64, 32, 64, 2, 2, 4), Config(32, 32, 128, 2, 2, 5)]
SLICED = [(Config(64, 64, 64, 2, 2, 4), "tensor"), (Config(32, 64, 64, 2, 2, 4), "tensor"),
          (Config(64, 64, 64, 4, 1, 4), "warpgroup"), (Config(64, 128, 64, 4, 1, 4), "warpgroup")]


# Of the others, those that have been the best for products that are bound by memory.
BLOCKS = [(Config(128, 64, 64, 4, 1, 3), "tensor"), (Config(64, 32, 64, 2, 2, 4), "tensor"),
          (Config(128, 64, 64, 4, 1, 8, teams=2), "warpgroup"), (Config(64, 128, 64, 4, 1, 8, teams=2), "warpgroup"),
          (Config(128, 96, 64, 4, 1, 7, teams=2), "warpgroup")]


def columns(architecture, make):
    found = [(c, "tensor") for c in TENSOR]
    if architecture != "sm_90a":
        return found
    found += [(c, "warpgroup") for c in suite.WARPGROUP + suite.SPECIALISED]
    mappable = make(suite.SPECIALISED[0], "warpgroup").mappable()
    return found + [(dataclasses.replace(c, mapped=mappable), "warpgroup") for c in suite.SPECIALISED if mappable]


def stationary(make):
    """Tiles of which B stays in shared memory, for a product."""
    case = make(BLOCKS[0][0], "tensor")
    alike = isinstance(case, cases.Gemm) and case.k % 8 == 0 and case.n % 8 == 0
    return [(c, "tensor") for c in suite.stationary_tiles(case.n, case.k, case.residual)] if alike else []


def sliced(make):
    """Tiles with k in slices, where there are few tiles."""
    for config, math in SLICED:
        for slices in (2, 4, 8):
            config = dataclasses.replace(config, slices=slices)
            if make(config, math).launch()[0] <= 160:
                yield config, math


def label(config, math):
    if isinstance(config, cases.Stationary):
        return f"s{config.rows}x{config.columns}/{config.warps}"
    return ((f"w{config.bm}x{config.bn}/{config.wm // 4}{config.wn}{config.stages}" if math == "warpgroup" else
             f"{config.bm}x{config.bn}") + (f" k/{config.slices}" if config.slices > 1 else "") +
            (f" t{config.teams}" if config.teams else "") + ("", " b", " ab")[config.mapped])


def main():
    import torch

    import reference

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="problems whose name contains this")
    parser.add_argument("--memory", action="store_true", help="products that are bound by memory, and fewer tiles")
    parser.add_argument("--top", type=int, default=10, help="tiles to name for a problem")
    options = parser.parse_args()
    major, minor = torch.cuda.get_device_capability()
    architecture = next(a for a in nvrtc.ARCHITECTURES if a.rstrip("af") == f"sm_{major}{minor}")
    problems = [(name, make) for name, make in (suite.memory_bound() if options.memory else suite.problems())
                if options.only in name]

    def tiles(make):
        hopper = architecture == "sm_90a"
        if options.memory:
            return [tile for tile in BLOCKS if make(*tile).runs_on(architecture)] + stationary(make)
        return [*columns(architecture, make), *stationary(make), *(sliced(make) if hopper else [])]

    jobs = [(name, tile, make(*tile)) for name, make in problems for tile in tiles(make)]
    cubins, failures = check.compile_all([case for _, _, case in jobs], [architecture], os.cpu_count())
    print(("Microseconds (percent of 4.8 TB/s)" if options.memory else "TFLOP/s") + ", best first; w: warpgroups along m, "
          "along n, stages; k/: slices of k; t: teams beside a warpgroup that copies; b, ab: operands that the copy engine brings; "
          "s: B stays in shared memory, warps", flush=True)
    for problem, _ in problems:
        rates = []
        for i, (name, tile, case) in enumerate(jobs):
            if name != problem or (i, architecture) not in cubins:
                continue
            ok, error, us = reference.run(case, cubins[i, architecture], timed=True)
            if not ok:
                failures += 1
                print(f"WRONG {case.name()}: relative error {error:.3g}")
            rates.append((case.flops() / us * 1e-6, us, label(*tile)))
            example = case
        library = reference.library_microseconds(example)
        rates.sort(reverse=True)
        print(f"{problem}: library {example.flops() / library * 1e-6:.0f} ({library:.1f} us), best {rates[0][1]:.1f} us; " +
              ", ".join(f"{name} {us:.0f} ({example.bytes() / us / 4.8e4:.0f} %)" if options.memory else f"{name} {rate:.0f}"
                        for rate, us, name in rates[:options.top]), flush=True)
    print(f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
