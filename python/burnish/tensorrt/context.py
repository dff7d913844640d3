"""Running an engine."""

from __future__ import annotations

import ctypes
import json
from ctypes import byref, c_void_p
from typing import Any, Dict, List, Optional, Sequence

from .. import capi, devices
from ..engine import Context
from ..errors import Error
from . import interface
from .callbacks import IOutputAllocator
from .enums import ErrorCodeTRT, TensorLocation
from .logger import NoEffect, Reporter, Scoped, answer_of
from .types import Dims, dtype_named, volume

_ALIGNMENT = 256
_ALL_ROOM = 1 << 62  # addresses come without sizes


class _Binding:
    """Where a tensor is, and its extents. `tensor` is what the C API is told, by `tell`."""

    __slots__ = ("name", "encoded", "is_input", "tensor", "at", "tell", "declared", "shape", "address", "told", "waits", "allocator")

    def __init__(self, port: Any, is_input: bool, memory: int):
        lib = capi.runtime()
        self.name, self.encoded, self.is_input = port.name, port.name.encode(), is_input
        self.tensor = capi.Tensor(dtype=capi.DTYPE_NUMBER[port.dtype], rank=len(port.shape), bytes=_ALL_ROOM, memory=memory)
        self.at = byref(self.tensor)
        self.tell = lib.burnish_context_set_input if is_input else lib.burnish_context_set_output
        self.declared = tuple(port.shape)
        self.address = 0
        self.waits = True  # in the list of those that the C context is to be told of
        self.allocator: Optional[IOutputAllocator] = None
        self.resize(self.declared)

    def resize(self, shape: tuple) -> None:
        """Gives it other extents, of which the C context is not told yet."""
        self.shape, self.told = shape, False
        self.tensor.shape[: len(shape)] = shape


class _Bindings:
    """The names of 8.6: tensors by number."""

    def set_binding_shape(self, binding: int, shape: Sequence[int]) -> bool:
        return self.set_input_shape(self.engine._binding(binding), shape)

    def get_binding_shape(self, binding: int) -> Dims:
        return self.get_tensor_shape(self.engine._binding(binding))

    def set_shape_input(self, binding: int, shape: Sequence[int]) -> bool:
        """False: no input is a shape input; give it an address like any."""
        return False

    def get_shape(self, binding: int) -> List[int]:
        return []

    def get_strides(self, binding: int) -> Dims:
        return self.get_tensor_strides(self.engine._binding(binding))

    def execute_async_v2(self, bindings: Sequence[int], stream_handle: int, input_consumed: Any = None) -> bool:
        """Enqueues; one pointer for each tensor."""
        return self._bind_all(bindings) and self.execute_async_v3(stream_handle)

    def execute(self, batch_size: int = 1, bindings: Sequence[int] = ()) -> bool:
        """Of implicit batches, which there are none of: the same as execute_v2."""
        return self.execute_v2(bindings)

    def execute_async(self, batch_size: int = 1, bindings: Sequence[int] = (), stream_handle: int = 0, input_consumed: Any = None) -> bool:
        return self.execute_async_v2(bindings, stream_handle)

    all_binding_shapes_specified = property(lambda self: not self.infer_shapes())
    all_shape_inputs_specified = True


class IExecutionContext(_Bindings, Scoped):
    """Memory for one execution at a time, for one thread at a time. Keeps its engine alive."""

    device_memory = NoEffect(0, "a context has memory of its own, which grows with the extents")
    temporary_allocator = NoEffect(None, "a context has memory of its own")
    nvtx_verbosity = NoEffect(None, "steps are named in the profiler's output")
    debug_sync = NoEffect(False, "errors are found when the outputs are waited for")

    def __init__(self, engine: Any):
        self.engine = engine
        self.name = ""
        self.error_recorder = engine.error_recorder
        self.enqueue_emits_profile = True
        self._report = Reporter(engine._runtime.logger, self)
        self._open()
        self._on_host = self._context.device < 0
        memory = capi.HOST if self._on_host else capi.DEVICE
        self._bindings: Dict[str, _Binding] = {p.name: _Binding(p, p.name in engine._inputs, memory) for p in engine._ports}
        self._waiting = list(self._bindings.values())  # those that the C context is to be told of before a run
        self._complete = False  # every tensor has an address and extents
        self._extra = False  # something is to be done beside the run
        self._ran = False
        self._profiler: Any = None
        self._consumed_event = 0
        self._listener: Any = None
        self._debug: Dict[str, bool] = {p.name: False for p in engine._engine.debug_tensors}  # whether the listener is told
        self._persistent = 0
        self._run = capi.runtime().burnish_context_run
        self._error = c_void_p()
        self._error_at = byref(self._error)
        self._profile_index = 0
        if engine._engine.profiles:
            self._context.set_profile(0)

    def _open(self) -> None:
        self._context = Context(self.engine._engine, interface.run_device())
        self._handle = self._context.handle

    def _reopen(self) -> None:
        """The engine has other weights: all that the C context was told it is told again."""
        self._open()
        if self.engine._engine.profiles:
            self._context.set_profile(self._profile_index)
        if self._persistent:
            self.persistent_cache_limit = self._persistent
        for binding in self._bindings.values():
            binding.told = False
            self._wait_for(binding)
        self._ran = False

    # ---- addresses and shapes

    def _binding_of(self, name: str) -> Optional[_Binding]:
        found = self._bindings.get(name)
        if found is None:
            self._report.error(f"the engine has no tensor '{name}'; it has {', '.join(self._bindings)}")
        return found

    def set_tensor_address(self, name: str, memory: int) -> bool:
        """Where a tensor is: a device pointer, on the target "cpu" a host pointer. Its room is the caller's to see to."""
        binding = self._binding_of(name)
        if binding is None:
            return False
        memory = int(memory)
        if binding.address != memory:
            binding.address = binding.tensor.data = memory
            self._wait_for(binding)
            if not memory:
                self._complete = False
        return True

    def _wait_for(self, binding: _Binding) -> None:
        """The C context is told of it before the next run."""
        if not binding.waits:
            binding.waits = True
            self._waiting.append(binding)

    def get_tensor_address(self, name: str) -> int:
        """0 where none is set."""
        binding = self._binding_of(name)
        return binding.address if binding else 0

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        """False, and an error in the log (input, axis, value, range), where the engine does not take it."""
        binding = self._binding_of(name)
        if binding is None or not binding.is_input:
            return False
        shape = tuple(shape)
        if shape == binding.shape and binding.told:
            return True
        shape, before = tuple(map(int, shape)), binding.shape
        if len(shape) != len(before):
            self._report.error(f"input '{name}' has {len(before)} axes, and a shape of {len(shape)} is given")
            return False
        fault = self._outside_profile(name, shape)
        if fault:
            self._report.error(fault)
            return False
        binding.resize(shape)
        if not self._tell(binding):
            binding.resize(before)
            return False
        self._ran = False
        return True

    def _outside_profile(self, name: str, shape: Sequence[int]) -> str:
        """What the active profile does not take; "" for nothing. A run would say so as well, but later."""
        profiles = self.engine._engine.profiles
        if not profiles:
            return ""
        least, _, most = profiles[self._profile_index][name]
        for axis, (a, extent, b) in enumerate(zip(least, shape, most)):
            if not a <= extent <= b:
                allowed = f"must be {a}" if a == b else f"must be from {a} to {b}"
                return f"in profile {self._profile_index} input '{name}' axis {axis} {allowed}, got {extent}"
        return ""

    def _tell(self, binding: _Binding) -> bool:
        """Tells the C context of a tensor; of one without an address its shape alone."""
        status = binding.tell(self._handle, binding.encoded, binding.at, self._error_at)
        if status:
            return self._failed(status)
        binding.told = True
        return True

    def _shapes_told(self) -> bool:
        """The C context knows the extents of all inputs; False where some are missing."""
        inputs = (b for b in self._bindings.values() if b.is_input)
        return all(b.told or (-1 not in b.shape and self._tell(b)) for b in inputs)

    def get_tensor_shape(self, name: str) -> Dims:
        """Extents; -1 for those that are not known yet."""
        binding = self._binding_of(name)
        if binding is None:
            return Dims()
        return Dims(binding.shape) if binding.is_input else self._output_shape(binding)

    def _output_shape(self, binding: _Binding) -> Dims:
        if -1 not in binding.declared:
            return Dims(binding.declared)
        lib, told = capi.runtime(), capi.Tensor()
        ask = lib.burnish_context_output if self._ran else lib.burnish_context_output_shape
        if not self._ran and not self._shapes_told():
            return Dims(binding.declared)
        try:
            capi.call(ask, self._handle, binding.encoded, byref(told))
        except Error as error:
            self._report.failure(error)
            return Dims(binding.declared)
        return Dims(told.shape[: told.rank])

    def get_tensor_strides(self, name: str) -> Dims:
        """In elements; -1 where it hangs on an extent that is not known yet."""
        shape, order = self.get_tensor_shape(name), self.engine._order(name)
        strides, step = [0] * len(shape), 1
        for axis in reversed(order or range(len(shape))):
            strides[axis] = step
            step = -1 if -1 in (step, shape[axis]) else step * shape[axis]
        return Dims(strides)

    def infer_shapes(self) -> List[str]:
        """The inputs whose extents are not set."""
        return [b.name for b in self._bindings.values() if b.is_input and -1 in b.shape]

    # ---- running

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Enqueues on a CUDA stream; 0 is the default stream, in order with the caller's copies. On the target "cpu" it returns
        when the outputs are there."""
        if self._waiting or self._extra:
            return self._execute(int(stream_handle))
        status = self._run(self._handle, None if self._on_host else int(stream_handle) or capi.LEGACY_STREAM, self._error_at)
        self._ran = True
        return not status or self._failed(status)

    def execute_v2(self, bindings: Sequence[int]) -> bool:
        """Runs and waits; one pointer for each tensor, in the engine's order."""
        if not self._bind_all(bindings) or not self.execute_async_v3(0):
            return False
        if not self._on_host:
            devices.check(devices.entered(self._context.device).cuStreamSynchronize(capi.LEGACY_STREAM))
        return True

    def _bind_all(self, bindings: Sequence[int]) -> bool:
        tensors = list(self._bindings)
        given = list(bindings)[self._profile_index * len(tensors) :][: len(tensors)] if len(bindings) > len(tensors) else list(bindings)
        if len(given) != len(tensors):
            self._report.error(f"{len(given)} bindings are given, and the engine has {len(tensors)} tensors: {', '.join(tensors)}")
            return False
        return all([self.set_tensor_address(name, int(address)) for name, address in zip(tensors, given)])

    def _failed(self, status: int) -> bool:
        self._ran = False
        self._report.failure(capi.take_error(self._error, status))
        return False

    def _is_complete(self) -> bool:
        """Every tensor has an address, or an allocator, and every input its extents."""
        missing = self.infer_shapes()
        if missing:
            self._report.error(f"the shape of input '{missing[0]}' is not set: call set_input_shape", ErrorCodeTRT.INVALID_STATE)
            return False
        nowhere = (b for b in self._bindings.values() if not b.address and b.allocator is None and 0 not in b.shape)
        binding = next(nowhere, None)
        if binding is not None:
            self._report.error(f"tensor '{binding.name}' has no address: call set_tensor_address", ErrorCodeTRT.INVALID_STATE)
        self._complete = binding is None
        return self._complete

    def _execute(self, stream: int) -> bool:
        if not self._complete and not self._is_complete():
            return False
        while self._waiting:
            if self._waiting[-1].allocator is None and not self._tell(self._waiting[-1]):
                return False
            self._waiting.pop().waits = False
        allocated = [b for b in self._bindings.values() if b.allocator is not None] if self._extra else ()
        if not all([self._allocate(b, stream) for b in allocated]):
            return False
        handle = None if self._on_host else stream or capi.LEGACY_STREAM
        if self._profiler is not None and self.enqueue_emits_profile:
            if not self._on_host:  # steps are timed on a stream of the context's own, after what the caller gave this one
                devices.check(devices.entered(self._context.device).cuStreamSynchronize(handle))
            if not self.report_to_profiler():
                return False
        else:
            status = self._run(self._handle, handle, self._error_at)
            if status:
                return self._failed(status)
        self._ran = True
        if self._consumed_event and not self._on_host:
            devices.check(devices.entered(self._context.device).cuEventRecord(self._consumed_event, handle))
        listens = self._listener is not None and any(self._debug.values())
        if listens and not self._tell_listener(stream):
            return False
        return all([self._deliver(b, stream) for b in allocated])

    # ---- outputs whose room is asked for

    def set_output_allocator(self, name: str, output_allocator: Optional[IOutputAllocator]) -> bool:
        """Is asked for room when the output is made, and told its extents."""
        binding = self._binding_of(name)
        if binding is None or binding.is_input:
            return False
        binding.allocator = output_allocator
        self._wait_for(binding)
        self._complete = False
        self._weigh_extra()
        return True

    def get_output_allocator(self, name: str) -> Optional[IOutputAllocator]:
        """The one that was set, or None."""
        binding = self._binding_of(name)
        return binding.allocator if binding else None

    def _weigh_extra(self) -> None:
        listens = self._listener is not None and any(self._debug.values())
        allocates = any(b.allocator for b in self._bindings.values())
        self._extra = bool(self._profiler is not None or self._consumed_event or listens or allocates)

    def _room(self, binding: _Binding, size: int, stream: int) -> int:
        allocator = binding.allocator
        asynchronous = type(allocator).reallocate_output_async is not IOutputAllocator.reallocate_output_async
        function = allocator.reallocate_output_async if asynchronous else allocator.reallocate_output
        arguments = (binding.name, binding.address, max(size, 1), _ALIGNMENT) + ((stream,) if asynchronous else ())
        return int(answer_of(function, *arguments) or 0)

    def _allocate(self, binding: _Binding, stream: int) -> bool:
        """Room before the run, where the extents are known by then."""
        self._ran = False
        shape = self._output_shape(binding)
        if -1 in shape:
            binding.tensor.data = None  # the context's own memory, and a copy from there
            return self._tell(binding)
        return self._move(binding, self._room(binding, self._nbytes(binding, shape), stream)) and self._tell(binding)

    def _move(self, binding: _Binding, address: int) -> bool:
        """Takes the room that an allocator gave."""
        if not address:
            self._report.error(f"the output allocator gave no memory for '{binding.name}'", ErrorCodeTRT.FAILED_ALLOCATION)
            return False
        binding.address = binding.tensor.data = address
        return True

    def _nbytes(self, binding: _Binding, shape: Sequence[int]) -> int:
        return volume(shape) * capi.ITEMSIZE[binding.tensor.dtype]

    def _deliver(self, binding: _Binding, stream: int) -> bool:
        """Room after the run, where the extents are known only then; and the extents."""
        told = capi.Tensor()
        capi.call(capi.runtime().burnish_context_output, self._handle, binding.encoded, byref(told))
        shape = Dims(told.shape[: told.rank])
        size = self._nbytes(binding, shape)
        if told.data != binding.tensor.data or not told.data:
            if not self._move(binding, self._room(binding, size, stream)):
                return False
            if self._on_host:
                ctypes.memmove(binding.address, told.data or 0, size)
            elif size:
                driver = devices.entered(self._context.device)
                devices.check(driver.cuMemcpyAsync(binding.address, told.data, size, stream or capi.LEGACY_STREAM))
        answer_of(binding.allocator.notify_shape, binding.name, shape)
        return True

    def get_max_output_size(self, name: str) -> int:
        """Bytes of an output at the greatest extents of the profile; at the present ones where it has none."""
        binding = self._binding_of(name)
        if binding is None or binding.is_input:
            return -1
        shape = self._at_most(binding)
        return -1 if -1 in shape else -(-self._nbytes(binding, shape) // _ALIGNMENT) * _ALIGNMENT

    def _at_most(self, binding: _Binding) -> Dims:
        """Its extents at the greatest ones of the inputs."""
        profiles = self.engine._engine.profiles
        if self._profile_index >= len(profiles):
            return self._output_shape(binding)
        other = self.engine.create_execution_context()
        other.set_optimization_profile_async(self._profile_index, 0)
        for input, (_, _, most) in profiles[self._profile_index].items():
            other.set_input_shape(input, most)
        return other._output_shape(other._bindings[binding.name])

    # ---- profiles

    @property
    def active_optimization_profile(self) -> int:
        """The number of the profile that runs keep to."""
        return self._profile_index

    @active_optimization_profile.setter
    def active_optimization_profile(self, index: int) -> None:
        self.set_optimization_profile_async(index, 0)

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        """Takes another profile; the shapes of dynamic inputs are to be set again."""
        if not 0 <= profile_index < self.engine.num_optimization_profiles:
            self._report.error(f"there is no profile {profile_index}; the engine has {self.engine.num_optimization_profiles}")
            return False
        if self.engine._engine.profiles:
            try:
                self._context.set_profile(profile_index)
            except Error as error:
                self._report.failure(error)
                return False
        if profile_index != self._profile_index:
            for binding in self._bindings.values():
                binding.resize(binding.declared)
                self._wait_for(binding)
        self._profile_index, self._complete, self._ran = profile_index, False, False
        return True

    # ---- times

    @property
    def profiler(self) -> Any:
        """An IProfiler that is told the time of each step of each execution."""
        return self._profiler

    @profiler.setter
    def profiler(self, profiler: Any) -> None:
        self._profiler = profiler
        self._weigh_extra()

    def report_to_profiler(self) -> bool:
        """Runs step by step, and tells the profiler."""
        try:
            steps = json.loads(capi.text(capi.runtime().burnish_context_profile, self._handle))
        except Error as error:
            self._report.failure(error)
            return False
        for step in steps:
            answer_of(self._profiler.report_layer_time, step["name"], step["ms"])
        return True

    # ---- events and streams

    def set_input_consumed_event(self, event: int) -> bool:
        """Recorded when the inputs may be written again."""
        self._consumed_event = int(event)
        self._weigh_extra()
        return True

    def get_input_consumed_event(self) -> int:
        """The event that was set, or 0."""
        return self._consumed_event

    def set_aux_streams(self, aux_streams: Sequence[int]) -> None:
        """Without effect: an engine runs on the caller's stream."""
        self._report.no_effect("IExecutionContext.set_aux_streams", "an engine runs on the caller's stream")

    def set_communicator(self, communicator: Any) -> bool:
        """False: an engine runs on one GPU."""
        self._report.error("an engine of Burnish runs on one GPU")
        return False

    def get_runtime_config(self) -> Any:
        """How it allocates."""
        return self.engine.create_runtime_config()

    # ---- memory, which contexts of Burnish see to

    def set_device_memory(self, memory: int, size: int) -> None:
        """Without effect: a context has memory of its own."""
        self.device_memory = memory

    def update_device_memory_size_for_shapes(self) -> int:
        """0: none is wanted of the caller."""
        return 0

    @property
    def persistent_cache_limit(self) -> int:
        """Bytes of the GPU's L2 cache that are set aside for intermediate results."""
        return self._persistent

    @persistent_cache_limit.setter
    def persistent_cache_limit(self, size: int) -> None:
        try:
            if self._on_host:
                self._report.no_effect("IExecutionContext.persistent_cache_limit", "the host has no such cache")
            else:
                capi.call(capi.runtime().burnish_context_set_persistent_cache, self._handle, int(size))
            self._persistent = int(size)
        except Error as error:
            self._report.failure(error)

    # ---- debug tensors

    def set_debug_listener(self, listener: Any) -> bool:
        """An IDebugListener, told of the debug tensors that are on after each run was enqueued; None: nobody."""
        self._listener = listener
        self._weigh_extra()
        return True

    def get_debug_listener(self) -> Any:
        """The one that was set, or None."""
        return self._listener

    def set_tensor_debug_state(self, name: str, flag: bool) -> bool:
        """Whether the listener is told of a debug tensor; False, and an error in the log, where it is none."""
        if name not in self._debug:
            known = ", ".join(self._debug) or "none: mark them with INetworkDefinition.mark_debug"
            self._report.error(f"the engine has no debug tensor '{name}'; it has {known}")
            return False
        self._debug[name] = bool(flag)
        self._weigh_extra()
        return True

    def get_debug_state(self, name: str) -> bool:
        """Whether the listener is told of it."""
        return self._debug.get(name, False)

    def set_all_tensors_debug_state(self, flag: bool) -> bool:
        """The same of all that were marked one by one."""
        return all([self.set_tensor_debug_state(name, flag) for name in self._debug if name not in self.engine._engine.unfused_tensors])

    @property
    def unfused_tensors_debug_state(self) -> bool:
        """Whether the listener is told of the tensors that were not fused away anyway."""
        unfused = self.engine._engine.unfused_tensors
        return bool(unfused) and all(self._debug[name] for name in unfused)

    @unfused_tensors_debug_state.setter
    def unfused_tensors_debug_state(self, flag: bool) -> None:
        for name in self.engine._engine.unfused_tensors:
            self.set_tensor_debug_state(name, flag)

    def _tell_listener(self, stream: int) -> bool:
        """Gives it each tensor where it lies, for use in the order of `stream`, until the next run."""
        for name in [name for name, on in self._debug.items() if on]:
            told = capi.Tensor()
            capi.call(capi.runtime().burnish_context_output, self._handle, name.encode(), byref(told))
            location = TensorLocation.HOST if told.memory == capi.HOST else TensorLocation.DEVICE
            kind, shape = dtype_named(capi.DTYPES[told.dtype]), Dims(told.shape[: told.rank])
            if not answer_of(self._listener.process_debug_tensor, told.data or 0, location, kind, shape, name, stream):
                self._report.error(f"the debug listener refused tensor '{name}'")
                return False
        return True
