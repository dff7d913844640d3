"""Small models made node by node, of one float type, with weights that a test knows."""
import numpy as np
import onnx
from onnx import helper, numpy_helper


class Unit:
    """A model in the making: its constants and nodes, of one float type."""

    def __init__(self, dtype):
        self.dtype, self.constants, self.nodes = np.dtype(dtype), [], []
        self.random = np.random.default_rng(7)

    def constant(self, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def weight(self, *shape, scale=1.0):
        """A constant with what it holds, exactly."""
        array = (scale * self.random.standard_normal(shape) / np.sqrt(shape[0])).astype(self.dtype)
        return self.constant(array), array.astype(np.float64)

    def node(self, op, *inputs, count=1, **attributes):
        outputs = [f"v{len(self.nodes)}.{k}" for k in range(count)]
        self.nodes.append(helper.make_node(op, list(inputs), outputs, name=f"{op}{len(self.nodes)}", **attributes))
        return outputs if count > 1 else outputs[0]

    def model(self, result, inputs, rank, opset=17):
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        assert self.nodes[-1].output[0] == result
        self.nodes[-1].output[0] = "y"
        ports = [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()]
        out = helper.make_tensor_value_info("y", kind, [None] * rank)
        graph = helper.make_graph(self.nodes, "unit", ports, [out], self.constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8 if opset < 23 else 11)
        onnx.checker.check_model(made)
        return made.SerializeToString()
