"""The page in a browser: what it shows is what the engine and the measurements say."""
import io
import itertools
import pathlib
import re

import exports
import pytest
from conftest import document_of
from PIL import Image


def rows_of(page, table="table.layers"):
    return page.locator(f"{table} tbody tr")


def layers_of(steps):
    """(name, ms) of neighbouring steps of one name."""
    groups = itertools.groupby(steps, key=lambda step: step["name"])
    return [(name, sum(step.get("ms", 0) for step in group)) for name, group in groups]


def column(page, title):
    """The cells of a column of the table of layers, top to bottom."""
    heads = page.locator("table.layers thead th").all_inner_texts()
    at = next(i for i, head in enumerate(heads) if head.rstrip(" ▲▼") == title)
    return [row.split("\t")[at].strip() for row in rows_of(page).all_inner_texts()]


@pytest.fixture
def measured(show):
    return show("report.html")


@pytest.fixture
def for_gpu(show):
    return show("gpu.html")


def test_a_row_for_each_layer(burnish, measured):
    names = [name for name, _ in layers_of(burnish.inspect("net.engine", "cpu")["steps"])]
    assert measured.locator("table.layers tbody th .name").evaluate_all("all => all.map((e) => e.title)") == names


def test_times_sum_to_the_total(measured):
    times = rows_of(measured).evaluate_all("rows => rows.map((row) => Number(row.dataset.ms))")
    total = float(measured.locator("table.layers tfoot [data-total]").get_attribute("data-total"))
    assert min(times) > 0 and sum(times) == pytest.approx(total)
    shares = [float(text.rstrip(" %")) for text in column(measured, "share")]
    assert sum(shares) == pytest.approx(100, abs=0.06 * len(shares))


def test_times_are_those_of_a_profile_that_was_given(burnish, show):
    burnish.succeed("bench", "net.engine", "--device", "cpu", "--iterations", 2, "--profile", "--json", "bench.json")
    burnish.succeed("report", "net.engine", "--device", "cpu", "--profile", "bench.json", "--times", "bench.json", "-o", "given.html")
    page, bench = show("given.html"), burnish.json("bench.json")
    wanted = layers_of(bench["steps"])
    assert rows_of(page).evaluate_all("rows => rows.map((row) => Number(row.dataset.ms))") == pytest.approx([ms for _, ms in wanted])
    tiles = page.locator(".tiles").inner_text()
    shown = float(re.search(r"^median\n([\d.]+) ms$", tiles, re.M)[1])
    assert shown == pytest.approx(bench["host_ms"]["median"], rel=1e-3)
    assert f"{bench['runs_per_second']:.1f} /s" in tiles


@pytest.mark.parametrize("form", ["bench", "trtexec"])
def test_a_plan_for_a_gpu_with_what_was_measured_there(burnish, show, form):
    """On a machine without that GPU; with `burnish bench --json` the GPU's roofs and the memory come along."""
    steps = burnish.inspect("net.engine", "sm_90")["steps"]
    times = [0.002 * (i + 1) for i in range(len(steps))]
    figures = {"median": 0.25, "p90": 0.26, "p99": 0.27, "mean": 0.25, "min": 0.24}
    if form == "bench":
        written = {
            "device": "NVIDIA H200", "runs": 400, "gpu_ms": figures, "host_ms": figures, "runs_per_second": 4000.0,
            "memory": {"constants": 1 << 20, "device_arena": 1 << 20, "host_arena": 0, "bindings": 1 << 10},
            "peak": {"flops": 67e12, "bytes_per_second": 4.8e12}, "steps": [{**s, "ms": ms} for s, ms in zip(steps, times)],
        }  # fmt: skip
        exports.save(burnish.folder, {"profile": written, "times": written})
    else:
        profile = [{"count": 5}] + [
            {"name": s["name"], "timeMs": 5 * ms, "averageMs": ms, "medianMs": ms, "percentage": 1.0} for s, ms in zip(steps, times)
        ]
        exports.save(burnish.folder, {"profile": profile, "times": exports.queries(10)})
    burnish.succeed("report", "net.engine", "--profile", "profile.json", "--times", "times.json", "-o", "there.html")
    page = show("there.html")
    assert rows_of(page).evaluate_all("rows => rows.map((row) => Number(row.dataset.ms))") == pytest.approx(times)
    tiles = page.locator(".tiles").inner_text()
    assert ("GPU, median\n0.2500 ms" if form == "bench" else "GPU, median\n5.000 ms") in tiles
    assert page.locator("#roofline path.roof").count() == (1 if form == "bench" else 0)
    assert ("NVIDIA H200" in page.locator("body").inner_text()) == (form == "bench")


def test_what_bench_measured_says_all(burnish, show):
    """Of an engine with a free batch, for two targets: which of them ran, with which extents, in what memory."""
    burnish.succeed("build", "free.onnx", "--target", "sm_90,cpu", "-o", "free.engine")
    burnish.succeed("bench", "free.engine", "--device", "cpu", "--batch", 2, "--iterations", 2, "--profile", "--json", "free.json")
    burnish.succeed("report", "free.engine", "--profile", "free.json", "-o", "free.html")
    page, bench = show("free.html"), burnish.json("free.json")
    facts, tiles = page.locator("table.facts").inner_text(), page.locator(".tiles").inner_text()
    for fact in ("shown here\tcpu, fp32", "measured on\tcpu", "extents\tbatch 2"):
        assert fact in facts
    assert "median\n" in tiles
    assert rows_of(page).evaluate_all("rows => rows.map((row) => Number(row.dataset.ms))") == pytest.approx([ms for _, ms in layers_of(bench["steps"])])
    fixed = document_of(show("report.html"))["engines"][0]["layers"]  # the same at batch 1
    layers = document_of(page)["engines"][0]["layers"]
    assert [layer.get("flops") for layer in layers if layer.get("flops")] == [2 * layer["flops"] for layer in fixed if layer.get("flops")]
    assert page.locator("#roofline circle").count() == sum(1 for layer in layers if layer.get("flops"))
    used = [b for b in bench["storage"] if b["kind"] == "temporary" and b.get("bytes") and "first_step" in b]
    assert page.locator("#memory rect.buffer").count() == len(used) > 5


def test_extents_that_are_asked_for_are_those_of_exported_times(burnish, show):
    burnish.succeed("build", "free.onnx", "--target", "sm_90", "-o", "free.engine")
    steps = burnish.inspect("free.engine", "sm_90")["steps"]
    exports.save(burnish.folder, {"profile": [{"count": 5}] + [{"name": s["name"], "averageMs": 1.0} for s in steps]})
    burnish.succeed("report", "free.engine", "--profile", "profile.json", "-o", "there.html")
    assert "it takes --shapes" in show("there.html").locator("#roofline").inner_text()
    burnish.succeed("report", "free.engine", "--profile", "profile.json", "--shapes", "image:4x3x96x96", "-o", "there.html")
    assert show("there.html").locator("#roofline circle").count() >= 10


def test_a_row_of_layers_is_seen_whole(burnish, for_gpu, show):
    """Long names give way, so that no column lies outside, with all that a GPU's measurement adds."""
    burnish.succeed("build", "free.onnx", "--target", "sm_90", "-o", "free.engine")
    burnish.succeed("report", "free.engine", "--shapes", "image:8x3x96x96", "-o", "stand_in.html", env=burnish.with_gpu())
    for page in (for_gpu, show("stand_in.html")):
        page.locator("table.layers .name").first.evaluate("name => name.textContent = 'a/long/name'.repeat(20)")
        assert page.locator("#layers .scroll").evaluate("region => region.scrollWidth <= region.clientWidth")


def test_sorting(measured):
    head = measured.locator("table.layers thead th", has_text="ms").first
    by_ms = lambda: [float(ms) for ms in rows_of(measured).evaluate_all("rows => rows.map((row) => row.dataset.ms)")]  # noqa: E731
    for direction in ("descending", "ascending"):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == direction
        assert by_ms() == sorted(by_ms(), reverse=direction == "descending")
    measured.locator("table.layers thead button", has_text="#").click()
    assert column(measured, "#") == [str(i + 1) for i in range(rows_of(measured).count())]
    assert measured.locator("table.layers [aria-sort=ascending], table.layers [aria-sort=descending]").count() == 1


def test_filter(measured):
    measured.get_by_label("Filter").fill("block1 conv")
    shown = rows_of(measured).filter(visible=True)
    assert shown.count() > 0 and all("block1" in text for text in shown.all_inner_texts())
    assert measured.locator(".tools output").inner_text().startswith(f"{shown.count()} layers, ")
    measured.get_by_label("Filter").fill("no such layer")
    assert shown.count() == 0


def test_summary(burnish, for_gpu):
    facts = for_gpu.locator("table.facts").inner_text()
    for fact in ("file\tnet.engine", "targets\tcpu, sm_90", "shown here\tsm_90, fp32", "measured on\tnothing", "image f32, 1 x 3 x 96 x 96"):
        assert fact in facts
    assert f"{(burnish.folder / 'net.engine').stat().st_size / 1e6:.1f} MB" in for_gpu.locator(".tiles").inner_text()


def test_the_gpu_is_measured_where_it_is(burnish, show):
    """On the stand-in for a GPU, whose kernels take a millisecond each and whose peak is known."""
    burnish.succeed("report", "net.engine", "-o", "stand_in.html", env=burnish.with_gpu())
    page = show("stand_in.html")
    engine = document_of(page)["engines"][0]
    assert engine["target"] == "sm_90" and "measured on\tGPU 0 (Host GPU, sm_90)" in page.locator("table.facts").inner_text()
    assert sum(layer["ms"] for layer in engine["layers"]) == sum(layer["steps"] for layer in engine["layers"])
    assert page.locator(".roof").count() == 1 and "% of roofline" in page.locator("table.layers thead").inner_text()
    assert not any(layer.get("estimated") for layer in engine["layers"])
    assert "estimated" not in page.locator("#roofline").inner_text()


def test_breakdown_counts_every_layer(measured):
    for table in measured.locator("table.breakdown").all():
        counts = [int(row.split("\t")[1]) for row in table.locator("tbody tr").all_inner_texts()]
        assert sum(counts) == rows_of(measured).count()


def test_roofline_has_the_layers_that_compute(measured):
    layers = document_of(measured)["engines"][0]["layers"]
    computing = {i for i, layer in enumerate(layers) if layer.get("flops", 0) > 0}
    drawn = measured.locator("#roofline circle").evaluate_all("all => all.map((e) => Number(e.dataset.layer))")
    assert set(drawn) == computing and len(computing) >= 10
    # The last convolution: 20 filters of 3 x 3 over 64 channels, at each place of the padded picture.
    head = next(layer for layer in layers if layer["name"].startswith("head/conv"))
    places = [int(extent) for extent in head["shape"].split(" x ")]
    assert head["flops"] == 2 * places[1] * places[2] * places[3] * 64 * 9


def test_roofs_are_drawn_where_the_peak_is_known(burnish, show, measured):
    assert measured.locator(".roof").count() == 0
    html = (burnish.folder / "report.html").read_text()
    (burnish.folder / "peak.html").write_text(html.replace('"source":"burnish"', '"source":"burnish","peak":{"flops":1e12,"bytes_per_second":1e11}'))
    page = show("peak.html")
    assert page.locator(".roof").count() == 1 and "1 TFLOP/s, 100 GB/s" in page.locator("#roofline figcaption").inner_text()


def test_memory_shows_each_buffer(burnish, for_gpu):
    plan = burnish.inspect("net.engine", "sm_90")
    used = [b for b in plan["storage"] if b["kind"] == "temporary" and b["bytes"] > 0 and "first_step" in b]
    assert for_gpu.locator("#memory rect.buffer").count() == len(used) > 5
    arena = plan["device_arena"]["bytes"]
    assert max(b["offset"] + b["bytes"] for b in used) == arena
    assert f"the arena has {arena / 1e3:.0f} KB" in for_gpu.locator("#memory").inner_text()


def test_graph_joins_writers_and_readers(burnish, for_gpu):
    engine = document_of(for_gpu)["engines"][0]
    written, edges = {}, 0
    for layer in engine["layers"]:
        for tensor in layer["inputs"]:
            edges += len(written.get(tensor, [])) + (engine["tensors"][tensor]["kind"] == "input")
        for tensor in layer["outputs"]:
            written.setdefault(tensor, []).append(layer)
    edges += sum(len(written[i]) for i, tensor in enumerate(engine["tensors"]) if tensor["kind"] == "output")
    assert for_gpu.locator("svg.graph path.edge").count() == edges
    assert for_gpu.locator("svg.graph g.node").count() == len(engine["layers"]) + 2


def test_graph_moves_and_zooms(for_gpu):
    graph, scene = for_gpu.locator("svg.graph"), for_gpu.locator("svg.graph > g")
    graph.focus()
    seen = [scene.get_attribute("transform")]
    for key in ("+", "ArrowRight", "-", "0"):
        graph.press(key)
        seen.append(scene.get_attribute("transform"))
        assert seen[-1] != seen[-2], key
    graph.scroll_into_view_if_needed()
    box = graph.bounding_box()
    for_gpu.mouse.move(box["x"] + 5, box["y"] + 5)
    for_gpu.mouse.down()
    for_gpu.mouse.move(box["x"] + 85, box["y"] + 25)
    for_gpu.mouse.up()
    assert scene.get_attribute("transform") != seen[-1]


def test_a_layer_chosen_in_the_table_is_shown_in_the_graph(for_gpu):
    rows_of(for_gpu).nth(4).locator("th").click()
    assert for_gpu.locator("svg.graph .selected").get_attribute("data-layer") == "4"
    assert for_gpu.locator("tr.selected").get_attribute("data-layer") == "4"


def test_tactics_are_those_that_explain_shows(burnish, for_gpu):
    decisions = burnish.inspect("net.engine", "sm_90")["decisions"]
    details = for_gpu.locator("#tactics details")
    assert details.count() == len(decisions) > 5
    for i in (0, len(decisions) - 1):
        details.nth(i).locator("summary code").click()
        details.nth(i).locator("tbody tr").first.wait_for()
        rows = [row.split("\t") for row in details.nth(i).locator("tbody tr").all_inner_texts()]
        assert [row[1] for row in rows] == [c["tactic"] for c in decisions[i]["candidates"]]
        assert [row[1] for row in rows if row[0] == "taken"] == [decisions[i]["tactic"]]


def test_lint_says_what_and_why(burnish, for_gpu, show):
    plan = burnish.inspect("net.engine", "sm_90")
    text = for_gpu.locator("#lint").inner_text()
    assert " channels of " not in text  # FP32 is no work for tensor cores
    for sentence in plan["moves"]:
        assert sentence.split("): ")[1] in text
    burnish.succeed("report", "half.engine", "--no-run", "-o", "half.html")
    text = show("half.html").locator("#lint").inner_text()
    assert "3 input channels of f16, no multiple of 8" in text and "20 output channels of f16, no multiple of 8" in text


def test_lint_names_host_steps(burnish, show):
    reasons = burnish.inspect("find.engine", "sm_90")["host_reasons"]
    burnish.succeed("report", "find.engine", "--no-run", "-o", "find.html")
    group = show("find.html").locator("#lint [data-rule='host step']")
    assert len(reasons) == group.locator("li").count() == 1
    assert reasons[0].split("): ")[1] in group.inner_text() and "find" in group.inner_text()


def test_comparison_matches_layers_by_onnx_nodes(burnish, show):
    burnish.succeed("report", "net.engine", "half.engine", "--device", "cpu", "-o", "both.html")
    page = show("both.html")
    engines = document_of(page)["engines"]
    rows = page.locator("table.comparison tbody tr").evaluate_all("rows => rows.map(({ dataset }) => [dataset.a, dataset.b].map((d) => d.split(' ').filter(Boolean).map(Number)))")
    for side in (0, 1):
        assert sorted(i for row in rows for i in row[side]) == list(range(len(engines[side]["layers"])))
    for a, b in rows:
        nodes = [{node for i in places for node in engines[side]["layers"][i]["nodes"]} for side, places in enumerate((a, b))]
        assert nodes[0] == nodes[1] or not (a and b), "the same model, so a row has the same nodes on both sides"
    matched = sum(1 for a, b in rows if a and b)
    assert matched == len(engines[0]["layers"]) and f"{matched} rows of {len(rows)} have layers of both" in page.locator("#comparison").inner_text()
    assert "f32 → f16" in page.locator("table.comparison").inner_text()
    page.locator(".tabs button").nth(1).click()
    assert "shown here\tcpu, fp16" in page.locator("table.facts").inner_text()


@pytest.mark.parametrize("form", [10, 11])
def test_exported_files_need_no_engine(burnish, show, form):
    exports.write(burnish.folder, 20, form)
    burnish.succeed("report", "--layers", "graph.json", "--profile", "profile.json", "--times", "times.json", "-o", "exported.html")
    page = show("exported.html")
    wanted = [entry["averageMs"] for entry in burnish.json("profile.json")[1:]]
    assert rows_of(page).evaluate_all("rows => rows.map((row) => Number(row.dataset.ms))") == wanted
    assert page.locator("table.layers tfoot [data-total]").get_attribute("data-total") == str(sum(wanted)).removesuffix(".0")
    tiles = page.locator(".tiles").inner_text()
    for figure in ("GPU, median\n5.000 ms", "p99 10.000 ms", "throughput\n100.0 /s", "layers one by one\n62.000 ms"):
        assert figure in tiles
    assert set(column(page, "type")) == {"f16"} and set(column(page, "shape")) == {"1 x 64 x 14 x 14"}
    assert page.locator("svg.graph path.edge").count() == 21
    assert page.locator("#roofline circle").count() == 20
    assert "a_kernel" in page.locator("#tactics").inner_text()


def test_an_engine_beside_an_exported_one(burnish, show):
    exports.write(burnish.folder, 3)
    burnish.succeed("report", "net.engine", "--layers", "graph.json", "--profile", "profile.json", "--device", "cpu", "-o", "mixed.html")
    engines = document_of(show("mixed.html"))["engines"]
    assert [engine["source"] for engine in engines] == ["burnish", "exported"]
    assert engines[0]["device"] == "cpu" and [layer["ms"] for layer in engines[1]["layers"]] == [0.25, 1.25, 2.25]


def test_a_thousand_layers(burnish, show):
    exports.write(burnish.folder, 1000)
    burnish.succeed("report", "--layers", "graph.json", "--profile", "profile.json", "-o", "long.html")
    page = show("long.html")
    assert rows_of(page).count() == page.locator("svg.graph g.node[data-layer]").count() == 1000
    assert page.evaluate("performance.now()") < 5000  # since it was opened, on a slow machine


def test_dark_where_the_reader_wants_it(burnish, show, measured):
    ground = lambda page: sum(map(int, page.evaluate("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")))  # noqa: E731
    assert ground(measured) > 700
    assert ground(show("report.html", color_scheme="dark")) < 120


def test_what_is_drawn_can_be_read_aloud(measured):
    assert measured.evaluate("[...document.querySelectorAll('table')].every((table) => table.caption)")
    assert measured.evaluate("[...document.querySelectorAll('th')].every((th) => th.scope)")
    assert measured.evaluate("[...document.querySelectorAll('main > div > div > section svg')].every((svg) => svg.getAttribute('aria-label'))")
    assert measured.evaluate("[...document.querySelectorAll('input')].every((input) => input.labels.length)")
    assert measured.evaluate("[...document.querySelectorAll('section')].every((s) => document.getElementById(s.getAttribute('aria-labelledby')))")


def test_names_of_a_model_are_text(burnish, show):
    exports.write(burnish.folder, 1)
    graph = (burnish.folder / "graph.json").read_text().replace("/block0/conv/Conv", "</script><img src=x onerror=alert(1)>")
    (burnish.folder / "graph.json").write_text(graph)
    burnish.succeed("report", "--layers", "graph.json", "-o", "odd.html")
    page = show("odd.html")
    assert page.locator("img").count() == 0 and "<img src=x" in page.locator("table.layers").inner_text()


def test_picture(request, measured):
    picture = measured.screenshot(full_page=True)
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    assert image.width == 1240 and image.height > 2000
    assert len(image.getcolors(1 << 24)) > 200  # charts, text in grey levels
    if path := request.config.getoption("--screenshot"):
        pathlib.Path(path).write_bytes(picture)
