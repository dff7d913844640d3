"""What a builder is asked for."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from .. import capi
from . import interface
from .enums import (
    BuilderFlag,
    DeviceType,
    EngineCapability,
    HardwareCompatibilityLevel,
    MemoryPoolType,
    PreviewFeature,
    ProfilingVerbosity,
    QuantizationFlag,
    RuntimePlatform,
    TacticSource,
    TilingOptimizationLevel,
    mask_of,
)
from .logger import NoEffect, Reporter, Scoped
from .profile import IOptimizationProfile
from .timing_cache import ITimingCache

#: flags that make no difference to Burnish, and why
_WITHOUT_EFFECT = {
    BuilderFlag.DEBUG: "builds report through the logger in any case",
    BuilderFlag.GPU_FALLBACK: "there is no DLA to fall back from",
    BuilderFlag.SPARSE_WEIGHTS: "Burnish has no kernels for sparse weights; the dense ones are right for them",
    BuilderFlag.SAFETY_SCOPE: "Burnish has no safety runtime",
    BuilderFlag.DIRECT_IO: "inputs and outputs are read and written in their formats in any case",
    BuilderFlag.REJECT_EMPTY_ALGORITHMS: "no algorithm selector is asked",
    BuilderFlag.VERSION_COMPATIBLE: "an engine of Burnish says which versions run it",
    BuilderFlag.EXCLUDE_LEAN_RUNTIME: "an engine of Burnish holds no runtime",
    BuilderFlag.DISABLE_COMPILATION_CACHE: "the timing cache holds times alone",
    BuilderFlag.WEIGHT_STREAMING: "all weights are on the GPU",
    BuilderFlag.STRICT_NANS: "NaNs are kept in any case",
    BuilderFlag.MONITOR_MEMORY: "the engine says what memory it needs",
    BuilderFlag.EDITABLE_TIMING_CACHE: "the timing cache is text, which can be edited in any case",
    BuilderFlag.DISTRIBUTIVE_INDEPENDENCE: "each element's sum is taken in one order in any case",
}


class IBuilderConfig(Scoped):
    """Options of a build. TF32 is on by default."""

    min_timing_iterations = NoEffect(1, "how often a kernel is timed follows from builder_optimization_level")
    algorithm_selector = NoEffect(None, "kernels are chosen by Burnish's tuner; its timing cache can be edited")
    engine_capability = NoEffect(EngineCapability.STANDARD, "Burnish builds engines for its own runtime alone")
    default_device_type = NoEffect(DeviceType.GPU, "Burnish builds for the GPU, not for a DLA")
    DLA_core = NoEffect(-1, "Burnish builds for the GPU, not for a DLA")
    hardware_compatibility_level = NoEffect(
        HardwareCompatibilityLevel.NONE, "an engine is for the targets that it was built for; install(target=…) names others"
    )
    runtime_platform = NoEffect(RuntimePlatform.SAME_AS_BUILD, "engines run on Linux")
    profile_stream = NoEffect(0, "kernels are timed on a stream of the tuner")
    plugins_to_serialize = NoEffect([], "an engine names the plugins that it needs and holds none")
    tiling_optimization_level = NoEffect(TilingOptimizationLevel.NONE, "tiles are chosen by Burnish's tuner")
    l2_limit_for_tiling = NoEffect(-1, "tiles are chosen by Burnish's tuner")
    remote_auto_tuning_config = NoEffect("", "kernels are timed on this machine's GPU")

    def __init__(self, logger: Any):
        self._report = Reporter(logger)
        self.reset()

    def reset(self) -> None:
        """Everything as in a new one."""
        NoEffect.reset(self)
        self._flags = {BuilderFlag.TF32}
        self._pools: Dict[MemoryPoolType, int] = {}
        self._profiles: List[IOptimizationProfile] = []
        self._timing_cache: Optional[ITimingCache] = None
        self._previews: Dict[PreviewFeature, bool] = {}
        self._quantization_flags: set = set()
        self._tactic_sources = mask_of((TacticSource.EDGE_MASK_CONVOLUTIONS, TacticSource.JIT_CONVOLUTIONS))
        self._calibration_profile: Optional[IOptimizationProfile] = None
        self._level = 3
        self.avg_timing_iterations = 1  #: timings of a kernel that are averaged to one
        self.max_aux_streams = -1  #: branches beside the first one that run at once at most, where runs are CUDA graphs; -1: all
        self.build_route = ""  #: knobs that go before the other options: "-optimization_level=4 -max_branches=1"
        self.max_num_tactics = -1  #: kernels of a layer that are timed at most; -1: as many as the level says
        self.int8_calibrator = None
        self.progress_monitor = None
        self._verbosity = ProfilingVerbosity.LAYER_NAMES_ONLY

    # ---- flags

    def set_flag(self, flag: BuilderFlag) -> None:
        """What has no meaning for Burnish says so once, through the logger."""
        self._flags.add(flag)
        if flag in _WITHOUT_EFFECT:
            self._report.no_effect(str(flag), _WITHOUT_EFFECT[flag])

    def clear_flag(self, flag: BuilderFlag) -> None:
        """Takes a flag away."""
        self._flags.discard(flag)

    def get_flag(self, flag: BuilderFlag) -> bool:
        """Whether it is set."""
        return flag in self._flags

    @property
    def flags(self) -> int:
        """The flags as a bit mask."""
        return mask_of(self._flags)

    @flags.setter
    def flags(self, mask: int) -> None:
        self._flags.clear()
        for flag in BuilderFlag:
            if mask >> int(flag) & 1:
                self.set_flag(flag)

    # ---- memory

    def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: int) -> None:
        """Bytes. WORKSPACE limits the scratch memory of a kernel, TACTIC_SHARED_MEMORY the shared memory of its blocks; the other pools
        are not Burnish's."""
        self._pools[pool] = int(pool_size)
        if pool not in (MemoryPoolType.WORKSPACE, MemoryPoolType.TACTIC_SHARED_MEMORY):
            self._report.no_effect(str(pool), "Burnish has two pools, WORKSPACE and TACTIC_SHARED_MEMORY")

    def get_memory_pool_limit(self, pool: MemoryPoolType) -> int:
        """Bytes; of WORKSPACE, where nothing limits it, all memory of the GPU."""
        return self._pools.get(pool, interface.memory_bytes() if pool == MemoryPoolType.WORKSPACE else 0)

    @property
    def max_workspace_size(self) -> int:
        """8.x: the limit of WORKSPACE."""
        return self.get_memory_pool_limit(MemoryPoolType.WORKSPACE)

    @max_workspace_size.setter
    def max_workspace_size(self, size: int) -> None:
        self.set_memory_pool_limit(MemoryPoolType.WORKSPACE, size)

    # ---- profiles

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        """Its index; -1 for one that is empty."""
        if not profile:
            self._report.error("the optimization profile is empty; give it shapes with set_shape")
            return -1
        self._profiles.append(profile)
        return len(self._profiles) - 1

    num_optimization_profiles = property(lambda self: len(self._profiles))

    def set_calibration_profile(self, profile: IOptimizationProfile) -> bool:
        """Kept; there is nothing to calibrate yet."""
        self._calibration_profile = profile
        self._report.no_effect("IBuilderConfig.set_calibration_profile", "Burnish has no quantised kernels yet")
        return True

    def get_calibration_profile(self) -> Optional[IOptimizationProfile]:
        """What was set, or None."""
        return self._calibration_profile

    # ---- tuning

    @property
    def builder_optimization_level(self) -> int:
        """0 to 5. 0 and 1 choose kernels by estimate; 2 to 5 time them, ever more of them."""
        return self._level

    @builder_optimization_level.setter
    def builder_optimization_level(self, level: int) -> None:
        if not 0 <= level <= 5:
            self._report.error(f"builder_optimization_level {level} is not from 0 to 5; it stays {self._level}")
            return
        self._level = int(level)

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
        """From the bytes of an earlier one; empty bytes for a new one."""
        return ITimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        """Times are read from it, and what the build times is added to it."""
        self._timing_cache = cache
        return True

    def get_timing_cache(self) -> Optional[ITimingCache]:
        """The one that was set, or that the last build made."""
        return self._timing_cache

    def set_tactic_sources(self, tactic_sources: int) -> bool:
        """CUBLAS_LT and CUDNN: their routines are candidates where the libraries are there."""
        self._tactic_sources = int(tactic_sources)
        return True

    def get_tactic_sources(self) -> int:
        """A mask of TacticSource."""
        return self._tactic_sources

    @property
    def all_build_routes(self) -> str:
        """The knobs that `build_route` may choose, as a JSON list of {option, allowed_values, default_value, help}."""
        return json.dumps(json.loads(capi.text(capi.compiler().burnish_build_knobs))["tuner_options"])

    @property
    def profiling_verbosity(self) -> ProfilingVerbosity:
        """What an engine tells of its layers: all of it, whatever is asked."""
        return self._verbosity

    @profiling_verbosity.setter
    def profiling_verbosity(self, verbosity: ProfilingVerbosity) -> None:
        self._verbosity = verbosity
        if verbosity == ProfilingVerbosity.NONE:
            self._report.no_effect(str(verbosity), "an engine knows the names of its layers")

    # ---- what is kept and makes no difference

    def set_preview_feature(self, feature: PreviewFeature, enable: bool) -> None:
        """Kept, and without effect."""
        self._previews[feature] = bool(enable)
        if enable:
            self._report.no_effect(str(feature), "what is useful of it is always on")

    def get_preview_feature(self, feature: PreviewFeature) -> bool:
        """Whether it was enabled."""
        return self._previews.get(feature, False)

    def set_quantization_flag(self, flag: QuantizationFlag) -> None:
        """Kept, and without effect."""
        self._quantization_flags.add(flag)
        self._report.no_effect(str(flag), "Burnish has no quantised kernels yet")

    def clear_quantization_flag(self, flag: QuantizationFlag) -> None:
        """Takes a flag away."""
        self._quantization_flags.discard(flag)

    def get_quantization_flag(self, flag: QuantizationFlag) -> bool:
        """Whether it is set."""
        return flag in self._quantization_flags

    def set_device_type(self, layer: Any, device_type: DeviceType) -> None:
        """Layers run on the GPU, whatever is set."""
        if device_type != DeviceType.GPU:
            self._report.no_effect("IBuilderConfig.set_device_type", "Burnish builds for the GPU, not for a DLA")

    def get_device_type(self, layer: Any) -> DeviceType:
        """GPU."""
        return DeviceType.GPU

    def is_device_type_set(self, layer: Any) -> bool:
        """False."""
        return False

    def reset_device_type(self, layer: Any) -> None:
        """Nothing to do."""
        pass

    def can_run_on_DLA(self, layer: Any) -> bool:  # noqa: N802, the interface's name
        """False."""
        return False
