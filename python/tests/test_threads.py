"""A build for a GPU compiles its kernels in as many processes as it has threads."""

import pathlib

import numpy as np
import onnx
import pytest
from burnish.building import Options
from onnx import helper, numpy_helper

ROWS = ("Relu", "Softmax", "Transpose", "ReduceMean", "CumSum", "TopK", "ArgMax")


def model() -> bytes:
    """As many kernels as operators, all of one input."""
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [8, 32])
    one = numpy_helper.from_array(np.array([1], "i8"), "one")
    axis = numpy_helper.from_array(np.array(1, "i8"), "axis")
    nodes, outputs = [], []
    for name in ROWS:
        more = {"CumSum": ["axis"], "TopK": ["one"], "ReduceMean": ["one"]}.get(name, [])
        names = [name] if name != "TopK" else [name, "places"]
        nodes.append(helper.make_node(name, ["x", *more], names))
        kind = onnx.TensorProto.INT64 if name == "ArgMax" else onnx.TensorProto.FLOAT
        outputs.append(helper.make_tensor_value_info(name, kind, None))
    graph = helper.make_graph(nodes, "several", [x], outputs, [one, axis])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def compiler_processes() -> int:
    """Those that this process started and that are still there."""
    children = [pid for task in pathlib.Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    return sum(pathlib.Path("/proc", pid, "comm").read_text() == "burnish-nvrtc\n" for pid in children)


@pytest.fixture(scope="module")
def with_one_thread():
    return Options(targets=["sm_90"], threads=1).build(model(), None)


@pytest.mark.parametrize(("threads", "processes"), [(1, 0), (2, 1), (4, 3)])
def test_the_engine_is_the_same_whatever_the_threads(with_one_thread, threads, processes):
    seen = []
    options = Options(targets=["sm_90"], threads=threads, progress=lambda stage, done, total: seen.append(compiler_processes()))
    assert options.build(model(), None) == with_one_thread
    assert max(seen) == processes
    assert compiler_processes() == 0
