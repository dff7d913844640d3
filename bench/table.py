"""What the figures of bench/results mean: ratios to torch and ONNX Runtime, their geometric means against the bars, and the table
in docs/performance.md. A row is a dict as bench.py keeps it; a missing figure is absent or None."""
import math
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent

MODELS = "resnet50 mobilenet_v2 efficientnet_b0 convnext_tiny vit_b_16 swin_t detector_s diffusion_block bert_base".split()
BATCHES = (1, 8, 32, 128)
CNNS = {"resnet50", "mobilenet_v2", "efficientnet_b0", "convnext_tiny", "detector_s"}
ENCODERS = {"vit_b_16", "bert_base"}
WITHOUT_ORT = {"detector_s", "diffusion_block"}  # no figure of ONNX Runtime is kept

TORCH, ORT = "torch.compile", "ONNX Runtime"
# (what, against, which rows, least geometric mean or least single ratio)
MEANS = [
    ("all", TORCH, lambda row: True, 1.5),
    ("batch 1", TORCH, lambda row: row["batch"] == 1, 1.8),
    ("CNNs", TORCH, lambda row: row["model"] in CNNS, 1.6),
    ("vit and bert", TORCH, lambda row: row["model"] in ENCODERS, 1.2),
    ("all", ORT, lambda row: True, 5.0),
]
LEAST = {TORCH: 1.0, ORT: 2.4}


def baseline_of(baselines):
    """(model, batch) -> row of baselines_h200.json."""
    return {(row["model"], row["batch"]): row for row in baselines["rows"]}


def compile_ms(row, baseline):
    """torch.compile as it would be today: what the run measured itself, else the kept figure, or an earlier run's, carried by the eager
    ratio."""
    if row.get("torch_compile_ms"):
        return row["torch_compile_ms"]
    kept, eager_kept = (baseline.get(f"torch_{side}_graph_fp16_ms") for side in ("compile", "eager"))
    if is_earlier(row, baseline):
        kept, eager_kept = (row["torch_compile_earlier"][name] for name in ("ms", "eager_ms"))
    eager_today = row.get("torch_eager_ms")
    return kept * eager_today / eager_kept if kept and eager_kept and eager_today else None


def is_earlier(row, baseline):
    """Whether torch.compile's figure is of an earlier run."""
    return "torch_compile_earlier" in row and not row.get("torch_compile_ms") and not baseline.get("torch_compile_graph_fp16_ms")


def ratios(row, baseline):
    """How many times as long the others take; None where a figure is missing. torch is judged on the GPU time with FP16 NHWC inputs
    and outputs, which is what it gets itself; ONNX Runtime on the wall time with those of the file."""
    torch_ms, ort_ms = compile_ms(row, baseline), baseline.get("ort_cuda_fp32_ms")
    native, host = row.get("gpu_fp16_nhwc_ms"), row.get("host_ms")
    return {TORCH: torch_ms / native if torch_ms and native else None, ORT: ort_ms / host if ort_ms and host else None}


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def judged(rows, baselines):
    """The rows with their "ratios", in the order of the table."""
    kept = baseline_of(baselines)
    order = {model: place for place, model in enumerate(MODELS)}
    rows = sorted(rows, key=lambda row: (order.get(row["model"], len(order)), row["batch"]))
    return [{**row, "ratios": ratios(row, kept.get((row["model"], row["batch"]), {}))} for row in rows]


def bars(rows):
    """[(text of the bar, what is reached or None, rows that count, True: met, False: missed, None: rows are missing that decide)], for
    judged rows. A mean is of all the rows it is about; one row can miss for all."""
    result = []
    for what, against, belongs, least in MEANS:
        values = [row["ratios"][against] for row in rows if belongs(row) and row["ratios"][against]]
        mean = geometric_mean(values) if values else None
        met = mean >= least if len(values) == rows_with(against, belongs) else None
        result.append((f"{what}, against {against}: at least {least}", mean, len(values), met))
    for against, least in LEAST.items():
        values = [row["ratios"][against] for row in rows if row["ratios"][against]]
        lowest = min(values, default=None)
        missed = lowest is not None and lowest < least
        met = not missed if missed or len(values) == rows_with(against) else None
        result.append((f"every row, against {against}: at least {least}", lowest, len(values), met))
    return result


def rows_with(against, belongs=lambda row: True):
    """How many rows of the whole table there is a figure to be compared with."""
    models = [model for model in MODELS if against == TORCH or model not in WITHOUT_ORT]
    return sum(belongs({"model": model, "batch": batch}) for model in models for batch in BATCHES)


def misses(row):
    """What a judged row is below: names of LEAST."""
    return [against for against, least in LEAST.items() if row["ratios"][against] and row["ratios"][against] < least]


def parse_reasons(text):
    """(model, batch) -> why, from lines "MODEL BATCH: why"; `*` is every batch. `#` begins a comment."""
    reasons = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            row, why = line.split(":", 1)
            model, batch = row.split()
            for each in BATCHES if batch == "*" else (int(batch),):
                reasons[model, each] = why.strip()
    return reasons


def cell(value, form="{:.3f}"):
    return form.format(value) if value else "–"


def share(part, whole):
    return f"{100 * part / whole:.0f} %" if part and whole else "–"


def row_cells(row, baseline, reasons):
    missed = misses(row)
    ratio = [f"**{cell(row['ratios'][a], '{:.2f}')}**" if a in missed else cell(row["ratios"][a], "{:.2f}") for a in (TORCH, ORT)]
    memory = row.get("memory_bytes")
    return [
        row["model"],
        str(row["batch"]),
        str(row.get("level", "–")),
        cell(row.get("gpu_ms")),
        cell(row.get("gpu_fp16_nhwc_ms")),
        cell(row.get("gpu_flushed_ms")),
        cell(row.get("host_ms")),
        cell(row.get("torch_eager_ms")),
        cell(compile_ms(row, baseline)) + " *" * is_earlier(row, baseline),
        cell(baseline.get("ort_cuda_fp32_ms")),
        *ratio,
        share(row.get("roofline_ms"), row.get("gpu_fp16_nhwc_ms")),
        cell(memory and memory / 1e6, "{:.0f}"),
        cell(row.get("build_seconds"), "{:.1f}"),
        reasons.get((row["model"], row["batch"]), "not explained yet" if missed else ""),
    ]


HEAD = [
    "model", "batch", "level", "GPU", "GPU, FP16 NHWC", "GPU, L2 flushed", "host", "torch eager", "torch.compile", "ORT FP32",
    "× torch.compile", "× ORT", "of roofline", "MB", "build s", "what holds it back",
]  # fmt: skip


def markdown(results, baselines, reasons):
    """Table and bars of each setting, and who measured, for docs/performance.md."""
    commits = sorted({row["commit"] for row in results["rows"] if row.get("commit")})
    lines = [
        f"{results.get('gpu', 'No GPU yet')}, driver {results.get('driver', '–')}, commits measured: {', '.join(commits) or 'none'}. "
        f"Kept figures: torch {baselines['torch']}, ONNX Runtime {baselines['onnxruntime']}. Times in milliseconds.",
        "",
        *setting([row for row in results["rows"] if not row.get("libraries")], baselines, reasons),
    ]
    with_libraries = [row for row in results["rows"] if row.get("libraries")]
    if not with_libraries:
        return "\n".join([*lines, "", "With routines of libraries among the candidates: not measured yet."]) + "\n"
    names = sorted({name for row in with_libraries for name in row["libraries"]})
    lines += ["", f"With routines of {' and '.join(names)} among the candidates:", "", *setting(with_libraries, baselines, {})]
    return "\n".join(lines) + "\n"


def setting(rows, baselines, reasons):
    """Lines of the table and the bars of rows that are one for each model and batch."""
    rows = judged(rows, baselines)
    kept = baseline_of(baselines)
    there = {(row["model"], row["batch"]) for row in rows}
    absent = [f"{m} {b}" for m in MODELS for b in BATCHES if (m, b) not in there]
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(row_cells(row, kept.get((row["model"], row["batch"]), {}), reasons)) + " |" for row in rows]
    if absent:
        lines += ["", f"Not measured yet: {', '.join(absent)}."]
    lines += ["", "| bar | reached | rows | met |", "|---|---|---|---|"]
    verdict = {True: "yes", False: "**no**", None: "rows are missing"}
    lines += [f"| {text} | {cell(value, '{:.2f}')} | {count} | {verdict[met]} |" for text, value, count, met in bars(rows)]
    return lines


BEGIN, END = "<!-- the table begins; ./dev bench writes it -->", "<!-- the table ends -->"


def replaced(document, table):
    """The document with what stands between the markers replaced; ValueError if they are not there."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"
