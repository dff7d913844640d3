#!/usr/bin/env python3
"""Times zoo models on GPU 0 in FP16 and keeps the figures in bench/results/, torch eager of the same minutes beside them.

    bench.py [MODEL...]     default: resnet50 bert_base detector_s, each at batch 1 and 32
"""
import datetime
import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import onnx

ROOT = pathlib.Path(__file__).resolve().parents[1]
BATCHES = (1, 32)


def main(models):
    models = models or ["resnet50", "bert_base", "detector_s"]
    gpu, driver = output("nvidia-smi", "-i", "0", "--query-gpu=name,driver_version", "--format=csv,noheader").split(", ")
    subprocess.run([sys.executable, ROOT / "tools/test_models.py", "zoo", *models], check=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    eager = torch_eager(models)
    rows = []
    for model in models:
        for batch in BATCHES:
            row = {"model": model, "batch": batch, **time_engine(model, batch), "torch_eager_ms": eager.get((model, batch))}
            rows.append(row)
            print(f"{model} batch {batch}\n" + "\n".join(f"  {line}" for line in row["burnish"]), flush=True)
            print(f"  one process that loads and runs it: {row['process_seconds']} s")
            print(f"  torch eager {row['torch_eager_ms'] or 'not measured'} ms", flush=True)
    result = {
        "date": now.isoformat(timespec="seconds"),
        "gpu": gpu,
        "driver": driver,
        "commit": commit(),
        "precision": "fp16",
        "rows": rows,
    }
    path = ROOT / "bench/results" / f"{now:%Y-%m-%d-%H%M}-{re.sub('[^a-z0-9]+', '-', gpu.lower())}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"kept in {path.relative_to(ROOT)}")


def time_engine(model, batch):
    """What `burnish bench` prints for an engine of `model` at this batch, line by line, and the seconds of a process that loads
    it, the file being in the page cache, and runs it once: driver, engine, inference, outputs."""
    burnish = ROOT / "build/bin/burnish"
    with tempfile.TemporaryDirectory() as folder:
        engine = f"{folder}/{model}.engine"
        path = ROOT / f"build/zoo/{model}.onnx"
        output(burnish, "build", path, "-o", engine, "--fp16", "--shapes", shapes(model, batch))
        lines = output(burnish, "bench", engine, "--device", "0").replace(f"{folder}/", "").splitlines()
        begin = time.monotonic()
        output(burnish, "run", engine, "--device", "0")
        return {"burnish": lines, "process_seconds": round(time.monotonic() - begin, 3)}


def shapes(model, batch):
    """The zoo's own shapes at this batch, as --shapes takes them."""
    spec = importlib.util.spec_from_file_location("zoo", ROOT / "bench/zoo/zoo.py")
    zoo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(zoo)
    inputs = zoo.make_inputs(onnx.load(ROOT / f"bench/zoo/skeletons/{model}.onnx"), batch, 0)
    return ",".join(f"{name}:{'x'.join(map(str, array.shape))}" for name, array in inputs.items())


def torch_eager(models):
    """(model, batch) -> median ms; empty where no Python here has torch."""
    probe = "import torch, torchvision, transformers"
    pythons = [sys.executable, shutil.which("python3") or sys.executable]
    python = next((p for p in pythons if subprocess.run([p, "-c", probe], capture_output=True).returncode == 0), None)
    if not python:
        return {}
    script = ROOT / "bench/zoo/torch_baseline.py"
    batches = ",".join(map(str, BATCHES))
    lines = output(python, script, "--models", ",".join(models), "--batches", batches, "--compile", "none")
    rows = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return {(row["model"], row["batch"]): row.get("eager_ms") for row in rows}


def commit():
    """The commit measured, `+` when files differ from it; a staged build carries its own."""
    staged = ROOT / "commit"
    return staged.read_text().strip() if staged.exists() else output("git", "-C", ROOT, "describe", "--always", "--dirty=+")


def output(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
