"""Building and running in tests: as a script does it, with host memory."""

import numpy as np
import tensorrt as trt


def deserialized(builder, network, config=None):
    data = builder.build_serialized_network(network, config or builder.create_builder_config())
    assert data is not None, builder.logger.messages
    return trt.Runtime(builder.logger).deserialize_cuda_engine(data)


def execute(engine, *inputs, context=None):
    """The outputs, as arrays, of one execution."""
    context = context or engine.create_execution_context()
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    keep, outputs = [], []
    for name, x in zip(names, inputs):
        x = np.asarray(x, order="C")
        keep.append(x)
        assert context.set_input_shape(name, x.shape)
        assert context.set_tensor_address(name, x.ctypes.data)
    for name in names[len(inputs) :]:
        outputs.append(np.empty(context.get_tensor_shape(name), trt.nptype(engine.get_tensor_dtype(name))))
        assert context.set_tensor_address(name, outputs[-1].ctypes.data)
    assert context.execute_async_v3(0), engine._runtime.logger.messages
    return outputs


class Network:
    """A network to be filled by a test, then built and run."""

    def __init__(self, log):
        self.builder = trt.Builder(log)
        self.network = self.builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
        self.arrays = []

    def input(self, array):
        self.arrays.append(array)
        kind = next(k for k in (trt.float32, trt.float16, trt.int32, trt.int64, trt.bool) if trt.nptype(k) == array.dtype)
        return self.network.add_input(f"input{len(self.arrays)}", kind, array.shape)

    def constant(self, array):
        array = np.asarray(array)
        return self.network.add_constant(array.shape, array).get_output(0)

    def run(self, *tensors):
        """What the tensors are when it has run; checks that their shapes and types were known before."""
        told = [(tuple(t.shape), trt.nptype(t.dtype)) for t in tensors]
        for tensor in tensors:
            self.network.mark_output(tensor)
        outputs = execute(deserialized(self.builder, self.network), *self.arrays)
        assert told == [(o.shape, o.dtype) for o in outputs]
        return outputs if len(outputs) > 1 else outputs[0]
