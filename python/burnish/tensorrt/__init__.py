"""Burnish under the names of TensorRT's Python API: those of 8.6, 10.x and 11.x together.

    import burnish.tensorrt as trt

or `burnish.tensorrt.install()` before a script's own `import tensorrt`, or `python -m burnish.tensorrt script.py`."""

from __future__ import annotations

from . import interface
from .algorithm_selector import IAlgorithm, IAlgorithmContext, IAlgorithmIOInfo, IAlgorithmSelector, IAlgorithmVariant
from .builder import Builder
from .calibrator import IInt8Calibrator, IInt8EntropyCalibrator, IInt8EntropyCalibrator2, IInt8LegacyCalibrator, IInt8MinMaxCalibrator
from .callbacks import (
    IDebugListener,
    IGpuAllocator,
    IGpuAsyncAllocator,
    InterfaceInfo,
    IOutputAllocator,
    IProfiler,
    IProgressMonitor,
    IStreamReader,
    IStreamReaderV2,
    IStreamWriter,
    IVersionedInterface,
    Profiler,
)
from .config import IBuilderConfig
from .context import IExecutionContext
from .engine import ICudaEngine, IRuntimeConfig, ISerializationConfig
from .enums import *  # noqa: F401,F403
from .enums import bool  # noqa: A004, the interface's name
from .inspector import EngineInspector
from .install import install
from .layers.contraction import *  # noqa: F401,F403
from .layers.control import *  # noqa: F401,F403
from .layers.data import *  # noqa: F401,F403
from .layers.indexing import *  # noqa: F401,F403
from .layers.normalization import *  # noqa: F401,F403
from .layers.plugin import *  # noqa: F401,F403
from .layers.pointwise import *  # noqa: F401,F403
from .layers.quantization import *  # noqa: F401,F403
from .layers.reduction import *  # noqa: F401,F403
from .layers.resampling import *  # noqa: F401,F403
from .layers.shape import *  # noqa: F401,F403
from .layers.window import *  # noqa: F401,F403
from .layers.layer import ILayer
from .logger import IErrorRecorder, ILogger, Logger
from .network import INetworkDefinition
from .parser import OnnxParser, ParserError, get_nv_onnx_parser_version
from .plugins import (
    IPluginCreator,
    IPluginCreatorV3One,
    IPluginCreatorV3Quick,
    IPluginRegistry,
    IPluginV2,
    IPluginV2DynamicExt,
    IPluginV2Ext,
    IPluginV3,
    IPluginV3OneBuild,
    IPluginV3OneBuildV2,
    IPluginV3OneCore,
    IPluginV3OneRuntime,
    get_builder_plugin_registry,
    get_plugin_registry,
    init_libnvinfer_plugins,
)
from .plugin_extents import DimsExprs, IDimensionExpr, IExprBuilder
from .plugin_types import DynamicPluginTensorDesc, PluginField, PluginFieldCollection, PluginTensorDesc
from .profile import IOptimizationProfile
from .refitter import OnnxParserRefitter, Refitter
from .runtime import Runtime
from .tensor import ITensor
from .timing_cache import ITimingCache, TimingCacheKey, TimingCacheValue
from .types import Dims, Dims2, Dims3, Dims4, DimsHW, IHostMemory, Permutation, Weights, nptype, volume


def __getattr__(name: str):
    if name == "__version__":
        return interface.version
    raise AttributeError(f"module 'tensorrt' has no attribute '{name}'")
