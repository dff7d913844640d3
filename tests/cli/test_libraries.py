"""Engines that leave work to a library: built, run and refused with stand-ins for the library and for the GPU, whose memory is
the host's (build/testing). The GPU's kernels do nothing, so it is a timing cache that says the library is faster."""
import json
import os
import re
import shutil

import numpy as np
import onnx
import pytest
from conftest import ROOT, product, save
from onnx import helper

TESTING = ROOT / "build" / "testing"


def with_libraries(*folders):
    paths = [*map(str, folders), *os.environ.get("LD_LIBRARY_PATH", "").split(":")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(filter(None, paths))}


FAKE = with_libraries(TESTING / "host_gpu", TESTING / "fake_libraries")
BUILD = ("build", "m.onnx", "--target", "sm_90", "--optimization-level", 2, "--timing-cache", "t.timing")
STRICT = (*BUILD, "--timing-cache-mode", "strict", "--libraries", "cublaslt")


def prefer(tactic, path, times):
    """Makes a cache say that a tactic is the fastest where it is known, which is so many times."""
    lines, count = path.read_text().splitlines(keepends=True), 0
    for i, line in enumerate(lines):
        line, found = re.subn(f"({re.escape(tactic)}): [^\t\n]*", r"\1: 0.500 us *", line.replace(" us *", " us"))
        lines[i], count = (line, count + 1) if found else (lines[i], count)
    assert count == times
    path.write_text("".join(lines))


@pytest.fixture
def cache(burnish):
    """t.timing as a GPU would leave it on which the library is fastest."""
    product(burnish.folder / "m.onnx")
    burnish.succeed(*BUILD, "--libraries", "cublaslt", env=FAKE)
    prefer("cublaslt 13.1.0 w512 1fc34-2", burnish.folder / "t.timing", 1)
    return burnish.folder / "t.timing"


def library_calls(burnish, engine):
    steps = json.loads(burnish.succeed("inspect", engine, "--json"))["plans"][0]["steps"]
    return [step["call"] for step in steps if step["kind"] == "library"]


def test_a_library_is_timed_where_the_gpu_is(burnish):
    product(burnish.folder / "m.onnx")
    burnish.succeed(*BUILD, "--libraries", "cublaslt", env=FAKE)
    explained = burnish.succeed("explain", "m.engine", "product")
    assert "kernel, timed on Host GPU" in explained
    for tactic in ("cublaslt 13.1.0 w0 1fc34-1", "cublaslt 13.1.0 w512 1fc34-2"):
        assert re.search(rf"^ +{re.escape(tactic)} +refused: its results differ from those of '", explained, re.M)
    burnish.succeed(*BUILD, "--libraries", "none", env=FAKE)
    assert "cublaslt" not in burnish.succeed("explain", "m.engine", "product")


def test_what_is_present_is_timed_unless_it_is_said_otherwise(burnish):
    product(burnish.folder / "m.onnx")
    burnish.succeed(*BUILD, env=FAKE)
    assert "cublaslt 13.1.0 w0 1fc34-1" in burnish.succeed("explain", "m.engine", "product")


def convolutions(path):
    """Four convolutions, of which two are the same work, and the last gives a type that is none of cuDNN's."""

    def conv(x, y, **attributes):
        return helper.make_node("Conv", [x, "w", "b"], [y], y, pads=[1, 1, 1, 1], **attributes)

    graph = helper.make_graph(
        [conv("x", "p"), conv("p", "q"), conv("q", "r", strides=[2, 2]), conv("r", "y")],
        "convolutions",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 32, 8, 8])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 32, 4, 4])],
        [onnx.numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in (("w", (32, 32, 3, 3)), ("b", (32,)))],
    )
    save(graph, path)


HALVES = ("--target", "sm_90", "--optimization-level", 2, "--fp16", "--input-formats", "x:fp16:nhwc", "--libraries", "cudnn")


def test_convolutions_are_planned_once_and_before_they_are_timed(burnish):
    convolutions(burnish.folder / "c.onnx")
    done = burnish("build", "c.onnx", *HALVES, "--verbose", env=FAKE)
    assert done.returncode == 0, done.stderr
    stages = re.findall(r"^ *\S+ s  (.*)$", done.stderr, re.M)
    planned, timed, asked = (
        next(i for i, stage in enumerate(stages) if stage.startswith(begin))
        for begin in ("preparing tactics of cudnn", "timing kernels on Host GPU", "cudnn was asked for 2 graphs and 2 plans; ")
    )
    assert planned < timed < asked
    explained = burnish.succeed("explain", "c.engine")
    assert len(re.findall(r"^ +cudnn 9\.19\.0 engine 0 2=7 ", explained, re.M)) == 3


def test_plans_of_cudnn_are_made_without_a_gpu_where_a_cache_says_which(burnish):
    """A stand-in tells plans that it made for a described GPU."""
    convolutions(burnish.folder / "c.onnx")
    cached = ("build", "c.onnx", *HALVES, "--timing-cache", "c.timing")
    burnish.succeed(*cached, env=FAKE)
    prefer("cudnn 9.19.0 engine 0 2=7", burnish.folder / "c.timing", 2)
    strict = (*cached, "--timing-cache-mode", "strict")

    notes = burnish.succeed(*strict, env=with_libraries(TESTING / "fake_libraries"))
    assert "the engine calls cudnn 9.19.0 and runs only where that library is" in notes.splitlines()
    described = library_calls(burnish, "c.engine")
    assert len(described) == 3 and all('"described":1' in call for call in described)
    burnish.succeed(*strict, env=FAKE)
    assert [call.replace(',"described":1', "") for call in described] == library_calls(burnish, "c.engine")


def test_attention_is_left_to_cudnn_where_it_is_faster(burnish):
    shape = [2, 3, 16, 64]
    graph = helper.make_graph(
        [helper.make_node("Attention", ["q", "k", "v"], ["y"], "attention")],
        "attention",
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT16, shape) for name in "qkv"],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT16, shape)],
    )
    save(graph, burnish.folder / "m.onnx", opset=23)
    build = (*BUILD, "--libraries", "cudnn")
    burnish.succeed(*build, env=FAKE)
    prefer("cudnn 9.19.0 engine 0 2=7", burnish.folder / "t.timing", 1)
    burnish.succeed(*build, env=FAKE)
    (call,) = library_calls(burnish, "m.engine")
    assert call.startswith("cudnn 9.19.0 workspace=0 tensors=0,1,2,4,")
    assert "\n  library, timed on Host GPU\n" in burnish.succeed("explain", "m.engine", "attention")


def test_an_engine_says_that_it_needs_a_library(burnish, cache):
    before = cache.read_text()
    notes = burnish.succeed(*STRICT)  # neither GPU nor library is there
    assert "the engine calls cublaslt 13.1.0 and runs only where that library is" in notes.splitlines()
    assert cache.read_text() == before
    engine = json.loads(burnish.succeed("inspect", "m.engine", "--json"))
    assert engine["providers"]["cublaslt"] == "13.1.0"
    (step,) = engine["plans"][0]["steps"]
    assert step["kind"] == "library"
    assert step["call"].startswith("cublaslt 13.1.0 w512 1fc34-2 f32 m=48 n=32 k=64 ")
    assert "\n  library, timed on Host GPU\n" in burnish.succeed("explain", "m.engine", "product")


def test_an_engine_that_needs_a_library_runs_where_it_is(burnish, cache):
    burnish.succeed(*STRICT)
    x = np.random.default_rng(1).standard_normal((32, 64)).astype(np.float32)
    np.savez(burnish.folder / "in.npz", x=x)
    for folder in ("fake_libraries", "newer_libraries"):
        environment = with_libraries(TESTING / "host_gpu", TESTING / folder)
        burnish.succeed("run", "m.engine", "--device", 0, "--inputs", "in.npz", "--outputs", "out.npz", env=environment)
        with np.load(burnish.folder / "out.npz") as outputs:
            np.testing.assert_allclose(outputs["y"], x @ np.ones((64, 48), np.float32), rtol=1e-5, atol=1e-5)


def test_an_engine_that_needs_a_library_is_refused_without_it(burnish, cache):
    burnish.succeed(*STRICT)
    shutil.copy(TESTING / "host_gpu" / "libcuda.so.1", burnish.folder / "libcublasLt.so.13")
    cause, remedy = burnish.refuse("run", "m.engine", "--device", 0, env=with_libraries(TESTING / "host_gpu", burnish.folder))
    assert cause == "libcublasLt.so.13 has no function cublasLtGetVersion, while preparing step 'product'"
    assert remedy == (
        "install the CUDA 13 toolkit or the PyPI package nvidia-cublas where the loader finds it (LD_LIBRARY_PATH), "
        "or build the engine with --libraries none"
    )


def test_without_libraries_our_kernels_do_it(burnish, cache):
    burnish.succeed(*BUILD, "--timing-cache-mode", "strict", "--libraries", "none")
    engine = json.loads(burnish.succeed("inspect", "m.engine", "--json"))
    assert "cublaslt" not in engine["providers"] and engine["plans"][0]["steps"][0]["kind"] == "kernel"


def test_a_library_that_is_asked_for_has_to_be_there(burnish):
    product(burnish.folder / "m.onnx")
    shutil.copy(TESTING / "host_gpu" / "libcuda.so.1", burnish.folder / "libcublasLt.so.13")
    broken = with_libraries(TESTING / "host_gpu", burnish.folder)
    cause, _ = burnish.refuse(*BUILD, "--libraries", "cublaslt", env=broken)
    assert cause == "libcublasLt.so.13 has no function cublasLtGetVersion, while building for target 'sm_90'"
    notes = burnish.succeed(*BUILD, "--libraries", "present", env=broken).splitlines()
    assert notes[1] == "cublaslt is not among the candidates: libcublasLt.so.13 has no function cublasLtGetVersion"
    assert burnish.refuse(*BUILD, "--libraries", "miopen", env=broken) == (
        "there is no library 'miopen', while building for target 'sm_90'",
        "name cublaslt, cudnn, present or none",
    )
