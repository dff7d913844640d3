#!/usr/bin/env python3
"""Times the bench zoo on GPU 0 in FP16 against torch, row by row, and writes bench/results/h200.json and docs/performance.md.

    bench.py [--models a,b] [--batches 1,8,32,128] [--minutes N] [--again] [--optimization-level N] [--libraries cublaslt,cudnn]
    bench.py --table        only the page, from the figures kept

A row is a model at a batch, with libraries or without. Rows that this commit has measured are not measured again without --again, and no row is begun once N
minutes have passed, so that the table fills over several stays on a GPU. docs/performance.md says what is measured, and how."""
import argparse
import concurrent.futures
import contextlib
import datetime
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH, WORK, BURNISH = ROOT / "bench", ROOT / "build/bench", ROOT / "build/bin/burnish"
RESULTS, PAGE, REASONS = BENCH / "results/h200.json", ROOT / "docs/performance.md", BENCH / "reasons.txt"
ITEMS = 4  # different ones in a batch; a larger batch repeats them
TOLERANCE = 1e-2  # relative L2 against ONNX Runtime in FP32
LAYERS_KEPT = 10
FORMATS = ("fp16_nhwc", "file")  # in the order of building: kernels are timed for the first
BEGAN = time.monotonic()

sys.path[:0] = [str(BENCH), str(ROOT / "tests/models")]
import rounds
import table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(table.MODELS))
    parser.add_argument("--batches", default=",".join(map(str, table.BATCHES)))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--optimization-level", type=int, default=1)
    parser.add_argument("--libraries", default="none", help="whose routines are candidates too; for levels that time kernels")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        measure(options)
    write_page()


def measure(options):
    end = time.monotonic() + 60 * options.minutes
    results = kept_results()
    results["gpu"], results["driver"] = output(
        "nvidia-smi", "-i", "0", "--query-gpu=name,driver_version", "--format=csv,noheader"
    ).split(", ")
    now = commit()
    libraries = [] if options.libraries == "none" else sorted(options.libraries.split(","))
    measured = [row for row in results["rows"] if row.get("commit") == now and row.get("libraries", []) == libraries]
    done = {(row["model"], row["batch"]) for row in measured if not options.again}
    batches = [int(batch) for batch in options.batches.split(",")]
    wanted = {model: [batch for batch in batches if (model, batch) not in done] for model in options.models.split(",")}
    wanted = {model: left for model, left in wanted.items() if left}
    bench = Bench(options.optimization_level, libraries)
    try:
        say("making models")
        bench.make_models(wanted)
        for model, left in wanted.items():
            if time.monotonic() >= end:
                break
            say(f"building {model} at {', '.join(map(str, left))}")
            with going_on(model):
                bench.prepare(model, left)
                for batch in left:
                    with going_on(f"{model} batch {batch}"):
                        if time.monotonic() < end:
                            keep(results, {**bench.row(model, batch), "commit": now})
        for row in rows_to_compile(results["rows"]):
            if time.monotonic() < end:
                keep(results, {**row, **bench.compiled(row["model"], row["batch"])})
    finally:
        bench.close()


@contextlib.contextmanager
def going_on(what):
    """A row that cannot be measured is said, and the others are measured all the same."""
    from session import Refused

    try:
        yield
    except (Refused, SystemExit) as failure:
        say(f"{what}: {failure}")


class Bench:
    """Models, engines, their reference outputs, and torch in its process."""

    def __init__(self, level, libraries):
        from session import Library

        self.level, self.libraries = level, libraries
        self.library = Library(ROOT / "build/lib", device=0)
        python = torch_python()
        command = [python, BENCH / "torch_worker.py"]
        self.torch = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) if python else None
        WORK.mkdir(parents=True, exist_ok=True)
        self.build_seconds, self.warm = {}, False

    def close(self):
        if self.torch:
            self.torch.stdin.close()
            self.torch.wait()

    def ask_torch(self, *request):
        """The worker's answer, {} where there is no torch or it failed."""
        if not self.torch:
            return {}
        print(json.dumps(request), file=self.torch.stdin, flush=True)
        line = self.torch.stdout.readline()
        if not line:
            self.torch = None
        answer = json.loads(line or '{"error": "its process ended"}')
        if "error" in answer:
            say(f"torch {request[0]}: {answer.pop('error')}")
        return answer

    def make_models(self, models):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda model: output(sys.executable, ROOT / "tools/test_models.py", "zoo", model), models))

    def prepare(self, model, batches):
        """A model's engines, and what they should give. One engine is built alone, so that its time means something."""
        first, *others = [(batch, formats) for batch in batches for formats in FORMATS]
        self.build_seconds = {first[0]: self.build(model, *first)}
        self.items = make_inputs(model, ITEMS)
        with concurrent.futures.ThreadPoolExecutor(max(2, (os.cpu_count() or 1) // 2) if self.level < 2 else 1) as pool:
            reference = pool.submit(reference_outputs, model, self.items)
            list(pool.map(lambda other: self.build(model, *other), others))
            self.reference = reference.result()

    def build(self, model, batch, formats):
        """Builds the engine; seconds it took."""
        command = [BURNISH, "build", ROOT / f"build/zoo/{model}.onnx", "-o", engine_path(model, batch, formats), "--fp16"]
        command += ["--shapes", shapes(model, batch), "--optimization-level", self.level]
        command += ["--libraries", ",".join(self.libraries) or "none"]
        if self.level > 1:
            command += ["--timing-cache", WORK / f"{model}.timing"]
            command += ["--timing-cache-mode", "append" if formats == FORMATS[0] else "read"]
        if formats == "fp16_nhwc":
            for option, ports in port_formats(model).items():
                command += [option, ports] if ports else []
        begin = time.monotonic()
        output(*command)
        return time.monotonic() - begin

    def row(self, model, batch):
        from session import Session, read_sensors

        inputs = {name: array[[i % ITEMS for i in range(batch)]] for name, array in self.items.items()}
        sessions = {formats: Session(self.library, engine_path(model, batch, formats)) for formats in FORMATS}
        row = {"model": model, "batch": batch, "precision": "fp16", "libraries": self.libraries, "level": self.level}
        row["date"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        row["build_seconds"] = self.build_seconds.get(batch)
        try:
            row["relative_l2"] = {}
            for formats, session in sessions.items():
                session.set_inputs(inputs)
                row["relative_l2"][formats] = self.error(session.run(), batch)
            if all(error <= TOLERANCE for error in row["relative_l2"].values()):
                row |= self.figures(model, batch, sessions, lambda: read_sensors(self.library))
            else:
                say(f"{model} batch {batch}: WRONG, so not timed: {row['relative_l2']}")
        finally:
            for session in sessions.values():
                session.close()
        return row

    def error(self, outputs, batch):
        """The largest relative L2 of an output against ONNX Runtime's; NaN counts as the largest there is."""
        from accuracy import relative_l2

        errors = []
        for name, expected in self.reference.items():
            expected = expected[[i % ITEMS for i in range(batch)]]
            right = outputs[name].shape == expected.shape
            errors.append(float(relative_l2(outputs[name], expected)) if right else float("inf"))
        return max(float("inf") if error != error else error for error in errors)

    def figures(self, model, batch, sessions, sensors):
        has_torch = self.ask_torch("prepare", model, batch) == {} and self.torch is not None
        walls, power = [], []

        def ours(formats):
            gpu, wall = sessions[formats].time(rounds.SECONDS, rounds.LEAST, rounds.MOST_SECONDS)
            if formats == "file":
                walls.append(wall)
            return gpu

        def clock():
            read = sensors()
            power.append(read[1] if read else None)
            return read[0] if read else None

        sides = {formats: lambda formats=formats: ours(formats) for formats in FORMATS}
        if has_torch:
            sides["torch"] = lambda: self.ask_torch("time", rounds.SECONDS, rounds.LEAST, rounds.MOST_SECONDS).get("ms", [])
        for session in sessions.values():
            session.time(0.2 if self.warm else 3, 3, 3)
            self.warm = True
        if has_torch:
            self.ask_torch("time", 0.2, 3, 3)
        samples, clocks = rounds.in_turns(sides, clock)
        counts = rounds.settled(clocks)
        has_torch = has_torch and all(samples["torch"])
        row = {
            "gpu_ms": rounds.median_of_medians(samples["file"], counts),
            "gpu_p90_ms": rounds.quantile(samples["file"], counts, 0.9),
            "gpu_p99_ms": rounds.quantile(samples["file"], counts, 0.99),
            "gpu_min_ms": rounds.quantile(samples["file"], counts, 0),
            "host_ms": rounds.median_of_medians(walls, counts),
            "gpu_fp16_nhwc_ms": rounds.median_of_medians(samples["fp16_nhwc"], counts),
            "torch_eager_ms": rounds.median_of_medians(samples["torch"], counts) if has_torch else None,
            "runs": sum(map(len, samples["file"])),
            "rounds": sum(counts),
            "sm_clock_mhz": clocks[-1],
            "power_watts": power[-1],
        }
        if batch == 1:
            row["gpu_flushed_ms"] = statistics.median(sessions["file"].time(0.1, 50, 3, flushed=True)[0])
        layers = rounds.layers_of(sessions["fp16_nhwc"].profile())
        row["roofline_ms"] = rounds.roofline_ms(layers)
        lost = [layer for layer in layers if layer[2] is not None]
        row["layers"] = [
            {"name": name, "ms": ms, "roofline_ms": least}
            for name, ms, least in sorted(lost, key=lambda layer: layer[2] - layer[1])[:LAYERS_KEPT]
        ]
        memory = sessions["file"].describe()["memory"]  # its bindings are the outputs: the inputs are in memory of the caller's
        row["memory_bytes"] = sessions["file"].input_bytes + sum(
            memory[part] for part in ("constants", "code", "device_arena", "bindings")
        )
        return row

    def compiled(self, model, batch):
        if self.ask_torch("prepare", model, batch) != {}:
            return {}
        answer = self.ask_torch("compile")
        return {"torch_compile_ms": answer["ms"]} if answer else {}


# ---- what is measured on


def engine_path(model, batch, formats):
    return WORK / f"{model}-b{batch}-{formats}.engine"


def zoo():
    spec = importlib.util.spec_from_file_location("zoo", BENCH / "zoo/zoo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def skeleton(model):
    import onnx

    return onnx.load(BENCH / f"zoo/skeletons/{model}.onnx")


def make_inputs(model, batch):
    return zoo().make_inputs(skeleton(model), batch, 0)


def shapes(model, batch):
    """The zoo's own shapes at this batch, as --shapes takes them."""
    return ",".join(f"{name}:{'x'.join(map(str, array.shape))}" for name, array in make_inputs(model, batch).items())


def port_formats(model):
    """--input-formats and --output-formats that make every float FP16, and NHWC where it has channels."""
    graph = skeleton(model).graph

    def formats(values):
        floats = [value for value in values if value.type.tensor_type.elem_type == 1]
        return ",".join(f"{value.name}:fp16" + (":nhwc" if len(value.type.tensor_type.shape.dim) == 4 else "") for value in floats)

    return {"--input-formats": formats(graph.input), "--output-formats": formats(graph.output)}


def reference_outputs(model, inputs):
    import reference

    named = types.SimpleNamespace(
        name=model, path=ROOT / f"build/zoo/{model}.onnx", source=BENCH / f"zoo/skeletons/{model}.onnx"
    )
    return reference.reference_outputs(named, inputs)


def torch_python():
    """A Python that has torch, or None."""
    probe = "import importlib.util as u; exit(not all(map(u.find_spec, ['torch', 'torchvision', 'transformers'])))"
    candidates = dict.fromkeys([sys.executable, "python3"])
    return next((p for p in candidates if subprocess.run([p, "-c", probe], capture_output=True).returncode == 0), None)


# ---- what is kept


def baselines():
    return json.loads((BENCH / "zoo/baselines_h200.json").read_text())


def rows_to_compile(rows):
    """Rows whose torch.compile no file knows and nobody has measured."""
    kept = table.baseline_of(baselines())
    known = lambda row: kept.get((row["model"], row["batch"]), {}).get("torch_compile_graph_fp16_ms") or row.get("torch_compile_ms")
    return [row for row in rows if row.get("torch_eager_ms") and not known(row)]


def kept_results():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": []}


def keep(results, row):
    """Takes the place of the row of this model, batch, precision and libraries, and is on disk at once. Figures of seven digits are
    enough."""
    key = lambda r: (r["model"], r["batch"], r["precision"], r.get("libraries", []))
    results["rows"] = [r for r in results["rows"] if key(r) != key(row)] + [rounded(row)]
    order = {model: place for place, model in enumerate(table.MODELS)}
    results["rows"].sort(key=lambda r: (order.get(r["model"], len(order)), r["batch"]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    shown = ("gpu_ms", "gpu_fp16_nhwc_ms", "gpu_flushed_ms", "host_ms", "torch_eager_ms", "torch_compile_ms", "roofline_ms", "sm_clock_mhz")
    say(f"{row['model']} batch {row['batch']}: " + ", ".join(f"{k} {row[k]:.4g}" for k in shown if row.get(k)))


def say(text):
    """With the seconds since the beginning, for stays on a GPU are counted."""
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def write_page():
    """The table in docs/performance.md, where that page is there: a build carried to a GPU has none."""
    if PAGE.exists():
        text = table.markdown(kept_results(), baselines(), table.parse_reasons(REASONS.read_text()))
        PAGE.write_text(table.replaced(PAGE.read_text(), text))
        print(f"wrote {PAGE.relative_to(ROOT)}")


def commit():
    """The commit measured, `+` when files other than the figures differ from it; a staged build carries its own."""
    staged = ROOT / "commit"
    if staged.exists():
        return staged.read_text().strip()
    changed = output("git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no", ":!bench/results", ":!docs")
    return output("git", "-C", ROOT, "describe", "--always") + ("+" if changed else "")


def output(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
