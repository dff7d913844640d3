"""QuantizeLinear and DequantizeLinear around a convolution, as tools for quantization write them, against numpy in binary64. What
both compute in floats and round then may differ by one step, where the quotient lies close to half of one."""
import numpy as np
import onnx
import pytest
from library import Library
from onnx import helper, numpy_helper
from unit import Unit

INPUT_SCALE, OUTPUT_SCALE = np.float32(0.03), np.float32(0.05)
INPUT_ZERO, OUTPUT_ZERO = np.uint8(120), np.int8(-7)
CHANNELS, FILTERS = 16, 24


def quantized(x, scale, zero):
    limits = np.iinfo(zero.dtype)
    return np.clip(np.round(x / scale) + zero, limits.min, limits.max)


def convolved(x, w):
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))
    return np.einsum("nchwij,kcij->nkhw", windows, w)


class Model:
    """Conv and Relu between quantized tensors; its result in integers, or as floats again."""

    def __init__(self, dtype, integers):
        random = np.random.default_rng(7)
        self.weight = random.integers(-127, 128, (FILTERS, CHANNELS, 3, 3), np.int8)
        self.weight_scale = random.uniform(0.001, 0.004, FILTERS).astype(np.float32)
        self.bias = random.standard_normal(FILTERS).astype(dtype)
        self.integers, self.dtype = integers, np.dtype(dtype)

    def source(self):
        one = {"sx": INPUT_SCALE, "zx": INPUT_ZERO, "sy": OUTPUT_SCALE, "zy": OUTPUT_ZERO}
        one = {name: value.astype(self.dtype) if name[0] == "s" else value for name, value in one.items()}
        constants = {**one, "w8": self.weight, "sw": self.weight_scale.astype(self.dtype), "b": self.bias}
        nodes = [
            helper.make_node("QuantizeLinear", ["x", "sx", "zx"], ["x8"]),
            helper.make_node("DequantizeLinear", ["x8", "sx", "zx"], ["xq"]),
            helper.make_node("DequantizeLinear", ["w8", "sw"], ["w"], axis=0),
            helper.make_node("Conv", ["xq", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("QuantizeLinear", ["r", "sy", "zy"], ["y" if self.integers else "y8"]),
        ] + ([] if self.integers else [helper.make_node("DequantizeLinear", ["y8", "sy", "zy"], ["y"])])
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        x = helper.make_tensor_value_info("x", kind, ["n", CHANNELS, "h", "w"])
        y = helper.make_tensor_value_info("y", onnx.TensorProto.INT8 if self.integers else kind, [None] * 4)
        tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
        made = helper.make_model(helper.make_graph(nodes, "quantized", [x], [y], tensors), opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        onnx.checker.check_model(made)
        return made.SerializeToString()

    def wanted(self, x):
        sx, sy, sw = (np.asarray(s).astype(self.dtype).astype(np.float64) for s in (INPUT_SCALE, OUTPUT_SCALE, self.weight_scale))
        x = (quantized(x, sx, INPUT_ZERO) - float(INPUT_ZERO)) * sx
        r = np.maximum(convolved(x, self.weight * sw[:, None, None, None]) + self.bias.astype(np.float64)[:, None, None], 0)
        return quantized(r, sy, OUTPUT_ZERO)


@pytest.mark.parametrize("integers", [True, False], ids=["integers", "floats"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_as_numpy(library, dtype, integers):
    model = Model(dtype, integers)
    x = np.random.default_rng(3).standard_normal((2, CHANNELS, 12, 9)).astype(dtype)
    (got,) = library.run(library.build(model.source()), {"x": x}, ["y"])
    steps = got if integers else np.round(got.astype(np.float64) / float(OUTPUT_SCALE.astype(dtype))) + OUTPUT_ZERO
    difference = np.abs(steps - model.wanted(x.astype(np.float64)))
    assert difference.max() <= 1
    assert np.mean(difference != 0) < (0.001 if dtype == "float32" else 0.02)


def nodes_on_a_gpu(library, source, graph, **options):
    """An engine holds the graph that it was made of as text: its nodes, a line each."""
    engine = Library(library.folder, target="sm_90").build(source, **options)
    text = engine[engine.index(b"graph " + graph + b"(") :]
    return [line for line in text[: text.index(b"\n}")].split(b"\n") if line.startswith(b"  %") and b"= constant" not in line]


@pytest.mark.parametrize("integers", [True, False], ids=["integers", "floats"])
def test_quantizing_is_part_of_the_convolution_on_a_gpu(library, integers):
    """What makes the input coarse, and the convolution with all that follows."""
    nodes = nodes_on_a_gpu(library, Model("float16", integers).source(), b"quantized")
    assert len(nodes) == 2 and all(b"Fused(" in node for node in nodes), nodes


def test_what_is_made_of_integers_again_is_stored_in_half_precision(library):
    """Two convolutions, the second with what the first made as its residual."""
    unit = Unit("float32")
    (w, _), (v, _) = unit.weight(8, 8, 1, 1), unit.weight(8, 8, 1, 1)
    step, zero = unit.constant(np.float32(0.05)), unit.constant(np.uint8(128))
    coarse = unit.node("QuantizeLinear", unit.node("Conv", "x", w), step, zero)
    again = unit.node("DequantizeLinear", coarse, step, zero)
    both = unit.node("Relu", unit.node("Add", unit.node("Conv", again, v), again))
    nodes = nodes_on_a_gpu(library, unit.model(unit.node("Conv", both, w), {"x": [1, 8, 16, 16]}, 4), b"unit", fp16=1)
    fused = [b"Fused(" in node for node in nodes]
    assert fused == [False, True, True, True], nodes  # a cast of what comes in; the last convolution casts itself
