"""Polygraphy, as it is on PyPI, on top of this package."""

import ast
import ctypes
import functools
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorrt as trt
from onnx import helper, numpy_helper

polygraphy = pytest.importorskip("polygraphy", reason="tools/requirements.txt names it")
from polygraphy.backend.trt import CreateConfig, EngineFromNetwork, NetworkFromOnnxPath, Profile, SaveEngine, TrtRunner  # noqa: E402
from polygraphy.cuda import cuda  # noqa: E402

FOLDER = pathlib.Path(polygraphy.__file__).parent
PACKAGE = pathlib.Path(__file__).resolve().parents[1]
OF_LAZY_MODULES = {"is_installed", "is_importable"}  # what polygraphy's own proxy of a module has
GONE = {"FULLY_CONNECTED", "RNN", "RNN_V2", "IFullyConnectedLayer", "IRNNLayer", "IRNNv2Layer"}  # before 8.6
UNUSUAL = {"KV_CACHE_UPDATE"}  # polygraphy asks for this spelling, and goes without where it is not there


@functools.cache
def names_used():
    """Every trt.… in polygraphy's source, and the names that it asks for by getattr and try_add."""
    found = set()
    warnings.simplefilter("ignore", DeprecationWarning)  # of polygraphy's own source
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                parts = [node.attr]
                while isinstance(node.value, ast.Attribute):
                    node = node.value
                    parts.append(node.attr)
                if isinstance(node.value, ast.Name) and node.value.id == "trt":
                    found.add(".".join(reversed(parts)))
            elif isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                if name in ("getattr", "hasattr", "try_getattr") and getattr(node.args[0], "id", "") == "trt":
                    found.update(texts)
                elif name == "try_add" and len(texts) == 2:
                    found.update({f"LayerType.{texts[0]}", texts[1]} if texts[0] not in GONE | UNUSUAL else set())
    return sorted(n for n in found if n not in OF_LAZY_MODULES | GONE)


@pytest.mark.parametrize("name", names_used())
def test_every_name_that_polygraphy_uses(name):
    value = trt
    for part in name.split("."):
        assert hasattr(value, part), f"there is no trt.{name}"
        value = getattr(value, part)


def test_the_names_were_found():
    assert len(names_used()) > 100 and "BuilderFlag.TF32" in names_used() and "IConvolutionLayer" in names_used()


@pytest.fixture
def model(tmp_path):
    rng = np.random.default_rng(3)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["y"], name="act"),
        ],
        "net",
        [helper.make_tensor_value_info("x", 1, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("y", 1, ["n", 4, 8, 8])],
        [numpy_helper.from_array(rng.standard_normal((4, 3, 3, 3), np.float32), "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def config(**options):
    return CreateConfig(profiles=[Profile().add("x", min=(1, 3, 8, 8), opt=(2, 3, 8, 8), max=(4, 3, 8, 8))], **options)


def test_engine_from_network(model, tmp_path):
    engine = EngineFromNetwork(NetworkFromOnnxPath(str(model)), config=config(fp16=True, tf32=True))()
    assert list(engine) == ["x", "y"] and engine.name == "net"
    assert engine.get_tensor_profile_shape("x", 0) == [(1, 3, 8, 8), (2, 3, 8, 8), (4, 3, 8, 8)]
    SaveEngine(engine, str(tmp_path / "net.engine"))()
    assert (tmp_path / "net.engine").read_bytes() == bytes(engine.serialize())


def command(*arguments):
    """polygraphy's command line, with `import tensorrt` redirected."""
    script = pathlib.Path(sys.executable).parent / "polygraphy"
    command = [sys.executable, "-m", "burnish.tensorrt", "--target", "cpu", script, *arguments]
    done = subprocess.run(list(map(str, command)), cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_inspect_model(model):
    shown = command("inspect", "model", model, "--display-as", "trt", "--show", "layers", "attrs")
    assert "Name: net | Explicit Batch Network" in shown
    assert "Layer 0    | conv [Op: LayerType.CONVOLUTION]" in shown and "conv.pre_padding = (1, 1)" in shown
    assert "{x [dtype=float32, shape=(-1, 3, 8, 8)]}" in shown and "_state" not in shown and "_TYPE" not in shown


def test_convert_and_inspect_engine(model, tmp_path):
    command(
        "convert", model, "--convert-to", "trt", "-o", tmp_path / "net.engine",
        "--trt-min-shapes", "x:[1,3,8,8]", "--trt-opt-shapes", "x:[2,3,8,8]", "--trt-max-shapes", "x:[4,3,8,8]",
    )  # fmt: skip
    shown = command("inspect", "model", tmp_path / "net.engine", "--model-type", "engine", "--show", "layers")
    assert "Name: net | Explicit Batch Engine" in shown and "Layer 0    | conv + act [Op: host]" in shown
    assert "min=(1, 3, 8, 8), opt=(2, 3, 8, 8), max=(4, 3, 8, 8)" in shown


def run(model, x, **options):
    """TrtRunner's outputs for x."""
    with TrtRunner(EngineFromNetwork(NetworkFromOnnxPath(str(model)), config=config()), **options) as runner:
        return runner.infer({"x": x})["y"].copy()


def check(model, y, x):
    expected = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    np.testing.assert_allclose(y, expected, rtol=1e-2, atol=1e-2)


class HostCuda:
    """What polygraphy's CUDA wrapper does, with memory of the host."""

    def __init__(self):
        self.held = {}

    def create_stream(self):
        return 0

    def stream_synchronize(self, ptr):
        pass

    destroy_stream = stream_synchronize

    def malloc(self, nbytes):
        memory = ctypes.create_string_buffer(max(nbytes, 1))
        self.held[ctypes.addressof(memory)] = memory
        return ctypes.addressof(memory)

    def free(self, ptr):
        self.held.pop(ptr, None)

    def memcpy(self, dst, src, nbytes, kind, stream_ptr=None):
        ctypes.memmove(dst, src, nbytes)


@pytest.mark.parametrize("strategy", [None, "profile", "runtime"])
def test_runner_on_host_memory(model, monkeypatch, strategy):
    """Its protocol: profiles, addresses, output allocators, debug listeners, memory strategies."""
    monkeypatch.setattr(cuda, "G_CUDA", HostCuda())
    for batch in (1, 3):
        x = np.random.default_rng(batch).standard_normal((batch, 3, 8, 8), np.float32)
        check(model, run(model, x, optimization_profile=0, allocation_strategy=strategy), x)


@pytest.mark.gpu
@pytest.mark.parametrize("strategy", [None, "profile", "runtime"])
def test_runner(model, monkeypatch, strategy):
    """On a GPU, through polygraphy's own CUDA wrapper."""
    monkeypatch.setattr(trt.interface, "target", None)
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8), np.float32)
    check(model, run(model, x, optimization_profile=0, allocation_strategy=strategy), x)
