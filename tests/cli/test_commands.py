"""What the commands print when all goes well."""
import json
import re

import numpy as np
import onnx
import pytest
from conftest import copies, product, save
from onnx import helper, numpy_helper


def test_version(burnish):
    assert re.fullmatch(r"burnish \d+\.\d+\.\d+\n", burnish.succeed("--version"))


def test_overview(burnish):
    text = burnish.succeed("--help")
    assert text == burnish.succeed()
    for command in ("build", "run", "bench", "inspect", "explain", "report", "compare", "refit", "merge-timings"):
        assert re.search(rf"^  {command} +\w", text, re.M)


@pytest.mark.parametrize(
    ("command", "options"),
    {
        "build": "output target fp16 bf16 tf32 node refit strip optimization libraries time timing shapes profile input plugin verbose help",
        "run": "inputs outputs shapes seed device plugin verbose help",
        "bench": "iterations duration warmup flush batch inputs shapes seed json profile device plugin verbose help",
        "inspect": "json text target fp16 bf16 tf32 shapes plugin verbose help",
        "explain": "help",
        "report": "output layers profile times no inputs seed shapes device plugin verbose help",
        "refit": "onnx output verbose help",
        "merge-timings": "output help",
        "compare": "target fp16 bf16 tf32 device inputs seed shapes reference tolerance plugin verbose help",
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


def test_a_node_in_fp32_of_an_fp16_engine_loses_nothing(burnish):
    """The head's weights are 1 + 2^-12, which FP16 has not."""
    head = numpy_helper.from_array(np.full((4, 4), 1 + 2.0**-12, np.float32), "w")
    body = numpy_helper.from_array(np.eye(4, dtype=np.float32), "e")
    nodes = [helper.make_node("MatMul", ["x", "e"], ["a"], "body"), helper.make_node("MatMul", ["a", "w"], ["y"], "head")]
    x, y = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4]) for name in "xy")
    save(helper.make_graph(nodes, "g", [x], [y], [head, body]), burnish.folder / "two.onnx")
    np.savez(burnish.folder / "in.npz", x=np.ones((1, 4), np.float32))
    for options, exact in (([], False), (["--node-precision", "head:fp32"], True), (["--node-precision", "*:fp32,h*:fp16"], False)):
        burnish.succeed("build", "two.onnx", "--target=cpu", "--fp16", *options)
        burnish.succeed("run", "two.engine", "--inputs", "in.npz", "--outputs", "out.npz")
        y = np.load(burnish.folder / "out.npz")["y"]
        assert (y == np.float32(4 * (1 + 2.0**-12))).all() == exact, options
    unknown = ("the model has no node named 'hat'", "`burnish inspect` of an engine shows the names of its nodes; one * stands for anything")
    assert burnish.refuse("build", "two.onnx", "--target=cpu", "--fp16", "--node-precision", "hat:fp32") == unknown
    other = ("node 'head' cannot be in FP16 in a build in BF16", "say FP32, or leave it away")
    assert burnish.refuse("build", "two.onnx", "--target=cpu", "--bf16", "--node-precision", "head:fp16") == other
    half = ("precisions of nodes are given, and the build is not in FP16 or BF16", "build with --fp16 or --bf16, or leave them away")
    assert burnish.refuse("build", "two.onnx", "--target=cpu", "--node-precision", "head:fp32") == half


def test_build_fixes_extents(burnish):
    copies(burnish.folder / "m.onnx", **{"x:0": ("float32", ["a", "b", "c"])})
    burnish.succeed("build", "m.onnx", "--target", "cpu", "--shapes", "x:0:2x?x7")
    assert re.search(r"^  x:0 +f32 +2 x b x 7$", burnish.succeed("inspect", "m.engine"), re.M)


def test_build_with_formats(burnish):
    """The values of the plain engine, in the memory and types that were asked for."""
    weights = np.random.default_rng(0).standard_normal((6, 4, 3, 3), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1]), helper.make_node("ReduceMax", ["y"], ["z"], keepdims=0, axes=[2, 3])],
        "window",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 4, 5, 7])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 6, 5, 7]), helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["batch", 6])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    save(graph, burnish.folder / "m.onnx")
    x = np.random.default_rng(1).standard_normal((2, 4, 5, 7)).astype(np.float16)
    np.savez(burnish.folder / "in.npz", x=x.astype(np.float32))
    np.savez(burnish.folder / "in16.npz", x=x)
    burnish.succeed("build", "m.onnx", "--target", "cpu", "-o", "plain.engine")
    formats = ("--input-formats", "x:fp16:nhwc", "--output-formats", "y:nhwc:fp16,z:fp16")
    burnish.succeed("build", "m.onnx", "--target", "cpu", *formats)
    burnish.succeed("run", "plain.engine", "--inputs", "in.npz", "--outputs", "plain.npz")
    burnish.succeed("run", "m.engine", "--inputs", "in16.npz", "--outputs", "out.npz")
    with np.load(burnish.folder / "plain.npz") as plain, np.load(burnish.folder / "out.npz") as out:
        assert out["y"].dtype == out["z"].dtype == np.float16
        assert np.array_equal(out["y"], plain["y"].astype(np.float16))
        assert np.array_equal(out["z"], plain["z"].astype(np.float16))
    ports = burnish.succeed("inspect", "m.engine")
    assert re.search(r"^  x  f16  batch x 4 x 5 x 7  in memory axes 0 2 3 1$", ports, re.M)
    assert re.search(r"^  z  f16  batch x 6$", ports, re.M)


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
    assert "gpu_ms" not in figures and figures["memory"]["bindings"] >= 0


def test_bench_duration_and_profile(burnish, engine):
    text = burnish.succeed("bench", engine, "--duration", 0.1, "--profile")
    assert re.search(r"^  +ms +% +kind +step$", text, re.M) and "steps one by one" in text


def test_inspect_engine(burnish, engine):
    text = burnish.succeed("inspect", engine)
    assert re.match(r"copy\.engine  \S+ \wB  for cpu\n", text.replace(" B ", " xB "))
    assert re.search(r"^inputs\n  x +f32  batch x 3\n  ids +i64  batch x seq$", text, re.M)
    json.loads(burnish.succeed("inspect", engine, "--json"))


def test_build_says_that_nothing_was_timed(burnish):
    product(burnish.folder / "m.onnx")
    notes = burnish.succeed("build", "m.onnx", "--target", "sm_80", "--optimization-level", 3).splitlines()[1:]
    assert len(notes) == 1 and notes[0].startswith("1 kernel chosen by estimate, not timed: ")
    assert burnish.succeed("build", "m.onnx", "--target", "sm_80").count("\n") == 1
    assert burnish.files() == ["m.engine", "m.onnx"]


def test_build_takes_tactics_from_a_timing_cache(burnish):
    product(burnish.folder / "m.onnx")
    build = ("build", "m.onnx", "--target", "sm_80", "--timing-cache", "t.timing", "--timing-cache-mode")
    (burnish.folder / "t.timing").write_text("burnish timing cache 1\n")
    assert burnish.succeed(*build, "read").splitlines()[1] == "the timing cache lacks 1 kernel, chosen by estimate instead"
    cause, remedy = burnish.refuse(*build, "strict")
    assert cause == "the timing cache 't.timing' lacks 1 kernel, the first that of product, while building for target 'sm_80'"
    assert remedy == "build with --timing-cache-mode append where the GPU is, then again with this cache"
    assert burnish.files() == ["m.engine", "m.onnx", "t.timing"]


def test_explain(burnish):
    product(burnish.folder / "m.onnx")
    burnish.succeed("build", "m.onnx", "--target", "sm_80", "--target", "cpu", "--optimization-level", 0)
    device, host = burnish.succeed("explain", "m.engine", "product").split("plan for cpu\n")
    assert re.match(r"plan for sm_80\n\nproduct\n  kernel, chosen by estimate\n +tactic +us +estimate *\n  \* +\w+ \S+ \S+ s\d +1.00", device)
    assert device.count("\n") > 5 and host == "\nproduct\n  host\n"
    assert re.search(r"^ +wgmma +refused: only sm_90 multiplies by warpgroups *$", device, re.M)
    assert burnish.refuse("explain", "m.engine", "nope") == (
        "no layer of 'm.engine' has 'nope' in its name",
        "burnish explain m.engine lists them all",
    )


def test_merge_timings(burnish):
    first, line = "burnish timing cache 1\n", "{}\tGPU\t1\tx: {} us *\n"
    (burnish.folder / "a.timing").write_text(first + line.format("k1", "1.000") + line.format("k2", "2.000"))
    (burnish.folder / "b.timing").write_text(first + line.format("k2", "3.000") + line.format("k3", "4.000"))
    assert burnish.succeed("merge-timings", "a.timing", "b.timing", "-o", "c.timing") == "c.timing\n"
    lines = [line.format(*entry) for entry in (("k1", "1.000"), ("k2", "3.000"), ("k3", "4.000"))]
    assert (burnish.folder / "c.timing").read_text() == first + "".join(lines)
    (burnish.folder / "a.timing").write_text("hello")
    assert burnish.refuse("merge-timings", "a.timing", "-o", "c.timing") == (
        "this is no timing cache: it does not begin with 'burnish timing cache 1', while reading 'a.timing'",
        "name a file that 'burnish build' wrote",
    )


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
    assert "in FP16 against FP32 on the CPU" in burnish.succeed("compare", "copy.onnx", "--device", "cpu", "--fp16")
    done = burnish.succeed("compare", "copy.onnx", "--device", "cpu", "--bf16")
    assert "in BF16 against FP32 on the CPU" in done and done.splitlines()[-1] == "the outputs agree (relative L2 up to 0.03)"


def test_nothing_is_drawn_without_a_terminal(burnish, engine):
    assert burnish("build", "copy.onnx", "--target", "cpu").stderr == ""


def test_verbose_names_stages(burnish, engine):
    done = burnish("run", engine, "--verbose")
    assert done.returncode == 0 and re.fullmatch(r"( +\d+\.\d{3} s  [^\n]+\n)+", done.stderr)


def test_a_profile_is_what_an_engine_takes_and_is_tuned_for(burnish):
    copies(burnish.folder / "m.onnx", x=("float32", ["batch", 3]), y=("float32", ["batch", "n"]))
    burnish.succeed("build", "m.onnx", "--target", "cpu", "--profile", "x:1..2..4x3,y:1..2..4x8", "--profile", "x:8..16..32x3,y:8..16..32x8")
    described = json.loads(burnish.succeed("inspect", "m.engine", "--json"))["plans"][0]
    assert described["profiles"][0] == {"profile": 0, "name": "x", "min": [1, 3], "opt": [2, 3], "max": [4, 3]}
    assert described["profiles"][3] == {"profile": 1, "name": "y", "min": [8, 8], "opt": [16, 8], "max": [32, 8]}
    assert [axis["text"] for axis in described["inputs"][1]["axes"]] == ["batch", "8"]
    shown = burnish.succeed("inspect", "m.engine")
    assert "profiles (4)" in shown and "1, 3" in shown
    for batch in (1, 4, 8, 32):
        x = np.random.default_rng(batch).normal(size=(batch, 3)).astype(np.float32)
        np.savez(burnish.folder / "in.npz", x=x, y=np.ones((batch, 8), np.float32))
        burnish.succeed("run", "m.engine", "--inputs", "in.npz", "--outputs", "out.npz")
        assert np.array_equal(np.load(burnish.folder / "out.npz")["x_out"], x)
    assert burnish.refuse("run", "m.engine", "--shapes", "x:6x3") == (
        "in profile 0 input 'x' axis 0 must be from 1 to 4, got 6; in profile 1 input 'x' axis 0 must be from 8 to 32, got 6",
        "give extents that a profile takes, or build the engine with a wider one",
    )
    assert burnish.refuse("run", "m.engine", "--shapes", "x:64x3") == (
        "input 'x' axis 0 must be from 1 to 32, got 64",
        "the engine takes 'x' as f32 [batch, 3]",
    )
    assert "x_out  f32  2x3" in burnish.succeed("run", "m.engine")  # what profile 0 is tuned for
