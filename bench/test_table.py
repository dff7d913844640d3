"""Table maths on rows made up for it."""
import json

import pytest

import rounds
import table

BASELINES = {
    "torch": "2.0",
    "onnxruntime": "1.0",
    "rows": [
        {"model": "resnet50", "batch": 1, "torch_eager_graph_fp16_ms": 2.0, "torch_compile_graph_fp16_ms": 1.0, "ort_cuda_fp32_ms": 4.0},
        {"model": "vit_b_16", "batch": 8, "torch_eager_graph_fp16_ms": 1.0, "torch_compile_graph_fp16_ms": 1.0, "ort_cuda_fp32_ms": 8.0},
    ],
}


def row(model, batch, **figures):
    return {"model": model, "batch": batch, "precision": "fp16", "level": 3, "commit": "abc1234", **figures}


FAST = row("resnet50", 1, gpu_ms=0.6, gpu_fp16_nhwc_ms=0.5, host_ms=1.0, torch_eager_ms=3.0, roofline_ms=0.125)
SLOW = row("vit_b_16", 8, gpu_ms=4.5, gpu_fp16_nhwc_ms=4.0, host_ms=4.0, torch_eager_ms=1.0)


def test_the_kept_compile_time_is_carried_by_todays_eager():
    assert table.compile_ms(FAST, BASELINES["rows"][0]) == 1.5


def test_an_earlier_runs_compile_time_is_carried_as_well_and_marked():
    carried = row("resnet50", 8, gpu_fp16_nhwc_ms=1.0, torch_eager_ms=3.0, torch_compile_earlier={"ms": 1.0, "eager_ms": 2.0, "commit": "a"})
    assert table.compile_ms(carried, {}) == 1.5
    assert table.row_cells({**carried, "ratios": table.ratios(carried, {})}, {}, {})[8] == "1.500 *"
    assert table.compile_ms({**FAST, **carried}, BASELINES["rows"][0]) == 1.5


def test_a_compile_time_that_the_run_measured_counts_as_it_is():
    assert table.compile_ms({**FAST, "torch_compile_ms": 7.0}, BASELINES["rows"][0]) == 7.0


def test_without_an_eager_time_of_today_nothing_is_carried():
    assert table.compile_ms(row("resnet50", 1), BASELINES["rows"][0]) is None
    assert table.compile_ms(FAST, {}) is None


def test_torch_is_judged_on_the_gpu_and_onnx_runtime_on_the_wall_clock():
    fast, slow = table.judged([SLOW, FAST], BASELINES)
    assert fast["ratios"] == {"torch.compile": 3.0, "ONNX Runtime": 4.0}
    assert slow["ratios"] == {"torch.compile": 0.25, "ONNX Runtime": 2.0}


def test_a_missing_figure_is_no_ratio():
    (judged,) = table.judged([row("resnet50", 1, gpu_ms=0.5)], BASELINES)
    assert judged["ratios"] == {"torch.compile": None, "ONNX Runtime": None}
    assert table.misses(judged) == []


def test_geometric_mean():
    assert table.geometric_mean([0.5, 2.0, 8.0]) == pytest.approx(2.0)


def test_no_bar_is_met_by_the_rows_that_happen_to_be_there():
    bars = {text: (mean, count, met) for text, mean, count, met in table.bars(table.judged([FAST], BASELINES))}
    assert bars["batch 1, against torch.compile: at least 1.8"] == (pytest.approx(3.0), 1, None)
    assert bars["vit and bert, against torch.compile: at least 1.2"] == (None, 0, None)
    assert bars["every row, against torch.compile: at least 1.0"] == (3.0, 1, None)


def test_one_row_misses_for_all():
    bars = {text: met for text, _, _, met in table.bars(table.judged([FAST, SLOW], BASELINES))}
    assert bars["every row, against torch.compile: at least 1.0"] is False


def test_bars_of_a_whole_table():
    every = [row(m, b, gpu_fp16_nhwc_ms=1.0, host_ms=1.0, torch_eager_ms=1.0, torch_compile_ms=1.7) for m in table.MODELS for b in table.BATCHES]
    met = {text: good for text, _, _, good in table.bars(table.judged(every, {"rows": []}))}
    assert met["all, against torch.compile: at least 1.5"]
    assert met["batch 1, against torch.compile: at least 1.8"] is False
    assert met["CNNs, against torch.compile: at least 1.6"]
    assert met["every row, against torch.compile: at least 1.0"]
    assert met["all, against ONNX Runtime: at least 5.0"] is None  # no figures


def test_rows_below_a_bar_are_bold_and_have_a_reason():
    reasons = table.parse_reasons("# by hand\nvit_b_16 *: attention is slow\n")
    text = table.markdown({"gpu": "NVIDIA H200", "driver": "580", "rows": [SLOW, FAST]}, BASELINES, reasons)
    assert "| resnet50 | 1 | 3 | 0.600 | 0.500 | – | 1.000 | 3.000 | 1.500 | 4.000 | 3.00 | 4.00 | 25 % | – | – |  |" in text
    assert "| **0.25** | **2.00** | – | – | – | attention is slow |" in text
    assert "not explained yet" in table.markdown({"rows": [SLOW]}, BASELINES, {})
    assert "Not measured yet: resnet50 8, resnet50 32," in text


def test_a_reason_stands_beside_a_row_that_meets_its_bars_too():
    assert "launches" in table.markdown({"rows": [FAST]}, BASELINES, {(FAST["model"], FAST["batch"]): "launches"})


def test_rows_with_libraries_have_a_table_and_bars_of_their_own():
    own = table.markdown({"rows": [FAST]}, BASELINES, {})
    assert own.endswith("With routines of libraries among the candidates: not measured yet.\n") and own.count("| bar |") == 1
    both = table.markdown({"rows": [FAST, {**SLOW, "libraries": ["cublaslt", "cudnn"]}]}, BASELINES, {})
    first, second = both.split("With routines of cublaslt and cudnn among the candidates:")
    assert first.count("| bar |") == second.count("| bar |") == 1
    assert f"| {FAST['model']} | {FAST['batch']} |" in first and f"| {SLOW['model']} | {SLOW['batch']} |" in second


def test_the_page_keeps_what_is_around_the_table():
    page = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    once = table.replaced(page, "| new |\n")
    assert once == f"before\n{table.BEGIN}\n\n| new |\n\n{table.END}\nafter\n"
    assert table.replaced(once, "| new |\n") == once


def test_sides_take_turns():
    order = []
    sides = {name: lambda name=name: order.append(name) or [1.0] for name in "ab"}
    samples, clocks = rounds.in_turns(sides, lambda: 1980.0, rounds=3)
    assert "".join(order) == "ababab"
    assert samples == {"a": [[1.0]] * 3, "b": [[1.0]] * 3} and clocks == [1980.0] * 3


def test_rounds_whose_clock_moved_do_not_count():
    assert rounds.settled([1980, 1975, 1700, 1980, 1980]) == [True, True, False, True, True]
    assert rounds.settled([None, None]) == [True, True]
    assert rounds.median_of_medians([[1, 2, 3], [90], [4, 4]], [True, False, True]) == 3


def test_quantiles_are_measured_values():
    samples = [[5.0, 1.0, 2.0], [100.0], [3.0, 4.0]]
    counts = [True, False, True]
    assert [rounds.quantile(samples, counts, f) for f in (0, 0.5, 0.9, 0.99)] == [1.0, 3.0, 5.0, 5.0]


def test_layers_are_neighbours_of_one_name():
    steps = [{"name": "a", "ms": 1.0, "least_ms": 0.5}, {"name": "a", "ms": 2.0}, {"name": "b", "ms": 4.0}]
    layers = rounds.layers_of(steps)
    assert layers == [("a", 3.0, 0.5), ("b", 4.0, None)]
    assert rounds.roofline_ms(layers) == 0.5
    assert rounds.roofline_ms(layers[1:]) is None


def test_the_kept_baselines_have_every_row_but_one():
    kept = table.baseline_of(json.loads((table.ROOT / "zoo/baselines_h200.json").read_text()))
    missing = {(m, b) for m in table.MODELS for b in table.BATCHES} - set(kept)
    assert missing == {("diffusion_block", 128)}
