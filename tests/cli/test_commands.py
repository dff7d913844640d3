"""What the commands print when all goes well."""
import json
import re

import numpy as np
import onnx
import pytest
from conftest import copies, save
from onnx import helper


def test_version(burnish):
    assert re.fullmatch(r"burnish \d+\.\d+\.\d+\n", burnish.succeed("--version"))


def test_overview(burnish):
    text = burnish.succeed("--help")
    assert text == burnish.succeed()
    for command in ("build", "run", "bench", "inspect", "compare"):
        assert re.search(rf"^  {command} +\w", text, re.M)


@pytest.mark.parametrize(
    ("command", "options"),
    {
        "build": "output target fp16 tf32 shapes verbose help",
        "run": "inputs outputs shapes seed device verbose help",
        "bench": "iterations duration warmup batch inputs shapes seed json profile device verbose help",
        "inspect": "json text target fp16 tf32 shapes verbose help",
        "compare": "target fp16 tf32 device inputs seed shapes reference tolerance verbose help",
    }.items(),
)
def test_help(burnish, command, options):
    text = burnish.succeed(command, "--help")
    assert set(re.findall(r"^  (?:-\w, )?--(\w+)", text, re.M)) == set(options.split())
    assert text.splitlines()[2].startswith(f"  burnish {command} ")
    assert f"\nExamples:\n  burnish {command} " in text
    assert max(map(len, text.splitlines())) <= 110


def test_build(burnish):
    copies(burnish.folder / "m.onnx", x=("float32", ["batch", 3]))
    text = burnish.succeed("build", "m.onnx", "--target", "cpu")
    size = (burnish.folder / "m.engine").stat().st_size
    assert re.fullmatch(r"m\.engine  [\d.]+ (B|KB)  for cpu  in \d+\.\d\d s\n", text) and size > 0
    burnish.succeed("build", "m.onnx", "-o", "other.engine", "--target=cpu", "--fp16", "--tf32")
    assert burnish.files() == ["m.engine", "m.onnx", "other.engine"]


def test_build_fixes_extents(burnish):
    copies(burnish.folder / "m.onnx", **{"x:0": ("float32", ["a", "b", "c"])})
    burnish.succeed("build", "m.onnx", "--target", "cpu", "--shapes", "x:0:2x?x7")
    assert re.search(r"^  x:0 +f32 +2 x b x 7$", burnish.succeed("inspect", "m.engine"), re.M)


def test_run(burnish, engine):
    text = burnish.succeed("run", engine, "--shapes", "ids:4x9")
    x, ids, time = text.splitlines()
    assert re.fullmatch(r"  x_out    f32  4x3  min \S+  mean \S+  max \S+", x)
    assert re.fullmatch(r"  ids_out  i64  4x9  min 0  mean 0\.\d+  max 1", ids)
    assert re.fullmatch(r"ran in \d+\.\d+ ms on cpu", time)


def test_run_says_what_is_not_finite(burnish):
    copies(burnish.folder / "m.onnx", x=("float32", ["batch", 3]), none=("float32", [2, 0]), nan=("float64", []))
    burnish.succeed("build", "m.onnx", "--target", "cpu")
    np.savez(burnish.folder / "in.npz", x=np.array([[np.nan, np.inf, 2]], np.float32), nan=np.float64("nan"))
    x, none, nan, _ = burnish.succeed("run", "m.engine", "--inputs", "in.npz").splitlines()
    assert x == "  x_out     f32  1x3     min 2  mean 2  max 2  1 NaN  1 infinite"
    assert none == "  none_out  f32  2x0     empty"
    assert nan == "  nan_out   f64  scalar  nothing finite  1 NaN"


def test_bench(burnish, engine):
    text = burnish.succeed("bench", engine, "--iterations", 7, "--warmup", 2, "--batch", 5, "--json", "b.json")
    assert text.startswith("copy.engine on cpu, 7 runs after 2 to warm up\n")
    assert "x    f32  5x3" in text
    figures = json.loads((burnish.folder / "b.json").read_text())
    times = figures["host_ms"]
    assert figures["runs"] == 7 and figures["batch"] == 5 and figures["inputs"]["ids"] == {"dtype": "i64", "shape": [5, 64]}
    assert 0 < times["min"] <= times["median"] <= times["p90"] <= times["p99"]
    assert "gpu_ms" not in figures


def test_bench_duration_and_profile(burnish, engine):
    text = burnish.succeed("bench", engine, "--duration", 0.1, "--profile")
    assert re.search(r"^  +ms +% +kind +step$", text, re.M) and "steps one by one" in text


def test_inspect_engine(burnish, engine):
    text = burnish.succeed("inspect", engine)
    assert re.match(r"copy\.engine  \S+ \wB  for cpu\n", text.replace(" B ", " xB "))
    assert re.search(r"^inputs\n  x +f32  batch x 3\n  ids +i64  batch x seq$", text, re.M)
    json.loads(burnish.succeed("inspect", engine, "--json"))


def test_inspect_says_why_a_step_runs_on_the_host(burnish):
    find = helper.make_node("NonZero", ["x"], ["where"], "find")
    graph = helper.make_graph([find], "g", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4])],
                              [helper.make_tensor_value_info("where", onnx.TensorProto.INT64, [1, None])])
    save(graph, burnish.folder / "find.onnx")
    burnish.succeed("build", "find.onnx", "-o", "find.engine", "--target", "sm_90")
    text = burnish.succeed("inspect", "find.engine")
    assert "host_reasons (1)\n  node 'find' (NonZero): " in text


def test_inspect_model(burnish, engine):
    text = burnish.succeed("inspect", "copy.onnx")
    assert "batch x 3" in text and "batch x seq" in text
    assert {port["name"] for port in json.loads(burnish.succeed("inspect", "copy.onnx", "--json"))["inputs"]} == {"x", "ids"}
    assert "x" in burnish.succeed("inspect", "copy.onnx", "--text")


def test_compare(burnish, engine):
    np.savez(burnish.folder / "in.npz", x=np.float32([[1, 2, 2]]), ids=np.int64([[4]]))
    np.savez(burnish.folder / "good.npz", x_out=np.float32([[1, 2, 2]]))
    np.savez(burnish.folder / "bad.npz", x_out=np.float32([[1, 2, 2.5]]), ids_out=np.int64([[4]]))
    compare = ("compare", "copy.onnx", "--device", "cpu", "--inputs", "in.npz", "--reference")
    assert burnish.succeed(*compare, "good.npz").splitlines()[-1] == "the outputs agree (relative L2 up to 0.0001)"
    done = burnish(*compare, "bad.npz")
    assert done.returncode == 1 and done.stderr == ""
    _, _, x, ids, verdict = done.stdout.splitlines()
    assert x.split() == ["x_out", "1x3", "1.49e-01", "5.00e-01", "above", "0.0001"]
    assert ids.split() == ["ids_out", "1x1", "0.00e+00", "0.00e+00", "good"]
    assert verdict == "the outputs DIFFER (relative L2 up to 0.0001)"
    burnish.succeed(*compare, "bad.npz", "--tolerance", 0.2)


def test_compare_with_the_host(burnish, engine):
    assert "against FP32 on the CPU" in burnish.succeed("compare", "copy.onnx", "--device", "cpu", "--fp16")


def test_nothing_is_drawn_without_a_terminal(burnish, engine):
    assert burnish("build", "copy.onnx", "--target", "cpu").stderr == ""


def test_verbose_names_stages(burnish, engine):
    done = burnish("run", engine, "--verbose")
    assert done.returncode == 0 and re.fullmatch(r"( +\d+\.\d\d s  [^\n]+\n)+", done.stderr)
