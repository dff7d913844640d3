"""From a network and a config to an engine."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, List, Optional

from .. import building
from ..errors import Cancelled, DeviceError, Error
from . import calibrator, interface
from .config import IBuilderConfig
from .emitter import Unsayable
from .enums import BuilderFlag, DataType, ErrorCodeTRT, LayerType, MemoryPoolType, NetworkDefinitionCreationFlag, TacticSource, TensorFormat
from .logger import ILogger, NoEffect, Reporter, Scoped, answer_of
from .network import INetworkDefinition
from .plugins import registry
from .profile import IOptimizationProfile
from .types import IHostMemory, dtype_name

_QUANTIZED = (BuilderFlag.INT8, BuilderFlag.FP8, BuilderFlag.INT4, BuilderFlag.FP4)
_HALF_FLAGS = {DataType.HALF: BuilderFlag.FP16, DataType.BF16: BuilderFlag.BF16}
_LIBRARIES = {TacticSource.CUBLAS_LT: "cublaslt", TacticSource.CUDNN: "cudnn"}
_NO_GPU = (
    "this machine has no usable GPU to build for, and no other target was chosen; call burnish.tensorrt.install(target='cpu') to run on "
    "the host, or target='sm_90' to build for a GPU elsewhere"
)


class _Phases:
    """A build's stages as phases of an IProgressMonitor."""

    ROOT = "Building Engine"

    def __init__(self, monitor: Any):
        self._monitor, self._stage = monitor, None
        self._steps = 0
        answer_of(monitor.phase_start, self.ROOT, None, 1)

    def __call__(self, stage: str, done: int, total: int) -> bool:
        """True cancels."""
        if stage != self._stage:
            self._finish_stage()
            self._stage, self._steps = stage, 0
            answer_of(self._monitor.phase_start, stage, self.ROOT, total)
        goes_on = True
        while self._steps < done and goes_on:
            goes_on = answer_of(self._monitor.step_complete, stage, self._steps, failed=False)
            self._steps += 1
        return not goes_on

    def _finish_stage(self) -> None:
        if self._stage is not None:
            answer_of(self._monitor.phase_finish, self._stage)

    def close(self) -> None:
        self._finish_stage()
        answer_of(self._monitor.step_complete, self.ROOT, 0)
        answer_of(self._monitor.phase_finish, self.ROOT)


class _Refused(Exception):
    """A build that cannot be as it was asked for."""


class Builder(Scoped):
    """Builds engines. Failures are errors in the log, and None."""

    num_DLA_cores = 0
    max_DLA_batch_size = 0
    platform_has_tf32 = True
    platform_has_fast_fp16 = True
    platform_has_fast_int8 = True
    max_batch_size = NoEffect(1, "batches are explicit; give the batch axis a range in a profile")
    gpu_allocator = NoEffect(None, "Burnish has memory of its own")

    def __init__(self, logger: ILogger):
        self.logger = logger
        self.error_recorder = None
        self.max_threads = 0
        self._report = Reporter(logger, self)

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        """An empty network; its batches are explicit whatever the flags say."""
        for flag in (NetworkDefinitionCreationFlag.PREFER_JIT_PYTHON_PLUGINS, NetworkDefinitionCreationFlag.PREFER_AOT_PYTHON_PLUGINS):
            if int(flags) >> int(flag) & 1:
                self._report.no_effect(str(flag), "plugins in Python are called as they are")
        return INetworkDefinition(self, int(flags))

    def create_builder_config(self) -> IBuilderConfig:
        """Options of a build, as they are by default."""
        return IBuilderConfig(self.logger)

    def create_optimization_profile(self) -> IOptimizationProfile:
        """Ranges of extents, none set yet."""
        return IOptimizationProfile(self.logger)

    def get_plugin_registry(self) -> Any:
        """The registry of this process."""
        return registry

    def reset(self) -> None:
        """As new."""
        self.max_threads = 0
        NoEffect.reset(self)

    # ---- building

    def build_serialized_network(
        self, network: INetworkDefinition, config: IBuilderConfig, kernel_text: Any = None
    ) -> Optional[IHostMemory]:
        """The engine's bytes; None, and an error in the log, on failure."""
        if kernel_text is not None:
            self._report.no_effect("kernel_text", "Burnish writes its kernels itself")
        try:
            return IHostMemory(self._build(network, config))
        except Cancelled:
            self._report.error("the build was cancelled by the progress monitor", ErrorCodeTRT.INVALID_STATE)
        except DeviceError as error:
            self._report.error(_NO_GPU if interface.target is None else str(error.cause), ErrorCodeTRT.INVALID_STATE)
        except (_Refused, Unsayable) as error:
            self._report.error(str(error), ErrorCodeTRT.UNSUPPORTED_STATE)
        except (Error, ValueError) as error:  # ValueError: a model that protobuf cannot hold
            self._report.failure(error)
        return None

    def build_engine_with_config(self, network: INetworkDefinition, config: IBuilderConfig) -> Any:
        """An ICudaEngine, or None."""
        from .runtime import Runtime

        data = self.build_serialized_network(network, config)
        return None if data is None else Runtime(self.logger).deserialize_cuda_engine(data)

    build_engine = build_engine_with_config

    def build_cuda_engine(self, network: INetworkDefinition) -> Any:
        """7.x and 8.x: with a config of defaults."""
        return self.build_engine_with_config(network, self.create_builder_config())

    def build_serialized_network_to_stream(self, network: INetworkDefinition, config: IBuilderConfig, writer: Any) -> bool:
        """Hands the bytes to an IStreamWriter."""
        data = self.build_serialized_network(network, config)
        return data is not None and answer_of(writer.write, data, failed=-1) == len(data)

    def is_network_supported(self, network: INetworkDefinition, config: IBuilderConfig) -> bool:
        """Whether it would be built, as far as importing it tells."""
        try:
            self._refuse(network, config)
            self._node_precisions(network, config)
            building.check(*network.serialized(), network._plugin_override)
        except (_Refused, Unsayable, Error) as error:
            self._report.failure(error)
            return False
        return True

    def _build(self, network: INetworkDefinition, config: IBuilderConfig) -> bytes:
        self._refuse(network, config)
        precisions = self._node_precisions(network, config)
        model, folder = network.serialized()
        phases = _Phases(config.progress_monitor) if config.progress_monitor is not None else None
        try:
            with tempfile.TemporaryDirectory() as scratch:
                cache = self._timing_cache_file(config, scratch)
                options = building.Options(
                    targets=[interface.build_target()],
                    fp16=config.get_flag(BuilderFlag.FP16),
                    bf16=config.get_flag(BuilderFlag.BF16),
                    tf32=config.get_flag(BuilderFlag.TF32),
                    profiles=self._profiles(network, config),
                    workspace_bytes=config._pools.get(MemoryPoolType.WORKSPACE, 0),
                    max_tactics=max(config.max_num_tactics, 0),
                    averaged_timings=config.avg_timing_iterations,
                    shared_bytes=config._pools.get(MemoryPoolType.TACTIC_SHARED_MEMORY, 0),
                    max_branches=config.max_aux_streams + 1,  # beside the stream of the run
                    node_precisions=precisions,
                    debug_tensors=[t.name for t in network._debug],
                    debug_unfused=network._debug_unfused,
                    build_route=config.build_route,
                    optimization_level=config.builder_optimization_level,
                    timing_cache=cache,
                    timing_cache_mode="strict" if config.get_flag(BuilderFlag.ERROR_ON_TIMING_CACHE_MISS) else "append",
                    libraries=",".join(n for s, n in _LIBRARIES.items() if config.get_tactic_sources() >> int(s) & 1) or None,
                    plugin_override=network._plugin_override,
                    refit=self._refit(network, config),
                    strip_weights=config.get_flag(BuilderFlag.STRIP_PLAN),
                    threads=self.max_threads,
                    input_formats=self._formats(network._inputs),
                    output_formats=self._formats(network._outputs),
                    progress=phases,
                    note=self._report.info,
                )
                data = options.build(model, folder)
                self._keep_timings(config, cache)
                return data
        finally:
            if phases is not None:
                phases.close()

    @staticmethod
    def _profiles(network: INetworkDefinition, config: IBuilderConfig) -> List[Dict[str, tuple]]:
        """The ranges of dynamic inputs, as the build takes them."""
        dynamic = [t.name for t in network._inputs if -1 in t.shape]
        return [{name: p._shapes[name] for name in dynamic} for p in config._profiles] if dynamic else []

    @staticmethod
    def _refit(network: INetworkDefinition, config: IBuilderConfig) -> Any:
        """Which weights may be refitted, as the build takes it."""
        if config.get_flag(BuilderFlag.REFIT):
            return True
        if config.get_flag(BuilderFlag.REFIT_INDIVIDUAL):
            return sorted(network._refittable)
        return "identical" if config.get_flag(BuilderFlag.REFIT_IDENTICAL) else False

    # ---- what is refused

    def _refuse(self, network: INetworkDefinition, config: IBuilderConfig) -> None:
        """Raises _Refused, in one sentence, for what cannot be built as asked."""
        if config.int8_calibrator is not None and not config.get_flag(BuilderFlag.INT8):
            self._report.no_effect("IBuilderConfig.int8_calibrator", "the flag INT8 is not set")
        asked = next((f for f in _QUANTIZED if config.get_flag(f)), None)
        if asked is not None:
            self._read_calibration(config)
            raise _Refused(f"{asked} asks for quantised kernels, which Burnish does not build yet: clear the flag and build in FP16")
        if not network._outputs:
            raise _Refused("the network has no outputs: call mark_output")
        dynamic = [t for t in network._inputs if -1 in t.shape]
        if dynamic and not config._profiles:
            what = f"input '{dynamic[0].name}' has dynamic extents {dynamic[0].shape}"
            raise _Refused(f"{what}, and the config has no optimization profile: add one with its min, opt and max")
        faults: List[str] = [fault for fault in (p._fault(network._inputs) for p in config._profiles) if fault]
        if faults:
            raise _Refused(faults[0])

    def _node_precisions(self, network: INetworkDefinition, config: IBuilderConfig) -> List[tuple]:
        """(ONNX node, type, which result; 0: all that it does) of layers whose precision, or the type of whose outputs, was set. What
        cannot be kept is refused where it is to be obeyed, else told."""
        half = DataType.HALF if config.get_flag(BuilderFlag.FP16) else DataType.BF16 if config.get_flag(BuilderFlag.BF16) else None
        wanted = []
        for state in network._layers:
            wanted += self._precision(network, state, half, config)
            for index, kind in sorted(state.output_types.items()):
                if index < len(state.outputs):
                    wanted += self._output_type(network, state, index, kind, half, config)
        return wanted

    def _precision(self, network: INetworkDefinition, state: Any, half: Optional[DataType], config: IBuilderConfig) -> List[tuple]:
        kind = state.precision
        if state.type == LayerType.IDENTITY or kind is None or not state.outputs:  # the first: a cast
            return []
        if half is None if kind == DataType.FLOAT else kind == state.outputs[0].dtype:  # as it is anyway
            return []
        flags = (BuilderFlag.OBEY_PRECISION_CONSTRAINTS, BuilderFlag.PREFER_PRECISION_CONSTRAINTS)
        if not any(map(config.get_flag, flags)):
            why = "neither OBEY_PRECISION_CONSTRAINTS nor PREFER_PRECISION_CONSTRAINTS is set"
        elif half is None and kind in _HALF_FLAGS:
            why = f"the flag {_HALF_FLAGS[kind].name} is not set"
        elif kind not in (DataType.FLOAT, half):
            why = "layers are stored as FLOAT" + (f" or {half.name}" if half else ", HALF or BF16")
        else:
            return [(name, dtype_name(kind), 0) for name in network._node_names(state)]
        what = f"layer '{state.name}' is to be computed as {kind.name}, and {why}"
        self._unheeded("ILayer.precision", what, ": clear OBEY_PRECISION_CONSTRAINTS, or ask for another precision", config)
        return []

    def _output_type(
        self, network: INetworkDefinition, state: Any, index: int, kind: DataType, half: Optional[DataType], config: IBuilderConfig
    ) -> List[tuple]:
        declared = state.outputs[index].dtype
        if kind == declared and half is None:
            return []
        maker = network._maker(state, index) if declared == DataType.FLOAT and kind in (DataType.FLOAT, half) else None
        if maker is not None:
            return [(maker[0], dtype_name(kind), maker[1])]
        if kind != declared:
            why = "floating-point outputs are FLOAT" + (f" or {half.name}" if half else ": set BuilderFlag.FP16 or BF16 for others")
            what = f"output {index} of layer '{state.name}' is to be {kind.name}, and {why}"
            self._unheeded("ILayer.set_output_type", what, "; cast it in the network, or clear OBEY_PRECISION_CONSTRAINTS", config)
        return []

    def _unheeded(self, setting: str, why: str, remedy: str, config: IBuilderConfig) -> None:
        """What cannot be kept. Raises _Refused where it is to be obeyed."""
        if config.get_flag(BuilderFlag.OBEY_PRECISION_CONSTRAINTS):
            raise _Refused(why + remedy)
        self._report.no_effect(setting, why)

    def _read_calibration(self, config: IBuilderConfig) -> None:
        """Reads the calibrator's cache, so that a bad one is known now."""
        if config.int8_calibrator is None:
            return
        cache = answer_of(config.int8_calibrator.read_calibration_cache)
        if cache is None:
            self._report.info("the calibrator has no cache")
        else:
            self._report.info(f"the calibrator's cache has scales of {len(calibrator.read_cache(cache))} tensors")

    # ---- formats and timings

    def _formats(self, tensors: List[Any]) -> Dict[str, tuple]:
        """Types and layouts of inputs or outputs that are not as the network declares them."""
        formats = {}
        for tensor in tensors:
            dtype = tensor._format_dtype if tensor._format_dtype not in (None, tensor._dtype) else None
            layout = "row_major"
            if not tensor.allowed_formats >> int(TensorFormat.LINEAR) & 1:
                if not tensor.allowed_formats >> int(TensorFormat.HWC) & 1:
                    raise _Refused(f"'{tensor.name}' allows no format that Burnish has: allow TensorFormat.LINEAR or HWC")
                layout = "channels_last"
            if dtype is not None and dtype_name(dtype) not in ("float32", "float16", "bfloat16"):
                what = f"'{tensor.name}' is to be {dtype.name} in memory"
                raise _Refused(f"{what}, and only floating-point types can be chosen there: cast it in the network")
            if dtype is not None or layout != "row_major":
                formats[tensor.name] = (dtype_name(dtype) if dtype else None, layout)
        return formats

    def _timing_cache_file(self, config: IBuilderConfig, folder: str) -> Optional[str]:
        cache = config.get_timing_cache()
        if config.get_flag(BuilderFlag.DISABLE_TIMING_CACHE) or interface.target == "cpu":
            return None
        path = os.path.join(folder, "kernels.timing")
        if cache is not None and cache._data:
            with open(path, "wb") as file:
                file.write(cache._data)
        return path

    def _keep_timings(self, config: IBuilderConfig, path: Optional[str]) -> None:
        if path is None or not os.path.exists(path):
            return
        if config.get_timing_cache() is None:
            config.set_timing_cache(config.create_timing_cache(b""), False)
        with open(path, "rb") as file:
            config.get_timing_cache()._data = file.read()
