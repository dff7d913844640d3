"""bench/results/h200.json: a row for each model, batch and setting of libraries; which of them are missing."""
import fcntl
import json
import pathlib

import table

BENCH = pathlib.Path(__file__).resolve().parent
RESULTS = BENCH / "results/h200.json"


def baselines():
    return json.loads((BENCH / "zoo/baselines_h200.json").read_text())


def results():
    text = RESULTS.read_text() if RESULTS.exists() else ""
    return json.loads(text) if text else {"rows": []}


def keep(row, device):
    """Takes the place of the row of this model, batch, precision and libraries, and is on disk at once; a process for another GPU may
    do the same. device: what the file says of the machine."""
    key = lambda r: (r["model"], r["batch"], r["precision"], r.get("libraries", []))
    order = {model: place for place, model in enumerate(table.MODELS)}
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = results() | device
        before = next((r for r in kept["rows"] if key(r) == key(row)), {})
        kept["rows"] = [r for r in kept["rows"] if key(r) != key(row)] + [rounded(row | earlier_compile(before, row))]
        kept["rows"].sort(key=lambda r: (order.get(r["model"], len(order)), r["batch"], r.get("libraries", [])))
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def earlier_compile(before, row):
    """What an earlier run measured of torch.compile, and torch eager beside it, for as long as this row has no figure of its own."""
    if row.get("torch_compile_ms"):
        return {}
    if before.get("torch_compile_ms") and before.get("torch_eager_ms"):
        return {"torch_compile_earlier": {"ms": before["torch_compile_ms"], "eager_ms": before["torch_eager_ms"], "commit": before.get("commit")}}
    return {name: before[name] for name in ("torch_compile_earlier",) if name in before}


def rounded(value):
    """Figures of six digits are enough."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def rows_wanted(rows, models, batches, settings, commit):
    """model -> batches of which `commit` has not measured every setting; settings are lists of libraries."""
    done = {(row["model"], row["batch"], *row.get("libraries", [])) for row in rows if row.get("commit") == commit}
    is_wanted = lambda model, batch: any((model, batch, *libraries) not in done for libraries in settings)
    wanted = {model: [batch for batch in batches if is_wanted(model, batch)] for model in models}
    return {model: left for model, left in wanted.items() if left}


def rows_to_compile(rows, models):
    """(model, batch) -> rows whose torch.compile no file knows and nobody has measured."""
    known, missing = table.baseline_of(baselines()), {}
    for row in rows:
        compiled = known.get((row["model"], row["batch"]), {}).get("torch_compile_graph_fp16_ms") or row.get("torch_compile_ms")
        if row["model"] in models and row.get("torch_eager_ms") and not compiled:
            missing.setdefault((row["model"], row["batch"]), []).append(row)
    return missing
