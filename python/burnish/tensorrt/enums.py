"""The interface's enumerations, with its numbers (those of 10.x; names of 8.6 and 11.x beside them)."""
from __future__ import annotations

import enum
from typing import Optional, Union


class Enum(enum.Enum):
    """Equal to its own kind alone; int() gives the number, str() "Kind.NAME"."""

    def __int__(self) -> int:
        return self.value

    def __index__(self) -> int:
        return self.value

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __repr__(self) -> str:
        return f"<{self}: {self.value}>"

    __hash__ = enum.Enum.__hash__


def _counted(kind: str, names: str) -> type:
    """An enumeration of the names, from 0 on."""
    made = Enum(kind, {name: i for i, name in enumerate(names.split())})
    made.__module__ = __name__
    return made


class DataType(Enum):
    """Element types."""

    FLOAT = 0
    HALF = 1
    INT8 = 2
    INT32 = 3
    BOOL = 4
    UINT8 = 5
    FP8 = 6
    BF16 = 7
    INT64 = 8
    INT4 = 9
    FP4 = 10
    E8M0 = 11

    @property
    def itemsize(self) -> Optional[Union[int, float]]:
        """Bytes of one element; 0.5 for the types of four bits."""
        return {0: 4, 1: 2, 2: 1, 3: 4, 4: 1, 5: 1, 6: 1, 7: 2, 8: 8, 9: 0.5, 10: 0.5}.get(self.value)


float32, float16, bfloat16 = DataType.FLOAT, DataType.HALF, DataType.BF16
int8, int32, int64, uint8 = DataType.INT8, DataType.INT32, DataType.INT64, DataType.UINT8
fp8, int4, fp4, e8m0 = DataType.FP8, DataType.INT4, DataType.FP4, DataType.E8M0
bool = DataType.BOOL  # noqa: A001, the interface's name


class BuilderFlag(Enum):
    FP16 = 0
    INT8 = 1
    DEBUG = 2
    GPU_FALLBACK = 3
    REFIT = 4
    DISABLE_TIMING_CACHE = 5
    TF32 = 6
    SPARSE_WEIGHTS = 7
    SAFETY_SCOPE = 8
    OBEY_PRECISION_CONSTRAINTS = 9
    PREFER_PRECISION_CONSTRAINTS = 10
    DIRECT_IO = 11
    REJECT_EMPTY_ALGORITHMS = 12
    VERSION_COMPATIBLE = 13
    EXCLUDE_LEAN_RUNTIME = 14
    FP8 = 15
    ERROR_ON_TIMING_CACHE_MISS = 16
    BF16 = 17
    DISABLE_COMPILATION_CACHE = 18
    STRIP_PLAN = 19
    WEIGHTLESS = 19
    REFIT_IDENTICAL = 20
    WEIGHT_STREAMING = 21
    INT4 = 22
    REFIT_INDIVIDUAL = 23
    STRICT_NANS = 24
    MONITOR_MEMORY = 25
    FP4 = 26
    EDITABLE_TIMING_CACHE = 27
    DISTRIBUTIVE_INDEPENDENCE = 28
    STRICT_TYPES = 9  # 8.6, which told to obey as well


class NetworkDefinitionCreationFlag(Enum):
    EXPLICIT_BATCH = 0
    STRONGLY_TYPED = 1
    EXPLICIT_PRECISION = 1  # 8.6
    PREFER_JIT_PYTHON_PLUGINS = 2
    PREFER_AOT_PYTHON_PLUGINS = 3


class ProfilingVerbosity(Enum):
    LAYER_NAMES_ONLY = 0
    NONE = 1
    DETAILED = 2
    DEFAULT = 0  # 8.x
    VERBOSE = 2  # 8.x


class PreviewFeature(Enum):
    PROFILE_SHARING_0806 = 0
    ALIASED_PLUGIN_IO_10_03 = 1
    RUNTIME_ACTIVATION_RESIZE_10_10 = 2
    MULTIDEVICE_RUNTIME_10_16 = 3
    FASTER_DYNAMIC_SHAPES_0805 = 4  # 8.6, whose numbers 10.x gave to others
    DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805 = 5


LayerType = _counted(
    "LayerType",
    "CONVOLUTION CAST ACTIVATION POOLING LRN SCALE SOFTMAX DECONVOLUTION CONCATENATION ELEMENTWISE PLUGIN UNARY PADDING SHUFFLE REDUCE "
    "TOPK GATHER MATRIX_MULTIPLY RAGGED_SOFTMAX CONSTANT IDENTITY PLUGIN_V2 SLICE SHAPE PARAMETRIC_RELU RESIZE TRIP_LIMIT RECURRENCE "
    "ITERATOR LOOP_OUTPUT SELECT FILL QUANTIZE DEQUANTIZE CONDITION CONDITIONAL_INPUT CONDITIONAL_OUTPUT SCATTER EINSUM ASSERTION ONE_HOT "
    "NON_ZERO GRID_SAMPLE NMS REVERSE_SEQUENCE NORMALIZATION PLUGIN_V3 SQUEEZE UNSQUEEZE CUMULATIVE DYNAMIC_QUANTIZE ATTENTION_INPUT "
    "ATTENTION_OUTPUT ROTARY_EMBEDDING KVCACHE_UPDATE MOE DIST_COLLECTIVE",
)
TensorFormat = _counted("TensorFormat", "LINEAR CHW2 HWC8 CHW4 CHW16 CHW32 DHWC8 CDHW32 HWC DLA_LINEAR DLA_HWC4 HWC16 DHWC")
ActivationType = _counted(
    "ActivationType",
    "RELU SIGMOID TANH LEAKY_RELU ELU SELU SOFTSIGN SOFTPLUS CLIP HARD_SIGMOID SCALED_TANH THRESHOLDED_RELU GELU_ERF GELU_TANH",
)
ElementWiseOperation = _counted(
    "ElementWiseOperation", "SUM PROD MAX MIN SUB DIV POW FLOOR_DIV AND OR XOR EQUAL GREATER LESS"
)
UnaryOperation = _counted(
    "UnaryOperation",
    "EXP LOG SQRT RECIP ABS NEG SIN COS TAN SINH COSH ASIN ACOS ATAN ASINH ACOSH ATANH CEIL FLOOR ERF NOT SIGN ROUND ISINF ISNAN",
)
PoolingType = _counted("PoolingType", "MAX AVERAGE MAX_AVERAGE_BLEND")
PaddingMode = _counted("PaddingMode", "EXPLICIT_ROUND_DOWN EXPLICIT_ROUND_UP SAME_UPPER SAME_LOWER")
ReduceOperation = _counted("ReduceOperation", "SUM PROD MAX MIN AVG NONE")
TopKOperation = _counted("TopKOperation", "MAX MIN")
MatrixOperation = _counted("MatrixOperation", "NONE TRANSPOSE VECTOR")
InterpolationMode = _counted("InterpolationMode", "NEAREST LINEAR CUBIC")
ResizeMode = InterpolationMode  # 8.x
ResizeCoordinateTransformation = _counted("ResizeCoordinateTransformation", "ALIGN_CORNERS ASYMMETRIC HALF_PIXEL")
ResizeSelector = _counted("ResizeSelector", "FORMULA UPPER")
ResizeRoundMode = _counted("ResizeRoundMode", "HALF_UP HALF_DOWN FLOOR CEIL")
SampleMode = _counted("SampleMode", "STRICT_BOUNDS WRAP CLAMP FILL REFLECT")
LoopOutput = _counted("LoopOutput", "LAST_VALUE CONCATENATE REVERSE")
TripLimit = _counted("TripLimit", "COUNT WHILE")
FillOperation = _counted("FillOperation", "LINSPACE RANDOM_UNIFORM RANDOM_NORMAL")
GatherMode = _counted("GatherMode", "DEFAULT ELEMENT ND")
ScatterMode = _counted("ScatterMode", "ELEMENT ND")
ScaleMode = _counted("ScaleMode", "UNIFORM CHANNEL ELEMENTWISE")
CumulativeOperation = _counted("CumulativeOperation", "SUM")
BoundingBoxFormat = _counted("BoundingBoxFormat", "CORNER_PAIRS CENTER_SIZES")
AttentionNormalizationOp = _counted("AttentionNormalizationOp", "NONE SOFTMAX")
CausalMaskKind = _counted("CausalMaskKind", "NONE UPPER_LEFT LOWER_RIGHT")
KVCacheMode = _counted("KVCacheMode", "LINEAR")
MoEActType = _counted("MoEActType", "NONE SILU")
CollectiveOperation = _counted(
    "CollectiveOperation", "ALL_REDUCE ALL_GATHER BROADCAST REDUCE REDUCE_SCATTER ALL_TO_ALL GATHER SCATTER"
)
WeightsRole = _counted("WeightsRole", "KERNEL BIAS SHIFT SCALE CONSTANT ANY")
TensorIOMode = _counted("TensorIOMode", "NONE INPUT OUTPUT")
TensorLocation = _counted("TensorLocation", "DEVICE HOST")
MemoryPoolType = _counted(
    "MemoryPoolType", "WORKSPACE DLA_MANAGED_SRAM DLA_LOCAL_DRAM DLA_GLOBAL_DRAM TACTIC_DRAM TACTIC_SHARED_MEMORY"
)
TacticSource = _counted("TacticSource", "CUBLAS CUBLAS_LT CUDNN EDGE_MASK_CONVOLUTIONS JIT_CONVOLUTIONS")
EngineCapability = _counted("EngineCapability", "STANDARD SAFETY DLA_STANDALONE")
DeviceType = _counted("DeviceType", "GPU DLA")
HardwareCompatibilityLevel = _counted("HardwareCompatibilityLevel", "NONE AMPERE_PLUS SAME_COMPUTE_CAPABILITY")
RuntimePlatform = _counted("RuntimePlatform", "SAME_AS_BUILD WINDOWS_AMD64")
TilingOptimizationLevel = _counted("TilingOptimizationLevel", "NONE FAST MODERATE FULL")
QuantizationFlag = _counted("QuantizationFlag", "CALIBRATE_BEFORE_FUSION")
CalibrationAlgoType = _counted(
    "CalibrationAlgoType", "LEGACY_CALIBRATION ENTROPY_CALIBRATION ENTROPY_CALIBRATION_2 MINMAX_CALIBRATION"
)
ExecutionContextAllocationStrategy = _counted("ExecutionContextAllocationStrategy", "STATIC ON_PROFILE_CHANGE USER_MANAGED")
LayerInformationFormat = _counted("LayerInformationFormat", "ONELINE JSON")
EngineStat = _counted("EngineStat", "TOTAL_WEIGHTS_SIZE STRIPPED_WEIGHTS_SIZE")
SerializationFlag = _counted("SerializationFlag", "EXCLUDE_WEIGHTS EXCLUDE_LEAN_RUNTIME INCLUDE_REFIT")
TempfileControlFlag = _counted("TempfileControlFlag", "ALLOW_IN_MEMORY_FILES ALLOW_TEMPORARY_FILES")
AllocatorFlag = _counted("AllocatorFlag", "RESIZABLE")
SeekPosition = _counted("SeekPosition", "SET CUR END")
APILanguage = _counted("APILanguage", "CPP PYTHON")
ComputeCapability = _counted("ComputeCapability", "NONE CURRENT SM75 SM80 SM86 SM89 SM120")
DLAWorkspaceAllocationStrategy = _counted("DLAWorkspaceAllocationStrategy", "STATIC ON_PROFILE_CHANGE USER_MANAGED")
OnnxParserFlag = _counted(
    "OnnxParserFlag",
    "NATIVE_INSTANCENORM ENABLE_UINT8_AND_ASYMMETRIC_QUANTIZATION_DLA REPORT_CAPABILITY_DLA ENABLE_PLUGIN_OVERRIDE ADJUST_FOR_DLA",
)
ErrorCode = _counted(
    "ErrorCode",
    "SUCCESS INTERNAL_ERROR MEM_ALLOC_FAILED MODEL_DESERIALIZE_FAILED INVALID_VALUE INVALID_GRAPH INVALID_NODE UNSUPPORTED_GRAPH "
    "UNSUPPORTED_NODE UNSUPPORTED_NODE_ATTR UNSUPPORTED_NODE_INPUT UNSUPPORTED_NODE_DATATYPE UNSUPPORTED_NODE_DYNAMIC "
    "UNSUPPORTED_NODE_SHAPE REFIT_FAILED",
)
ErrorCodeTRT = _counted(
    "ErrorCodeTRT",
    "SUCCESS UNSPECIFIED_ERROR INTERNAL_ERROR INVALID_ARGUMENT INVALID_CONFIG FAILED_ALLOCATION FAILED_INITIALIZATION "
    "FAILED_EXECUTION FAILED_COMPUTATION INVALID_STATE UNSUPPORTED_STATE",
)
PluginFieldType = _counted("PluginFieldType", "FLOAT16 FLOAT32 FLOAT64 INT8 INT16 INT32 CHAR DIMS UNKNOWN BF16 INT64 FP8 INT4 FP4")
TensorRTPhase = _counted("TensorRTPhase", "BUILD RUNTIME")


class EngineValidity(Enum):
    """Burnish's own: what `Runtime.engine_validity` finds."""

    VALID = 0
    INVALID = 1
    INCOMPATIBLE = 2


def mask_of(flags) -> int:
    """The bit mask of enumeration members."""
    mask = 0
    for flag in flags:
        mask |= 1 << int(flag)
    return mask


__all__ = [
    name
    for name, value in list(globals().items())
    if isinstance(value, DataType) or (isinstance(value, type) and issubclass(value, Enum) and value is not Enum)
]
