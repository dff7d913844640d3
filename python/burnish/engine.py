"""An engine, and what runs it."""

from __future__ import annotations

import ctypes
import functools
import html
import json
import os
import threading
from ctypes import byref, c_void_p
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from . import arrays, capi, devices
from .errors import InvalidArgument


class Port(NamedTuple):
    """An input or output: name, element type as numpy names it, extents (-1 where free), and the extents as text."""

    name: str
    dtype: str
    shape: Tuple[int, ...]
    axes: Tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[{', '.join(self.axes)}]"


class Weight(NamedTuple):
    """A weight of an engine that can be refitted: name of the model's initialiser, how scripts for TensorRT name it (layer and role),
    type, extents, whether only its own values are taken, and these, where the engine keeps them."""

    name: str
    layer: str
    role: str
    dtype: str
    shape: Tuple[int, ...]
    fixed: bool
    values: Optional[np.ndarray]


class Engine:
    """A model compiled for one or more targets.

    source: the path of an engine file, or its bytes.
    device: the number of a GPU, "cpu", or None: the current GPU, or the host where the engine is for "cpu" alone.

    Called with arrays it runs: `engine(x)`, `engine(images=x, mask=m)`. May be used by many threads; each has a context of its
    own. Raises IncompatibleEngine for a file that is damaged or of another version."""

    def __init__(self, source: Union[str, os.PathLike, bytes], device: Union[int, str, None] = None):
        self._handle = c_void_p()
        self._bytes: Optional[bytes] = None
        self._path: Optional[str] = None
        lib = capi.runtime()
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._bytes = bytes(source)
            capi.call(lib.burnish_engine_from_bytes, self._bytes, len(self._bytes), byref(self._handle))
        else:
            self._path = os.fspath(source)
            capi.call(lib.burnish_engine_open, os.fsencode(self._path), byref(self._handle))
        self.targets: Tuple[str, ...] = tuple(lib.burnish_engine_targets(self._handle).decode().split())
        self.inputs: Tuple[Port, ...] = self._ports(lib.burnish_engine_input_count, lib.burnish_engine_input)
        self.outputs: Tuple[Port, ...] = self._ports(lib.burnish_engine_output_count, lib.burnish_engine_output)
        #: tensors inside the engine that it was built to show, and which of them are there because they were in memory anyway
        self.debug_tensors: Tuple[Port, ...] = self._ports(lib.burnish_engine_debug_tensor_count, self._debug_tensor)
        self.unfused_tensors: frozenset = frozenset(p.name for i, p in enumerate(self.debug_tensors) if self._is_unfused(i))
        self._device = device
        self._contexts = threading.local()

    def _ports(self, count, get) -> Tuple[Port, ...]:
        ports = []
        for i in range(count(self._handle)):
            p = capi.Port()
            get(self._handle, i, byref(p))
            ports.append(Port(p.name.decode(), capi.DTYPES[p.dtype], tuple(p.shape[: p.rank]), tuple(a.decode() for a in p.axes[: p.rank])))
        return tuple(ports)

    @staticmethod
    def _debug_tensor(handle, index, port) -> None:
        capi.runtime().burnish_engine_debug_tensor(handle, index, port, None)

    def _is_unfused(self, index: int) -> bool:
        port, unfused = capi.Port(), ctypes.c_int()
        capi.runtime().burnish_engine_debug_tensor(self._handle, index, byref(port), byref(unfused))
        return bool(unfused.value)

    def __del__(self):
        if getattr(self, "_handle", None):
            capi.runtime().burnish_engine_free(self._handle)

    @property
    def handle(self) -> c_void_p:
        """The burnish_engine*, for calls of the C API."""
        return self._handle

    @functools.cached_property
    def description(self) -> dict:
        """Versions, options, and for each target steps, buffers and memory, as `burnish inspect --json` prints them."""
        return json.loads(capi.text(capi.runtime().burnish_engine_describe, self._handle))

    @functools.cached_property
    def profiles(self) -> List[Dict[str, Tuple[Tuple[int, ...], ...]]]:
        """The ranges that it was built for, each {input: (min, opt, max)}."""
        lib, found = capi.runtime(), []
        for k in range(lib.burnish_engine_profile_count(self._handle)):
            ranges = {}
            for i, port in enumerate(self.inputs):
                r = capi.ShapeRange()
                lib.burnish_engine_profile(self._handle, k, i, byref(r))
                ranges[port.name] = tuple(tuple(bound[: r.rank]) for bound in (r.min, r.opt, r.max))
            found.append(ranges)
        return found

    @functools.cached_property
    def weights(self) -> Tuple[Weight, ...]:
        """What `refit` can replace; nothing, where the engine was not built for that."""
        lib, found = capi.runtime(), []
        for i in range(lib.burnish_engine_weight_count(self._handle)):
            w = capi.WeightInfo()
            lib.burnish_engine_weight(self._handle, i, byref(w))
            dtype, shape = capi.DTYPES[w.dtype], tuple(w.shape[: w.rank])
            values = None
            if w.data:
                memory = (ctypes.c_uint8 * w.bytes).from_address(w.data)
                memory.engine = self  # whose memory it is
                values = np.frombuffer(memory, arrays.numpy_dtype(dtype)).reshape(shape)
                values.flags.writeable = False
            found.append(Weight(w.name.decode(), w.layer.decode(), w.role.decode(), dtype, shape, bool(w.fixed), values))
        return tuple(found)

    @property
    def is_stripped(self) -> bool:
        """Without weights: it runs once it is refitted."""
        return bool(capi.runtime().burnish_engine_is_stripped(self._handle))

    def refit(self, model: Any = None, weights: Optional[Mapping[str, Any]] = None, *, threads: int = 0) -> Engine:
        """The engine with other weights, as building with them would make it; nothing is timed or compiled.

        model: where they are, otherwise the model that the engine was built from: a path, bytes or an onnx.ModelProto. None: the
        engine's own. weights: {name: array}, in place of those. Raises InvalidArgument, which names the weight that is unknown,
        missing, of another type or shape, or a number in a kernel."""
        from . import building

        options = capi.RefitOptions(struct_size=ctypes.sizeof(capi.RefitOptions), threads=threads)
        if model is not None:
            data, folder = building.read_model(model)
            options.model, options.model_bytes = data, len(data)
            options.model_folder = os.fsencode(folder) if folder else None
        views = {name: arrays.view(np.asarray(values, order="C"), f"weight '{name}'") for name, values in (weights or {}).items()}
        listed = [capi.Weight(name.encode(), view.as_tensor()) for name, view in views.items()]
        options.weights, options.weight_count = (capi.Weight * len(listed))(*listed), len(listed)
        mine = self.serialize()
        return Engine(capi.given_bytes(capi.compiler().burnish_refit_bytes, mine, len(mine), byref(options)), self._device)

    def serialize(self) -> bytes:
        """The engine file's bytes."""
        if self._bytes is not None:
            return self._bytes
        with open(self._path, "rb") as file:
            return file.read()

    def save(self, path: Union[str, os.PathLike]) -> None:
        """Writes the engine file: complete, or not at all."""
        path = os.fspath(path)
        with open(f"{path}.part", "wb") as file:
            file.write(self.serialize())
        os.replace(f"{path}.part", path)

    @property
    def device(self) -> int:
        """Where it runs: the number of a GPU, or -1 for the host."""
        if self._device == "cpu" or (self._device is None and self.targets == ("cpu",)):
            return -1
        return devices.current() if self._device is None else int(self._device)

    def context(self) -> Context:
        """A context of its own: memory for one inference at a time."""
        return Context(self)

    def __call__(self, *args: Any, stream: Any = None, **kwargs: Any) -> Any:
        """Runs once. Inputs by position in the engine's order, or by name; see Context.__call__."""
        if not hasattr(self._contexts, "mine"):
            self._contexts.mine = self.context()
        return self._contexts.mine(*args, stream=stream, **kwargs)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc) -> None:
        self._contexts = threading.local()

    def __repr__(self) -> str:
        name = self.description.get("model") or "engine"
        return f"<burnish.Engine {name} for {' '.join(self.targets)}: {', '.join(map(str, self.inputs))} -> {', '.join(map(str, self.outputs))}>"

    def _repr_html_(self) -> str:
        rows = [("input", p) for p in self.inputs] + [("output", p) for p in self.outputs]
        cells = "".join(
            f"<tr><td>{kind}</td><td><code>{html.escape(p.name)}</code></td><td>{p.dtype}</td><td>{html.escape(' × '.join(p.axes))}</td></tr>"
            for kind, p in rows
        )
        title = html.escape(
            f"{self.description.get('model') or 'engine'} for {' '.join(self.targets)}, {self.description['options'].get('precision', '')}"
        )
        return f"<table><caption>{title}</caption><tr><th></th><th>name</th><th>type</th><th>shape</th></tr>{cells}</table>"


class Context:
    """Memory for one inference at a time, for one thread at a time."""

    def __init__(self, engine: Engine, device: Optional[int] = None):
        self.engine = engine
        self.device = engine.device if device is None else device
        self._handle = c_void_p()
        options = capi.ContextOptions(struct_size=ctypes.sizeof(capi.ContextOptions), device=self.device)
        capi.call(capi.runtime().burnish_context_create, engine.handle, byref(options), byref(self._handle))

    def __del__(self):
        if getattr(self, "_handle", None):
            capi.runtime().burnish_context_free(self._handle)

    @property
    def handle(self) -> c_void_p:
        """The burnish_context*, for calls of the C API."""
        return self._handle

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *exc) -> None:
        capi.runtime().burnish_context_free(self._handle)
        self._handle = c_void_p()

    def set_profile(self, index: int) -> None:
        """Takes profile `index` of the engine for the runs to come."""
        capi.call(capi.runtime().burnish_context_set_profile, self._handle, index)

    def _bind(self, args: tuple, kwargs: Dict[str, Any]) -> Dict[str, Any]:
        names = [p.name for p in self.engine.inputs]
        if len(args) > len(names):
            raise InvalidArgument(f"{len(args)} inputs are given, and the engine takes {len(names)}", f"it takes {', '.join(names)}")
        given = dict(zip(names, args))
        for name, x in kwargs.items():
            if name not in names or name in given:
                what = "given twice" if name in given else "no input of the engine"
                raise InvalidArgument(f"'{name}' is {what}", f"it takes {', '.join(names)}")
            given[name] = x
        missing = [n for n in names if n not in given]
        if missing:
            raise InvalidArgument(f"input '{missing[0]}' is not given", f"the engine takes {', '.join(names)}")
        return given

    def __call__(self, *args: Any, stream: Any = None, **kwargs: Any) -> Any:
        """Runs once and returns the output, or a dict of them where there are several.

        Inputs: numpy, torch, CuPy, DLPack or __cuda_array_interface__, of the engine's types and within its extents. Outputs are
        of the library, and on the device, of the first input that is on a GPU, else of the first. stream: a CUDA stream (torch's,
        CuPy's, cuda-python's, a number; 0 is the default stream) to enqueue on without waiting; inputs must then stay unchanged until
        it is done. Without one, torch's and CuPy's arrays on a GPU are worked on as they themselves would, on the current stream;
        all else returns when the outputs are there. Raises InvalidArgument (input, axis, value and what is allowed), OutOfMemory,
        DeviceError."""
        lib, given = capi.runtime(), self._bind(args, kwargs)
        views = {name: arrays.view(x, f"input '{name}'") for name, x in given.items()}
        for name, v in views.items():
            capi.call(lib.burnish_context_set_input, self._handle, name.encode(), byref(v.as_tensor()))
        kind = next((given[n] for n, v in views.items() if v.memory == capi.DEVICE), next(iter(given.values()), None))
        outputs = {p.name: self._room(p, kind) for p in self.engine.outputs}
        capi.call(lib.burnish_context_run, self._handle, self._stream(stream, kind, views.values()))
        for output in outputs.values():
            if hasattr(output, "record_stream") and hasattr(stream, "cuda_stream"):
                output.record_stream(stream)  # torch may not give its memory to others before
        results = {p.name: outputs[p.name] if outputs[p.name] is not None else self._taken(p, kind) for p in self.engine.outputs}
        self._keep = views  # until the next run: the stream may still read them
        return next(iter(results.values())) if len(results) == 1 else results

    def _stream(self, stream: Any, kind: Any, views: Iterable[arrays.View]) -> Optional[int]:
        """What to run on; None: the context's own stream, and wait."""
        if stream is not None:
            return arrays.stream_handle(stream) or capi.LEGACY_STREAM
        if self.device < 0 or all(v.memory == capi.HOST for v in views):
            return None
        current = arrays.current_stream(kind)
        if current is None:  # whoever made the arrays may still be writing them
            devices.check(devices.entered(self.device).cuCtxSynchronize())
            return None
        return current or capi.LEGACY_STREAM

    def _room(self, port: Port, kind: Any) -> Any:
        """An array for the output to be written to; None where its shape is not known before the run."""
        lib, told = capi.runtime(), capi.Tensor()
        capi.call(lib.burnish_context_output_shape, self._handle, port.name.encode(), byref(told))
        shape = tuple(told.shape[: told.rank])
        if -1 in shape:
            capi.call(lib.burnish_context_set_output, self._handle, port.name.encode(), byref(capi.Tensor(dtype=told.dtype)))
            return None
        room = arrays.empty_like_kind(kind, port.dtype, shape)
        capi.call(lib.burnish_context_set_output, self._handle, port.name.encode(), byref(arrays.view(room).as_tensor()))
        return room

    def _taken(self, port: Port, kind: Any) -> Any:
        """A copy of an output that the context keeps."""
        lib, told = capi.runtime(), capi.Tensor()
        capi.call(lib.burnish_context_output, self._handle, port.name.encode(), byref(told))
        shape = tuple(told.shape[: told.rank])
        host = np.empty(shape, arrays.numpy_dtype(port.dtype))
        capi.call(lib.burnish_context_read_output, self._handle, port.name.encode(), host.ctypes.data, host.nbytes)
        module = type(kind).__module__.split(".")[0]
        if module == "torch":
            import torch

            return torch.from_numpy(host).to(kind.device)
        if module == "cupy":
            import cupy

            return cupy.asarray(host)
        return host

    def debug_tensors(self) -> Dict[str, np.ndarray]:
        """What the latest run made of the engine's debug tensors."""
        return {port.name: self._taken(port, None) for port in self.engine.debug_tensors}

    def time(self, count: int) -> List[Tuple[float, float]]:
        """Milliseconds (on the GPU, on the host) of each of `count` runs with the inputs of the last call."""
        timings = (capi.Timing * count)()
        capi.call(capi.runtime().burnish_context_time, self._handle, count, timings)
        return [(t.gpu_ms, t.host_ms) for t in timings]

    def profile(self) -> List[dict]:
        """Runs once, step by step, with the inputs of the last call: a list of {name, kind, ms, …}."""
        return json.loads(capi.text(capi.runtime().burnish_context_profile, self._handle))

    @property
    def memory(self) -> Dict[str, int]:
        """Bytes held: constants, device_arena, host_arena, bindings."""
        use = capi.MemoryUse()
        capi.runtime().burnish_context_memory(self._handle, byref(use))
        return {name: getattr(use, name) for name, _ in use._fields_}
