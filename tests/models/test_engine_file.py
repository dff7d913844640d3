"""What holds for the engine file of every model."""
import math

import onnx
import pytest


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
