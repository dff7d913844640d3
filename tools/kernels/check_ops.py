#!/usr/bin/env python3
"""Compiles the operators' device functions for every architecture; with --run also runs them against numpy.

    check_ops.py [--run] [PART OF A CASE'S NAME…]

Results are poisoned before, operands lie in arbitrary strides between guard zones, and every byte that does not belong to a
result must survive. --run needs cupy and a GPU and compiles for that GPU alone."""
import argparse
import concurrent.futures
import ctypes
import itertools
import os
import sys

import numpy as np

import nvrtc
import op_cases
import tensor_map

MAX_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES


def compile_all(cases, pool):
    """One unit per header and architecture; prints what fails."""
    failures = 0
    cases = sorted(cases, key=lambda c: c.header)
    groups = [(header, list(group)) for header, group in itertools.groupby(cases, lambda c: c.header)]
    jobs = {}
    for (header, group), architecture in itertools.product(groups, nvrtc.ARCHITECTURES):
        group = [case for case in group if case.only in ("", architecture)]
        if not group:
            continue
        text = f'#include "{header}"\nusing namespace burnish;\n' + "".join(
            f"namespace n{i} {{{case.text(f'kernel{i}')}}}\n" for i, case in enumerate(group))
        jobs[pool.submit(nvrtc.compile, text, architecture)] = (header, architecture)
    for job in concurrent.futures.as_completed(jobs):
        header, architecture = jobs[job]
        try:
            warnings = job.result()[3]
        except nvrtc.CompileError as error:
            warnings = [str(error)[:3000]]
        if warnings:
            failures += 1
            print(f"{header} for {architecture}:\n" + "\n".join(warnings), file=sys.stderr)
    print(f"{len(jobs)} units compiled, {failures} with complaints")
    return failures


def maps_of(case, pointers):
    """What the kernel's tensor maps are, for operands at `pointers`."""
    places = dict(zip(case.operands, pointers))
    return [tensor_map.encode(int(places[m.operand]), case.operands[m.operand].values.dtype.itemsize, m.extents, m.strides, m.box)
            for m in case.maps.values()]


def launch(kernel, case, arguments):
    """By the driver, for cupy takes no structs."""
    held = [a if isinstance(a, ctypes.Array) else ctypes.c_uint64(int(a) & (2**64 - 1)) for a in arguments]
    pointers = (ctypes.c_void_p * len(held))(*[ctypes.addressof(a) for a in held])
    status = ctypes.CDLL("libcuda.so.1").cuLaunchKernel(ctypes.c_void_p(kernel.ptr), *map(int, case.blocks()), int(case.block),
                                                        1, 1, int(case.shared), None, pointers, None)
    if status:
        raise RuntimeError(f"{case.name}: launch failed with error {status}")


def run(case, cubin, cupy):
    """Launches the case; why it is wrong, or None."""
    import cupy_backends.cuda.api.driver
    module = cupy.cuda.function.Module()
    module.load(cubin)
    before = [operand.buffer() for operand in case.operands.values()]
    memory = [cupy.asarray(b) for b in before]
    pointers = [np.uint64(m.data.ptr + op_cases.GUARD) for m in memory]
    arguments = pointers + [np.int64(v) for v in case.scalars.values()] + maps_of(case, pointers)
    kernel = module.get_function("kernel")
    cupy_backends.cuda.api.driver.funcSetAttribute(kernel.ptr, MAX_DYNAMIC_SHARED, case.shared)
    launch(kernel, case, arguments)
    cupy.cuda.get_current_stream().synchronize()
    for (name, operand), old, new in zip(case.operands.items(), before, memory):
        if wrong := operand.complaint(old, cupy.asnumpy(new)):
            return f"{name}: {wrong}"
    return None


def run_all(cases, pool):
    import cupy
    capability = cupy.cuda.Device(0).compute_capability
    architecture = next(a for a in nvrtc.ARCHITECTURES if a.rstrip("af") == f"sm_{capability}")
    cases = [case for case in cases if case.only in ("", architecture)]
    cubins = [pool.submit(nvrtc.compile, case.unit(), architecture) for case in cases]
    failures = 0
    for case, cubin in zip(cases, cubins):
        wrong = run(case, cubin.result()[0], cupy)
        if wrong:
            failures += 1
            print(f"{case.name}: {wrong}", file=sys.stderr)
    print(f"{len(cases)} cases run, {failures} wrong")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run on the GPU of this machine")
    parser.add_argument("names", nargs="*", help="only cases whose name holds one of these")
    options = parser.parse_args()
    cases = [c for c in op_cases.all_cases() if not options.names or any(n in c.name for n in options.names)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return 1 if (run_all if options.run else compile_all)(cases, pool) else 0


if __name__ == "__main__":
    sys.exit(main())
