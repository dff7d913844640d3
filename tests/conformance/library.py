"""Burnish's C API (api/burnish.h, api/burnish_compiler.h) through ctypes: one process builds and runs thousands of small models."""
import contextlib
import ctypes
import pathlib
import sys
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_void_p

import ml_dtypes
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
from burnish.capi import MAX_RANK, BuildOptions, ContextOptions, DeviceInfo, Tensor  # noqa: E402

STATUS = (
    "ok invalid_argument invalid_model unsupported out_of_memory device_error incompatible_engine io_error cancelled internal"
).split()
DTYPES = [
    np.dtype(name)
    for name in ("f4", "f2", ml_dtypes.bfloat16, "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
]  # in the order of burnish_dtype


class Refused(Exception):
    """A call that failed: its status by name, its cause and its remedy."""

    def __init__(self, status, cause, remedy):
        super().__init__(status, cause, remedy)  # all of them, so that it travels between processes
        self.status, self.cause, self.remedy = status, cause, remedy

    def __str__(self):
        return f"{self.status}: {self.cause} | {self.remedy}"


class Library:
    """The two libraries, and what the tests ask of them. device: -1 is the host."""

    def __init__(self, folder, device=-1, target=None):
        self.folder = pathlib.Path(folder).resolve()
        self.runtime = ctypes.CDLL(str(self.folder / "libburnish_runtime.so"))
        self.compiler = ctypes.CDLL(str(self.folder / "libburnish_compiler.so"))
        for text in (self.runtime.burnish_error_cause, self.runtime.burnish_error_remedy):
            text.argtypes, text.restype = [c_void_p], c_char_p
        self.runtime.burnish_error_free.argtypes = [c_void_p]
        self.runtime.burnish_engine_free.argtypes = [c_void_p]
        self.runtime.burnish_context_free.argtypes = [c_void_p]
        self.compiler.burnish_bytes_free.argtypes = [c_void_p]
        self.device = device
        if device >= 0:
            self._keep_device_context(device)
        self.target = target or ("cpu" if device < 0 else self._target_of(device))

    @staticmethod
    def _keep_device_context(device):
        """Otherwise each test would begin the GPU's primary context, and end it as its last user."""
        driver = ctypes.CDLL("libcuda.so.1")
        assert driver.cuInit(0) == 0
        assert driver.cuDevicePrimaryCtxRetain(byref(c_void_p()), c_int(device)) == 0

    def _call(self, function, *arguments):
        error = c_void_p()
        status = function(*arguments, byref(error))
        if status == 0:
            return
        cause = self.runtime.burnish_error_cause(error).decode()
        remedy = self.runtime.burnish_error_remedy(error).decode()
        self.runtime.burnish_error_free(error)
        raise Refused(STATUS[status], cause, remedy)

    def _target_of(self, device):
        info = DeviceInfo()
        self._call(self.runtime.burnish_device_describe, c_int(device), byref(info))
        return info.target.decode()

    def build(self, model, **choices):
        """The engine of a model's bytes, as bytes; raises Refused. choices: fields of BuildOptions."""
        targets = (c_char_p * 1)(self.target.encode())
        options = BuildOptions(struct_size=ctypes.sizeof(BuildOptions), targets=targets, target_count=1, threads=1, **choices)
        engine, size = c_void_p(), c_size_t()
        call = self.compiler.burnish_build_bytes
        self._call(call, model, c_size_t(len(model)), None, byref(options), byref(engine), byref(size))
        try:
            return ctypes.string_at(engine, size.value)
        finally:
            self.compiler.burnish_bytes_free(engine)

    def run(self, engine, inputs, outputs):
        """Arrays of the named outputs for inputs, name -> array; raises Refused."""
        with contextlib.ExitStack() as stack:
            opened = c_void_p()
            self._call(self.runtime.burnish_engine_from_bytes, engine, c_size_t(len(engine)), byref(opened))
            stack.callback(self.runtime.burnish_engine_free, opened)
            context = c_void_p()
            options = ContextOptions(struct_size=ctypes.sizeof(ContextOptions), device=self.device, threads=1)
            self._call(self.runtime.burnish_context_create, opened, byref(options), byref(context))
            stack.callback(self.runtime.burnish_context_free, context)
            for name, array in inputs.items():
                self._call(self.runtime.burnish_context_set_input, context, name.encode(), byref(as_tensor(array)))
            self._call(self.runtime.burnish_context_run, context, None)
            return [self._output(context, name) for name in outputs]

    def _output(self, context, name):
        tensor = Tensor()
        self._call(self.runtime.burnish_context_output, context, name.encode(), byref(tensor))
        array = np.empty(tensor.shape[: tensor.rank], DTYPES[tensor.dtype])
        read = self.runtime.burnish_context_read_output
        self._call(read, context, name.encode(), c_void_p(array.ctypes.data), c_size_t(array.nbytes))
        return array


def as_tensor(array):
    """A tensor over the array's memory, which the caller keeps."""
    assert array.flags.c_contiguous
    shape = (c_int64 * MAX_RANK)(*array.shape)
    return Tensor(DTYPES.index(array.dtype), array.ndim, shape, array.ctypes.data, array.nbytes, 0)
