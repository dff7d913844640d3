"""The same on a GPU, with memory and streams of other libraries. Skipped where there is none."""

import burnish
import numpy as np
import pytest
import tensorrt as trt
from burnish import devices

from running import Network, deserialized
from template import CUDART, Inference, build_engine, reference, save_detector

pytestmark = pytest.mark.gpu


def cudart():
    """cuda-python's runtime, at its new path or its old one."""
    try:
        from cuda.bindings import runtime
    except ImportError:
        runtime = pytest.importorskip("cuda.cudart", reason="needs cuda-python")
    return runtime


def checked(answer):
    assert int(answer[0]) == 0, answer[0]
    return answer[1] if len(answer) > 1 else None


@pytest.fixture
def built(log, monkeypatch):
    """y = relu(x w) with a free batch, up to 64."""
    monkeypatch.setattr(trt.interface, "target", None)
    net, rng = Network(log), np.random.default_rng(0)
    w = rng.standard_normal((256, 128)).astype("f4")
    x = net.network.add_input("x", trt.float32, (-1, 256))
    product = net.network.add_matrix_multiply(x, trt.MatrixOperation.NONE, net.constant(w), trt.MatrixOperation.NONE)
    y = net.network.add_activation(product.get_output(0), trt.ActivationType.RELU).get_output(0)
    y.name = "y"
    net.network.mark_output(y)
    config, profile = net.builder.create_builder_config(), net.builder.create_optimization_profile()
    profile.set_shape("x", (1, 256), (8, 256), (64, 256))
    config.add_optimization_profile(profile)
    config.clear_flag(trt.BuilderFlag.TF32)
    return deserialized(net.builder, net.network, config), w


class Copy(trt.IPluginV3, trt.IPluginV3OneCore, trt.IPluginV3OneBuild, trt.IPluginV3OneRuntime):
    """y = x, by a copy on the stream."""

    plugin_name = "Copy"
    streams: list = []

    def get_capability_interface(self, type):
        return self

    def get_output_data_types(self, input_types):
        return input_types

    def get_output_shapes(self, inputs, shape_inputs, builder):
        return inputs

    def supports_format_combination(self, pos, in_out, num_inputs):
        return in_out[pos].desc.format == trt.TensorFormat.LINEAR

    def enqueue(self, input_desc, output_desc, inputs, outputs, workspace, stream):
        self.streams.append(stream)
        return devices.driver().cuMemcpyAsync(outputs[0], inputs[0], 4 * int(np.prod(input_desc[0].dims)), stream)


class CopyCreator(trt.IPluginCreatorV3One):
    name = "Copy"

    def create_plugin(self, name, fields, phase):
        return Copy()


def test_a_plugin_in_python(log, monkeypatch):
    """Between two kernels, on the stream of the run."""
    monkeypatch.setattr(trt.interface, "target", None)
    creator, net = CopyCreator(), Network(log)
    assert trt.get_plugin_registry().register_creator(creator)
    x = net.network.add_input("x", trt.float32, (64, 100))
    for unary in (trt.UnaryOperation.NEG, trt.UnaryOperation.ABS):
        x = net.network.add_unary(x, unary).get_output(0)
        x = net.network.add_plugin_v3([x], [], Copy()).get_output(0)
    net.network.mark_output(x)
    engine = burnish.Engine(bytes(net.builder.build_serialized_network(net.network, net.builder.create_builder_config())))
    values = np.random.default_rng(3).standard_normal((64, 100)).astype("f4")
    for _ in range(3):
        np.testing.assert_array_equal(engine(values), np.abs(values))
    assert len(Copy.streams) == 6 and Copy.streams[0] != 0
    trt.get_plugin_registry().deregister_creator(creator)


def relu(x, w):
    return np.maximum(x @ w, 0)


def test_cuda_python_on_the_default_stream_without_a_wait(built):
    """As scripts do it: nothing but copies on the default stream orders the run."""
    engine, w = built
    runtime, kind = cudart(), cudart().cudaMemcpyKind
    context = engine.create_execution_context()
    for batch in (1, 64, 8):
        x, y = np.random.default_rng(batch).standard_normal((batch, 256)).astype("f4"), np.empty((batch, 128), "f4")
        assert context.set_input_shape("x", x.shape) and tuple(context.get_tensor_shape("y")) == y.shape
        addresses = [checked(runtime.cudaMalloc(a.nbytes)) for a in (x, y)]
        for name, address in zip("xy", addresses):
            assert context.set_tensor_address(name, int(address))
        checked(runtime.cudaMemcpy(addresses[0], x.ctypes.data, x.nbytes, kind.cudaMemcpyHostToDevice))
        assert context.execute_async_v3(0)
        checked(runtime.cudaMemcpy(y.ctypes.data, addresses[1], y.nbytes, kind.cudaMemcpyDeviceToHost))
        np.testing.assert_allclose(y, relu(x, w), rtol=1e-3, atol=1e-3)
        assert context.execute_v2([int(a) for a in addresses])
        for address in addresses:
            checked(runtime.cudaFree(address))


@pytest.mark.parametrize("path", CUDART)
def test_the_template_with_cuda_python(tmp_path, log, monkeypatch, path):
    """From ONNX to scores in FP16, with the runtime at each path that it has had."""
    runtime = pytest.importorskip(path, reason="this cuda-python has no such module")
    monkeypatch.setattr(trt.interface, "target", None)
    model, engine = save_detector(tmp_path / "detector.onnx"), tmp_path / "detector.engine"
    build_engine(model, engine, log, min_shape=(1, 3, 32, 32), opt_shape=(4, 3, 32, 32), max_shape=(8, 3, 32, 32))
    inference = Inference(engine, log, runtime)
    for batch in (1, 3, 8):
        images = np.random.default_rng(batch).standard_normal((batch, 3, 32, 32)).astype("f4")
        np.testing.assert_allclose(inference.infer(images)["scores"], reference(model, images), rtol=2e-2, atol=2e-2)
    assert log.of("ERROR") == []


def test_torch_memory_stream_and_graph_capture(built):
    torch = pytest.importorskip("torch")
    engine, w = built
    context, stream = engine.create_execution_context(), torch.cuda.Stream()
    x, y = torch.randn(8, 256, device="cuda"), torch.empty(8, 128, device="cuda")
    context.set_input_shape("x", tuple(x.shape))
    context.set_tensor_address("x", x.data_ptr())
    context.set_tensor_address("y", y.data_ptr())
    torch.cuda.synchronize()
    assert context.execute_async_v3(stream.cuda_stream)
    stream.synchronize()
    np.testing.assert_allclose(y.cpu().numpy(), relu(x.cpu().numpy(), w), rtol=1e-3, atol=1e-3)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        assert context.execute_async_v3(stream.cuda_stream)
    x.copy_(torch.randn(8, 256, device="cuda"))
    graph.replay()
    torch.cuda.synchronize()
    np.testing.assert_allclose(y.cpu().numpy(), relu(x.cpu().numpy(), w), rtol=1e-3, atol=1e-3)


def test_cupy(built):
    cupy = pytest.importorskip("cupy")
    engine, w = built
    import burnish

    x = cupy.random.standard_normal((4, 256), dtype="f4")
    y = burnish.Engine(bytes(engine.serialize()))(x)
    assert isinstance(y, cupy.ndarray)
    np.testing.assert_allclose(y.get(), relu(x.get(), w), rtol=1e-3, atol=1e-3)


def test_numpy_through_the_native_engine(built):
    import burnish

    engine, w = built
    x = np.random.default_rng(3).standard_normal((5, 256)).astype("f4")
    np.testing.assert_allclose(burnish.Engine(bytes(engine.serialize()))(x), relu(x, w), rtol=1e-3, atol=1e-3)


def test_a_refit_keeps_kernels_and_what_was_timed(log, monkeypatch):
    """A context that has run, by a graph, computes with the new weights; the bytes are those of a build from the same times."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(trt.interface, "target", None)
    weights = [np.random.default_rng(seed).standard_normal((256, 256)).astype("f4") / 16 for seed in (1, 2)]

    def serialized(w, cache):
        net = Network(log)
        tensor = net.network.add_input("x", trt.float32, (8, 256))
        for _ in range(6):
            product = net.network.add_matrix_multiply(tensor, trt.MatrixOperation.NONE, net.constant(w), trt.MatrixOperation.NONE)
            tensor = net.network.add_activation(product.get_output(0), trt.ActivationType.RELU).get_output(0)
        tensor.name = "y"
        net.network.mark_output(tensor)
        config = net.builder.create_builder_config()
        config.set_flag(trt.BuilderFlag.REFIT)
        config.clear_flag(trt.BuilderFlag.TF32)
        config.set_timing_cache(config.create_timing_cache(cache), False)
        data = net.builder.build_serialized_network(net.network, config)
        return data, config.get_timing_cache().serialize()

    first, times = serialized(weights[0], b"")
    second, _ = serialized(weights[1], bytes(times))
    engine = trt.Runtime(log).deserialize_cuda_engine(first)
    context = engine.create_execution_context()
    x, y = torch.randn(8, 256, device="cuda"), torch.empty(8, 256, device="cuda")
    context.set_tensor_address("x", x.data_ptr())
    context.set_tensor_address("y", y.data_ptr())
    refitter = trt.Refitter(engine, log)
    for w in weights:
        on_gpu = torch.from_numpy(w).cuda()
        for name in refitter.get_all_weights():
            given = trt.Weights(trt.float32, on_gpu.data_ptr(), w.size)
            assert refitter.set_named_weights(name, given, trt.TensorLocation.DEVICE)
        assert refitter.refit_cuda_engine() and context.execute_async_v3(0), log.messages
        torch.cuda.synchronize()
        expected = x.cpu().numpy()
        for _ in range(6):
            expected = relu(expected, w)
        np.testing.assert_allclose(y.cpu().numpy(), expected, rtol=1e-3, atol=1e-3)
    assert engine.serialize() == second


def test_a_profiler_and_an_event(built):
    torch = pytest.importorskip("torch")
    engine, _ = built

    class Times(trt.IProfiler):
        def __init__(self):
            trt.IProfiler.__init__(self)
            self.times = {}

        def report_layer_time(self, layer_name, ms):
            self.times[layer_name] = ms

    context, event = engine.create_execution_context(), torch.cuda.Event()
    event.record()  # makes the CUDA event
    x, y = torch.randn(8, 256, device="cuda"), torch.empty(8, 128, device="cuda")
    context.set_input_shape("x", (8, 256))
    context.set_tensor_address("x", x.data_ptr())
    context.set_tensor_address("y", y.data_ptr())
    assert context.set_input_consumed_event(event.cuda_event)
    assert context.execute_async_v3(torch.cuda.current_stream().cuda_stream)
    event.synchronize()
    context.profiler = Times()
    assert context.execute_async_v3(0) and context.profiler.times


def test_debug_tensors_and_a_persistent_cache(log, monkeypatch):
    """The listener is given GPU memory, valid in the order of the stream."""
    monkeypatch.setattr(trt.interface, "target", None)
    runtime, kind = cudart(), cudart().cudaMemcpyKind
    net = Network(log)
    x = np.random.default_rng(9).standard_normal((64, 256)).astype("f4")
    r = net.network.add_activation(net.input(x), trt.ActivationType.RELU).get_output(0)
    y = net.network.add_elementwise(r, r, trt.ElementWiseOperation.SUM).get_output(0)
    r.name, y.name = "r", "y"
    net.network.mark_output(y)
    net.network.mark_debug(r)
    engine = deserialized(net.builder, net.network)
    seen = np.zeros_like(x)

    class Listener(trt.IDebugListener):
        def process_debug_tensor(self, addr, location, type, shape, name, stream):
            assert (location, type, tuple(shape), name) == (trt.TensorLocation.DEVICE, trt.float32, x.shape, "r")
            checked(runtime.cudaMemcpyAsync(seen.ctypes.data, addr, seen.nbytes, kind.cudaMemcpyDeviceToHost, stream))
            return True

    context = engine.create_execution_context()
    context.persistent_cache_limit = 1 << 20
    context.set_debug_listener(Listener())
    assert context.set_tensor_debug_state("r", True)
    addresses = [checked(runtime.cudaMalloc(x.nbytes)) for _ in "xy"]
    checked(runtime.cudaMemcpy(addresses[0], x.ctypes.data, x.nbytes, kind.cudaMemcpyHostToDevice))
    for _ in range(2):
        assert context.execute_v2([int(a) for a in addresses])
        np.testing.assert_array_equal(seen, np.maximum(x, 0))
    assert log.of("ERROR") == []
