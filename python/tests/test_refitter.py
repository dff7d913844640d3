"""Refitter and OnnxParserRefitter, as scripts use them."""


import numpy as np
import onnx
import pytest
import tensorrt as trt
from onnx import helper, numpy_helper

from running import Network, deserialized, execute

F, R = trt.BuilderFlag, trt.WeightsRole
SHAPES = {"conv.w": (4, 2, 3, 3), "conv.b": (4,), "bn.scale": (4,), "bn.bias": (4,), "bn.mean": (4,), "bn.var": (4,), "fc.w": (36, 5)}
CONVOLUTION = (["conv", "conv"], [R.KERNEL, R.BIAS])


def weights(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(0.5, 1.5, shape).astype("f4") for name, shape in SHAPES.items()}


def model(arrays):
    """A convolution with normalisation, and a product."""
    nodes = [
        helper.make_node("Conv", ["x", "conv.w", "conv.b"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "bn.scale", "bn.bias", "bn.mean", "bn.var"], ["n"], "bn"),
        helper.make_node("Flatten", ["n"], ["f"], "flatten"),
        helper.make_node("MatMul", ["f", "fc.w"], ["y"], "fc"),
    ]
    ports = [helper.make_tensor_value_info(n, 1, s) for n, s in (("x", (1, 2, 3, 3)), ("y", (1, 5)))]
    graph = helper.make_graph(nodes, "net", ports[:1], ports[1:], [numpy_helper.from_array(a, n) for n, a in arrays.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


X = np.random.default_rng(9).standard_normal((1, 2, 3, 3)).astype("f4")


def parsed(log, arrays, *flags, marked=()):
    builder = trt.Builder(log)
    network, config = builder.create_network(0), builder.create_builder_config()
    assert trt.OnnxParser(network, log).parse(model(arrays))
    config.clear_flag(F.TF32)
    for flag in flags:
        config.set_flag(flag)
    for name in marked:
        assert network.mark_weights_refittable(name) and network.are_weights_marked_refittable(name)
    return builder.build_serialized_network(network, config)


def engine_of(log, *flags, seed=1, marked=()):
    data = parsed(log, weights(seed), *flags, marked=marked)
    assert data is not None, log.messages
    return trt.Runtime(log).deserialize_cuda_engine(data)


@pytest.fixture
def expected(log):
    """What the network with the weights of seed 2 gives."""
    return execute(engine_of(log, seed=2), X)[0]


def test_names_of_weights(log):
    refitter = trt.Refitter(engine_of(log, F.REFIT), log)
    assert refitter.get_all_weights() == list(SHAPES) and refitter.get_missing_weights() == []
    layers, roles = refitter.get_all()
    assert (layers[:4], roles[:4]) == ([*CONVOLUTION[0], "bn", "bn"], [*CONVOLUTION[1], R.SCALE, R.SHIFT])
    assert (layers[4:], roles[4:]) == (["bn.mean", "bn.var", "fc.w"], [R.CONSTANT] * 3)
    np.testing.assert_array_equal(refitter.get_named_weights("fc.w").numpy(), weights(1)["fc.w"])
    prototype = refitter.get_weights_prototype("fc.w")
    assert (prototype.size, prototype.dtype) == (180, trt.float32)


@pytest.mark.parametrize("flags", [[F.REFIT], [F.REFIT, F.STRIP_PLAN], [F.REFIT, F.FP16]], ids=str)
def test_named_weights(log, expected, flags):
    engine = engine_of(log, *flags)
    refitter = trt.Refitter(engine, log)
    stripped = F.STRIP_PLAN in flags
    assert refitter.get_missing_weights() == (list(SHAPES) if stripped else [])
    for name, array in weights(2).items():
        assert refitter.set_named_weights(name, trt.Weights(array.ravel()))
    assert refitter.get_missing_weights() == [] and refitter.refit_cuda_engine(), log.messages
    tolerance = 1e-2 if F.FP16 in flags else 1e-5
    np.testing.assert_allclose(execute(engine, X)[0], expected, rtol=tolerance)
    np.testing.assert_array_equal(refitter.get_named_weights("fc.w").numpy(), weights(2)["fc.w"])
    if F.FP16 not in flags:
        whole = [f for f in flags if f != F.STRIP_PLAN]
        assert engine.serialize() == parsed(log, weights(2), *whole)


def test_weights_by_layer_and_role(log):
    engine = engine_of(log, F.REFIT)
    refitter = trt.Refitter(engine, log)
    mixed = {**weights(1), **{n: weights(2)[n] for n in ("conv.w", "conv.b", "bn.scale", "fc.w")}}
    assert refitter.set_weights("conv", R.KERNEL, mixed["conv.w"]) and refitter.set_weights("conv", R.BIAS, mixed["conv.b"])
    assert refitter.set_weights("bn", R.SCALE, mixed["bn.scale"]) and refitter.set_weights("fc.w", R.CONSTANT, mixed["fc.w"])
    assert refitter.refit_cuda_engine_async(0)
    assert engine.serialize() == parsed(log, mixed, F.REFIT)


def test_contexts_run_with_the_new_weights_from_their_next_call_on(log, expected):
    engine = engine_of(log, F.REFIT)
    context = engine.create_execution_context()
    y = np.empty((1, 5), "f4")
    assert context.set_tensor_address("x", X.ctypes.data) and context.set_tensor_address("y", y.ctypes.data)
    assert context.execute_async_v3(0)
    before = y.copy()
    parser = trt.OnnxParserRefitter(refitter := trt.Refitter(engine, log), log)
    assert parser.refit_from_bytes(model(weights(2)))
    assert context.execute_async_v3(0) and (y == before).all()
    assert refitter.refit_cuda_engine() and context.execute_async_v3(0)
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    assert context.execute_async_v3(0)


def test_a_model_in_a_file_with_its_weights_in_another(log, expected, tmp_path):
    onnx.save(onnx.load_from_string(model(weights(2))), tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    for stripped in ([], [F.STRIP_PLAN]):
        engine = engine_of(log, F.REFIT, *stripped)
        refitter = trt.Refitter(engine, log)
        assert trt.OnnxParserRefitter(refitter, log).refit_from_file(str(tmp_path / "m.onnx"))
        assert refitter.get_missing_weights() == [] and refitter.refit_cuda_engine(), log.messages
        np.testing.assert_allclose(execute(engine, X)[0], expected, rtol=1e-5)


def test_initialisers_that_are_loaded_one_by_one(log, expected):
    engine = engine_of(log, F.REFIT)
    refitter = trt.Refitter(engine, log)
    parser = trt.OnnxParserRefitter(refitter, log)
    assert parser.load_model_proto(model(weights(3)))
    for name, array in weights(2).items():
        assert parser.load_initializer(name, array.ctypes.data, array.nbytes)
    assert parser.refit_model_proto() and refitter.refit_cuda_engine()
    np.testing.assert_allclose(execute(engine, X)[0], expected, rtol=1e-5)


def test_a_plan_without_weights_takes_its_own_alone(log):
    engine = engine_of(log, F.STRIP_PLAN)
    assert engine.refittable and engine.create_execution_context() is None
    assert engine.get_engine_stat(trt.EngineStat.STRIPPED_WEIGHTS_SIZE) == engine.get_engine_stat(trt.EngineStat.TOTAL_WEIGHTS_SIZE) > 0
    refitter = trt.Refitter(engine, log)
    parser = trt.OnnxParserRefitter(refitter, log)
    assert parser.refit_from_bytes(model(weights(2))) and not refitter.refit_cuda_engine()
    assert log.of("ERROR")[-1].startswith("weight 'conv.w' is another one, and the engine takes only the one that it was built with; ")
    assert parser.refit_from_bytes(model(weights(1))) and refitter.refit_cuda_engine()
    np.testing.assert_array_equal(execute(engine, X)[0], execute(engine_of(log), X)[0])
    assert engine.get_engine_stat(trt.EngineStat.STRIPPED_WEIGHTS_SIZE) == 0


def test_weights_that_are_marked(log):
    engine = engine_of(log, F.REFIT_INDIVIDUAL, marked=["fc.w"])
    refitter = trt.Refitter(engine, log)
    assert refitter.get_all_weights() == ["fc.w"]
    assert refitter.set_named_weights("fc.w", weights(2)["fc.w"]) and refitter.refit_cuda_engine()
    assert engine.serialize() == parsed(log, {**weights(1), "fc.w": weights(2)["fc.w"]}, F.REFIT_INDIVIDUAL, marked=["fc.w"])
    assert refitter.set_named_weights("conv.b", weights(2)["conv.b"]) and not refitter.refit_cuda_engine()
    assert log.of("ERROR") == [
        "weight 'conv.b' is another one, and the engine takes only the one that it was built with; "
        "leave it as it is, or list it among the weights that may be refitted"
    ]
    assert parsed(log, weights(1), F.REFIT_INDIVIDUAL, marked=["fc"]) is None
    assert log.of("ERROR")[-1].startswith("the model has no weight 'fc' that could be refitted; ")


def test_a_network_built_by_hand(log):
    net = Network(log)
    x, w = np.ones((2, 3), "f4"), np.arange(12, dtype="f4").reshape(3, 4)
    none = trt.MatrixOperation.NONE
    y = net.network.add_matrix_multiply(net.input(x), none, net.constant(w), none).get_output(0)
    assert net.network.set_weights_name(trt.Weights(w), "kernel")
    net.network.mark_output(y)
    config = net.builder.create_builder_config()
    config.set_flag(F.REFIT)
    engine = deserialized(net.builder, net.network, config)
    refitter = trt.Refitter(engine, log)
    assert refitter.get_all_weights() == ["kernel"] and refitter.get_all() == (["kernel"], [R.CONSTANT])
    assert refitter.set_named_weights("kernel", 2 * w) and refitter.refit_cuda_engine()
    np.testing.assert_allclose(execute(engine, x)[0], x @ (2 * w))


def test_what_is_refused(log):
    refitter = trt.Refitter(engine_of(log, F.REFIT), log)
    assert not refitter.set_named_weights("fc", weights(1)["fc.w"])
    assert not refitter.set_named_weights("fc.w", weights(1)["fc.w"][:3])
    assert not refitter.set_named_weights("fc.w", weights(1)["fc.w"].astype("f2"))
    assert not refitter.set_weights("conv", R.CONSTANT, weights(1)["conv.w"])
    assert refitter.set_named_weights("fc.w", weights(1)["fc.w"]) and refitter.unset_named_weights("fc.w")
    assert not refitter.unset_named_weights("fc.w")
    assert log.of("ERROR") == [
        "the engine has no weights 'fc'",
        "weights 'fc.w' are float32[180] in the engine, and are given as float32[15]",
        "weights 'fc.w' are float32[180] in the engine, and are given as float16[180]",
        "layer 'conv' has no weights of role CONSTANT",
    ]
    parser = trt.OnnxParserRefitter(refitter, log)
    assert not parser.refit_from_bytes(b"\xff") and not parser.refit_from_file("nowhere.onnx")
    assert not parser.refit_from_bytes(model({n: a for n, a in weights(1).items()}).replace(b"conv.w", b"conv.v"))
    assert not parser.load_initializer("none", 0, 0)
    assert [(parser.get_error(i).code(), parser.get_error(i).desc()) for i in range(parser.num_errors)] == [
        (trt.ErrorCode.REFIT_FAILED, why)
        for why in (
            "the model cannot be read: the bytes are not an ONNX model",
            "'nowhere.onnx' cannot be read: No such file or directory",
            "the model has no weights 'conv.w', which the engine has",
            "the model that was loaded has no initialiser 'none'",
        )
    ]


def test_an_engine_that_was_not_built_for_it(log):
    engine = engine_of(log)
    refitter = trt.Refitter(engine, log)
    assert not engine.refittable and refitter.get_all() == ([], [])
    assert not refitter.refit_cuda_engine() and not refitter.set_named_weights("fc.w", trt.Weights(np.ones(1, "f4")))
    assert not trt.OnnxParserRefitter(refitter, log).refit_from_bytes(model(weights(1)))
    why = "the engine was not built for refitting (`engine.refittable` is False): set BuilderFlag.REFIT, or build it again"
    assert log.of("ERROR") == [why] * 3
