"""Tensors inside an engine, marked in the network, as a listener sees them."""

import ctypes

import numpy as np
import pytest
import tensorrt as trt

from running import Network, deserialized


class Listener(trt.IDebugListener):
    def __init__(self, answer=True):
        trt.IDebugListener.__init__(self)
        self.seen, self.answer = {}, answer

    def process_debug_tensor(self, addr, location, type, shape, name, stream):
        assert location == trt.TensorLocation.HOST and type == trt.float32
        values = np.ctypeslib.as_array(ctypes.cast(addr, ctypes.POINTER(ctypes.c_float)), tuple(shape))
        self.seen[name] = values.copy()
        return self.answer


@pytest.fixture
def net(log):
    return Network(log)


def chain(net):
    """y = (relu(x) + relu(x)) * x, its tensors r, s and y."""
    x = np.random.default_rng(7).standard_normal((3, 4)).astype("f4")
    source = net.input(x)
    r = net.network.add_activation(source, trt.ActivationType.RELU).get_output(0)
    s = net.network.add_elementwise(r, r, trt.ElementWiseOperation.SUM).get_output(0)
    y = net.network.add_elementwise(s, source, trt.ElementWiseOperation.PROD).get_output(0)
    r.name, s.name, y.name = "r", "s", "y"
    net.network.mark_output(y)
    return x, r, s


def run(engine, x, prepare):
    context = engine.create_execution_context()
    prepare(context)
    y = np.empty_like(x)
    context.set_tensor_address(engine.get_tensor_name(0), x.ctypes.data)
    context.set_tensor_address("y", y.ctypes.data)
    return context.execute_async_v3(0), y


def test_a_listener_is_told_of_what_is_on(net):
    x, r, s = chain(net)
    assert net.network.mark_debug(r) and net.network.mark_debug(s) and net.network.mark_debug(r)
    assert net.network.is_debug_tensor(r) and net.network.unmark_debug(s) and not net.network.is_debug_tensor(s)
    net.network.mark_debug(s)
    engine = deserialized(net.builder, net.network)
    assert [engine.is_debug_tensor(n) for n in ("r", "s", "y")] == [True, True, False]
    assert list(engine) == [engine.get_tensor_name(0), "y"]
    relu = np.maximum(x, 0)
    for names in ((), ("s",), ("r", "s")):
        listener = Listener()

        def prepare(context, names=names, listener=listener):
            assert context.set_debug_listener(listener) and context.get_debug_listener() is listener
            assert not context.get_debug_state("s")
            for name in names:
                assert context.set_tensor_debug_state(name, True) and context.get_debug_state(name)

        ran, y = run(engine, x, prepare)
        assert ran and sorted(listener.seen) == list(names)
        np.testing.assert_allclose(y, 2 * relu * x, rtol=1e-6)
        for name in names:
            np.testing.assert_allclose(listener.seen[name], relu * (2 if name == "s" else 1), rtol=1e-6)


def test_all_at_once_and_a_listener_that_refuses(net, log):
    x, r, s = chain(net)
    net.network.mark_debug(r)
    net.network.mark_debug(s)
    engine = deserialized(net.builder, net.network)
    listener = Listener(answer=False)

    def prepare(context):
        context.set_debug_listener(listener)
        assert context.set_all_tensors_debug_state(True) and not context.unfused_tensors_debug_state

    assert not run(engine, x, prepare)[0]
    assert list(listener.seen) == ["r"] and log.of("ERROR") == ["the debug listener refused tensor 'r'"]


def test_unfused_tensors_have_a_state_of_their_own(net):
    x, r, _ = chain(net)
    net.network.mark_debug(r)
    assert net.network.mark_unfused_tensors_as_debug_tensors()
    engine = deserialized(net.builder, net.network)
    listener = Listener()

    def prepare(context):
        context.set_debug_listener(listener)
        context.unfused_tensors_debug_state = True
        assert context.unfused_tensors_debug_state == bool(engine._engine.unfused_tensors) and not context.get_debug_state("r")

    assert run(engine, x, prepare)[0] and set(listener.seen) == engine._engine.unfused_tensors


def test_an_engine_without_them(net, log):
    chain(net)
    context = deserialized(net.builder, net.network).create_execution_context()
    assert not context.set_tensor_debug_state("r", True)
    assert log.of("ERROR") == ["the engine has no debug tensor 'r'; it has none: mark them with INetworkDefinition.mark_debug"]
