#!/usr/bin/env python3
"""Times the bench zoo in FP16 against torch, row by row, and writes bench/results/h200.json and docs/performance.md.

    bench.py [--models a,b] [--batches 1,8,32,128] [--minutes N] [--again] [--optimization-level N] [--libraries SETTING]... [--gpus N]
    bench.py --table        only the page, from the figures kept

A row is a model at a batch, for each SETTING of libraries (none, or cublaslt,cudnn), which share one reference and one torch. Rows that
this commit has measured are not measured again without --again, and no row is begun once N minutes have passed, so that the table fills
over several stays on a GPU. With --gpus models are spread over the GPUs 0 to N - 1 of a host. docs/performance.md says what is measured,
and how."""
import argparse
import concurrent.futures
import contextlib
import datetime
import functools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH, BURNISH = ROOT / "bench", ROOT / "build/bin/burnish"
PAGE, REASONS = ROOT / "docs/performance.md", BENCH / "reasons.txt"
ITEMS = 4  # different ones in a batch; a larger batch repeats them
TOLERANCE = 1e-2  # relative L2 against ONNX Runtime in FP32
LAYERS_KEPT = 10
BEGAN = time.monotonic()

sys.path[:0] = [str(BENCH), str(ROOT / "tests/models")]
import kept
import rounds
import table
from engines import FORMATS, WORK, Engine, make_inputs, port_formats, reference_outputs, shapes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(table.MODELS))
    parser.add_argument("--batches", default=",".join(map(str, table.BATCHES)))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--optimization-level", type=int, default=1)
    parser.add_argument("--libraries", action="append", help="whose routines are candidates too, where kernels are timed. Default: none")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.gpus > 1:
        spread(options)
    elif not options.table:
        measure(options)
    write_page()


def spread(options):
    """A process for each GPU, which sees no other one."""
    others = ["--batches", options.batches, "--minutes", options.minutes, "--optimization-level", options.optimization_level]
    others += [word for setting in options.libraries or [] for word in ("--libraries", setting)] + ["--again"] * options.again
    models, children = options.models.split(","), []
    for gpu in range(options.gpus):
        if share := models[gpu :: options.gpus]:
            command = [sys.executable, __file__, "--models", ",".join(share), *map(str, others)]
            children.append(subprocess.Popen(command, env={**os.environ, "CUDA_VISIBLE_DEVICES": str(gpu)}))
    if any([child.wait() for child in children]):
        sys.exit("a GPU's share is not complete")


def measure(options):
    end = time.monotonic() + 60 * options.minutes
    gpu, driver = output("nvidia-smi", "-i", "0", "--query-gpu=name,driver_version", "--format=csv,noheader").split(", ")
    device, now = {"gpu": gpu, "driver": driver}, commit()
    settings = [[] if setting == "none" else sorted(setting.split(",")) for setting in options.libraries or ["none"]]
    models = options.models.split(",")
    batches = [int(batch) for batch in options.batches.split(",")]
    known = [] if options.again else kept.results()["rows"]
    wanted = kept.rows_wanted(known, models, batches, settings, now)
    bench = Bench(options.optimization_level, settings)
    try:
        say("making models")
        bench.make_models(wanted)
        for model, left in wanted.items():
            for together in bench.built_together(left):
                if time.monotonic() >= end:
                    break
                say(f"building {model} at {', '.join(map(str, together))}")
                with going_on(f"{model} at {together}"):
                    bench.prepare(model, together)
                    for row in (row for batch in together for row in bench.rows(model, batch)):
                        keep({**row, "commit": now}, device)
        for (model, batch), rows in kept.rows_to_compile(kept.results()["rows"], models).items():
            if time.monotonic() < end:
                compiled = bench.compiled(model, batch)
                for row in rows if compiled else []:
                    keep({**row, **compiled}, device)
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

    def __init__(self, level, settings):
        """settings: lists of libraries, each measured by itself."""
        from session import Library

        self.level, self.settings = level, settings
        self.library = Library(ROOT / "build/lib", device=0)
        python = torch_python()
        command = [python, BENCH / "torch_worker.py"]
        self.torch = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) if python else None
        WORK.mkdir(parents=True, exist_ok=True)
        self.build_seconds, self.reference, self.warm = {}, (None, None), False

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

    def built_together(self, batches):
        """Engines whose kernels are not timed build side by side."""
        return [batches] if self.level < 2 else [[batch] for batch in batches]

    def prepare(self, model, batches):
        """A model's engines, and what they should give. The first one of each setting is built alone, so that its time means something."""
        firsts, others = [], []
        for libraries in self.settings:
            first, *rest = [Engine(model, batch, formats, libraries) for batch in batches for formats in FORMATS]
            firsts.append(first)
            others += rest
        self.build_seconds = {engine.path: self.build(engine) for engine in firsts}
        with concurrent.futures.ThreadPoolExecutor(max(2, (os.cpu_count() or 1) // 2) if self.level < 2 else 1) as pool:
            list(pool.map(self.build, others))
        if self.reference[0] != model:
            self.items = make_inputs(model, ITEMS)
            self.reference = model, reference_outputs(model, self.items)

    def build(self, engine):
        """Builds it; seconds it took."""
        command = [BURNISH, "build", ROOT / f"build/zoo/{engine.model}.onnx", "-o", engine.path, "--fp16"]
        command += ["--shapes", shapes(engine.model, engine.batch), "--optimization-level", self.level]
        command += ["--libraries", ",".join(engine.libraries) or "none"]
        if self.level > 1:
            command += ["--timing-cache", engine.timing_cache]
            command += ["--timing-cache-mode", "append" if engine.formats == FORMATS[0] else "read"]
        if engine.formats == "fp16_nhwc":
            for option, ports in port_formats(engine.model).items():
                command += [option, ports] if ports else []
        begin = time.monotonic()
        output(*command)
        return time.monotonic() - begin

    def rows(self, model, batch):
        """A row for each setting, timed in turns with each other and torch; one that is wrong has no times."""
        inputs = {name: array[[i % ITEMS for i in range(batch)]] for name, array in self.items.items()}
        with contextlib.ExitStack() as opened:
            settings = [self.begin_row(model, batch, libraries, inputs, opened) for libraries in self.settings]
            right = [(row, sessions) for row, sessions in settings if max(row["relative_l2"].values()) <= TOLERANCE]
            if right:
                self.add_figures(model, batch, right)
        return [row for row, _ in settings]

    def begin_row(self, model, batch, libraries, inputs, opened):
        """A row without times, and its sessions, which `opened` closes."""
        from session import Session

        engines = {formats: Engine(model, batch, formats, libraries) for formats in FORMATS}
        row = {"model": model, "batch": batch, "precision": "fp16", "libraries": libraries, "level": self.level}
        row["date"] = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        row["build_seconds"] = self.build_seconds.get(engines[FORMATS[0]].path)
        row["relative_l2"], sessions = {}, {}
        for formats, engine in engines.items():
            session = sessions[formats] = opened.enter_context(contextlib.closing(Session(self.library, engine.path)))
            session.set_inputs(inputs)
            row["relative_l2"][formats] = self.error(session.run(), batch)
            if not row["relative_l2"][formats] <= TOLERANCE:
                say(f"{model} batch {batch}: WRONG, so not timed: {row['relative_l2']}")
        return row, sessions

    def error(self, outputs, batch):
        """The largest relative L2 of an output against ONNX Runtime's; NaN counts as the largest there is."""
        from accuracy import relative_l2

        errors = []
        for name, expected in self.reference[1].items():
            expected = expected[[i % ITEMS for i in range(batch)]]
            right = outputs[name].shape == expected.shape
            errors.append(float(relative_l2(outputs[name], expected)) if right else float("inf"))
        return max(float("inf") if error != error else error for error in errors)

    def add_figures(self, model, batch, settings):
        """settings: [(row, its sessions)]."""
        from session import read_sensors

        has_torch = self.ask_torch("prepare", model, batch) == {} and self.torch is not None
        walls, power = {}, []

        def ours(setting, formats, session):
            gpu, wall = session.time(rounds.SECONDS, rounds.LEAST, rounds.MOST_SECONDS)
            walls.setdefault((setting, formats), []).append(wall)
            return gpu

        def clock():
            read = read_sensors(self.library)
            power.append(read[1] if read else None)
            return read[0] if read else None

        sides = {
            (setting, formats): functools.partial(ours, setting, formats, session)
            for setting, (_, sessions) in enumerate(settings)
            for formats, session in sessions.items()
        }
        if has_torch:
            sides["torch"] = lambda: self.ask_torch("time", rounds.SECONDS, rounds.LEAST, rounds.MOST_SECONDS).get("ms", [])
        for _, sessions in settings:
            for session in sessions.values():
                session.time(0.2 if self.warm else 3, 3, 3)
                self.warm = True
        if has_torch:
            self.ask_torch("time", 0.2, 3, 3)
        samples, clocks = rounds.in_turns(sides, clock)
        counts = rounds.settled(clocks)
        has_torch = has_torch and all(samples["torch"])
        for setting, (row, sessions) in enumerate(settings):
            times = {formats: samples[setting, formats] for formats in FORMATS}
            row |= figures(batch, sessions, times, walls[setting, "file"], counts)
            row["torch_eager_ms"] = rounds.median_of_medians(samples["torch"], counts) if has_torch else None
            row["sm_clock_mhz"], row["power_watts"] = clocks[-1], power[-1]

    def compiled(self, model, batch):
        if self.ask_torch("prepare", model, batch) != {}:
            return {}
        answer = self.ask_torch("compile")
        return {"torch_compile_ms": answer["ms"]} if answer else {}


def figures(batch, sessions, times, walls, counts):
    """What a row says of one setting: `times` and `walls` of the rounds, of which `counts` count; the rest is measured here."""
    row = {
        "gpu_ms": rounds.median_of_medians(times["file"], counts),
        "gpu_p90_ms": rounds.quantile(times["file"], counts, 0.9),
        "gpu_p99_ms": rounds.quantile(times["file"], counts, 0.99),
        "gpu_min_ms": rounds.quantile(times["file"], counts, 0),
        "host_ms": rounds.median_of_medians(walls, counts),
        "gpu_fp16_nhwc_ms": rounds.median_of_medians(times["fp16_nhwc"], counts),
        "runs": sum(map(len, times["file"])),
        "rounds": sum(counts),
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


def torch_python():
    """A Python that has torch, or None."""
    probe = "import importlib.util as u; exit(not all(map(u.find_spec, ['torch', 'torchvision', 'transformers'])))"
    candidates = dict.fromkeys([sys.executable, "python3"])
    return next((p for p in candidates if subprocess.run([p, "-c", probe], capture_output=True).returncode == 0), None)


def keep(row, device):
    kept.keep(row, device)
    shown = ("gpu_ms", "gpu_fp16_nhwc_ms", "gpu_flushed_ms", "host_ms", "torch_eager_ms", "torch_compile_ms", "roofline_ms", "sm_clock_mhz")
    name = " ".join([row["model"], *row["libraries"], "batch", str(row["batch"])])
    say(f"{name}: " + ", ".join(f"{figure} {row[figure]:.4g}" for figure in shown if row.get(figure)))


def say(text):
    """With the seconds since the beginning, for stays on a GPU are counted."""
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def write_page():
    """The table in docs/performance.md, where that page is there: a build carried to a GPU has none."""
    if PAGE.exists():
        text = table.markdown(kept.results(), kept.baselines(), table.parse_reasons(REASONS.read_text()))
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
