"""Scripts as their documentation has them; nothing is changed but where `import tensorrt` leads."""

import ctypes
import json
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorrt as trt
from burnish.tensorrt import calibrator
from onnx import helper, numpy_helper

from running import deserialized, execute
from template import CUDART, Inference, build_engine, reference, save_detector

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def onnx_path(tmp_path_factory):
    return save_detector(tmp_path_factory.mktemp("model") / "detector.onnx")


class HostMemory:
    """cuda-python's runtime with host memory, which is what the target "cpu" has in place of a GPU's."""

    def __init__(self, runtime):
        self.runtime, self.held = runtime, {}

    def __getattr__(self, name):
        return getattr(self.runtime, name)

    def cudaMalloc(self, size):  # noqa: N802
        memory = ctypes.create_string_buffer(size)
        self.held[ctypes.addressof(memory)] = memory
        return self.cudaError_t.cudaSuccess, ctypes.addressof(memory)

    def cudaMemcpy(self, to, source, size, kind):  # noqa: N802
        assert isinstance(kind, self.cudaMemcpyKind)
        ctypes.memmove(to, source, size)
        return (self.cudaError_t.cudaSuccess,)

    def cudaFree(self, address):  # noqa: N802
        del self.held[address]
        return (self.cudaError_t.cudaSuccess,)


@pytest.fixture(params=CUDART)
def cudart(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the old path
        return HostMemory(pytest.importorskip(request.param, reason="tools/requirements.txt names cuda-bindings"))


# ---- the template that most projects have


@pytest.mark.parametrize("fp16", [True, False])
def test_the_template_from_onnx_to_scores(onnx_path, tmp_path, log, cudart, fp16):
    shapes = {"min_shape": (1, 3, 32, 32), "opt_shape": (4, 3, 32, 32), "max_shape": (8, 3, 32, 32)}
    build_engine(onnx_path, tmp_path / "detector.engine", log, fp16=fp16, **shapes)
    inference = Inference(tmp_path / "detector.engine", log, cudart)
    for batch in (1, 3, 8):
        images = RNG.standard_normal((batch, 3, 32, 32)).astype("f4")
        tolerance = 2e-2 if fp16 else 1e-4
        np.testing.assert_allclose(inference.infer(images)["scores"], reference(onnx_path, images), rtol=tolerance, atol=tolerance)
    assert not cudart.held and not log.of("ERROR") and not log.of("WARNING")


def test_handles_of_cuda_python_are_taken_as_they_are(onnx_path, tmp_path, log, cudart):
    """Its streams and pointers are objects, which int() makes numbers of."""
    driver = pytest.importorskip("cuda.bindings.driver", reason="tools/requirements.txt names cuda-bindings")
    shape = (2, 3, 32, 32)
    build_engine(onnx_path, tmp_path / "e", log, fp16=False, min_shape=shape, opt_shape=shape, max_shape=shape)
    context = Inference(tmp_path / "e", log, cudart).context
    images, scores = RNG.standard_normal(shape).astype("f4"), np.empty((2, 10), "f4")
    pointers = [driver.CUdeviceptr(array.ctypes.data) for array in (images, scores)]
    runs = (
        lambda: context.execute_async_v3(stream_handle=cudart.cudaStream_t(0)),
        lambda: context.execute_v2(bindings=pointers),
        lambda: context.execute_async_v2(bindings=pointers, stream_handle=cudart.cudaStream_t(0)),
    )
    for name, pointer in zip(("images", "scores"), pointers):
        assert context.set_tensor_address(name, pointer)
    for run in runs:
        scores[:] = 0
        assert run()
        np.testing.assert_allclose(scores, reference(onnx_path, images), rtol=1e-4, atol=1e-4)


def test_shapes_outside_the_profile_are_refused(onnx_path, tmp_path, log):
    build_engine(onnx_path, tmp_path / "e", log, min_shape=(1, 3, 32, 32), opt_shape=(2, 3, 32, 32), max_shape=(4, 3, 32, 32))
    inference = Inference(tmp_path / "e", log, None)
    context = inference.context
    assert inference.engine.get_tensor_profile_shape("images", 0) == [(1, 3, 32, 32), (2, 3, 32, 32), (4, 3, 32, 32)]
    assert context.infer_shapes() == ["images"] and context.get_tensor_shape("scores") == (-1, 10)
    assert context.get_tensor_strides("images") == (3 * 32 * 32, 32 * 32, 32, 1)
    assert not context.set_input_shape("images", (5, 3, 32, 32))
    assert log.of("ERROR") == ["in profile 0 input 'images' axis 0 must be from 1 to 4, got 5"]
    assert context.set_input_shape("images", (4, 3, 32, 32)) and context.get_tensor_shape("scores") == (4, 10)
    assert context.infer_shapes() == []


def test_profiles_are_taken_by_number(onnx_path, log):
    builder = trt.Builder(log)
    network, config = builder.create_network(), builder.create_builder_config()
    assert trt.OnnxParser(network, log).parse_from_file(str(onnx_path))
    for low, high in ((1, 2), (4, 8)):
        profile = builder.create_optimization_profile()
        profile.set_shape("images", (low, 3, 32, 32), (low, 3, 32, 32), (high, 3, 32, 32))
        config.add_optimization_profile(profile)
    engine = deserialized(builder, network, config)
    assert engine.num_optimization_profiles == 2 and engine.num_bindings == 4
    context = engine.create_execution_context()
    assert context.active_optimization_profile == 0
    assert not context.set_input_shape("images", (6, 3, 32, 32))
    assert context.set_optimization_profile_async(1, 0) and context.active_optimization_profile == 1
    assert context.set_input_shape("images", (6, 3, 32, 32)) and not context.set_optimization_profile_async(2, 0)
    images = RNG.standard_normal((6, 3, 32, 32)).astype("f4")
    np.testing.assert_allclose(execute(engine, images, context=context)[0], reference(onnx_path, images), rtol=1e-4, atol=1e-4)
    assert context.get_max_output_size("scores") == -(-8 * 10 * 4 // 256) * 256


def test_dynamic_inputs_want_a_profile(onnx_path, log):
    builder = trt.Builder(log)
    network = builder.create_network()
    assert trt.OnnxParser(network, log).parse_from_file(str(onnx_path))
    assert builder.build_serialized_network(network, builder.create_builder_config()) is None
    assert log.of("ERROR") == [
        "input 'images' has dynamic extents (-1, 3, 32, 32), and the config has no optimization profile: add one with its min, opt and max"
    ]


# ---- 8.6: bindings by number


def test_bindings_of_8_6(onnx_path, log):
    builder = trt.Builder(log)
    network, config = builder.create_network(), builder.create_builder_config()
    assert trt.OnnxParser(network, log).parse_from_file(str(onnx_path))
    profile = builder.create_optimization_profile()
    profile.set_shape("images", (1, 3, 32, 32), (2, 3, 32, 32), (4, 3, 32, 32))
    config.add_optimization_profile(profile)
    config.max_workspace_size = 1 << 30
    engine = builder.build_engine(network, config)
    context = engine.create_execution_context()
    assert [engine.binding_is_input(i) for i in range(engine.num_bindings)] == [True, False] and engine["scores"] == 1
    assert engine.get_binding_shape(0) == (-1, 3, 32, 32) and engine.get_profile_shape(0, "images")[1] == (2, 3, 32, 32)
    images = RNG.standard_normal((2, 3, 32, 32)).astype("f4")
    assert context.set_binding_shape(0, images.shape) and context.all_binding_shapes_specified
    scores = np.empty(tuple(context.get_binding_shape(1)), trt.nptype(engine.get_binding_dtype(1)))
    for run in (lambda b: context.execute_v2(b), lambda b: context.execute_async_v2(b, 0)):
        scores[:] = 0
        assert run([images.ctypes.data, scores.ctypes.data])
        np.testing.assert_allclose(scores, reference(onnx_path, images), rtol=1e-4, atol=1e-4)


# ---- calibration


class EntropyCalibrator(trt.IInt8EntropyCalibrator2):
    def __init__(self, batches, cache_file):
        trt.IInt8EntropyCalibrator2.__init__(self)
        self.batches, self.cache_file, self.calls = iter(batches), cache_file, []

    def get_batch_size(self):
        return 8

    def get_batch(self, names):
        self.calls.append("get_batch")
        batch = next(self.batches, None)
        return None if batch is None else [int(batch.ctypes.data)]

    def read_calibration_cache(self):
        self.calls.append("read")
        return self.cache_file.read_bytes() if self.cache_file.exists() else None

    def write_calibration_cache(self, cache):
        self.cache_file.write_bytes(cache)


REFUSAL = "BuilderFlag.INT8 asks for quantised kernels, which Burnish does not build yet: clear the flag and build in FP16"


@pytest.mark.parametrize("cached", [None, b"TRT-101600-EntropyCalibration2\nimages: 3c010a14\n"])
def test_a_calibrated_build_is_refused_in_one_sentence(onnx_path, tmp_path, log, cached):
    cache = tmp_path / "calibration.cache"
    if cached:
        cache.write_bytes(cached)
    calibration = EntropyCalibrator([np.zeros((8, 3, 32, 32), "f4")], cache)
    assert calibration.get_algorithm() == trt.CalibrationAlgoType.ENTROPY_CALIBRATION_2
    shape = (8, 3, 32, 32)
    with pytest.raises(RuntimeError, match="Failed to build engine"):
        build_engine(onnx_path, tmp_path / "e", log, min_shape=shape, opt_shape=shape, max_shape=shape, calibrator=calibration)
    assert log.of("ERROR") == [REFUSAL] and not (tmp_path / "e").exists()
    assert calibration.calls == ["read"]  # nothing is calibrated for nobody
    assert ("the calibrator's cache has scales of 1 tensors" in log.of("INFO")) == bool(cached)


@pytest.mark.parametrize(
    "text, scales",
    [
        (b"TRT-8501-EntropyCalibration2\nx: 3f800000\n", {"x": 1.0}),
        (b"TRT-7000-EntropyCalibration\r\na: b c: 40000000\r\n", {"a: b c": 2.0}),
        (b"TRT-101600-MinMaxCalibration\n", {}),
    ],
)
def test_calibration_caches_are_read(text, scales):
    assert calibrator.read_cache(text) == scales


def test_calibration_caches_are_written():
    text = calibrator.write_cache({"x": 1.0, "a:b": 0.5}, trt.CalibrationAlgoType.ENTROPY_CALIBRATION_2)
    assert text == b"TRT-101600-EntropyCalibration2\nx: 3f800000\na:b: 3f000000\n" and calibrator.read_cache(text) == {"x": 1.0, "a:b": 0.5}


@pytest.mark.parametrize("text", [b"", b"TRT\nx: 3f800000", b"TRT-8501-EntropyCalibration2\nx = 1", b"TRT-8501-EntropyCalibration2\nx: zz"])
def test_other_text_is_no_calibration_cache(text):
    with pytest.raises(ValueError):
        calibrator.read_cache(text)


@pytest.mark.parametrize("flag", ["INT8", "FP8", "INT4", "FP4"])
def test_every_flag_that_asks_for_quantised_kernels_is_refused(onnx_path, log, flag):
    builder = trt.Builder(log)
    network, config = builder.create_network(), builder.create_builder_config()
    assert trt.OnnxParser(network, log).parse_from_file(str(onnx_path))
    config.set_flag(trt.BuilderFlag[flag])
    assert builder.build_serialized_network(network, config) is None
    assert log.of("ERROR") == [REFUSAL.replace("INT8", flag)]


# ---- the inspector


def test_the_inspector_in_both_forms(onnx_path, log):
    builder = trt.Builder(log)
    network, config = builder.create_network(), builder.create_builder_config()
    assert trt.OnnxParser(network, log).parse_from_file(str(onnx_path))
    network.get_input(0).shape = (2, 3, 32, 32)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    engine = deserialized(builder, network, config)
    inspector = engine.create_engine_inspector()
    inspector.execution_context = engine.create_execution_context()
    told = json.loads(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    assert told["Bindings"] == ["images", "scores"] and len(told["Layers"]) == engine.num_layers > 1
    first = json.loads(inspector.get_layer_information(0, trt.LayerInformationFormat.JSON))
    assert first == told["Layers"][0] and (first["Name"], first["TacticName"]) == ("stem + stem_act", "host")
    assert first["Metadata"] == "[ONNX Layer: stem]\x1e[ONNX Layer: stem_act]"
    assert inspector.get_layer_information(0, trt.LayerInformationFormat.ONELINE) == "stem + stem_act"
    trt.install(version="11")
    try:
        assert trt.__version__.startswith("11.")
        told = json.loads(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
        assert [(t["Name"], t["IOMode"], t["Dimensions"]) for t in told["I/O Tensors"]] == [
            ("images", "Input", [2, 3, 32, 32]),
            ("scores", "Output", [2, 10]),
        ]
    finally:
        trt.install(version="10")
    assert trt.__version__.startswith("10.16.")


def test_the_inspector_names_what_steps_read_and_write(onnx_path, log, monkeypatch):
    """As the library's description has it: places in a list of buffers."""
    builder = trt.Builder(log)
    network = builder.create_network()
    assert trt.OnnxParser(network, log).parse_from_file(str(onnx_path))
    network.get_input(0).shape = (2, 3, 32, 32)
    engine = deserialized(builder, network)
    storage = [
        {"kind": "constant", "space": "device"},
        {"kind": "input", "space": "device", "name": "images"},
        {"kind": "temporary", "space": "host"},
    ]
    step = {"name": "stem", "kind": "kernel", "reads": [0, 1], "writes": [2]}
    decision = {"node": "stem", "tactic": "tile 64x64"}
    monkeypatch.setattr(engine, "_plan", {"steps": [step], "decisions": [decision], "storage": storage})
    layer = json.loads(engine.create_engine_inspector().get_layer_information(0, trt.LayerInformationFormat.JSON))
    assert layer == {
        "Name": "stem",
        "LayerType": "kernel",
        "Inputs": [{"Name": "images", "Location": "Device", "Dimensions": [2, 3, 32, 32], "Format/Datatype": "FP32"}],
        "Outputs": [{"Name": "buffer 2", "Location": "Host", "Dimensions": [], "Format/Datatype": ""}],
        "ParameterType": "kernel",
        "TacticName": "tile 64x64",
        "TacticValue": trt.inspector.tactic_number("tile 64x64"),
        "StreamId": 0,
        "Metadata": "[ONNX Layer: stem]",
    }
    assert trt.inspector.tactic_number("") == "0xcbf29ce484222325" and trt.inspector.tactic_number("a") == "0xaf63dc4c8601ec8c"


# ---- redirecting `import tensorrt`

SCRIPT = """
import sys
import tensorrt as trt
logger = trt.Logger(trt.Logger.INFO)
network = trt.Builder(logger).create_network()
parser = trt.OnnxParser(network, logger)
print(trt.__version__, parser.parse_from_file(sys.argv[1]), network.num_layers, __name__)
"""


@pytest.mark.parametrize("options, version", [([], "10.16.0"), (["--version", "8.6"], "8.6.1"), (["--version", "11"], "11.1.0")])
def test_a_script_runs_unchanged(onnx_path, tmp_path, options, version):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "burnish.tensorrt", "--target", "cpu", *options, str(tmp_path / "script.py"), str(onnx_path)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert done.stdout == f"{version} True 7 __main__\n", done.stderr


def test_the_extension_module_is_found_where_scripts_look_for_it():
    import tensorrt.tensorrt as extension
    from tensorrt.tensorrt import IExecutionContext

    assert extension is trt and IExecutionContext is trt.IExecutionContext


def test_without_a_gpu_nothing_is_chosen_silently(onnx_path, log, monkeypatch):
    if trt.interface.devices.count():
        pytest.skip("there is a GPU here")
    monkeypatch.setattr(trt.interface, "target", None)
    builder = trt.Builder(log)
    network = builder.create_network()
    assert trt.OnnxParser(network, log).parse_from_file(str(onnx_path))
    network.get_input(0).shape = (1, 3, 32, 32)
    assert builder.build_serialized_network(network, builder.create_builder_config()) is None
    assert log.of("ERROR") == [
        "this machine has no usable GPU to build for, and no other target was chosen; call burnish.tensorrt.install(target='cpu') to run "
        "on the host, or target='sm_90' to build for a GPU elsewhere"
    ]
