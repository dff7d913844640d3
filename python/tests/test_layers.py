"""Networks built by hand, against numpy and ONNX Runtime: every kind of layer that can be said."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorrt as trt
from onnx import helper

from running import Network, deserialized, execute

RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.standard_normal(shape, np.float32)


@pytest.fixture
def net(log):
    return Network(log)


def onnx_node(op, inputs, **attributes):
    """One ONNX node by ONNX Runtime."""
    names = [f"i{k}" if x is not None else "" for k, x in enumerate(inputs)]
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for n, x in zip(names, inputs) if x is not None
    ]
    node = helper.make_node(op, names, ["o"], **attributes)
    graph = helper.make_graph([node], "g", infos, [onnx.ValueInfoProto(name="o")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {n: x for n, x in zip(names, inputs) if x is not None})[0]


def close(a, b, tolerance=1e-5):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# ---- a small network of the kinds that tutorials build


def test_a_classifier_of_convolution_pooling_and_a_fully_connected_layer(net):
    x, w1, b1 = normal(2, 1, 28, 28), normal(20, 1, 5, 5), normal(20)
    w2, b2 = normal(10, 20 * 12 * 12), normal(10)
    n = net.network
    conv = n.add_convolution_nd(net.input(x), 20, (5, 5), w1, b1)
    conv.stride_nd = (1, 1)
    pool = n.add_pooling_nd(conv.get_output(0), trt.PoolingType.MAX, (2, 2))
    pool.stride_nd = trt.Dims2(2, 2)
    relu = n.add_activation(pool.get_output(0), trt.ActivationType.RELU)
    fc = n.add_fully_connected(relu.get_output(0), 10, w2, b2)
    prob = n.add_softmax(fc.get_output(0))
    prob.axes = 1 << 1
    got = net.run(prob.get_output(0))
    features = np.maximum(onnx_node("MaxPool", [onnx_node("Conv", [x, w1, b1])], kernel_shape=[2, 2], strides=[2, 2]), 0)
    scores = features.reshape(2, -1) @ w2.T + b2
    expected = np.exp(scores - scores.max(1, keepdims=True))
    close(got.reshape(2, 10), expected / expected.sum(1, keepdims=True))


# ---- windows


@pytest.mark.parametrize(
    "properties, attributes",
    [
        ({}, {}),
        ({"stride_nd": (2, 1), "padding_nd": (1, 2)}, {"strides": [2, 1], "pads": [1, 2, 1, 2]}),
        ({"pre_padding": (0, 1), "post_padding": (2, 1), "dilation_nd": (2, 2)}, {"pads": [0, 1, 2, 1], "dilations": [2, 2]}),
        ({"padding_mode": trt.PaddingMode.SAME_UPPER, "stride_nd": (2, 2)}, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        ({"num_groups": 2}, {"group": 2}),
    ],
)
def test_convolution(net, properties, attributes):
    x, bias = normal(1, 4, 9, 8), normal(6)
    w = normal(6, 4 // properties.get("num_groups", 1), 3, 3)
    n = net.network
    source = net.input(x)
    layer = n.add_convolution_nd(source, 6, (3, 3), normal(6, 4, 3, 3), trt.Weights(bias))
    for name, value in properties.items():
        setattr(layer, name, value)
    layer.kernel = w
    close(net.run(layer.get_output(0)), onnx_node("Conv", [x, w, bias], **attributes), 1e-4)


def test_deconvolution(net):
    x, w = normal(1, 4, 5, 5), normal(4, 3, 3, 3)
    layer = net.network.add_deconvolution_nd(net.input(x), 3, (3, 3), w)
    layer.stride_nd, layer.padding_nd = (2, 2), (1, 1)
    close(net.run(layer.get_output(0)), onnx_node("ConvTranspose", [x, w], strides=[2, 2], pads=[1, 1, 1, 1]), 1e-4)


@pytest.mark.parametrize("rounding", [trt.PaddingMode.EXPLICIT_ROUND_DOWN, trt.PaddingMode.EXPLICIT_ROUND_UP])
@pytest.mark.parametrize("excludes", [True, False])
def test_average_pooling(net, rounding, excludes):
    x = normal(1, 2, 8, 7)
    layer = net.network.add_pooling_nd(net.input(x), trt.PoolingType.AVERAGE, (3, 3))
    layer.stride_nd, layer.padding_nd, layer.padding_mode, layer.average_count_excludes_padding = (2, 2), (1, 1), rounding, excludes
    up = int(rounding == trt.PaddingMode.EXPLICIT_ROUND_UP)
    expected = onnx_node(
        "AveragePool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=up, count_include_pad=int(not excludes)
    )
    close(net.run(layer.get_output(0)), expected)


def test_blended_pooling(net):
    x = normal(1, 2, 4, 4)
    layer = net.network.add_pooling_nd(net.input(x), trt.PoolingType.MAX_AVERAGE_BLEND, (2, 2))
    layer.blend_factor = 0.25
    parts = [onnx_node(op, [x], kernel_shape=[2, 2]) for op in ("MaxPool", "AveragePool")]
    close(net.run(layer.get_output(0)), 0.75 * parts[0] + 0.25 * parts[1])


# ---- one element at a time

ACTIVATIONS = {
    "RELU": lambda x, a, b: np.maximum(x, 0),
    "SIGMOID": lambda x, a, b: 1 / (1 + np.exp(-x)),
    "TANH": lambda x, a, b: np.tanh(x),
    "LEAKY_RELU": lambda x, a, b: np.where(x < 0, a * x, x),
    "ELU": lambda x, a, b: np.where(x < 0, a * (np.exp(x) - 1), x),
    "SELU": lambda x, a, b: b * np.where(x < 0, a * (np.exp(x) - 1), x),
    "SOFTSIGN": lambda x, a, b: x / (1 + abs(x)),
    "SOFTPLUS": lambda x, a, b: a * np.log1p(np.exp(b * x)),
    "CLIP": lambda x, a, b: np.clip(x, a, b),
    "HARD_SIGMOID": lambda x, a, b: np.clip(a * x + b, 0, 1),
    "SCALED_TANH": lambda x, a, b: a * np.tanh(b * x),
    "THRESHOLDED_RELU": lambda x, a, b: np.where(x > a, x, 0),
    "GELU_ERF": lambda x, a, b: onnx_node("Gelu", [x]),
    "GELU_TANH": lambda x, a, b: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
}


@pytest.mark.parametrize("kind", list(trt.ActivationType), ids=str)
def test_activation(net, kind):
    x = 2 * normal(3, 50)
    layer = net.network.add_activation(net.input(x), kind)
    layer.alpha, layer.beta = 0.3, 0.8
    close(net.run(layer.get_output(0)), ACTIVATIONS[kind.name](x, 0.3, 0.8))


ELEMENTWISE = {
    "SUM": np.add, "PROD": np.multiply, "MAX": np.maximum, "MIN": np.minimum, "SUB": np.subtract, "DIV": np.divide,
    "POW": np.power, "FLOOR_DIV": np.floor_divide, "AND": np.logical_and, "OR": np.logical_or, "XOR": np.logical_xor,
    "EQUAL": np.equal, "GREATER": np.greater, "LESS": np.less,
}  # fmt: skip


@pytest.mark.parametrize("op", list(trt.ElementWiseOperation), ids=str)
def test_elementwise(net, op):
    if op.name in ("AND", "OR", "XOR"):
        a, b = RNG.random((4, 5)) > 0.5, RNG.random((1, 5)) > 0.5
    else:
        a, b = RNG.uniform(0.5, 4, (4, 5)).astype("f4"), RNG.uniform(0.5, 2, (1, 5)).astype("f4")
        b[0, 0] = a[0, 0]
    got = net.run(net.network.add_elementwise(net.input(a), net.input(b), op).get_output(0))
    close(got, ELEMENTWISE[op.name](a, b))


def test_floor_division_of_integers_rounds_down(net):
    a, b = np.array([7, -7, 7, -7, 6, -6], "i4"), np.array([2, 2, -2, -2, 3, 3], "i4")
    layer = net.network.add_elementwise(net.input(a), net.input(b), trt.ElementWiseOperation.FLOOR_DIV)
    assert net.run(layer.get_output(0)).tolist() == (a // b).tolist()


UNARY = {
    "RECIP": np.reciprocal, "NEG": np.negative, "ASIN": np.arcsin, "ACOS": np.arccos, "ATAN": np.arctan, "ASINH": np.arcsinh,
    "ACOSH": lambda x: np.arccosh(x), "ATANH": np.arctanh, "NOT": np.logical_not, "ROUND": np.round, "ERF": lambda x: onnx_node("Erf", [x]),
}  # fmt: skip


@pytest.mark.parametrize("op", list(trt.UnaryOperation), ids=str)
def test_unary(net, op):
    x = RNG.uniform(1.1, 3, (3, 7)).astype("f4") if op.name == "ACOSH" else RNG.uniform(0.1, 0.9, (3, 7)).astype("f4")
    if op.name == "NOT":
        x = x > 0.5
    if op.name in ("ISINF", "ISNAN"):
        x[0, :2] = np.inf, np.nan
    expected = (UNARY.get(op.name) or getattr(np, op.name.lower()))(x)
    close(net.run(net.network.add_unary(net.input(x), op).get_output(0)), expected)


@pytest.mark.parametrize("mode", list(trt.ScaleMode), ids=str)
def test_scale(net, mode):
    x = abs(normal(2, 3, 4, 5)) + 1
    shape = {"UNIFORM": (), "CHANNEL": (3,), "ELEMENTWISE": (3, 4, 5)}[mode.name]
    shift, scale, power = (RNG.uniform(0.5, 1.5, shape).astype("f4") for _ in range(3))
    spread = (lambda w: w.reshape(3, 1, 1)) if mode.name == "CHANNEL" else lambda w: w
    layer = net.network.add_scale(net.input(x), mode, shift, scale, power)
    close(net.run(layer.get_output(0)), (x * spread(scale) + spread(shift)) ** spread(power))


def test_select_cast_identity_and_parametric_relu(net):
    x, slopes = normal(2, 3, 4), RNG.uniform(0, 1, (1, 3, 1)).astype("f4")
    n = net.network
    source = net.input(x)
    positive = n.add_elementwise(source, net.constant(np.zeros((1, 1, 1), "f4")), trt.ElementWiseOperation.GREATER)
    prelu = n.add_parametric_relu(source, net.constant(slopes))
    chosen = n.add_select(positive.get_output(0), n.add_identity(source).get_output(0), prelu.get_output(0))
    whole = n.add_cast(chosen.get_output(0), trt.int32)
    expected = np.where(x > 0, x, slopes * x)
    got = net.run(chosen.get_output(0), whole.get_output(0))
    close(got[0], expected)
    assert (got[1] == expected.astype("i4")).all()


# ---- products


@pytest.mark.parametrize(
    "op0, op1, a, b",
    [
        ("NONE", "NONE", (2, 3, 4), (2, 4, 5)),
        ("TRANSPOSE", "NONE", (2, 4, 3), (2, 4, 5)),
        ("NONE", "TRANSPOSE", (2, 3, 4), (2, 5, 4)),
        ("VECTOR", "NONE", (2, 4), (2, 4, 5)),
        ("NONE", "VECTOR", (2, 3, 4), (2, 4)),
        ("VECTOR", "VECTOR", (2, 4), (2, 4)),
    ],
)
def test_matrix_multiply(net, op0, op1, a, b):
    x, y = normal(*a), normal(*b)
    layer = net.network.add_matrix_multiply(net.input(x), trt.MatrixOperation[op0], net.input(y), trt.MatrixOperation[op1])
    left = {"NONE": x, "TRANSPOSE": x.swapaxes(-1, -2), "VECTOR": x[:, None]}[op0]
    right = {"NONE": y, "TRANSPOSE": y.swapaxes(-1, -2), "VECTOR": y[..., None]}[op1]
    expected = left @ right
    close(net.run(layer.get_output(0)), expected.reshape(net.network.get_output(0).shape))


def test_einsum(net):
    x, y = normal(2, 3, 4), normal(2, 5, 4)
    layer = net.network.add_einsum([net.input(x), net.input(y)], "bik,bjk->bij")
    close(net.run(layer.get_output(0)), np.einsum("bik,bjk->bij", x, y))


@pytest.mark.parametrize("causal", [None, trt.CausalMaskKind.UPPER_LEFT, trt.CausalMaskKind.LOWER_RIGHT])
def test_attention(net, causal):
    q, k, v = normal(2, 2, 3, 8), normal(2, 2, 5, 8), normal(2, 2, 5, 8)
    layer = net.network.add_attention(net.input(q), net.input(k), net.input(v), trt.AttentionNormalizationOp.SOFTMAX, causal)
    scores = q @ k.swapaxes(-1, -2)
    if causal:
        offset = 0 if causal == trt.CausalMaskKind.UPPER_LEFT else 2
        scores = np.where(np.tri(3, 5, offset, bool), scores, -1e30)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    close(net.run(layer.get_output(0)), weights / weights.sum(-1, keepdims=True) @ v)


def test_attention_with_fewer_heads_of_keys_and_values(net):
    q, k, v = normal(2, 4, 3, 8), normal(2, 2, 5, 8), normal(2, 2, 5, 8)
    layer = net.network.add_attention(net.input(q), net.input(k), net.input(v))
    scores = q @ k.repeat(2, 1).swapaxes(-1, -2)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    close(net.run(layer.get_output(0)), weights / weights.sum(-1, keepdims=True) @ v.repeat(2, 1))


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("activation", [trt.MoEActType.NONE, trt.MoEActType.SILU])
def test_mixture_of_experts(net, biases, activation):
    experts, width, inner = 4, 6, 8
    x, scores = normal(2, 5, width), normal(2, 5, 2)
    chosen = np.stack([RNG.permutation(experts)[:2] for _ in range(10)]).reshape(2, 5, 2).astype("i4")
    gate, up, down = normal(experts, width, inner), normal(experts, width, inner), normal(experts, inner, width)
    added = (normal(experts, inner), normal(experts, inner), normal(experts, width)) if biases else (np.zeros((experts, 1), "f4"),) * 3
    layer = net.network.add_moe(net.input(x), net.input(chosen), net.input(scores))
    layer.set_gated_weights(*map(net.constant, (gate, up, down)), activation)
    if biases:
        layer.set_gated_biases(*map(net.constant, added))
    expected = np.zeros_like(x)
    for b, s, k in np.ndindex(chosen.shape):
        e, token = chosen[b, s, k], x[b, s]
        g = token @ gate[e] + added[0][e]
        g = g / (1 + np.exp(-g)) if activation == trt.MoEActType.SILU else g
        expected[b, s] += scores[b, s, k] * ((g * (token @ up[e] + added[1][e])) @ down[e] + added[2][e])
    close(net.run(layer.get_output(0)), expected, 1e-4)


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("width", [0, 4])
def test_rotary_embedding(net, interleaved, width):
    x, angles = normal(2, 3, 5, 8), RNG.uniform(0, 3, (2, 5, (width or 8) // 2)).astype("f4")
    layer = net.network.add_rotary_embedding(net.input(x), net.input(np.cos(angles)), net.input(np.sin(angles)), interleaved, width)
    turned = x[..., : width or 8]
    a, b = (turned[..., 0::2], turned[..., 1::2]) if interleaved else np.split(turned, 2, -1)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    pair = (a * cos - b * sin, a * sin + b * cos)
    turned = np.stack(pair, -1).reshape(turned.shape) if interleaved else np.concatenate(pair, -1)
    close(net.run(layer.get_output(0)), np.concatenate([turned, x[..., width or 8 :]], -1))


# ---- normalisation


def test_softmax_along_several_axes(net):
    x = normal(2, 3, 4)
    layer = net.network.add_softmax(net.input(x))
    layer.axes = 1 << 1 | 1 << 2
    power = np.exp(x)
    close(net.run(layer.get_output(0)), power / power.sum((1, 2), keepdims=True))


def test_ragged_softmax(net):
    x, lengths = normal(3, 4, 6), RNG.integers(1, 7, (3, 4, 1)).astype("i4")
    layer = net.network.add_ragged_softmax(net.input(x), net.input(lengths))
    power = np.where(np.arange(6) < lengths, np.exp(x), 0)
    close(net.run(layer.get_output(0)), power / power.sum(-1, keepdims=True))


def test_lrn(net):
    x = normal(1, 6, 3, 3)
    layer = net.network.add_lrn(net.input(x), 3, 0.2, 0.75, 1.5)
    close(net.run(layer.get_output(0)), onnx_node("LRN", [x], size=3, alpha=0.2, beta=0.75, bias=1.5))


@pytest.mark.parametrize(
    "axes, weights, groups",
    [((2,), (6,), 1), ((2, 3), (1, 6, 1, 1), 1), ((1, 2, 3), (1, 6, 1, 1), 3)],
    ids=["layer", "instance", "group"],
)
def test_normalization(net, axes, weights, groups):
    x = normal(2, 4, 6) if len(axes) == 1 else normal(2, 6, 4, 4)
    scale, bias = normal(*weights), normal(*weights)
    mask = sum(1 << a for a in axes)
    layer = net.network.add_normalization(net.input(x), net.constant(scale), net.constant(bias), mask)
    layer.epsilon, layer.num_groups = 1e-3, groups
    rows = x.reshape(2, groups, -1) if groups > 1 else x
    along = (2,) if groups > 1 else axes
    y = (rows - rows.mean(along, keepdims=True)) / np.sqrt(rows.var(along, keepdims=True) + 1e-3)
    close(net.run(layer.get_output(0)), y.reshape(x.shape) * scale + bias, 1e-4)


# ---- reductions


@pytest.mark.parametrize("op, of", [("SUM", np.sum), ("PROD", np.prod), ("MAX", np.max), ("MIN", np.min), ("AVG", np.mean)])
@pytest.mark.parametrize("keep", [True, False])
def test_reduce(net, op, of, keep):
    x = normal(2, 3, 4)
    layer = net.network.add_reduce(net.input(x), trt.ReduceOperation[op], 1 << 0 | 1 << 2, keep)
    close(net.run(layer.get_output(0)), of(x, axis=(0, 2), keepdims=keep))


@pytest.mark.parametrize("op", list(trt.TopKOperation), ids=str)
def test_topk(net, op):
    x = normal(3, 10)
    layer = net.network.add_topk(net.input(x), op, 4, 1 << 1)
    values, indices = net.run(layer.get_output(0), layer.get_output(1))
    order = np.argsort(x if op.name == "MIN" else -x, axis=1)[:, :4]
    assert (indices == order).all() and indices.dtype == np.int32
    close(values, np.take_along_axis(x, order, 1))


def test_cumulative_sum(net):
    x = normal(3, 5)
    layer = net.network.add_cumulative(net.input(x), net.constant(np.array(1, "i4")), trt.CumulativeOperation.SUM, True, False)
    close(net.run(layer.get_output(0)), np.cumsum(x, 1) - x)


# ---- shapes


def test_shuffle(net):
    x = normal(2, 3, 4)
    layer = net.network.add_shuffle(net.input(x))
    layer.first_transpose = trt.Permutation([0, 2, 1])
    layer.reshape_dims = (0, 2, -1)
    layer.second_transpose = (2, 1, 0)
    close(net.run(layer.get_output(0)), x.transpose(0, 2, 1).reshape(2, 2, 6).transpose(2, 1, 0))


def test_shuffle_to_the_extents_of_a_tensor(net):
    x = normal(2, 6)
    n = net.network
    layer = n.add_shuffle(net.input(x))
    layer.set_input(1, net.constant(np.array([3, 4], "i4")))
    close(net.run(layer.get_output(0)), x.reshape(3, 4))


@pytest.mark.parametrize(
    "start, shape, stride, expected",
    [
        ((0, 1), (2, 3), (1, 1), np.s_[0:2, 1:4]),
        ((1, 0), (2, 2), (2, 3), np.s_[1:4:2, 0:4:3]),
        ((3, 4), (4, 5), (-1, -1), np.s_[::-1, ::-1]),
    ],
)
def test_slice(net, start, shape, stride, expected):
    x = normal(4, 5)
    layer = net.network.add_slice(net.input(x), start, shape, stride)
    close(net.run(layer.get_output(0)), x[expected])


def test_slice_by_tensors(net):
    x = normal(4, 5)
    layer = net.network.add_slice(net.input(x), (0, 0), (0, 0), (1, 1))
    layer.set_input(1, net.constant(np.array([1, 4], "i4")))
    layer.set_input(2, net.constant(np.array([2, 5], "i4")))
    layer.set_input(3, net.constant(np.array([1, -1], "i4")))
    close(net.run(layer.get_output(0)), x[1:3, ::-1])


def test_concatenation_padding_squeeze_and_unsqueeze(net):
    x, y = normal(2, 3, 4), normal(2, 2, 4)
    n = net.network
    joined = n.add_concatenation([net.input(x), net.input(y)])
    joined.axis = 1
    padded = n.add_padding_nd(joined.get_output(0), (1, 0), (0, 2))
    unsqueezed = n.add_unsqueeze(padded.get_output(0), net.constant(np.array([0], "i4")))
    squeezed = n.add_squeeze(unsqueezed.get_output(0), net.constant(np.array([0], "i4")))
    expected = np.pad(np.concatenate([x, y], 1), ((0, 0), (1, 0), (0, 2)))
    for got, wanted in zip(net.run(unsqueezed.get_output(0), squeezed.get_output(0)), (expected[None], expected)):
        close(got, wanted)


def test_shape(net):
    assert net.run(net.network.add_shape(net.input(normal(2, 3, 4))).get_output(0)).tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    "mode, coordinates, attributes",
    [
        ("NEAREST", "ASYMMETRIC", {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        ("LINEAR", "HALF_PIXEL", {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
        ("LINEAR", "ALIGN_CORNERS", {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
        ("CUBIC", "HALF_PIXEL", {"mode": "cubic", "coordinate_transformation_mode": "half_pixel"}),
    ],
)
@pytest.mark.parametrize("by_scales", [True, False])
def test_resize(net, mode, coordinates, attributes, by_scales):
    x = normal(1, 2, 4, 5)
    layer = net.network.add_resize(net.input(x))
    layer.resize_mode = trt.InterpolationMode[mode]
    layer.coordinate_transformation = trt.ResizeCoordinateTransformation[coordinates]
    if by_scales:
        layer.scales = [1, 1, 2, 2]
        operands = [x, None, np.array([1, 1, 2, 2], "f4")]
    else:
        layer.shape = (1, 2, 7, 9)
        operands = [x, None, None, np.array([1, 2, 7, 9], "i8")]
    close(net.run(layer.get_output(0)), onnx_node("Resize", operands, **attributes), 1e-4)


# ---- indices


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("sample", [trt.SampleMode.FILL, trt.SampleMode.CLAMP, trt.SampleMode.REFLECT])
@pytest.mark.parametrize("mode", [trt.InterpolationMode.NEAREST, trt.InterpolationMode.LINEAR, trt.InterpolationMode.CUBIC])
def test_grid_sample(net, mode, sample, corners):
    x, grid = normal(2, 3, 5, 7), RNG.uniform(-1.6, 1.6, (2, 4, 6, 2)).astype("f4")
    layer = net.network.add_grid_sample(net.input(x), net.input(grid))
    layer.interpolation_mode, layer.sample_mode, layer.align_corners = mode, sample, corners
    padding = {trt.SampleMode.FILL: "zeros", trt.SampleMode.CLAMP: "border", trt.SampleMode.REFLECT: "reflection"}[sample]
    expected = onnx_node("GridSample", [x, grid], mode=mode.name.lower(), padding_mode=padding, align_corners=int(corners))
    close(net.run(layer.get_output(0)), expected, 1e-4)


def test_gather(net):
    x, at = normal(4, 5), np.array([[3, 0], [1, 1]], "i4")
    layer = net.network.add_gather(net.input(x), net.input(at), 0)
    close(net.run(layer.get_output(0)), x[at])


def test_gather_by_element_and_by_tuple(net):
    x, at = normal(3, 4), np.array([[2, 0, 1, 1]], "i4")
    pairs = np.array([[0, 1], [2, 3]], "i4")
    n = net.network
    source = net.input(x)
    by_element = n.add_gather_v2(source, net.input(at), trt.GatherMode.ELEMENT)
    by_tuple = n.add_gather_v2(source, net.input(pairs), trt.GatherMode.ND)
    got = net.run(by_element.get_output(0), by_tuple.get_output(0))
    close(got[0], np.take_along_axis(x, at, 0))
    close(got[1], x[pairs[:, 0], pairs[:, 1]])


def test_scatter(net):
    x, at, new = normal(4, 3), np.array([[1], [3]], "i4"), normal(2, 3)
    layer = net.network.add_scatter(net.input(x), net.input(at), net.input(new), trt.ScatterMode.ND)
    expected = x.copy()
    expected[at[:, 0]] = new
    close(net.run(layer.get_output(0)), expected)


def test_cache_update(net):
    cache, update, begin = normal(2, 3, 8, 4), normal(2, 3, 2, 4), np.array([5, 0], "i4")
    layer = net.network.add_kv_cache_update(net.input(cache), net.input(update), net.input(begin), trt.KVCacheMode.LINEAR)
    expected = cache.copy()
    expected[0, :, 5:7], expected[1, :, 0:2] = update
    assert np.array_equal(net.run(layer.get_output(0)), expected)


def test_cache_update_in_place(net):
    cache, update, begin = normal(2, 3, 8, 4), normal(2, 3, 2, 4), np.array([5, 0], "i4")
    layer = net.network.add_kv_cache_update(net.input(cache), net.input(update), net.input(begin), trt.KVCacheMode.LINEAR)
    net.network.mark_output(layer.get_output(0))
    expected = cache.copy()
    expected[0, :, 5:7], expected[1, :, 0:2] = update
    engine = deserialized(net.builder, net.network)
    context = engine.create_execution_context()
    for name, array in zip(engine, (cache, update, begin, cache)):  # the last one is the output
        assert context.set_tensor_address(name, array.ctypes.data)
    assert context.execute_async_v3(0)
    assert np.array_equal(cache, expected)


def test_one_hot(net):
    n = net.network
    at = np.array([1, 0, 3], "i4")
    layer = n.add_one_hot(net.input(at), net.constant(np.array([0, 5], "f4")), net.constant(np.array(4, "i4")), -1)
    close(net.run(layer.get_output(0)), 5 * np.eye(4, dtype="f4")[at])


def test_fill(net):
    layer = net.network.add_fill((5,), trt.FillOperation.LINSPACE)
    layer.alpha, layer.beta = 2.0, 0.5
    x = normal(5)
    both = net.network.add_elementwise(layer.get_output(0), net.input(x), trt.ElementWiseOperation.SUM)
    close(net.run(both.get_output(0)), 2 + 0.5 * np.arange(5) + x)


def test_an_assertion_of_a_constant_leaves_nothing_behind(net):
    x = normal(2, 3)
    assert net.network.add_assertion(net.constant(np.array([True, True])), "both hold").message == "both hold"
    close(net.run(net.network.add_unary(net.input(x), trt.UnaryOperation.ABS).get_output(0)), np.abs(x))


def test_reverse_sequence(net):
    x = normal(2, 4, 3)
    layer = net.network.add_reverse_sequence(net.input(x), net.input(np.array([2, 4], "i4")))
    layer.batch_axis, layer.sequence_axis = 0, 1
    expected = x.copy()
    expected[0, :2], expected[1] = x[0, 1::-1], x[1, ::-1]
    close(net.run(layer.get_output(0)), expected)


class Allocator(trt.IOutputAllocator):
    """Room for outputs whose size the data decides."""

    def __init__(self):
        trt.IOutputAllocator.__init__(self)
        self.memory, self.shape = None, None

    def reallocate_output(self, tensor_name, memory, size, alignment):
        self.memory = np.empty(size, "u1")
        return self.memory.ctypes.data

    def notify_shape(self, tensor_name, shape):
        self.shape = tuple(shape)

    def array(self, dtype):
        return self.memory[: np.dtype(dtype).itemsize * trt.volume(self.shape)].view(dtype).reshape(self.shape)


def test_outputs_whose_extents_the_data_decides_ask_an_allocator(net):
    n = net.network
    x = np.array([[0, 1, 0], [2, 0, 3]], "f4")
    n.mark_output(n.add_non_zero(net.input(x)).get_output(0))
    engine = deserialized(net.builder, n)
    context, allocator = engine.create_execution_context(), Allocator()
    assert tuple(context.get_tensor_shape(engine[1])) == (2, -1)
    assert context.set_tensor_address(engine[0], x.ctypes.data) and context.set_output_allocator(engine[1], allocator)
    assert context.execute_async_v3(0)
    assert allocator.array("i4").tolist() == [list(axis) for axis in np.nonzero(x)]


def test_nms(net):
    n = net.network
    boxes = np.array([[[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 2, 1, 3]]], "f4")
    scores = np.array([[[0.9], [0.8], [0.7]]], "f4")
    layer = n.add_nms(net.input(boxes), net.input(scores), net.constant(np.array(3, "i4")))
    layer.set_input(3, net.constant(np.array(0.5, "f4")))
    layer.set_input(4, net.constant(np.array(0.1, "f4")))
    for i in range(2):
        n.mark_output(layer.get_output(i))
    engine = deserialized(net.builder, n)
    context, allocator, count = engine.create_execution_context(), Allocator(), np.zeros((), "i4")
    for name, x in zip(engine, (boxes, scores)):
        context.set_tensor_address(name, x.ctypes.data)
    context.set_output_allocator(engine[2], allocator)
    context.set_tensor_address(engine[3], count.ctypes.data)
    assert context.execute_async_v3(0)
    assert allocator.array("i4").tolist() == [[0, 0, 0], [0, 0, 2]] and count == 2


# ---- what cannot be said

REFUSED = {
    "add_quantize": (
        lambda n, x: n.add_quantize(x, x),
        "IQuantizeLayer cannot be added: Burnish has no quantised kernels yet; build the unquantised model, in FP16 for speed",
    ),
    "add_plugin_v2": (
        lambda n, x: n.add_plugin_v2([x], None),
        "IPluginV2Layer cannot be added: only IPluginV2DynamicExt is run of the older plugins; derive from it, or from IPluginV3",
    ),
    "an assertion of data": (
        lambda n, x: n.add_assertion(x, "m"),
        "IAssertionLayer cannot be added: its condition is no small constant, and engines assert nothing as they run; leave it out",
    ),
    "a false assertion": (
        lambda n, x: n.add_assertion(n.add_constant((2,), np.array([True, False])).get_output(0), "both hold"),
        "IAssertionLayer cannot be added: what it asserts is false: both hold",
    ),
    "add_dist_collective": (
        lambda n, x: n.add_dist_collective(x, None, None, 0, []),
        "IDistCollectiveLayer cannot be added: an engine of Burnish runs on one GPU",
    ),
    "random fill": (
        lambda n, x: n.add_fill((3,), trt.FillOperation.RANDOM_UNIFORM),
        "IFillLayer cannot be added: Burnish makes no random numbers; give them as an input",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_said_is_none_with_the_reason_in_the_log(net, log, what):
    add, message = REFUSED[what]
    assert add(net.network, net.input(normal(2, 3))) is None
    assert log.of("ERROR") == [message]


def test_operands_that_do_not_fit_fail_the_build(net, log):
    a, b = net.input(normal(2, 3)), net.input(normal(4, 5))
    layer = net.network.add_matrix_multiply(a, trt.MatrixOperation.NONE, b, trt.MatrixOperation.NONE)
    layer.name = "product"
    net.network.mark_output(layer.get_output(0))
    assert net.builder.build_serialized_network(net.network, net.builder.create_builder_config()) is None
    assert len(log.of("ERROR")) == 1 and log.of("ERROR")[0].startswith("node 'product/MatMul_0' (MatMul): "), log.messages


def test_a_slice_beyond_the_end_fails_the_build(net, log):
    layer = net.network.add_slice(net.input(normal(2, 3)), (0, 2), (2, 4), (1, 1))
    layer.name = "window"
    net.network.mark_output(layer.get_output(0))
    assert net.builder.build_serialized_network(net.network, net.builder.create_builder_config()) is None
    assert log.of("ERROR") == ["layer 'window': axis 1 is sliced from 2 to 5, and has 3 elements"]


# ---- layers on top of a model of another opset


def test_layers_added_to_a_parsed_model(log):
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["x"], ["y"], axes=[1], keepdims=1, name="sum")],
        "g",
        [helper.make_tensor_value_info("x", 1, [2, 3])],
        [helper.make_tensor_value_info("y", 1, [2, 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    builder = trt.Builder(log)
    network = builder.create_network()
    assert trt.OnnxParser(network, log).parse(model.SerializeToString())
    total = network.get_output(0)
    network.unmark_output(total)
    total.name = "sums"
    most = network.add_reduce(total, trt.ReduceOperation.MAX, 1 << 0, True)
    most.get_output(0).name = "most"
    network.mark_output(most.get_output(0))
    x = normal(2, 3)
    engine = deserialized(builder, network)
    assert list(engine) == ["x", "most"]
    close(execute(engine, x)[0], x.sum(1).max().reshape(1, 1))


def test_an_inner_tensor_of_a_parsed_model_becomes_an_output(log):
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["r"], name="act"), helper.make_node("Neg", ["r"], ["y"], name="neg")],
        "g",
        [helper.make_tensor_value_info("x", 1, [2, 3])],
        [helper.make_tensor_value_info("y", 1, [2, 3])],
    )
    builder = trt.Builder(log)
    network = builder.create_network()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert trt.OnnxParser(network, log).parse(model.SerializeToString())
    network.mark_output(network.get_layer(0).get_output(0))
    x = normal(2, 3)
    negative, positive = execute(deserialized(builder, network), x)
    close(negative, -np.maximum(x, 0))
    close(positive, np.maximum(x, 0))
    layer = network[0]
    assert layer.type == trt.LayerType.ACTIVATION
    layer.__class__ = trt.IActivationLayer
    assert layer.type == trt.ActivationType.RELU
    with pytest.raises(RuntimeError, match="layer 'act' comes from an ONNX Relu node and keeps its alpha; change the model instead"):
        layer.alpha = 1.0
