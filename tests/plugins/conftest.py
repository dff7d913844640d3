"""The command line with plugins: libraries of build/testing/plugins, models that call their operators, and a GPU whose memory is the
host's."""
import json
import os
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
from onnx import helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTING = ROOT / "build" / "testing"
HOST_GPU = {**os.environ, "LD_LIBRARY_PATH": f"{TESTING / 'host_gpu'}:{os.environ.get('LD_LIBRARY_PATH', '')}"}


def pytest_addoption(parser):
    group = parser.getgroup("burnish")
    group.addoption("--burnish", default="build/bin/burnish", help="the program under test")
    group.addoption("--device", type=int, help="a GPU, for the tests that need one")


def library(name):
    path = TESTING / "plugins" / f"{name}.so"
    assert path.exists(), f"{path} is not there; ./dev build release tests makes it"
    return path


class Burnish:
    """Calls the program in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, *words, env=None):
        return subprocess.run([str(self.program), *map(str, words)], cwd=self.folder, capture_output=True, text=True, timeout=120, env=env)

    def succeed(self, *words, env=None):
        done = self(*words, env=env)
        assert (done.returncode, done.stderr) == (0, ""), f"burnish {' '.join(map(str, words))}\n{done.stderr}"
        return done.stdout

    def refuse(self, *words, env=None):
        """(cause, remedy) of a call that has to fail: these two lines and nothing else."""
        done = self(*words, env=env)
        lines = done.stderr.splitlines()
        assert done.returncode == 1 and len(lines) == 2, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        return lines[0].removeprefix("error: "), lines[1].removeprefix("  try: ")

    def build(self, *words, plugin="operators", target="cpu", env=None):
        return self.succeed("build", "m.onnx", "--target", target, "--optimization-level", 1, *plugin_words(plugin), *words, env=env)

    def run(self, plugin="operators", env=None, device="cpu", **inputs):
        """The outputs of m.engine on these inputs, by name."""
        np.savez(self.folder / "in.npz", **inputs)
        words = ("run", "m.engine", "--inputs", "in.npz", "--outputs", "out.npz", "--device", device)
        self.succeed(*words, *plugin_words(plugin), env=env)
        return dict(np.load(self.folder / "out.npz"))

    def steps(self):
        (plan,) = json.loads(self.succeed("inspect", "m.engine", "--json"))["plans"]
        return [(step["kind"], step["name"]) for step in plan["steps"]]


def plugin_words(plugin):
    return () if plugin is None else ("--plugin", library(plugin))


@pytest.fixture
def burnish(request, tmp_path):
    program = (ROOT / request.config.getoption("--burnish")).resolve()
    assert program.exists(), f"{program} is not there; ./dev build makes it"
    return Burnish(program, tmp_path)


def save(path, nodes, inputs, outputs, weights=None, functions=()):
    """A model of these nodes; inputs and outputs are {name: (dtype, shape)}."""

    def ports(listed):
        return [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(np.dtype(t)), s) for n, (t, s) in listed.items()]

    initializers = [onnx.numpy_helper.from_array(w, n) for n, w in (weights or {}).items()]
    graph = helper.make_graph(nodes, "model", ports(inputs), ports(outputs), initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("test", 1), helper.make_opsetid("example", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=8), path)


def node(op_type, inputs, outputs, name="own", domain="test", **attributes):
    return helper.make_node(op_type, inputs.split(","), outputs.split(","), name, domain=domain, **attributes)
