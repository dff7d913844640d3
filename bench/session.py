"""One engine, loaded and ready, in this process: the C API (api/burnish.h) through ctypes. Timing in turns with another program
wants engines that stay loaded, which a command line cannot give."""
import ctypes
import json
import pathlib
import sys
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_void_p

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/conformance"))
from library import DTYPES, ContextOptions, Library, Refused, Tensor, as_tensor


class Port(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("dtype", c_int), ("rank", c_int), ("shape", POINTER(c_int64)), ("axes", POINTER(c_char_p))]


class Timing(ctypes.Structure):
    _fields_ = [("gpu_ms", ctypes.c_float), ("host_ms", ctypes.c_float)]


class Sensors(ctypes.Structure):
    _fields_ = [("sm_clock_mhz", ctypes.c_double), ("power_watts", ctypes.c_double)]


class DeviceCopies:
    """Arrays copied to a GPU once, so that no timed call has to."""

    def __init__(self, device):
        self.driver, self.addresses = ctypes.CDLL("libcuda.so.1"), []
        context = c_void_p()
        self._check(self.driver.cuInit(0))
        self._check(self.driver.cuDevicePrimaryCtxRetain(byref(context), c_int(device)))
        self._check(self.driver.cuCtxSetCurrent(context))

    @staticmethod
    def _check(status):
        if status != 0:
            raise RuntimeError(f"the CUDA driver answers {status}")

    def copy(self, array):
        address, size = c_void_p(), ctypes.c_size_t(array.nbytes)
        self._check(self.driver.cuMemAlloc_v2(byref(address), size))
        self.addresses.append(address)
        self._check(self.driver.cuMemcpyHtoD_v2(address, c_void_p(array.ctypes.data), size))
        return address.value

    def free(self):
        while self.addresses:
            self._check(self.driver.cuMemFree_v2(self.addresses.pop()))


class Session:
    """device: -1 is the host. Arrays go in and come out row-major, in the model's own types; the engine's formats are met here."""

    def __init__(self, library: Library, path):
        self.library, self.runtime = library, library.runtime
        for function in (self.runtime.burnish_engine_input_order, self.runtime.burnish_engine_output_order):
            function.argtypes, function.restype = [c_void_p, c_int], POINTER(c_int)
        self.runtime.burnish_text_free.argtypes = [c_void_p]
        self.engine, self.context = c_void_p(), c_void_p()
        library._call(self.runtime.burnish_engine_open, str(path).encode(), byref(self.engine))
        options = ContextOptions(struct_size=ctypes.sizeof(ContextOptions), device=library.device)
        library._call(self.runtime.burnish_context_create, self.engine, byref(options), byref(self.context))
        self.copies = DeviceCopies(library.device) if library.device >= 0 else None
        self.kept = []  # arrays that the context reads
        self.input_bytes = 0

    def close(self):
        if self.copies:
            self.copies.free()
        self.runtime.burnish_context_free(self.context)
        self.runtime.burnish_engine_free(self.engine)

    def ports(self, kind):
        """[(name, numpy type, order of its axes in memory)] of the inputs or outputs."""
        get, order = getattr(self.runtime, f"burnish_engine_{kind}"), getattr(self.runtime, f"burnish_engine_{kind}_order")
        found = []
        for index in range(getattr(self.runtime, f"burnish_engine_{kind}_count")(self.engine)):
            port = Port()
            assert get(self.engine, c_int(index), byref(port)) == 0
            axes = order(self.engine, index)
            found.append((port.name.decode(), DTYPES[port.dtype], axes[: port.rank] if axes else list(range(port.rank))))
        return found

    def set_inputs(self, arrays):
        for name, dtype, order in self.ports("input"):
            array = np.ascontiguousarray(arrays[name].astype(dtype).transpose(order))
            tensor = as_tensor(array)
            for axis, extent in enumerate(arrays[name].shape):
                tensor.shape[axis] = extent
            self.input_bytes += array.nbytes
            if self.copies:
                tensor.data, tensor.memory = self.copies.copy(array), 1
            else:
                self.kept.append(array)
            self.library._call(self.runtime.burnish_context_set_input, self.context, name.encode(), byref(tensor))

    def run(self):
        """name -> array, floats as FP32."""
        self.library._call(self.runtime.burnish_context_run, self.context, None)
        return {name: self._output(name, order) for name, _, order in self.ports("output")}

    def _output(self, name, order):
        tensor = Tensor()
        self.library._call(self.runtime.burnish_context_output, self.context, name.encode(), byref(tensor))
        shape = tensor.shape[: tensor.rank]
        array = np.empty([shape[axis] for axis in order], DTYPES[tensor.dtype])
        read = self.runtime.burnish_context_read_output
        self.library._call(read, self.context, name.encode(), c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes))
        array = array.transpose(np.argsort(order))
        return array.astype(np.float32) if array.dtype.itemsize == 2 else np.ascontiguousarray(array)

    def time(self, seconds, least, most_seconds=float("inf"), flushed=False):
        """(GPU times, wall times) in ms of runs for `seconds` and at least `least` of them, unless that takes `most_seconds`."""
        call = self.runtime.burnish_context_time_flushed if flushed else self.runtime.burnish_context_time
        timings, count, begin = [], 1, time.perf_counter()
        while (spent := time.perf_counter() - begin) < seconds or (len(timings) < least and spent < most_seconds):
            portion = (Timing * count)()
            self.library._call(call, self.context, c_int(count), portion)
            timings += portion
            count = max(1, min(round(0.02 * 1e3 / portion[-1].host_ms), 1000))  # 20 ms
        return [t.gpu_ms for t in timings], [t.host_ms for t in timings]

    def describe(self):
        return self._json(self.runtime.burnish_context_describe)

    def profile(self):
        return self._json(self.runtime.burnish_context_profile)

    def _json(self, function):
        text = c_void_p()
        self.library._call(function, self.context, byref(text))
        try:
            return json.loads(ctypes.string_at(text))
        finally:
            self.runtime.burnish_text_free(text)


def read_sensors(library):
    """(SM clock in MHz, power in W), or None where the driver does not tell."""
    sensors = Sensors()
    try:
        library._call(library.runtime.burnish_device_read_sensors, c_int(library.device), byref(sensors))
    except Refused:
        return None
    return sensors.sm_clock_mhz, sensors.power_watts
