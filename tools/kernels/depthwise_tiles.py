#!/usr/bin/env python3
"""Times the forms of depthwise convolution that the compiler chooses from (ops/depthwise_kernel.h), on a machine with a GPU and torch.

A line for each layer: what an H200's memory would take, torch's convolution (cuDNN, without bias), then the forms, best first, in
microseconds and percent of that memory time. Results of the first images are compared with torch in binary32; WRONG lines name
what fails."""
import argparse
import concurrent.futures
import ctypes
import os
import sys

import nvrtc
from cases import Depthwise

# name, channels, size, kernel, stride
LAYERS = [
    ("convnext 1", 96, 56, 7, 1), ("convnext 2", 192, 28, 7, 1), ("convnext 3", 384, 14, 7, 1), ("convnext 4", 768, 7, 7, 1),
    ("mobilenet 2", 96, 112, 3, 2), ("mobilenet 3", 144, 56, 3, 1), ("mobilenet 8", 384, 14, 3, 1), ("mobilenet 15", 960, 7, 3, 1),
    ("efficientnet 5", 240, 28, 5, 1), ("efficientnet 11", 672, 14, 5, 1), ("efficientnet 12", 672, 14, 5, 2),
    ("efficientnet 13", 1152, 7, 5, 1),
]
BYTES_PER_MICROSECOND = 4.8e6


def forms(channels, out, kernel, stride, batch):
    """Those of ops/depthwise_kernel.h: (name, arguments of Depthwise)."""
    for strip in (1, 2, 4, 8):
        yield f"strip {strip}", dict(strip=strip)
    if kernel > 3:
        yield "strip 2 of 4", dict(v=4, strip=2)
        yield "strip 4 of 2", dict(v=2, strip=4)
    elif stride == 1:
        yield "strip 2x4 of 4", dict(v=4, rows=2, strip=4)
    images = 2 if out <= 8 and batch > 1 else 1
    for across, pairs in ((1, 1), (1, 2), (2, 1), (4, 1)) if kernel > 5 and stride == 1 else ():
        if 16 * (across // 2) < out and 16 * (pairs // 2) < channels:
            yield f"band {images}x{16 // images}x{16 * across}x{16 * pairs}", dict(band=(across, pairs, images))


def compile_form(source):
    try:
        return nvrtc.compile(source, "sm_90a")
    except nvrtc.CompileError as error:
        return str(error)


def compile_forms(cases):
    """{source: what came of it}, by processes, for NVRTC takes the programs of one in turn."""
    sources = list(dict.fromkeys(case.source() for case in cases))
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        built = dict(zip(sources, pool.map(compile_form, sources)))
    for case in cases:
        result = built[case.source()]
        if isinstance(result, str) or result[2] or result[3]:
            print(f"{case.name()}: " + (result if isinstance(result, str) else f"{result[2]} bytes of spills {result[3]}")[:300])
    return built


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="layers whose name contains this")
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 32, 128])
    parser.add_argument("--top", type=int, default=6, help="forms to name for a layer")
    parser.add_argument("--compile", action="store_true", help="compile only, with no GPU")
    options = parser.parse_args()
    jobs = {}
    for name, channels, size, kernel, stride in LAYERS:
        for batch in options.batches if options.only in name else ():
            cases = [(form, Depthwise(batch, channels, (size, size), (kernel, kernel), stride=(stride, stride),
                                      pad=(kernel // 2,) * 4, **arguments))
                     for form, arguments in forms(channels, -(-size // stride), kernel, stride, batch)]
            jobs[name, batch] = [(form, case) for form, case in cases if case.launch()[2] <= 99 << 10]
    built = compile_forms([case for cases in jobs.values() for _, case in cases])
    if options.compile:
        return 0

    import torch
    import torch.nn.functional as F

    import reference
    from driver import Kernel, microseconds

    failures = 0
    torch.manual_seed(5)
    for (name, batch), cases in jobs.items():
        case = cases[0][1]
        channels, size, kernel, stride = case.channels, case.hw[0], case.kernel[0], case.stride[0]
        x = torch.randn(batch, channels, size, size, device="cuda", dtype=torch.half).to(memory_format=torch.channels_last)
        w = torch.randn(channels, 1, kernel, kernel, device="cuda", dtype=torch.half)
        bias = torch.randn(channels, device="cuda", dtype=torch.half)
        y = torch.empty(batch, channels, *case.out_hw(), device="cuda", dtype=torch.half).to(memory_format=torch.channels_last)
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False):
            compared = F.conv2d(x[-4:].float(), w.float(), bias.float(), stride, kernel // 2, groups=channels)
            library = microseconds(lambda: F.conv2d(x, w, None, stride, kernel // 2, groups=channels), 10)
        times = []
        for form, case in cases:
            result = built[case.source()]
            if isinstance(result, str):
                continue
            weights = (reference.in_bands(case, w) if case.band else w[:, 0].permute(1, 2, 0).contiguous())
            run = Kernel(result[0], *case.launch())
            launch = lambda: run(x.data_ptr(), weights.data_ptr(), y.data_ptr(), bias.data_ptr(), ctypes.c_int(batch))
            y.fill_(float("nan"))
            launch()
            error = ((y[-4:].float() - compared).norm() / compared.norm()).item()
            if not (error < 1e-3 and torch.isfinite(y).all().item()):
                failures += 1
                print(f"WRONG {case.name()}: relative error {error:.3g}")
            times.append((microseconds(launch, 10), form, result[1]))
        times.sort()
        memory = 2 * (x.numel() + y.numel()) / BYTES_PER_MICROSECOND
        best = {kind: min((us for us, form, _ in times if form.startswith(kind)), default=0) for kind in ("strip", "band")}
        print(f"{name} b{batch} {channels}x{size}^2 {kernel}x{kernel}/{stride}: memory {memory:.1f}, torch {library:.1f}, "
              f"strips {best['strip']:.1f}, bands {best['band']:.1f}; " +
              ", ".join(f"{form} {us:.1f} ({100 * memory / us:.0f} %)" for us, form, _ in times[:options.top]), flush=True)
    print(f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
