"""Plugins in Python, in networks and in ONNX models, and libraries of operators; against numpy."""

import ctypes
import pathlib
import subprocess
import sys

import burnish
import numpy as np
import onnx
import pytest
import tensorrt as trt
from burnish import plugins
from onnx import helper
from running import Network, deserialized, execute

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = ROOT / "build" / "testing" / "plugins"
RNG = np.random.default_rng(2)


def at(address, desc):
    """The host's memory behind a tensor."""
    array = np.empty(0, trt.nptype(desc.type))
    size = int(np.prod(desc.dims)) * array.itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), array.dtype).reshape(tuple(desc.dims))


class Stretch(trt.IPluginV3, trt.IPluginV3OneCore, trt.IPluginV3OneBuild, trt.IPluginV3OneRuntime):
    """y: x `times` along its last axis, times `scale`; and how many elements that has. All of it passes through the workspace."""

    plugin_name, plugin_version, plugin_namespace = "Stretch", "1", ""
    num_outputs = 2
    calls: list = []  # of all of them

    def __init__(self, times=2, scale=1.0, label=b""):
        self.times, self.scale, self.label, self.extents, self.tactic = times, scale, label, None, None

    def get_capability_interface(self, type):
        return self

    def clone(self):
        return Stretch(self.times, self.scale, self.label)

    def get_output_data_types(self, input_types):
        return [input_types[0], trt.int64]

    def get_output_shapes(self, inputs, shape_inputs, builder):
        y = trt.DimsExprs(inputs[0])
        y[-1] = builder.operation(trt.DimensionOperation.PROD, y[-1], builder.constant(self.times))
        return [y, trt.DimsExprs()]

    def supports_format_combination(self, pos, in_out, num_inputs):
        assert (num_inputs, len(in_out)) == (1, 3)
        return in_out[pos].desc.format == trt.TensorFormat.LINEAR and in_out[pos].desc.type in (trt.float32, trt.int64)

    def configure_plugin(self, inputs, outputs):
        self.calls.append(("configure", tuple(inputs[0].desc.dims), tuple(inputs[0].max), tuple(outputs[0].max)))

    def get_workspace_size(self, inputs, outputs):
        return int(np.prod(outputs[0].max)) * 4

    def get_valid_tactics(self):
        return [7, 8]

    def set_tactic(self, tactic):
        self.tactic = tactic

    def get_fields_to_serialize(self):
        return trt.PluginFieldCollection(
            [
                trt.PluginField("times", np.array([self.times], np.int32), trt.PluginFieldType.INT32),
                trt.PluginField("scale", np.array([self.scale], np.float64), trt.PluginFieldType.FLOAT64),
                trt.PluginField("label", self.label, trt.PluginFieldType.CHAR),
            ]
        )

    def attach_to_context(self, resource_context):
        attached = self.clone()
        attached.tactic = self.tactic
        return attached

    def on_shape_change(self, inputs, outputs):
        self.calls.append(("shape", tuple(inputs[0].dims), tuple(outputs[0].dims)))
        self.extents = tuple(outputs[0].dims)

    def enqueue(self, input_desc, output_desc, inputs, outputs, workspace, stream):
        assert (self.extents, self.tactic) == (tuple(output_desc[0].dims), 7)
        if self.label == b"fail":
            raise OSError("out of luck")
        scratch = at(workspace, output_desc[0])
        scratch[...] = np.tile(at(inputs[0], input_desc[0]), self.times) * self.scale
        at(outputs[0], output_desc[0])[...] = scratch
        at(outputs[1], output_desc[1])[...] = scratch.size


class StretchCreator(trt.IPluginCreatorV3One):
    name, plugin_version, plugin_namespace = "Stretch", "1", ""
    field_names = trt.PluginFieldCollection([trt.PluginField("times", None, trt.PluginFieldType.INT32)])

    def __init__(self):
        self.made = []

    def create_plugin(self, name, fields, phase):
        self.made.append((name, phase, {f.name: (f.type, f.size) for f in fields}))
        found = {f.name: f.data for f in fields}
        scale = float(found["scale"][0]) if "scale" in found else 1.0
        return Stretch(int(found["times"][0]), scale, found.get("label", b""))


@pytest.fixture
def creator():
    made = StretchCreator()
    assert trt.get_plugin_registry().register_creator(made, "")
    Stretch.calls.clear()
    yield made
    trt.get_plugin_registry().deregister_creator(made)


@pytest.fixture
def net(log):
    return Network(log)


def stretch_model(domain="own", **attributes):
    """y, count = Stretch(2 x)."""
    nodes = [
        helper.make_node("Add", ["x", "x"], ["twice"], name="twice"),
        helper.make_node("Stretch", ["twice"], ["y", "count"], name="stretch", domain=domain, **attributes),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", 1, ["n", 3])],
        [helper.make_tensor_value_info("y", 1, ["n", None]), helper.make_tensor_value_info("count", 7, [])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("own", 1)], ir_version=8)


def parsed(log, model):
    builder = trt.Builder(log)
    network = builder.create_network()
    assert trt.OnnxParser(network, log).parse(model.SerializeToString()), log.messages
    config, profile = builder.create_builder_config(), builder.create_optimization_profile()
    profile.set_shape("x", (1, 3), (2, 3), (6, 3))
    config.add_optimization_profile(profile)
    return builder, network, config


# ---- in a network


def test_a_plugin_in_a_network(net, creator):
    x = RNG.normal(size=(2, 5)).astype("f4")
    layer = net.network.add_plugin_v3([net.input(x)], [], Stretch(3, 0.5, b"\0label"))
    assert layer.type == trt.LayerType.PLUGIN_V3 and layer.num_outputs == 2 and layer.plugin.times == 3
    layer.name = "stretch"
    y, count = net.run(layer.get_output(0), layer.get_output(1))
    np.testing.assert_array_equal(y, np.tile(x, 3) * np.float32(0.5))
    assert count == 30
    fields = {"times": (trt.PluginFieldType.INT32, 1), "scale": (trt.PluginFieldType.FLOAT64, 1), "label": (trt.PluginFieldType.CHAR, 6)}
    assert creator.made == [("stretch", trt.TensorRTPhase.RUNTIME, fields)]  # the network's own plugin was built
    assert Stretch.calls == [("configure", (2, 5), (2, 5), (2, 15)), ("shape", (2, 5), (2, 15))]


def test_dynamic_extents(log, creator):
    builder = trt.Builder(log)
    network, config, profile = builder.create_network(), builder.create_builder_config(), builder.create_optimization_profile()
    x = network.add_input("x", trt.float32, (-1, -1))
    layer = network.add_plugin_v3([x], [], Stretch(2))
    assert tuple(layer.get_output(0).shape) == (-1, -1) and layer.get_output(1).dtype == trt.int64
    network.mark_output(layer.get_output(0))
    profile.set_shape("x", (1, 1), (2, 4), (8, 9))
    config.add_optimization_profile(profile)
    engine = deserialized(builder, network, config)
    context = engine.create_execution_context()
    for shape in ((1, 1), (8, 9), (8, 9), (3, 2)):
        x = RNG.normal(size=shape).astype("f4")
        np.testing.assert_array_equal(execute(engine, x, context=context)[0], np.tile(x, 2))
    assert Stretch.calls[0] == ("configure", (-1, -1), (8, 9), (8, 18))
    assert [call[1] for call in Stretch.calls[1:]] == [(1, 1), (8, 9), (3, 2)]


def test_the_order_of_layers_around_it(net, creator):
    x = RNG.normal(size=(3, 4)).astype("f4")
    first = net.network.add_plugin_v3([net.input(x)], [], Stretch(2))
    second = net.network.add_plugin_v3([net.network.add_unary(first.get_output(0), trt.UnaryOperation.NEG).get_output(0)], [], Stretch(3, 2))
    np.testing.assert_array_equal(net.run(second.get_output(0)), -2 * np.tile(x, 6))


def test_without_a_creator_it_builds_and_does_not_run(net, log):
    layer = net.network.add_plugin_v3([net.input(np.ones((1, 2), "f4"))], [], Stretch())
    net.network.mark_output(layer.get_output(0))
    engine = deserialized(net.builder, net.network)
    assert engine.create_execution_context() is None
    assert "no creator of 'Stretch' version '1' is registered: call register_creator" in log.of("ERROR")[0]
    creator = StretchCreator()
    assert trt.get_plugin_registry().register_creator(creator)
    try:
        np.testing.assert_array_equal(execute(engine, np.ones((1, 2), "f4"))[0], np.ones((1, 4)))
    finally:
        trt.get_plugin_registry().deregister_creator(creator)
    assert engine.create_execution_context() is None
    assert "which this program has not registered" in log.of("ERROR")[1]


# ---- in a model


@pytest.mark.parametrize("domain", ["own", ""])
def test_a_plugin_in_a_model(log, creator, domain):
    """The domain of the node is none of the creator's business."""
    model = stretch_model(domain, times=2, scale=0.25, label="text", plugin_version="1", plugin_namespace="")
    builder, network, config = parsed(log, model)
    assert network.get_layer(1).type == trt.LayerType.PLUGIN_V3
    engine = deserialized(builder, network, config)
    for n in (1, 6):
        x = RNG.normal(size=(n, 3)).astype("f4")
        y, count = execute(engine, x)
        np.testing.assert_array_equal(y, np.tile(2 * x, 2) * np.float32(0.25))
        assert count == y.size
    name, phase, fields = creator.made[0]
    assert (name, phase) == ("stretch", trt.TensorRTPhase.BUILD)
    assert fields == {"times": (trt.PluginFieldType.INT32, 1), "scale": (trt.PluginFieldType.FLOAT32, 1), "label": (trt.PluginFieldType.CHAR, 4)}


def test_an_operator_of_onnx_that_a_creator_overrides(log):
    class Relu(Stretch):
        plugin_name, num_outputs = "Relu", 1

        def get_output_data_types(self, input_types):
            return input_types

        def get_output_shapes(self, inputs, shape_inputs, builder):
            return inputs

        def supports_format_combination(self, pos, in_out, num_inputs):
            return True

        def attach_to_context(self, resource_context):
            return self

        def enqueue(self, input_desc, output_desc, inputs, outputs, workspace, stream):
            at(outputs[0], output_desc[0])[...] = at(inputs[0], input_desc[0]) + 1

    class Creator(StretchCreator):
        name = "Relu"

        def create_plugin(self, name, fields, phase):
            return Relu()

    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"], name="r")],
        "g",
        [helper.make_tensor_value_info("x", 1, [4])],
        [helper.make_tensor_value_info("y", 1, [4])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    creator, x = Creator(), np.float32([-2, -1, 1, 2])
    trt.get_plugin_registry().register_creator(creator)
    try:
        for override, want in ((False, np.maximum(x, 0)), (True, x + 1)):
            builder = trt.Builder(log)
            network = builder.create_network()
            parser = trt.OnnxParser(network, log)
            if override:
                parser.set_flag(trt.OnnxParserFlag.ENABLE_PLUGIN_OVERRIDE)
            assert parser.parse(model), log.messages
            np.testing.assert_array_equal(execute(deserialized(builder, network), x)[0], want)
    finally:
        trt.get_plugin_registry().deregister_creator(creator)


def test_another_process_runs_the_engine(log, creator, tmp_path):
    builder, network, config = parsed(log, stretch_model(times=3, scale=2.0))
    (tmp_path / "m.engine").write_bytes(builder.build_serialized_network(network, config))
    script = """
import sys
sys.path[:0] = sys.argv[2:]
import numpy as np
import burnish
engine = burnish.Engine(sys.argv[1])
try:
    engine(np.ones((1, 3), "f4"))
except burnish.IncompatibleEngine as error:
    print(error.cause)
import conftest, test_plugins
test_plugins.trt.get_plugin_registry().register_creator(test_plugins.StretchCreator())
print(engine(np.ones((1, 3), "f4"))["y"].tolist())
"""
    folders = [str(ROOT / "python"), str(ROOT / "python" / "tests")]
    words = [sys.executable, "-c", script, str(tmp_path / "m.engine"), *folders]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "the engine needs operator 'Stretch' version '1' of plugin 'Stretch 1 in Python' 1, which this program has not registered, while preparing "
        "step 'stretch'",
        str([[4.0] * 9]),
    ]


# ---- the plugins before


class Shift(trt.IPluginV2DynamicExt):
    """y = x + `by`, one row more."""

    plugin_type = "Shift"

    def __init__(self, by):
        self.by, self.ready = by, False

    def get_output_dimensions(self, output_index, inputs, builder):
        y = trt.DimsExprs(inputs[0])
        y[0] = builder.operation(trt.DimensionOperation.SUM, y[0], builder.constant(1))
        return y

    def supports_format_combination(self, pos, in_out, num_inputs):
        return in_out[pos].type == trt.float32 and in_out[pos].format == trt.TensorFormat.LINEAR

    def get_workspace_size(self, inputs, outputs):
        return 4 * int(np.prod(outputs[0].dims))

    def initialize(self):
        self.ready = True

    def serialize(self):
        return str(self.by)

    def clone(self):
        return Shift(self.by)

    def enqueue(self, input_desc, output_desc, inputs, outputs, workspace, stream):
        assert self.ready and workspace
        at(outputs[0], output_desc[0])[:-1] = at(inputs[0], input_desc[0]) + self.by
        at(outputs[0], output_desc[0])[-1] = 0
        return 0


class ShiftCreator(trt.IPluginCreator):
    name = "Shift"

    def create_plugin(self, name, fields):
        return Shift(float(fields[0].data[0]))

    def deserialize_plugin(self, name, data):
        return Shift(float(data))


@pytest.fixture
def shift():
    creator = ShiftCreator()
    assert trt.get_plugin_registry().register_creator(creator)
    yield
    trt.get_plugin_registry().deregister_creator(creator)


def shifted(x, by):
    return np.concatenate([x + np.float32(by), np.zeros((1, x.shape[1]), "f4")])


def test_an_older_plugin_in_a_network(net, shift):
    x, plugin = RNG.normal(size=(2, 3)).astype("f4"), Shift(0.5)
    layer = net.network.add_plugin_v2([net.input(x)], plugin)
    assert layer.type == trt.LayerType.PLUGIN_V2 and layer.plugin is plugin
    np.testing.assert_array_equal(net.run(layer.get_output(0)), shifted(x, 0.5))


def test_an_older_plugin_in_a_model(log, shift):
    ports = [helper.make_tensor_value_info(name, 1, [rows, 3]) for name, rows in (("x", "n"), ("y", None))]
    graph = helper.make_graph([helper.make_node("Shift", ["x"], ["y"], name="s", by=2.0)], "g", ports[:1], ports[1:])
    builder, network, config = parsed(log, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))
    x = RNG.normal(size=(4, 3)).astype("f4")
    np.testing.assert_array_equal(execute(deserialized(builder, network, config), x)[0], shifted(x, 2))


# ---- what goes wrong


class Wrong(Stretch):
    """Goes wrong where it is told."""

    def __init__(self, where):
        super().__init__()
        self.where = where

    def get_output_data_types(self, input_types):
        return super().get_output_data_types(input_types)[: 1 if self.where == "types" else 2]

    def get_output_shapes(self, inputs, shape_inputs, builder):
        if self.where == "shapes":
            raise KeyError("rank")
        if self.where == "data":
            builder.declare_size_tensor(1, builder.constant(1), builder.constant(2))
        return super().get_output_shapes(inputs, shape_inputs, builder)

    def supports_format_combination(self, pos, in_out, num_inputs):
        return self.where != "formats" or pos != 1


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("types", "ValueError: get_output_data_types gives 1 outputs, num_outputs is 2"),
        ("shapes", "KeyError: 'rank'"),
        ("formats", "TypeError: it does not support FLOAT and LINEAR for output 0"),
        (
            "data",
            "RuntimeError: extents of a plugin's outputs that the data decide are not supported: pad the output to what is possible, and give the "
            "count as an output of its own",
        ),
    ],
)
def test_builds_that_fail(net, log, creator, where, why):
    layer = net.network.add_plugin_v3([net.input(np.ones((1, 2), "f4"))], [], Wrong(where))
    layer.name = "wrong"
    net.network.mark_output(layer.get_output(0))
    assert net.builder.build_serialized_network(net.network, net.builder.create_builder_config()) is None
    assert log.of("ERROR") == [
        f"plugin 'Stretch 1 in Python' fails in `infer` of Stretch: {why}, while importing node 'wrong' (Stretch); "
        "see what plugin 'Stretch 1 in Python' asks of its nodes and inputs"
    ]


def test_a_failing_enqueue(net, log, creator):
    layer = net.network.add_plugin_v3([net.input(np.ones((1, 2), "f4"))], [], Stretch(2, 1, b"fail"))
    layer.name = "unlucky"
    net.network.mark_output(layer.get_output(0))
    engine = deserialized(net.builder, net.network)
    context, x, y = engine.create_execution_context(), np.ones((1, 2), "f4"), np.empty((1, 4), "f4")
    for name, array in zip(engine, (x, y)):
        context.set_tensor_address(name, array.ctypes.data)
    assert not context.execute_async_v3(0)
    told = "plugin 'Stretch 1 in Python' fails in `run` of Stretch: OSError: out of luck, while running step 'unlucky'"
    assert log.of("ERROR")[0].startswith(told)


def test_a_workspace_without_bounds(creator):
    """Without a profile an extent may be anything."""
    with pytest.raises(burnish.InvalidArgument, match=r"node 'stretch' \(Stretch\): its plugin asks for 4611686018427387904 bytes of workspace"):
        burnish.build(stretch_model(times=2), target="cpu", progress=False)
    profile = {"x": ((1, 3), (2, 3), (6, 3))}
    engine = burnish.build(stretch_model(times=2), target="cpu", progress=False, profiles=[profile])
    np.testing.assert_array_equal(engine(np.ones((1, 3), "f4"))["y"], np.full((1, 6), 2))


def test_shape_inputs_are_refused(net, log):
    x = net.input(np.ones((1, 2), "f4"))
    assert net.network.add_plugin_v3([x], [x], Stretch()) is None
    assert log.of("ERROR") == ["IPluginV3Layer cannot be added: shape inputs are not handed to plugins; give the tensor among the inputs"]


# ---- the registry, and libraries


def test_the_registry(creator, capfd):
    registry = trt.get_plugin_registry()
    assert registry.plugin_creator_list == [creator] == registry.all_creators
    assert registry.get_creator("Stretch", "1", "") is creator is registry.get_plugin_creator("Stretch", "1")
    assert registry.get_creator("Stretch", "2", "") is None
    assert not registry.register_creator(StretchCreator())
    assert "creator 'Stretch' cannot be registered: a plugin 'Stretch 1 in Python' is there already" in capfd.readouterr().err
    assert registry.deregister_creator(creator) and not registry.deregister_creator(creator)
    assert registry.plugin_creator_list == []
    assert trt.init_libnvinfer_plugins(None, "") is True


def snake_model():
    graph = helper.make_graph(
        [helper.make_node("Snake", ["x", "a"], ["y"], name="snake", domain="example")],
        "g",
        [helper.make_tensor_value_info("x", 1, ["n", 2, 3]), helper.make_tensor_value_info("a", 1, [2])],
        [helper.make_tensor_value_info("y", 1, ["n", 2, 3])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("example", 1)], ir_version=8)


def test_a_library():
    registry = trt.get_plugin_registry()
    assert registry.load_library(str(LIBRARIES / "snake.so"))
    burnish.load_plugin(LIBRARIES / "snake.so")  # the same again
    assert len(plugins.loaded()) == len(set(plugins.loaded()))
    x, a = RNG.normal(size=(4, 2, 3)).astype("f4"), np.float32([0.5, 2])
    y = burnish.build(snake_model(), target="cpu", progress=False)(x, a)
    b = a.reshape(1, 2, 1)
    np.testing.assert_allclose(y, x + np.sin(b * x) ** 2 / b, rtol=1e-5, atol=1e-6)


def test_a_library_that_is_none(capfd):
    assert trt.get_plugin_registry().load_library(str(LIBRARIES / "foreign.so")) is None
    assert "is a plugin for TensorRT, whose own library it needs" in capfd.readouterr().err
    with pytest.raises(burnish.Unsupported, match="exports no function burnish_plugin_entry"):
        burnish.load_plugin(LIBRARIES / "other.so")
    with pytest.raises(burnish.FileError):
        burnish.load_plugin("no/such.so")


def test_the_engine_names_its_plugins(log, creator):
    builder, network, config = parsed(log, stretch_model(times=2))
    engine = burnish.Engine(bytes(builder.build_serialized_network(network, config)))
    assert engine.description["plans"][0]["plugins"] == [{"name": "Stretch 1 in Python", "version": "1", "file": ""}]
    onnx.checker.check_model(stretch_model(times=2))
