#!/usr/bin/env python3
"""Times every tile that the compiler chooses from (ir/contraction_text.cpp), on a machine with a GPU and torch.

A row for each problem, a column for each tile: TFLOP/s, with the best starred and cuBLAS or cuDNN beside them. Results
are compared with the reference as well; WRONG lines name what fails.
"""
import argparse
import os
import sys

import check
import nvrtc
import suite
from cases import Config

TENSOR = [Config(128, 256, 32, 2, 4, 4), Config(128, 128, 32, 2, 2, 4), Config(128, 64, 64, 4, 1, 3),
          Config(64, 128, 64, 2, 2, 3), Config(64, 64, 64, 2, 2, 4), Config(32, 64, 64, 2, 2, 4),
          Config(64, 32, 64, 2, 2, 4), Config(32, 32, 128, 2, 2, 5)]
WARPGROUP = suite.WARPGROUP


def columns(architecture):
    found = [(c, "tensor") for c in TENSOR]
    return found + [(c, "warpgroup") for c in WARPGROUP] if architecture == "sm_90a" else found


def label(config, math):
    return f"{config.bm}x{config.bn}" + (f"/{config.wm // 4}{config.wn}{config.stages}" if math == "warpgroup" else "")


def main():
    import torch

    import reference

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="problems whose name contains this")
    options = parser.parse_args()
    major, minor = torch.cuda.get_device_capability()
    architecture = next(a for a in nvrtc.ARCHITECTURES if a.rstrip("af") == f"sm_{major}{minor}")
    problems = [(name, make) for name, make in suite.problems() if options.only in name]
    tiles = columns(architecture)
    cases = [make(*tile) for _, make in problems for tile in tiles]
    cubins, failures = check.compile_all(cases, [architecture], os.cpu_count())
    print("TFLOP/s; warpgroups: tile/groups along m, along n, stages")
    print(f"{'':30s}{'library':>9s}" + "".join(f"{label(*tile):>{max(8, len(label(*tile)) + 1)}s}" for tile in tiles))
    for row, (name, _) in enumerate(problems):
        rates = []
        for column in range(len(tiles)):
            i = row * len(tiles) + column
            case = cases[i]
            if (i, architecture) not in cubins:
                rates.append(0.0)
                continue
            ok, error, us = reference.run(case, cubins[i, architecture], timed=True)
            if not ok:
                failures += 1
                print(f"WRONG {case.name()}: relative error {error:.3g}")
            rates.append(case.flops() / us * 1e-6)
        library = case.flops() / reference.library_microseconds(case) * 1e-6
        best = max(rates)
        print(f"{name:30s}{library:9.1f}" + "".join(
            f"{f'{rate:.1f}' + ('*' if rate == best else ' '):>{max(8, len(label(*tile)) + 1)}s}"
            for rate, tile in zip(rates, tiles)), flush=True)
    print(f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
