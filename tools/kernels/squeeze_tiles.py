#!/usr/bin/env python3
"""Times squeeze and excitation on the layers of EfficientNet-B0, on a machine with a GPU of sm_90 and torch.

A line for each layer: how the compiler shares an image out (shares of the positions, threads, vectors of a thread that stay in
shared memory), its time, the part of the memory's bandwidth that is (x read and written once, 4.8 TB/s), and other ways, best
first. Results are compared with torch in binary32; WRONG lines name what fails."""
import argparse
import concurrent.futures
import os
import sys
from dataclasses import replace

import nvrtc
from op_cases.squeeze_excite import BLOCKS, Cut, ceil_div

# positions along an axis, channels, hidden
LAYERS = [(112, 32, 8), (56, 96, 4), (56, 144, 6), (28, 240, 10), (14, 480, 20), (14, 672, 28), (7, 1152, 48)]
MEMORY, CLUSTERS = 228 * 1024, 16


def with_held(cut, blocks_together):
    bare = replace(cut, held=0, staged=True)
    room = MEMORY // blocks_together - 1024 - bare.shared
    return replace(bare, held=max(0, min(room // (cut.threads * 16), bare.rounds, 32)))


def cuts(layer, images):
    """The compiler's (squeeze_excite_kernel.h) first."""
    side, channels, hidden = layer
    plain = [Cut(2, 8, channels, hidden, side * side, shares, 512) for shares in (1, 2, 4, 8)]
    best = min(plain, key=lambda c: c.cost)
    wanted = best.parts * best.own_positions // 4
    best = replace(best, threads=next(t for t in (128, 256, 512) if t >= wanted or t == 512))
    others = [replace(p, threads=t) for p in plain for t in (128, 256, 512)]
    for cut in [best] + [o for o in others if o != best]:
        yield with_held(cut, 1 if images <= CLUSTERS else 2)


def resident(cut, images):
    return 1 if images <= CLUSTERS else cut.resident()


def name(cut):
    return f"{cut.shares}/{cut.threads}/{cut.held}"


def unit(cut, layer, images):
    side, channels, _ = layer
    view = f"{{{{}}, {side * side * channels}, 1, dims({channels})}}"
    return (f'#include "ops/squeeze_excite/squeeze_excite.cuh"\nusing namespace burnish;\n'
            f'extern "C" __global__ void __launch_bounds__({cut.threads}, {resident(cut, images)}) __cluster_dims__({BLOCKS}, 1, 1) '
            f"kernel(const half* x, half* y, const half* __restrict__ w1, const half* __restrict__ b1, "
            f"const half* __restrict__ w2, const half* __restrict__ b2) {{\nrelease_dependents();\n{cut.text('half')}"
            f"const SqueezedImages<const half, 1, true> from{view.replace('{}', 'x')};\n"
            f"const SqueezedImages<half, 1, true> to{view.replace('{}', 'y')};\n"
            f"squeeze_excite<C, true>(from, to, dims<int>({side * side}), {images}, SqueezeWeights<half>{{w1, b1, w2, b2}}, "
            "squeeze_function::Swish{}, squeeze_function::Sigmoid{});\n}\n").replace("{{", "{").replace("}}", "}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", default="1,128")
    parser.add_argument("--all", action="store_true", help="other ways than the compiler's as well")
    parser.add_argument("--compile", action="store_true", help="compile only, with no GPU")
    options = parser.parse_args()
    jobs = []
    for images in (int(b) for b in options.batches.split(",")):
        for layer in LAYERS:
            all_cuts = list(cuts(layer, images))
            jobs += [(images, layer, cut) for cut in (all_cuts if options.all else all_cuts[:1])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        built = list(pool.map(lambda job: nvrtc.compile(unit(job[2], job[1], job[0]), "sm_90a"), jobs))
    if options.compile:
        for (images, layer, cut), result in zip(jobs, built):
            print(f"batch {images} {layer}: {name(cut)}, {cut.shared} bytes, {resident(cut, images)} resident, {result[1]} registers, "
                  f"{result[2]} spilled {result[3] or ''}")
        return 0

    import torch

    import driver

    torch.manual_seed(5)
    failures = 0
    for images, layer in dict.fromkeys((j[0], j[1]) for j in jobs):
        side, channels, hidden = layer
        x = torch.randn(images, side * side, channels, device="cuda").half()
        w1, w2 = (torch.randn(a, b, device="cuda").half() * b ** -0.5 for a, b in ((hidden, channels), (channels, hidden)))
        b1, b2 = (torch.randn(n, device="cuda").half() for n in (hidden, channels))
        z = torch.nn.functional.silu(x.float().mean(1) @ w1.float().T + b1.float()) @ w2.float().T + b2.float()
        want = x.float() * z.sigmoid()[:, None, :]
        y, times = torch.empty_like(x), []
        for (of_images, of_layer, cut), result in zip(jobs, built):
            if (of_images, of_layer) != (images, layer):
                continue
            kernel = driver.Kernel(result[0], BLOCKS * min(images, CLUSTERS * resident(cut, images)), cut.threads, cut.shared)
            y.fill_(float("nan"))
            launch = lambda: kernel(*(t.data_ptr() for t in (x, y, w1, b1, w2, b2)))
            launch()
            torch.cuda.synchronize()
            error = (y.float() - want).abs().max().item()
            if not error < 4e-3:
                failures += 1
                print(f"WRONG batch {images} {layer} {name(cut)}: off by {error}")
            times.append((driver.microseconds(launch, 10), name(cut)))
        us, chosen = times[0]
        share = 2 * 2 * x.numel() / us * 1e6 / 4.8e12
        print(f"batch {images} {side}x{side}x{channels}: {chosen} {us:.2f} us, {100 * share:.0f} %" +
              "".join(f", {n} {t:.2f}" for t, n in sorted(times[1:])[:6]), flush=True)
    print(f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(main())
