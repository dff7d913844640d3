#!/usr/bin/env python3
"""What timing kernels costs and brings: builds zoo models on GPU 0 in FP16 at optimisation levels and times the engines.

    bench_levels.py [--models resnet50,…] [--batches 1,32] [--levels 0,3] [--folder build/levels]

For each: seconds of the build, of a second one with its timing cache (whose engine must be the same, byte for byte), and the
median of `burnish bench`; engines are timed in turns, three rounds. Engines and timing caches stay in the folder."""
import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from bench import ROOT, output, shapes

BURNISH = ROOT / "build/bin/burnish"
ROUNDS = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="resnet50")
    parser.add_argument("--batches", default="1,32")
    parser.add_argument("--levels", default="0,3")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/levels")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    models = options.models.split(",")
    output(sys.executable, ROOT / "tools/test_models.py", "zoo", *models)
    for model in models:
        for batch in map(int, options.batches.split(",")):
            engines = {level: build(options.folder, model, batch, level) for level in map(int, options.levels.split(","))}
            times = {level: [] for level in engines}
            for _ in range(ROUNDS):
                for level, (engine, _) in engines.items():
                    times[level].append(median_ms(engine))
            for level, (_, said) in engines.items():
                print(f"{model} batch {batch} level {level}: {statistics.median(times[level]):.4f} ms on the GPU; {said}", flush=True)


def build(folder, model, batch, level):
    """The engine, and in words how long it took to build."""
    engine = folder / f"{model}-b{batch}-l{level}.engine"
    cache = engine.with_suffix(".timing")
    cache.unlink(missing_ok=True)
    command = [BURNISH, "build", ROOT / f"build/zoo/{model}.onnx", "-o", engine, "--fp16", "--shapes", shapes(model, batch)]
    command += ["--optimization-level", level, "--timing-cache", cache]
    first, notes = timed(command)
    bytes_of_first = engine.read_bytes()
    again, _ = timed(command)
    same = "the same" if engine.read_bytes() == bytes_of_first else "ANOTHER"
    return engine, f"built in {first:.1f} s, again in {again:.1f} s and {same}" + "".join(f"; {note}" for note in notes)


def timed(command):
    begin = time.monotonic()
    lines = output(*command).splitlines()
    return time.monotonic() - begin, lines[1:]


def median_ms(engine):
    figures = engine.with_suffix(".json")
    output(BURNISH, "bench", engine, "--device", "0", "--duration", "1", "--json", figures)
    return json.loads(figures.read_text())["gpu_ms"]["median"]


if __name__ == "__main__":
    main()
