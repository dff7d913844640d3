"""What holds for the engine file of every model."""
import dataclasses
import json
import math

import numpy as np
import onnx
import pytest
from catalogue import Case
from onnx import numpy_helper


def test_size(burnish, model):
    """An engine is its weights and at most 5 MB."""
    size = burnish.build(model).path.stat().st_size
    allowed = weight_bytes(onnx.load(model.path).graph) + 5_000_000
    assert size <= allowed, f"{size} bytes, allowed {allowed}"


def test_same_build_same_bytes(burnish, model):
    if model.path.stat().st_size > 150_000_000:
        pytest.skip("only weights make this model large; the others show the same")
    first, second = burnish.build(model), burnish.build(model, again=True)
    same = first.path.read_bytes() == second.path.read_bytes()
    second.path.unlink()
    assert same, "two builds of the same model differ"


def test_refit(burnish, model, tmp_path):
    """An engine without weights that is given others is, byte for byte, the engine of the model with these."""
    if model.path.stat().st_size > 150_000_000:
        pytest.skip("only weights make this model large; the others show the same")
    other = dataclasses.replace(model, path=tmp_path / model.path.name)
    if not with_other_weights(model.path, other.path):
        pytest.skip("its weights are in branches")
    stripped, built = burnish.build(model, "--refit", "--strip-weights"), burnish.build(other, "--refit")
    burnish.call("refit", stripped.path, "--onnx", other.path, "-o", tmp_path / "refitted")
    assert (tmp_path / "refitted").read_bytes() == built.path.read_bytes()


def fixed_shapes(model):
    shapes = ",".join(f"{name}:{'x'.join(map(str, array.shape))}" for name, array in model.inputs(Case()).items())
    return [] if model.shapes else ["--shapes", shapes]


def test_memory(burnish, model):
    check_memory(burnish, model, burnish.build(model, *fixed_shapes(model)))


def test_memory_on_a_gpu(burnish, model):
    """For a GPU that need not be here. Its kernels take long to compile, so a few models stand for the others."""
    if model.name not in {"resnet50", "mobilenet_v2", "swin_t", "bert_base"}:
        pytest.skip("others stand for it")
    check_memory(burnish, model, burnish.build(model, "--fp16", *fixed_shapes(model), target="sm_90"))


def test_nothing_is_only_moved(burnish, model):
    """On a GPU views and joint kernels leave no step that only moves data, whatever the batch."""
    if model.name not in {"resnet50", "convnext_tiny", "vit_b_16", "swin_t"}:
        pytest.skip("others stand for it")
    (plan,) = json.loads(burnish.call("inspect", burnish.build(model, "--fp16", target="sm_90").path, "--json").stdout)["plans"]
    assert plan["moves"] == []


def check_memory(burnish, model, engine):
    """Weights and temporaries take at most a tenth more than weights and what is in use at once."""
    (plan,) = json.loads(burnish.call("inspect", engine.path, "--json").stdout)["plans"]
    arenas = [plan[key] for key in ("host_arena", "device_arena") if key in plan]
    if not arenas:
        pytest.skip("its extents are found while it runs")
    planned = plan["constant_bytes"] + sum(arena["bytes"] for arena in arenas)
    least = plan["constant_bytes"] + sum(arena["least_bytes"] for arena in arenas)
    print(f"{model.name}: {planned / 1e6:.1f} MB, of which {plan['constant_bytes'] / 1e6:.1f} weights; at least {least / 1e6:.1f}")
    assert planned <= 1.1 * least


def with_other_weights(path, other):
    """Writes the model with each of its weights scaled at random; gives how many there are. Single numbers stay, as kernels hold them,
    and what exporters fill with one."""
    model, rng = onnx.load(path), np.random.default_rng(0)
    constants = {n.output[0]: n.attribute[0].t for n in model.graph.node if n.op_type == "Constant" and n.attribute[0].HasField("t")}
    weights = {t.name: t for t in model.graph.initializer}
    weights.update((name, t) for name, t in constants.items() if np.unique(numpy_helper.to_array(t)).size > 1)
    scales = {name for node in model.graph.node if node.op_type == "Resize" for name in node.input[1:]}
    weights = {n: t for n, t in weights.items() if t.data_type == onnx.TensorProto.FLOAT and math.prod(t.dims) > 1 and n not in scales}
    for tensor in weights.values():
        array = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(array * rng.uniform(0.5, 1.5, array.shape).astype("f4"), tensor.name))
    onnx.save(model, other)
    return len(weights)


def weight_bytes(graph):
    """Bytes of all constant tensors, those of nested graphs included."""
    total = sum(tensor_bytes(tensor) for tensor in graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                total += tensor_bytes(attribute.t)
            for nested in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                total += weight_bytes(nested)
    return total


def tensor_bytes(tensor):
    return math.prod(tensor.dims) * onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
