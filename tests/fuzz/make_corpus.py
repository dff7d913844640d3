#!/usr/bin/env python3
"""Writes the corpus of the ONNX reader's fuzz target: a few small models that between them hold every kind of field."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper

FOLDER = pathlib.Path(__file__).parent / "corpus/onnx_reader"
FLOAT = TensorProto.FLOAT


def model(nodes, inputs, outputs, initializers=(), functions=(), **more):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers), **more)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=8)


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def convolution():
    weight = onnx.numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(2, 2, 3, 1), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"], "conv", pads=[1, 0, 1, 0], auto_pad="NOTSET", group=1)
    made = model([node], [value("x", ["n", 2, None, -1])], [value("y", None)], [weight], value_info=[value("y", [1])])
    helper.set_model_props(made, {"author": "nobody"})
    return made


def typed_tensors():
    kinds = (FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.UINT64, TensorProto.INT32, TensorProto.FLOAT16,
             TensorProto.BFLOAT16, TensorProto.BOOL, TensorProto.INT8, TensorProto.UINT8, TensorProto.STRING)
    tensors = [helper.make_tensor(f"t{kind}", kind, [2], [b"a", b"b"] if kind == TensorProto.STRING else [1, 0]) for kind in kinds]
    nodes = [helper.make_node("Constant", [], [f"c{tensor.name}"], value=tensor) for tensor in tensors]
    return model(nodes, [], [value("ct1", [2])], tensors)


def branches():
    def branch(name, number):
        node = helper.make_node("Constant", [], [name], value_floats=[number, number])
        return helper.make_graph([node], name, [], [value(name, [2])])

    node = helper.make_node("If", ["c"], ["y"], "if", then_branch=branch("a", 1.0), else_branch=branch("b", 2.0))
    return model([node], [value("c", [], TensorProto.BOOL)], [value("y", [2])])


def function():
    inner = helper.make_node("LeakyRelu", ["x"], ["y"])
    inner.attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="slope")
    made = helper.make_function("local", "F", ["x"], ["y"], [inner], [helper.make_opsetid("", 17)], attributes=["slope"])
    return model([helper.make_node("F", ["a"], ["b"], domain="local", slope=0.5)], [value("a", [3])], [value("b", [3])], functions=[made])


def external():
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, text in (("location", "weights.bin"), ("offset", "16"), ("length", "16")):
        tensor.external_data.add(key=key, value=text)
    return model([helper.make_node("Identity", ["w"], ["y"])], [], [value("y", [4])], [tensor])


def types():
    sequence = helper.make_tensor_sequence_value_info("s", FLOAT, [1])
    optional = helper.make_value_info("o", helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, [1])))
    return model([helper.make_node("SequenceLength", ["s"], ["n"])], [sequence, optional], [value("n", [], TensorProto.INT64)])


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in (convolution, typed_tensors, branches, function, external, types):
        (FOLDER / f"{make.__name__}.onnx").write_bytes(make().SerializeToString(deterministic=True))
