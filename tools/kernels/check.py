#!/usr/bin/env python3
"""Checks the contraction and convolution device code (providers/nvrtc/device).

Without options: compiles every case for the six architectures, here, with no GPU; prints spills and what fails.
--run: on a machine with a GPU and torch, compares every case with a binary64 reference, then times a few.
"""
import argparse
import concurrent.futures
import os
import sys
import time

import nvrtc
import suite


def compile_all(programs, architectures, workers):
    """{(index, architecture): cubin}; prints failures, spills and warnings."""
    failures, cubins = 0, {}

    def one(job):
        try:
            return job, nvrtc.compile(programs[job[0]].source(), job[1]), None
        except nvrtc.CompileError as error:
            return job, None, error

    jobs = [(i, a) for i in range(len(programs)) for a in architectures if programs[i].runs_on(a)]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for (i, architecture), result, error in pool.map(one, jobs):
            if error:
                failures += 1
                print(f"FAIL {architecture} {programs[i].name()}\n{str(error)[:2000]}" if failures < 4 else "FAIL")
                continue
            cubins[i, architecture], registers, spills, warnings = result
            if spills or warnings:
                print(f"{architecture} {programs[i].name()}: {registers} registers, {spills} bytes of spills", *warnings)
    return cubins, failures


def run(options):
    import torch

    import reference

    reference.GUARD = 0 if options.unguarded else reference.GUARD
    major, minor = torch.cuda.get_device_capability()
    architecture = next(a for a in nvrtc.ARCHITECTURES if a.rstrip("af") == f"sm_{major}{minor}")
    timings = [(heading, case) for heading, group in suite.timings() for case in group]
    programs = [c for c in suite.checks() if options.only in c.name()] if not options.only_timings else []
    checked = len(programs)
    programs += [case for _, case in timings] if not options.no_timings else []
    start = time.time()
    cubins, failures = compile_all(programs, [architecture], os.cpu_count())
    print(f"{len(programs)} programs compiled in {time.time() - start:.0f} s; {torch.cuda.get_device_name()}")
    heading = ""
    for i, case in enumerate(programs):
        if (i, architecture) not in cubins:
            continue
        ok, error, us = reference.run(case, cubins[i, architecture], timed=i >= checked)
        failures += not ok
        if not ok:
            print(f"WRONG {case.name()}: relative error {error:.3g}")
        if us:
            if timings[i - checked][0] != heading:
                heading = timings[i - checked][0]
                library = reference.library_microseconds(case)
                print(f"{heading}; torch {library:.1f} us, {case.flops() / library * 1e-6:.1f} TFLOP/s")
            print(f"  {us:9.1f} us {case.flops() / us * 1e-6:8.1f} TFLOP/s  error {error:.1e}  {case.name()}", flush=True)
    print(f"{checked} cases compared, {failures} failures, {time.time() - start:.0f} s")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--only-timings", action="store_true")
    parser.add_argument("--no-timings", action="store_true")
    parser.add_argument("--unguarded", action="store_true", help="exact allocations, for compute-sanitizer")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="compile only every Nth case")
    parser.add_argument("--architectures", nargs="*", default=nvrtc.ARCHITECTURES)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if options.run:
        return run(options)
    programs = [c for c in suite.checks() + [c for _, g in suite.timings() for c in g] if options.only in c.name()][::options.every]
    start = time.time()
    _, failures = compile_all(programs, options.architectures, options.jobs)
    print(f"{len(programs)} programs for {len(options.architectures)} architectures in {time.time() - start:.0f} s, "
          f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
