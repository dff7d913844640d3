"""The script that most projects have, as TensorRT's documentation writes it: from ONNX to an engine, and from images to scores."""

import numpy as np
import onnx
import onnxruntime
import tensorrt as trt
from onnx import helper, numpy_helper

CUDART = ["cuda.cudart", "cuda.bindings.runtime"]  # cuda-python's runtime: `from cuda import cudart`, which 13 dropped, and its path since


def save_detector(path):
    """Two convolutions, a pooling, and a head, of any number of images. Returns the path."""
    rng = np.random.default_rng(5)
    weights = {"w1": (8, 3, 3, 3), "w2": (16, 8, 3, 3), "w3": (16, 10)}
    nodes = [
        helper.make_node("Conv", ["images", "w1"], ["c1"], name="stem", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"], name="stem_act"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], name="body", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], name="body_act"),
        helper.make_node("GlobalAveragePool", ["r2"], ["p"], name="pool"),
        helper.make_node("Flatten", ["p"], ["f"], name="flat"),
        helper.make_node("MatMul", ["f", "w3"], ["scores"], name="head"),
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", 1, ["batch", 3, 32, 32])],
        [helper.make_tensor_value_info("scores", 1, ["batch", 10])],
        [numpy_helper.from_array(0.2 * rng.standard_normal(s).astype("f4"), n) for n, s in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def reference(path, images):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"images": images})[0]


def build_engine(
    onnx_path, engine_path, logger, fp16=True, max_workspace_gb=4, min_shape=None, opt_shape=None, max_shape=None, calibrator=None
):
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    parser = trt.OnnxParser(network, logger)
    with open(onnx_path, "rb") as f:
        if not parser.parse(f.read()):
            for error in range(parser.num_errors):
                print(parser.get_error(error))
            raise RuntimeError("Failed to parse ONNX model")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, max_workspace_gb << 30)
    if fp16 and builder.platform_has_fast_fp16:
        config.set_flag(trt.BuilderFlag.FP16)
    if calibrator is not None:
        config.set_flag(trt.BuilderFlag.INT8)
        config.int8_calibrator = calibrator
    profile = builder.create_optimization_profile()
    profile.set_shape("images", min_shape, opt_shape, max_shape)
    config.add_optimization_profile(profile)
    serialized = builder.build_serialized_network(network, config)
    if serialized is None:
        raise RuntimeError("Failed to build engine")
    with open(engine_path, "wb") as f:
        f.write(serialized)


class Inference:
    def __init__(self, engine_path, logger, cudart):
        self.cudart = cudart
        with open(engine_path, "rb") as f:
            self.engine = trt.Runtime(logger).deserialize_cuda_engine(f.read())
        self.context = self.engine.create_execution_context()

    def infer(self, images):
        cudart, buffers, results = self.cudart, {}, {}
        for i in range(self.engine.num_io_tensors):
            name = self.engine.get_tensor_name(i)
            dtype = trt.nptype(self.engine.get_tensor_dtype(name))
            if self.engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
                assert self.context.set_input_shape(name, images.shape)
                status, buffers[name] = cudart.cudaMalloc(images.nbytes)
                cudart.cudaMemcpy(buffers[name], images.ctypes.data, images.nbytes, cudart.cudaMemcpyKind.cudaMemcpyHostToDevice)
            else:
                results[name] = np.empty(tuple(self.context.get_tensor_shape(name)), dtype)
                status, buffers[name] = cudart.cudaMalloc(results[name].nbytes)
            self.context.set_tensor_address(name, buffers[name])
        assert self.context.execute_async_v3(0)
        for name, array in results.items():
            cudart.cudaMemcpy(array.ctypes.data, buffers[name], array.nbytes, cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost)
        for address in buffers.values():
            cudart.cudaFree(address)
        return results
