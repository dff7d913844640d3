"""An engine, as scripts see it."""

from __future__ import annotations

import functools
import weakref
from typing import Any, Dict, List, Optional, Union

from ..engine import Engine, Port
from ..errors import Error
from .context import IExecutionContext
from .enums import (
    DataType,
    EngineCapability,
    EngineStat,
    ExecutionContextAllocationStrategy,
    HardwareCompatibilityLevel,
    ProfilingVerbosity,
    TensorFormat,
    TensorIOMode,
    TensorLocation,
)
from .inspector import EngineInspector, steps_of
from .logger import NoEffect, Reporter, Scoped
from .types import Dims, IHostMemory, dtype_named

_FORMATS = {TensorFormat.LINEAR: "Row major linear format", TensorFormat.HWC: "Channels last"}


class IRuntimeConfig:
    """How a context allocates."""

    def __init__(self) -> None:
        self._strategy = ExecutionContextAllocationStrategy.STATIC

    def set_execution_context_allocation_strategy(self, strategy: ExecutionContextAllocationStrategy) -> None:
        self._strategy = strategy

    def get_execution_context_allocation_strategy(self) -> ExecutionContextAllocationStrategy:
        return self._strategy


class ISerializationConfig:
    """What of an engine is serialised: all of it."""

    def __init__(self) -> None:
        self.flags = 0

    def set_flag(self, flag: Any) -> bool:
        self.flags |= 1 << int(flag)
        return True

    def clear_flag(self, flag: Any) -> bool:
        self.flags &= ~(1 << int(flag))
        return True

    def get_flag(self, flag: Any) -> bool:
        return bool(self.flags >> int(flag) & 1)


class _Bindings:
    """The names of 8.6: tensors by number, once more for each profile."""

    num_bindings = property(lambda self: self.num_io_tensors * self.num_optimization_profiles)
    max_batch_size = 1
    has_implicit_batch_dimension = False

    def __len__(self) -> int:
        return self.num_bindings

    def get_binding_index(self, name: str) -> int:
        """-1 for a name that is none."""
        return next((i for i, p in enumerate(self._ports) if p.name == name), -1)

    def _binding(self, binding: Union[int, str]) -> str:
        return binding if isinstance(binding, str) else self._ports[binding % self.num_io_tensors].name

    def get_binding_name(self, index: int) -> str:
        return self._binding(index)

    def get_binding_shape(self, binding: Union[int, str]) -> Dims:
        return self.get_tensor_shape(self._binding(binding))

    def get_binding_dtype(self, binding: Union[int, str]) -> Optional[DataType]:
        return self.get_tensor_dtype(self._binding(binding))

    def binding_is_input(self, binding: Union[int, str]) -> bool:
        return self.get_tensor_mode(self._binding(binding)) == TensorIOMode.INPUT

    def is_shape_binding(self, binding: int) -> bool:
        return False

    def is_execution_binding(self, binding: int) -> bool:
        return True

    def get_binding_format(self, binding: int) -> TensorFormat:
        return self.get_tensor_format(self._binding(binding))

    def get_binding_format_desc(self, binding: int) -> str:
        return self.get_tensor_format_desc(self._binding(binding))

    def get_binding_bytes_per_component(self, binding: int) -> int:
        return -1

    get_binding_components_per_element = get_binding_vectorized_dim = get_binding_bytes_per_component

    def get_location(self, binding: Union[int, str]) -> TensorLocation:
        return TensorLocation.DEVICE

    def get_profile_shape_input(self, profile_index: int, binding: Union[int, str]) -> List[List[int]]:
        """RuntimeError: no input is a shape input."""
        return self.get_tensor_profile_values(profile_index, self._binding(binding))

    def get_profile_shape(self, profile_index: int, binding: Union[int, str]) -> List[Dims]:
        return self.get_tensor_profile_shape(self._binding(binding), profile_index)


class ICudaEngine(_Bindings, Scoped):
    """An engine: its inputs and outputs, and contexts that run it. Keeps its runtime alive."""

    engine_capability = EngineCapability.STANDARD
    profiling_verbosity = ProfilingVerbosity.DETAILED
    hardware_compatibility_level = HardwareCompatibilityLevel.NONE
    tactic_sources = 0
    streamable_weights_size = 0
    minimum_weight_streaming_budget = 0
    weight_streaming_budget = NoEffect(0, "all weights are on the GPU")
    weight_streaming_budget_v2 = NoEffect(0, "all weights are on the GPU")
    weight_streaming_scratch_memory_size = 0

    def __init__(self, engine: Engine, runtime: Any):
        self._engine, self._runtime = engine, runtime
        self._report = Reporter(runtime.logger, self)
        self.error_recorder = runtime.error_recorder
        self._ports = [*engine.inputs, *engine.outputs]
        self._by_name: Dict[str, Port] = {p.name: p for p in self._ports}
        self._inputs = {p.name for p in engine.inputs}
        self._contexts: weakref.WeakSet = weakref.WeakSet()

    @property
    def refittable(self) -> bool:
        """Whether a Refitter can give it other weights."""
        return bool(self._engine.weights)

    def _become(self, refitted: Engine) -> None:
        """The same engine with other weights, for its contexts too."""
        self._engine = refitted
        self.__dict__.pop("_plan", None)
        for context in self._contexts:
            context._reopen()

    # ---- inputs and outputs

    num_io_tensors = property(lambda self: len(self._ports))

    def get_tensor_name(self, index: int) -> str:
        """Inputs first, each in the network's order."""
        return self._ports[index].name

    def __getitem__(self, index: Union[int, str]) -> Union[str, int]:
        """A number's name; in 8.6 also a name's number."""
        return self.get_binding_index(index) if isinstance(index, str) else self._binding(range(self.num_bindings)[index])

    def __iter__(self):
        return (p.name for p in self._ports)

    def _port(self, name: str) -> Optional[Port]:
        port = self._by_name.get(name)
        if port is None:
            self._report.error(f"the engine has no tensor '{name}'; it has {', '.join(self._by_name)}")
        return port

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        """INPUT or OUTPUT; NONE for a name that the engine does not have."""
        if self._port(name) is None:
            return TensorIOMode.NONE
        return TensorIOMode.INPUT if name in self._inputs else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name: str) -> Dims:
        """-1 is dynamic."""
        port = self._port(name)
        return Dims(port.shape) if port else Dims()

    def get_tensor_dtype(self, name: str) -> Optional[DataType]:
        """Element type in the caller's memory; None for those that the interface has no name for."""
        port = self._port(name)
        if port is None:
            return DataType.FLOAT
        kind = dtype_named(port.dtype)
        if kind is None:
            self._report.error(f"'{name}' is of type {port.dtype}, which the interface has no DataType for; use burnish.Engine")
        return kind

    def get_tensor_location(self, name: str) -> TensorLocation:
        """DEVICE: every address is one of the device."""
        return TensorLocation.DEVICE

    def is_shape_inference_io(self, name: str) -> bool:
        """False: extents are read from any tensor, on the device."""
        return False

    def get_aliased_input_tensor(self, name: str) -> None:
        """None: no output shares memory with an input."""
        return None

    def is_debug_tensor(self, name: str) -> bool:
        """False."""
        return False

    def _order(self, name: str) -> List[int]:
        """Axes from the slowest to the fastest, where it is not row-major."""
        plan = self._engine.description["plans"][0]
        return next((p.get("order", []) for p in [*plan["inputs"], *plan["outputs"]] if p["name"] == name), [])

    def get_tensor_format(self, name: str, profile_index: int = 0) -> TensorFormat:
        """LINEAR (row-major), or HWC where the build asked for channels last."""
        return TensorFormat.HWC if self._order(name) else TensorFormat.LINEAR

    def get_tensor_format_desc(self, name: str, profile_index: int = 0) -> str:
        """The same in words, with the element type."""
        kind = self.get_tensor_dtype(name)
        return f"{_FORMATS[self.get_tensor_format(name)]} ({kind.name if kind else self._by_name[name].dtype})"

    def get_tensor_bytes_per_component(self, name: str, profile_index: int = 0) -> int:
        """-1, as for every format that is not vectorised."""
        return -1

    def get_tensor_components_per_element(self, name: str, profile_index: int = 0) -> int:
        """-1, as for every format that is not vectorised."""
        return -1

    def get_tensor_vectorized_dim(self, name: str, profile_index: int = 0) -> int:
        """-1, as for every format that is not vectorised."""
        return -1

    # ---- profiles

    @property
    def num_optimization_profiles(self) -> int:
        """At least one."""
        return max(1, len(self._engine.profiles))

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> List[Dims]:
        """[min, opt, max]; three times its shape where that is fixed. Burnish's profile limits no input that was built without."""
        if self._port(name) is None or name not in self._inputs:
            return []
        if profile_index < len(self._engine.profiles):
            return [Dims(s) for s in self._engine.profiles[profile_index][name]]
        return [Dims(self._by_name[name].shape)] * 3

    def get_tensor_profile_values(self, *arguments: Any) -> List[List[int]]:
        """RuntimeError: no input is a shape input."""
        raise RuntimeError(f"{arguments!r}: no input of an engine of Burnish is a shape input")

    # ---- contexts

    def create_execution_context(self, strategy: Any = ExecutionContextAllocationStrategy.STATIC) -> Optional[IExecutionContext]:
        """A context, or None with an error in the log. Memory grows with the extents that are run, whatever the strategy."""
        try:
            context = IExecutionContext(self)
            self._contexts.add(context)
            return context
        except Error as error:
            self._report.failure(error)
            return None

    def create_execution_context_without_device_memory(self) -> Optional[IExecutionContext]:
        """The same as create_execution_context."""
        return self.create_execution_context(ExecutionContextAllocationStrategy.USER_MANAGED)

    def create_runtime_config(self) -> IRuntimeConfig:
        """How contexts allocate."""
        return IRuntimeConfig()

    # ---- what it is

    @property
    def name(self) -> str:
        """The network's name."""
        return self._engine.description.get("model", "")

    @functools.cached_property
    def _plan(self) -> dict:
        return steps_of(self._engine)

    num_layers = property(lambda self: len(self._plan["steps"]))
    num_aux_streams = property(lambda self: max(self._plan.get("max_branches", 1) - 1, 0))

    def is_debug_tensor(self, name: str) -> bool:
        """Whether it is a tensor inside the engine that can be looked at."""
        return any(p.name == name for p in self._engine.debug_tensors)

    @property
    def device_memory_size(self) -> int:
        """Bytes of temporaries, where they do not depend on extents; else 0: they are allocated as they are needed."""
        return self._plan.get("device_arena", {}).get("bytes", 0)

    device_memory_size_v2 = device_memory_size

    def get_device_memory_size_for_profile(self, profile_index: int) -> int:
        """As device_memory_size."""
        return self.device_memory_size

    get_device_memory_size_for_profile_v2 = get_device_memory_size_for_profile

    def get_weight_streaming_automatic_budget(self) -> int:
        """0: no weights are streamed."""
        return 0

    def get_engine_stat(self, stat: EngineStat) -> int:
        """Bytes of weights, and of those that the engine does not hold."""
        held = stat == EngineStat.TOTAL_WEIGHTS_SIZE or self._engine.is_stripped
        return self._plan["constant_bytes"] if held else 0

    def serialize(self) -> IHostMemory:
        """The bytes that it was made of."""
        return IHostMemory(self._engine.serialize())

    def create_serialization_config(self) -> ISerializationConfig:
        """What is serialised."""
        return ISerializationConfig()

    def serialize_with_config(self, config: ISerializationConfig) -> IHostMemory:
        """The same bytes, whatever the config says."""
        if config.flags:
            self._report.no_effect("ISerializationConfig.flags", "an engine is serialised whole")
        return self.serialize()

    def create_engine_inspector(self) -> EngineInspector:
        return EngineInspector(self)
