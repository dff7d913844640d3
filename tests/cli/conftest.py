"""The command line as a user calls it, and small models for it."""
import pathlib
import signal
import subprocess

import numpy as np
import onnx
import pytest
from onnx import helper

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.getgroup("burnish").addoption("--burnish", default="build/bin/burnish", help="the program under test")


class Burnish:
    """Calls the program in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def command(self, arguments):
        return [str(self.program), *map(str, arguments)]

    def __call__(self, *arguments, **options):
        return subprocess.run(self.command(arguments), cwd=self.folder, capture_output=True, text=True, timeout=120, **options)

    def succeed(self, *arguments, **options):
        done = self(*arguments, **options)
        assert done.returncode == 0, f"burnish {' '.join(map(str, arguments))}\n{done.stderr}"
        assert done.stderr == ""
        return done.stdout

    def start(self, *arguments):
        """In the background; Ctrl-C reaches it even where the tests themselves ignore it."""
        return subprocess.Popen(
            self.command(arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def refuse(self, *arguments, **options):
        """(cause, remedy) of a call that has to fail: these two lines and nothing else."""
        done = self(*arguments, **options)
        assert done.returncode == 1, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        lines = done.stderr.splitlines()
        assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("  try: "), done.stderr
        return lines[0].removeprefix("error: "), lines[1].removeprefix("  try: ")

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def burnish(request, tmp_path):
    program = (ROOT / request.config.getoption("--burnish")).resolve()
    assert program.exists(), f"{program} is not there; ./dev build makes it"
    return Burnish(program, tmp_path)


@pytest.fixture
def engine(burnish):
    """copy.engine for the CPU: x (batch x 3, f32) and ids (batch x seq, i64), each copied to an output."""
    copies(burnish.folder / "copy.onnx", x=("float32", ["batch", 3]), ids=("int64", ["batch", "seq"]))
    burnish.succeed("build", "copy.onnx", "--target", "cpu")
    return "copy.engine"


def copies(path, /, **inputs):
    """A model of which each input, (type, shape), is copied to the output of its name and `_out`."""
    ports = {
        name: (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) if isinstance(dtype, str) else dtype, shape)
        for name, (dtype, shape) in inputs.items()
    }
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name in ports],
        "copies",
        [helper.make_tensor_value_info(name, *port) for name, port in ports.items()],
        [helper.make_tensor_value_info(f"{name}_out", *port) for name, port in ports.items()],
    )
    save(graph, path)


def product(path):
    """A model of one matrix product, which a GPU has several tactics for."""
    weights = onnx.numpy_helper.from_array(np.ones((64, 48), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        "product",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [32, 64])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [32, 48])],
        [weights],
    )
    save(graph, path)


def save(graph, path, opset=17):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
