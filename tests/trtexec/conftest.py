"""trtexec as scripts call it, and small models for it. Everything runs on the CPU."""
import pathlib
import re
import subprocess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUICK = ("--target=cpu", "--iterations=10", "--duration=0", "--warmUp=0")


def pytest_addoption(parser):
    group = parser.getgroup("burnish")
    group.addoption("--burnish", default="build/bin/burnish", help="the program under test; trtexec is beside it")
    group.addoption("--update-golden", action="store_true", help="write the golden logs anew")


class Log:
    """What a run printed."""

    def __init__(self, done):
        self.code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self.text = done.stdout + done.stderr

    def lines(self, severity):
        return re.findall(rf"^\[\d\d/\d\d/\d{{4}}-\d\d:\d\d:\d\d\] \[{severity}\] (.*)$", self.text, re.M)

    @property
    def state(self):
        return re.findall(r"^&&&& (PASSED|FAILED) TensorRT\.trtexec \[TensorRT v101600\] \[burnish v\d+\.\d+\.\d+\] # .*trtexec", self.stdout, re.M)


class Trtexec:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, *words):
        return Log(self.run(*words, stderr=subprocess.PIPE))

    def run(self, *words, stderr):
        return subprocess.run([str(self.program), *map(str, words)], cwd=self.folder, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=120)

    def merged(self, *words):
        """The text of both streams in the order in which it came."""
        return self.run(*words, stderr=subprocess.STDOUT).stdout

    def passes(self, *words):
        log = self(*words)
        assert (log.code, log.state) == (0, ["PASSED"]), log.text
        return log

    def fails(self, *words):
        log = self(*words)
        assert (log.code, log.state) == (1, ["FAILED"]), log.text
        return log


@pytest.fixture(scope="session")
def program(request):
    program = (ROOT / request.config.getoption("--burnish")).parent.absolute() / "trtexec"
    assert program.exists(), f"{program} is not there; ./dev build makes it"
    return program


@pytest.fixture(scope="session")
def built(program, tmp_path_factory):
    """A folder with tiny.onnx, tiny.engine for batches 1 to 8 tuned for 2, fixed.onnx, fixed.engine, which can be refitted, and a plugin."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "snake.so").symlink_to(program.parents[1] / "testing" / "plugins" / "snake.so")
    tiny(folder / "tiny.onnx", "batch")
    tiny(folder / "fixed.onnx", 2)
    trtexec = Trtexec(program, folder)
    shapes = [f"--{which}Shapes=x:{batch}x3x8x8" for which, batch in (("min", 1), ("opt", 2), ("max", 8))]
    trtexec.passes("--onnx=tiny.onnx", "--saveEngine=tiny.engine", "--skipInference", "--target=cpu", *shapes)
    trtexec.passes("--onnx=fixed.onnx", "--saveEngine=fixed.engine", "--skipInference", "--target=cpu", "--refit")
    return folder


@pytest.fixture
def trtexec(program, built, tmp_path):
    for file in built.iterdir():
        if file.suffix in (".onnx", ".engine", ".so"):
            (tmp_path / file.name).symlink_to(file)
    return Trtexec(program, tmp_path)


def tiny(path, batch):
    """A convolution, a ReLU and a mean: x (batch x 3 x 8 x 8) to y (batch x 4)."""
    weights = numpy_helper.from_array(np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32), "w")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("ReduceMean", ["r"], ["y"], "mean", axes=[2, 3], keepdims=0),
    ]
    port = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "tiny", [port("x", TensorProto.FLOAT, [batch, 3, 8, 8])], [port("y", TensorProto.FLOAT, [batch, 4])], [weights])
    save(graph, path)


def copies(path, **inputs):
    """Each input, (type, shape), is copied to the output of its name and `_out`."""
    ports = {name: (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape) for name, (dtype, shape) in inputs.items()}
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_out"], f"copy_{name}") for name in ports],
        "copies",
        [helper.make_tensor_value_info(name, *port) for name, port in ports.items()],
        [helper.make_tensor_value_info(f"{name}_out", *port) for name, port in ports.items()],
    )
    save(graph, path)


def save(graph, path):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
