"""The session that bench.py times, on the CPU."""
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
import session
from onnx import helper

BUILD = pathlib.Path(__file__).resolve().parents[1] / "build"


@pytest.fixture
def transposed_sum(tmp_path):
    """An engine of y = x + x, x and y of FP16 with channels last."""
    ports = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2, 3, 4, 5]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "sum", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "m.onnx")
    formats = ["--input-formats", "x:fp16:nhwc", "--output-formats", "y:fp16:nhwc"]
    command = [BUILD / "bin/burnish", "build", tmp_path / "m.onnx", "-o", tmp_path / "m.engine", "--target", "cpu"]
    subprocess.run([*command, *formats], check=True, capture_output=True)
    opened = session.Session(session.Library(BUILD / "lib"), tmp_path / "m.engine")
    yield opened
    opened.close()


def test_arrays_go_in_and_come_out_row_major(transposed_sum):
    x = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
    assert transposed_sum.ports("input") == [("x", np.dtype("f2"), [0, 2, 3, 1])]
    transposed_sum.set_inputs({"x": x})
    (y,) = transposed_sum.run().values()
    assert y.dtype == np.float32 and np.array_equal(y, x + x)
    assert transposed_sum.input_bytes == 240


def test_times_as_many_runs_as_are_asked_for(transposed_sum):
    transposed_sum.set_inputs({"x": np.zeros((2, 3, 4, 5), np.float32)})
    gpu, wall = transposed_sum.time(0, 7)
    assert len(gpu) == len(wall) >= 7 and min(wall) > 0
    assert transposed_sum.describe()["target"] == "cpu"
    assert [step["kind"] for step in transposed_sum.profile()].count("host") >= 1


def test_errors_are_those_of_the_library(transposed_sum):
    with pytest.raises(session.Refused, match="a GPU's L2 cache is to be flushed"):
        transposed_sum.time(0, 1, flushed=True)
