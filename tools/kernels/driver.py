"""Loads cubins and launches them through libcuda, on the context and stream that torch uses."""
import ctypes

import torch

_cuda = ctypes.CDLL("libcuda.so.1")
_MAX_DYNAMIC_SHARED = 8


def _check(status, what):
    if status:
        name = ctypes.c_char_p()
        _cuda.cuGetErrorName(status, ctypes.byref(name))
        raise RuntimeError(f"{what}: {name.value.decode() if name.value else status}")


class Kernel:
    def __init__(self, cubin, grid, block, shared):
        torch.cuda.current_stream().synchronize()  # makes torch's context current
        self.cubin, self.grid, self.block, self.shared = cubin, grid, block, shared
        module, self.function = ctypes.c_void_p(), ctypes.c_void_p()
        _check(_cuda.cuModuleLoadData(ctypes.byref(module), cubin), "load")
        _check(_cuda.cuModuleGetFunction(ctypes.byref(self.function), module, b"kernel"), "function")
        _check(_cuda.cuFuncSetAttribute(self.function, _MAX_DYNAMIC_SHARED, shared), "shared memory")

    def __call__(self, *arguments):
        """Arguments are addresses (int) or ctypes values (tensor maps: arrays); the launch goes to torch's current stream."""
        values = [a if isinstance(a, (ctypes._SimpleCData, ctypes.Array)) else ctypes.c_uint64(a) for a in arguments]
        pointers = (ctypes.c_void_p * len(values))(*[ctypes.cast(ctypes.pointer(v), ctypes.c_void_p) for v in values])
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        _check(_cuda.cuLaunchKernel(self.function, self.grid, 1, 1, self.block, 1, 1, self.shared, stream, pointers, None),
               "launch")


def microseconds(launch, repeats=20):
    """Median time of one launch, from replays of a graph that holds `repeats` of them."""
    stream = torch.cuda.Stream()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.stream(stream):
        launch()
        stream.synchronize()
        with torch.cuda.graph(graph, stream=stream):
            for _ in range(repeats):
                launch()
    times = []
    for _ in range(12):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1000 / repeats)
    return sorted(times[2:])[5]
