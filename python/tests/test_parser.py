"""Parsing: what a network is then, and what is said when it fails."""

import numpy as np
import onnx
import pytest
import tensorrt as trt
from onnx import helper, numpy_helper

from running import deserialized


def model(nodes, *, inputs={"x": ("n", 3, 8, 8)}, outputs=("y",), weights={}, opset=17):  # noqa: B006
    infos = [helper.make_tensor_value_info(name, 1, shape) for name, shape in inputs.items()]
    initializers = [numpy_helper.from_array(w, name) for name, w in weights.items()]
    graph = helper.make_graph(nodes, "net", infos, [onnx.ValueInfoProto(name=o) for o in outputs], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("my", 1)], ir_version=8)


@pytest.fixture
def parsed(log):
    """Parses into a new network."""

    def parse(made):
        network = trt.Builder(log).create_network()
        parser = trt.OnnxParser(network, log)
        return network, parser, parser.parse(made if isinstance(made, bytes) else made.SerializeToString())

    return parse


CONV = helper.make_node("Conv", ["x", "w"], ["c"], name="conv", strides=[2, 2], pads=[1, 1, 1, 1])
RELU = helper.make_node("Relu", ["c"], ["y"], name="act")


def test_layers_tensors_and_properties_of_a_model(parsed):
    network, parser, good = parsed(model([CONV, RELU], weights={"w": np.ones((4, 3, 3, 3), "f4")}))
    assert good and parser.num_errors == 0
    assert [(layer.type, layer.name, layer.num_inputs) for layer in network] == [
        (trt.LayerType.CONVOLUTION, "conv", 1),
        (trt.LayerType.ACTIVATION, "act", 1),
    ]
    assert (network.name, network.num_layers, len(network), network.num_inputs, network.num_outputs) == ("net", 2, 2, 1, 1)
    assert network.get_input(0).shape == (-1, 3, 8, 8) and network.get_output(0).shape == (-1, 4, 4, 4)
    assert network.get_output(0).is_network_output and network.get_input(0).is_network_input
    conv = network[0]
    conv.__class__ = trt.IConvolutionLayer
    assert (conv.num_output_maps, conv.kernel_size_nd, conv.stride_nd, conv.pre_padding) == (4, (3, 3), (2, 2), (1, 1))
    assert network[0:2] == [network.get_layer(0), network.get_layer(1)]


def test_an_inputs_extents_may_be_fixed_after_parsing(parsed):
    network, _, _ = parsed(model([CONV, RELU], weights={"w": np.ones((4, 3, 3, 3), "f4")}))
    network.get_input(0).shape = (5, 3, 16, 16)
    assert network.get_output(0).shape == (5, 4, 8, 8)


def test_an_operator_that_burnish_lacks(parsed, log):
    foo = helper.make_node("Foo", ["c"], ["y"], name="strange", domain="my")
    network, parser, good = parsed(model([CONV, foo], weights={"w": np.ones((4, 3, 3, 3), "f4")}))
    assert not good and parser.num_errors == 1
    error = parser.get_error(0)
    assert (error.code(), error.node(), error.node_name(), error.node_operator()) == (trt.ErrorCode.UNSUPPORTED_NODE, 1, "strange", "Foo")
    message = (
        "In node 1 with name: strange and operator: Foo (UNSUPPORTED_NODE): node 'strange' (Foo): operator 'Foo' of domain 'my' is not "
        "supported; load a plugin that has it, replace it before exporting, or give the model a local function that spells it out"
    )
    assert str(error) == message and log.of("ERROR") == [message]
    assert network.num_layers == 0 and parser.get_error(1) is None
    parser.clear_errors()
    assert parser.num_errors == 0


def test_a_node_without_a_name_is_found_by_its_output(parsed):
    _, parser, good = parsed(model([helper.make_node("Bar", ["x"], ["y"], domain="my")]))
    assert not good
    assert (parser.get_error(0).node(), parser.get_error(0).node_operator()) == (0, "Bar")


def test_operands_that_do_not_fit(parsed):
    _, parser, good = parsed(model([CONV, RELU], weights={"w": np.ones((4, 5, 3, 3), "f4")}))
    assert not good
    error = parser.get_error(0)
    assert (error.code(), error.node(), error.node_name()) == (trt.ErrorCode.INVALID_NODE, 0, "conv")


@pytest.mark.parametrize("data", [b"", b"no onnx at all"])
def test_bytes_that_are_no_model(parsed, data):
    _, parser, good = parsed(data)
    assert not good and parser.num_errors == 1


def test_a_file_that_is_not_there(log, tmp_path):
    parser = trt.OnnxParser(trt.Builder(log).create_network(), log)
    assert not parser.parse_from_file(str(tmp_path / "none.onnx"))
    assert parser.get_error(0).code() == trt.ErrorCode.MODEL_DESERIALIZE_FAILED
    assert str(tmp_path / "none.onnx") in parser.get_error(0).desc()


def test_external_data_is_sought_beside_the_model(log, tmp_path):
    made = model([CONV, RELU], weights={"w": np.ones((4, 3, 3, 3), "f4")})
    onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    data = (tmp_path / "m.onnx").read_bytes()
    for parse in (
        lambda p: p.parse_from_file(str(tmp_path / "m.onnx")),
        lambda p: p.parse(data, path=str(tmp_path / "m.onnx")),
    ):
        assert parse(trt.OnnxParser(trt.Builder(log).create_network(), log))
    assert not trt.OnnxParser(trt.Builder(log).create_network(), log).parse(data)


def test_weights_from_memory(log, tmp_path):
    made = model([CONV, RELU], weights={"w": np.zeros((4, 3, 3, 3), "f4")})
    weights = np.full((4, 3, 3, 3), 0.5, "f4")
    network = trt.Builder(log).create_network()
    parser = trt.OnnxParser(network, log)
    assert parser.load_model_proto(made.SerializeToString())
    assert parser.load_initializer("w", weights.ctypes.data, weights.nbytes)
    assert not parser.load_initializer("v", weights.ctypes.data, weights.nbytes)
    assert parser.parse_model_proto()
    conv = network[0]
    conv.__class__ = trt.IConvolutionLayer
    assert (conv.kernel == 0.5).all()


def test_what_is_supported(log):
    parser = trt.OnnxParser(trt.Builder(log).create_network(), log)
    assert parser.supports_operator("Conv") and parser.supports_operator("Loop")
    assert not parser.supports_operator("DeformConv") and not parser.supports_operator("NoSuchThing")
    good = model([CONV, RELU], weights={"w": np.ones((4, 3, 3, 3), "f4")}).SerializeToString()
    bad = model([helper.make_node("Bar", ["x"], ["y"], domain="my")]).SerializeToString()
    assert parser.supports_model(good) == (True, [([0, 1], True)])
    assert parser.supports_model_v2(good) and parser.num_subgraphs == 1 and parser.get_subgraph_nodes(0) == [0, 1]
    assert parser.supports_model(bad) == (False, [([0], False)])


def test_renamed_tensors_are_read_by_bodies_under_their_old_names(log):
    body = helper.make_graph(
        [helper.make_node("Add", ["r", "r"], ["b"], name="in_branch")], "then", [], [helper.make_tensor_value_info("b", 1, None)]
    )
    other = helper.make_graph(
        [helper.make_node("Neg", ["r"], ["e"], name="in_other")], "else", [], [helper.make_tensor_value_info("e", 1, None)]
    )
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], name="act"),
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0, name="most"),
        helper.make_node("Cast", ["m"], ["c"], to=9, name="cast"),
        helper.make_node("If", ["c"], ["y"], name="if", then_branch=body, else_branch=other),
    ]
    network = trt.Builder(log).create_network()
    assert trt.OnnxParser(network, log).parse(model(nodes, inputs={"x": (2, 2)}).SerializeToString())
    network[0].get_output(0).name = "renamed"
    assert trt.Builder(log).build_serialized_network(network, trt.Builder(log).create_builder_config()) is not None, log.messages


def test_flags_without_effect_are_said_once(log):
    parser = trt.OnnxParser(trt.Builder(log).create_network(), log)
    assert parser.get_flag(trt.OnnxParserFlag.NATIVE_INSTANCENORM)
    for _ in range(2):
        parser.set_flag(trt.OnnxParserFlag.REPORT_CAPABILITY_DLA)
    assert log.of("WARNING") == ["OnnxParserFlag.REPORT_CAPABILITY_DLA has no effect: Burnish has no DLA"]


def test_what_depends_on_extents_is_known_when_it_is_built(log):
    """Branches of different ranks: the profile's fixed extents decide which one it is."""
    flat = helper.make_graph([helper.make_node("Flatten", ["x"], ["f"])], "then", [], [helper.make_tensor_value_info("f", 1, None)])
    same = helper.make_graph([helper.make_node("Relu", ["x"], ["s"])], "else", [], [helper.make_tensor_value_info("s", 1, None)])
    nodes = [
        helper.make_node("Shape", ["x"], ["e"], name="extents", start=0, end=1),
        helper.make_node("Equal", ["e", "one"], ["c"], name="is_one"),
        helper.make_node("If", ["c"], ["y"], name="if", then_branch=flat, else_branch=same),
    ]
    made = model(nodes, inputs={"x": ("n", 2, 2)}, weights={"one": np.array([1], "i8")})
    builder = trt.Builder(log)
    network, config = builder.create_network(), builder.create_builder_config()
    assert trt.OnnxParser(network, log).parse(made.SerializeToString())
    assert len(log.of("WARNING")) == 1 and log.of("WARNING")[0].endswith(": whether that can be built is known when the extents are")
    profile = builder.create_optimization_profile()
    profile.set_shape("x", (1, 2, 2), (1, 2, 2), (1, 2, 2))
    config.add_optimization_profile(profile)
    engine = deserialized(builder, network, config)
    assert engine.get_tensor_shape("y") == (1, 4)
