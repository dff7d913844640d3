"""Engines and contexts: what they tell, what they refuse, and what a call costs."""

import gc
import itertools
import sys
import threading
import time

import burnish.capi
import numpy as np
import pytest
import tensorrt as trt

from running import Network, deserialized, execute


@pytest.fixture
def built(log):
    """y = relu(x) of 2 x 8, as an engine."""
    net = Network(log)
    x = np.linspace(-1, 1, 16, dtype="f4").reshape(2, 8)
    layer = net.network.add_activation(net.input(x), trt.ActivationType.RELU)
    layer.name, layer.get_output(0).name = "act", "y"
    net.network.mark_output(layer.get_output(0))
    return deserialized(net.builder, net.network), x


def test_what_an_engine_tells(built):
    engine, x = built
    assert [engine[i] for i in range(engine.num_io_tensors)] == list(engine) == ["input1", "y"] and len(engine) == 2
    assert engine.get_tensor_mode("y") == trt.TensorIOMode.OUTPUT and engine.get_tensor_shape("input1") == (2, 8)
    assert engine.get_tensor_location("y") == trt.TensorLocation.DEVICE and not engine.is_shape_inference_io("input1")
    assert engine.get_tensor_format_desc("y") == "Row major linear format (FLOAT)" and engine.get_tensor_bytes_per_component("y") == -1
    assert (engine.num_layers, engine.num_optimization_profiles, engine.refittable) == (1, 1, False)
    assert engine.get_engine_stat(trt.EngineStat.TOTAL_WEIGHTS_SIZE) == 0 and engine.device_memory_size_v2 == engine.device_memory_size


def test_an_unknown_tensor_is_an_error_in_the_log(built, log):
    engine, _ = built
    assert engine.get_tensor_mode("z") == trt.TensorIOMode.NONE and engine.get_tensor_shape("z") == ()
    assert log.of("ERROR") == ["the engine has no tensor 'z'; it has input1, y"] * 2
    context = engine.create_execution_context()
    assert not context.set_tensor_address("z", 1) and not context.set_input_shape("z", (1,))


def test_an_engine_serialises_to_what_it_was_made_of(built, log):
    engine, x = built
    again = trt.Runtime(log).deserialize_cuda_engine(engine.serialize())
    assert again.serialize() == engine.serialize() == engine.serialize_with_config(engine.create_serialization_config())
    np.testing.assert_array_equal(execute(again, x)[0], np.maximum(x, 0))


class Reader(trt.IStreamReader):
    def __init__(self, data):
        trt.IStreamReader.__init__(self)
        self.data = data

    def read(self, size):
        piece, self.data = self.data[:size], self.data[size:]
        return piece


class ReaderV2(trt.IStreamReaderV2):
    def __init__(self, data):
        trt.IStreamReaderV2.__init__(self)
        self.data, self.at = data, 0

    def read(self, num_bytes, stream):
        piece = self.data[self.at : self.at + num_bytes]
        self.at += len(piece)
        return piece

    def seek(self, offset, where):
        assert where == trt.SeekPosition.SET
        self.at = offset
        return True


@pytest.mark.parametrize("kind", [Reader, ReaderV2, memoryview, bytearray])
def test_engines_are_read_from_streams_and_buffers(built, log, kind):
    engine, x = built
    again = trt.Runtime(log).deserialize_cuda_engine(kind(bytes(engine.serialize())))
    np.testing.assert_array_equal(execute(again, x)[0], np.maximum(x, 0))


def test_bytes_that_are_no_engine(built, log):
    engine, _ = built
    runtime = trt.Runtime(log)
    assert runtime.deserialize_cuda_engine(b"nonsense") is None and len(log.of("ERROR")) == 1
    validity, reason = runtime.engine_validity(b"nonsense")
    assert validity == trt.EngineValidity.INCOMPATIBLE and reason
    assert runtime.engine_validity(bytes(engine.serialize())) == (trt.EngineValidity.VALID, "an engine for cpu")


def test_contexts_keep_engines_and_engines_keep_runtimes_alive(built, log):
    engine, x = built
    context = trt.Runtime(log).deserialize_cuda_engine(engine.serialize()).create_execution_context()
    del engine
    gc.collect()
    np.testing.assert_array_equal(execute(context.engine, x, context=context)[0], np.maximum(x, 0))


def test_addresses_are_wanted_before_a_run(built, log):
    engine, x = built
    context = engine.create_execution_context()
    assert not context.execute_async_v3(0)
    assert log.of("ERROR") == ["tensor 'input1' has no address: call set_tensor_address"]
    assert not context.execute_v2([x.ctypes.data])
    assert log.of("ERROR")[1] == "1 bindings are given, and the engine has 2 tensors: input1, y"


def test_shapes_that_do_not_fit(built, log):
    engine, _ = built
    context = engine.create_execution_context()
    assert not context.set_input_shape("input1", (2, 8, 1)) and not context.set_input_shape("input1", (2, 9))
    assert context.get_tensor_shape("input1") == (2, 8) and len(log.of("ERROR")) == 2 and "input1" in log.of("ERROR")[1]


def test_an_address_may_change_between_runs(built):
    engine, x = built
    context = engine.create_execution_context()
    for factor in (1, 2, 3):
        y, scaled = np.empty_like(x), factor * x
        assert context.execute_v2([scaled.ctypes.data, y.ctypes.data])
        np.testing.assert_array_equal(y, np.maximum(scaled, 0))
        assert context.get_tensor_address("y") == y.ctypes.data


class Profiler(trt.IProfiler):
    def __init__(self):
        trt.IProfiler.__init__(self)
        self.times = []

    def report_layer_time(self, layer_name, ms):
        self.times.append((layer_name, ms))


def test_a_profiler_is_told_of_each_step(built):
    engine, x = built
    context = engine.create_execution_context()
    context.profiler = profiler = Profiler()
    np.testing.assert_array_equal(execute(engine, x, context=context)[0], np.maximum(x, 0))
    assert [name for name, _ in profiler.times] == ["act"] and profiler.times[0][1] >= 0
    context.enqueue_emits_profile = False
    assert context.execute_async_v3(0) and len(profiler.times) == 1
    assert context.report_to_profiler() and len(profiler.times) == 2


def test_settings_without_effect_say_so_once(built, log):
    context = built[0].create_execution_context_without_device_memory()
    for _ in range(2):
        context.set_device_memory(4096, 100)
    context.persistent_cache_limit = 1
    context.set_aux_streams([1])
    assert [w.split(" has no effect")[0] for w in log.of("WARNING")] == [
        "IExecutionContext.device_memory", "IExecutionContext.persistent_cache_limit", "IExecutionContext.set_aux_streams",
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_with_does_nothing(built, log):
    engine, x = built
    with trt.Builder(log) as builder, builder.create_network() as network, trt.OnnxParser(network, log), trt.Runtime(log):
        with engine.create_execution_context() as context:
            assert execute(engine, x, context=context)[0].shape == x.shape


def test_a_call_costs_little_more_than_the_c_api(built):
    """At most 15 microseconds, with buffers that take turns; medians of turns, so that another process does not decide."""
    engine, x = built
    context, inputs, outputs = engine.create_execution_context(), [x, x.copy()], [np.empty_like(x), np.empty_like(x)]
    context.execute_v2([x.ctypes.data, outputs[0].ctypes.data])
    run, handle, error = burnish.capi.runtime().burnish_context_run, context._context.handle, burnish.capi.c_void_p()
    buffers = itertools.cycle([(i.ctypes.data, o.ctypes.data) for i, o in zip(inputs, outputs)])

    def microseconds(function):
        begin = time.perf_counter()
        for _ in range(50):
            function()
        return (time.perf_counter() - begin) / 50 * 1e6

    def interface():
        source, target = next(buffers)
        context.set_input_shape("input1", (2, 8))
        context.set_tensor_address("input1", source)
        context.set_tensor_address("y", target)
        context.execute_async_v3(0)

    turns = [(microseconds(interface), microseconds(lambda: run(handle, None, burnish.capi.byref(error)))) for _ in range(40)]
    ours, bare = (float(np.median(column)) for column in zip(*turns))
    assert ours - bare <= 15, (ours, bare)


def test_other_threads_run_while_an_engine_does(log):
    """The GIL is released: a thread counts on while another one is in a long call."""
    net = Network(log)
    a, b = (np.random.default_rng(i).standard_normal((1024, 1024)).astype("f4") for i in range(2))
    product = net.network.add_matrix_multiply(net.input(a), trt.MatrixOperation.NONE, net.input(b), trt.MatrixOperation.NONE)
    net.network.mark_output(product.get_output(0))
    engine = deserialized(net.builder, net.network)
    context, y = engine.create_execution_context(), np.empty((1024, 1024), "f4")
    assert context.execute_v2([a.ctypes.data, b.ctypes.data, y.ctypes.data])
    inside, seen, done = threading.Event(), [], threading.Event()

    def work():
        inside.set()
        for _ in range(5):
            context.execute_async_v3(0)
        done.set()

    thread = threading.Thread(target=work)
    old = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # the GIL changes hands only where it is given up
    try:
        thread.start()
        inside.wait()
        while not done.is_set():
            seen.append(None)
            time.sleep(0)
    finally:
        sys.setswitchinterval(old)
        thread.join()
    assert len(seen) > 1
