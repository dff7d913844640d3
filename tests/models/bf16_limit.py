#!/usr/bin/env python3
"""bf16_limit.py MODEL...: what BF16 itself costs a model of the catalogue, by ONNX Runtime in FP32 on the CPU: with its weights rounded to
BF16 once and nothing else, and with every value rounded as well. Beside it the bar, and `burnish build --bf16` for the CPU."""
import pathlib
import subprocess
import sys
import tempfile

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from accuracy import relative_l2
from catalogue import MODELS, Case
from onnx import TensorProto, helper, numpy_helper

BURNISH = pathlib.Path(__file__).parents[2] / "build/bin/burnish"
SPLIT = "split_at_8_bits"  # x * 65537 - (x * 65537 - x) is x rounded to 8 bits (Dekker): it needs no Cast of a newer opset


def round_weights(graph):
    constants = [a.t for node in graph.node if node.op_type == "Constant" for a in node.attribute if a.name == "value"]
    for t in [*graph.initializer, *constants]:
        if t.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(t).astype(ml_dtypes.bfloat16).astype(np.float32)
            t.CopyFrom(numpy_helper.from_array(np.asarray(values), t.name))
    for body in bodies(graph):
        round_weights(body)


def bodies(graph):
    return [a.g for node in graph.node for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]


def round_values(graph):
    """Of every FP32 value between two nodes."""
    types = {v.name: v.type.tensor_type.elem_type for v in graph.value_info}
    nodes = []
    for node in graph.node:
        nodes.append(node)
        for i, name in enumerate(node.output):
            if types.get(name) != TensorProto.FLOAT or node.op_type in ("Constant", "Identity", "If", "Loop"):
                continue
            node.output[i], high, rest = (f"{name}/{part}" for part in ("exact", "high", "rest"))
            nodes.append(helper.make_node("Mul", [node.output[i], SPLIT], [high]))
            nodes.append(helper.make_node("Sub", [high, node.output[i]], [rest]))
            nodes.append(helper.make_node("Sub", [high, rest], [name]))
    for body in bodies(graph):
        round_values(body)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]


def folded(path):
    """The model with constants folded, normalisations into weights too: the weights that an engine stores."""
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = file.name
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return onnx.load(file.name)


def runtime(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it would undo the splits
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(None, inputs)))


def burnish(model, inputs):
    with tempfile.TemporaryDirectory() as folder:
        engine, given, made = (f"{folder}/{name}" for name in ("engine", "in.npz", "out.npz"))
        np.savez(given, **inputs)
        shapes = ["--shapes", model.shapes] if model.shapes else []
        subprocess.run([BURNISH, "build", model.path, "-o", engine, "--target", "cpu", "--bf16", *shapes], check=True, capture_output=True)
        subprocess.run([BURNISH, "run", engine, "--device", "cpu", "--inputs", given, "--outputs", made], check=True, capture_output=True)
        return dict(np.load(made))


def against(got, want, classes):
    error = f"{relative_l2(got, want):.1e}"
    if not classes:
        return error
    changed = np.count_nonzero(got.argmax(-1) != want.argmax(-1))
    return f"{error}, {changed} other winners"


def report(model):
    source = folded(model.path)
    weights = onnx.ModelProto()
    weights.CopyFrom(source)
    round_weights(weights.graph)
    values = onnx.shape_inference.infer_shapes(weights)
    round_values(values.graph)
    values.graph.initializer.append(numpy_helper.from_array(np.float32(65537), SPLIT))
    exact, weights, values = map(runtime, (source, weights, values))
    bar = 8 * (model.fp16_tolerance + model.fp16_noise)
    for seed in range(5):
        inputs = model.inputs(Case(seed))
        want, one, all_, ours = exact(inputs), weights(inputs), values(inputs), burnish(model, inputs)
        for name in want:
            cells = [against(got[name], want[name], model.classes) for got in (one, all_, ours)]
            print(f"{model.name} seed {seed} {name}: weights {cells[0]}; every value {cells[1]}; burnish {cells[2]}; bar {bar:.1e}")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        report(next(m for m in MODELS if m.name == name))
