"""The file of results, in a folder of its own."""
import kept
import pytest


def row(model, batch, libraries=(), **figures):
    return {"model": model, "batch": batch, "precision": "fp16", "libraries": list(libraries), **figures}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "RESULTS", tmp_path / "results/h200.json")


def test_a_row_takes_the_place_of_its_predecessor_alone():
    kept.keep(row("vit_b_16", 1, gpu_ms=2.0), {"gpu": "old"})
    kept.keep(row("vit_b_16", 1, ["cudnn"], gpu_ms=3.0), {"gpu": "old"})
    kept.keep(row("resnet50", 8, gpu_ms=4.0), {"gpu": "old"})
    kept.keep(row("vit_b_16", 1, gpu_ms=1.23456789), {"gpu": "new"})
    assert kept.results() == {
        "rows": [row("resnet50", 8, gpu_ms=4.0), row("vit_b_16", 1, gpu_ms=1.23457), row("vit_b_16", 1, ["cudnn"], gpu_ms=3.0)],
        "gpu": "new",
    }


def test_a_batch_is_wanted_until_this_commit_has_measured_every_setting():
    rows = [row("resnet50", 1, commit="b"), row("resnet50", 1, ["cudnn"], commit="b"), row("resnet50", 8, commit="b"), row("bert_base", 1, commit="a")]
    wanted = kept.rows_wanted(rows, ["resnet50", "bert_base"], [1, 8], [[], ["cudnn"]], "b")
    assert wanted == {"resnet50": [8], "bert_base": [1, 8]}
    assert kept.rows_wanted(rows, ["resnet50"], [1, 8], [[]], "b") == {}


def test_torch_compile_is_measured_where_no_file_knows_it(monkeypatch):
    baseline = {"model": "resnet50", "batch": 1, "torch_compile_graph_fp16_ms": 1.0}
    monkeypatch.setattr(kept, "baselines", lambda: {"rows": [baseline]})
    unknown = [row("resnet50", 8, torch_eager_ms=1.0), row("resnet50", 8, ["cudnn"], torch_eager_ms=1.0)]
    rows = [row("resnet50", 1, torch_eager_ms=1.0), *unknown, row("resnet50", 32), row("resnet50", 128, torch_eager_ms=1.0, torch_compile_ms=2.0)]
    assert kept.rows_to_compile(rows, ["resnet50"]) == {("resnet50", 8): unknown}
    assert kept.rows_to_compile(rows, ["bert_base"]) == {}


def test_an_earlier_compile_time_is_kept_until_there_is_a_new_one():
    earlier = {"ms": 2.0, "eager_ms": 4.0, "commit": "a"}
    for commit in "abc":
        kept.keep(row("resnet50", 8, commit=commit, torch_eager_ms=4.0, **({"torch_compile_ms": 2.0} if commit == "a" else {})), {})
    assert kept.results()["rows"] == [row("resnet50", 8, commit="c", torch_eager_ms=4.0, torch_compile_earlier=earlier)]
    kept.keep(row("resnet50", 8, commit="d", torch_eager_ms=4.0, torch_compile_ms=3.0), {})
    assert "torch_compile_earlier" not in kept.results()["rows"][0]
