"""The interface's numbers: scripts shift by them and compare names."""

import pytest
import tensorrt as trt

COUNTED = {
    "LayerType": "CONVOLUTION CAST ACTIVATION POOLING LRN SCALE SOFTMAX DECONVOLUTION CONCATENATION ELEMENTWISE PLUGIN UNARY PADDING SHUFFLE "
    "REDUCE TOPK GATHER MATRIX_MULTIPLY RAGGED_SOFTMAX CONSTANT IDENTITY PLUGIN_V2 SLICE SHAPE PARAMETRIC_RELU RESIZE TRIP_LIMIT RECURRENCE "
    "ITERATOR LOOP_OUTPUT SELECT FILL QUANTIZE DEQUANTIZE CONDITION CONDITIONAL_INPUT CONDITIONAL_OUTPUT SCATTER EINSUM ASSERTION ONE_HOT "
    "NON_ZERO GRID_SAMPLE NMS REVERSE_SEQUENCE NORMALIZATION PLUGIN_V3 SQUEEZE UNSQUEEZE CUMULATIVE DYNAMIC_QUANTIZE ATTENTION_INPUT "
    "ATTENTION_OUTPUT ROTARY_EMBEDDING KVCACHE_UPDATE MOE DIST_COLLECTIVE",
    "DataType": "FLOAT HALF INT8 INT32 BOOL UINT8 FP8 BF16 INT64 INT4 FP4 E8M0",
    "TensorFormat": "LINEAR CHW2 HWC8 CHW4 CHW16 CHW32 DHWC8 CDHW32 HWC DLA_LINEAR DLA_HWC4 HWC16 DHWC",
    "ActivationType": "RELU SIGMOID TANH LEAKY_RELU ELU SELU SOFTSIGN SOFTPLUS CLIP HARD_SIGMOID SCALED_TANH THRESHOLDED_RELU GELU_ERF "
    "GELU_TANH",
    "ElementWiseOperation": "SUM PROD MAX MIN SUB DIV POW FLOOR_DIV AND OR XOR EQUAL GREATER LESS",
    "UnaryOperation": "EXP LOG SQRT RECIP ABS NEG SIN COS TAN SINH COSH ASIN ACOS ATAN ASINH ACOSH ATANH CEIL FLOOR ERF NOT SIGN ROUND ISINF "
    "ISNAN",
    "PoolingType": "MAX AVERAGE MAX_AVERAGE_BLEND",
    "InterpolationMode": "NEAREST LINEAR CUBIC",
    "ResizeCoordinateTransformation": "ALIGN_CORNERS ASYMMETRIC HALF_PIXEL",
    "ResizeSelector": "FORMULA UPPER",
    "ResizeRoundMode": "HALF_UP HALF_DOWN FLOOR CEIL",
    "LoopOutput": "LAST_VALUE CONCATENATE REVERSE",
    "TripLimit": "COUNT WHILE",
    "FillOperation": "LINSPACE RANDOM_UNIFORM RANDOM_NORMAL",
    "GatherMode": "DEFAULT ELEMENT ND",
    "ScatterMode": "ELEMENT ND",
    "ScaleMode": "UNIFORM CHANNEL ELEMENTWISE",
    "CumulativeOperation": "SUM",
    "BoundingBoxFormat": "CORNER_PAIRS CENTER_SIZES",
    "TensorIOMode": "NONE INPUT OUTPUT",
    "TensorLocation": "DEVICE HOST",
    "BuilderFlag": "FP16 INT8 DEBUG GPU_FALLBACK REFIT DISABLE_TIMING_CACHE TF32 SPARSE_WEIGHTS SAFETY_SCOPE OBEY_PRECISION_CONSTRAINTS "
    "PREFER_PRECISION_CONSTRAINTS DIRECT_IO REJECT_EMPTY_ALGORITHMS VERSION_COMPATIBLE EXCLUDE_LEAN_RUNTIME FP8 ERROR_ON_TIMING_CACHE_MISS "
    "BF16 DISABLE_COMPILATION_CACHE STRIP_PLAN REFIT_IDENTICAL WEIGHT_STREAMING INT4 REFIT_INDIVIDUAL STRICT_NANS MONITOR_MEMORY FP4 "
    "EDITABLE_TIMING_CACHE DISTRIBUTIVE_INDEPENDENCE",
    "MemoryPoolType": "WORKSPACE DLA_MANAGED_SRAM DLA_LOCAL_DRAM DLA_GLOBAL_DRAM TACTIC_DRAM TACTIC_SHARED_MEMORY",
    "TacticSource": "CUBLAS CUBLAS_LT CUDNN EDGE_MASK_CONVOLUTIONS JIT_CONVOLUTIONS",
    "ProfilingVerbosity": "LAYER_NAMES_ONLY NONE DETAILED",
    "NetworkDefinitionCreationFlag": "EXPLICIT_BATCH STRONGLY_TYPED PREFER_JIT_PYTHON_PLUGINS PREFER_AOT_PYTHON_PLUGINS",
    "EngineCapability": "STANDARD SAFETY DLA_STANDALONE",
    "HardwareCompatibilityLevel": "NONE AMPERE_PLUS SAME_COMPUTE_CAPABILITY",
    "CalibrationAlgoType": "LEGACY_CALIBRATION ENTROPY_CALIBRATION ENTROPY_CALIBRATION_2 MINMAX_CALIBRATION",
    "QuantizationFlag": "CALIBRATE_BEFORE_FUSION",
    "ExecutionContextAllocationStrategy": "STATIC ON_PROFILE_CHANGE USER_MANAGED",
    "LayerInformationFormat": "ONELINE JSON",
    "TempfileControlFlag": "ALLOW_IN_MEMORY_FILES ALLOW_TEMPORARY_FILES",
    "SeekPosition": "SET CUR END",
    "ErrorCode": "SUCCESS INTERNAL_ERROR MEM_ALLOC_FAILED MODEL_DESERIALIZE_FAILED INVALID_VALUE INVALID_GRAPH INVALID_NODE "
    "UNSUPPORTED_GRAPH UNSUPPORTED_NODE UNSUPPORTED_NODE_ATTR UNSUPPORTED_NODE_INPUT UNSUPPORTED_NODE_DATATYPE UNSUPPORTED_NODE_DYNAMIC "
    "UNSUPPORTED_NODE_SHAPE REFIT_FAILED",
    "ErrorCodeTRT": "SUCCESS UNSPECIFIED_ERROR INTERNAL_ERROR INVALID_ARGUMENT INVALID_CONFIG FAILED_ALLOCATION FAILED_INITIALIZATION "
    "FAILED_EXECUTION FAILED_COMPUTATION INVALID_STATE UNSUPPORTED_STATE",
}


@pytest.mark.parametrize("kind", COUNTED)
def test_numbers(kind):
    assert [(m.name, int(m)) for m in getattr(trt, kind)] == [(name, i) for i, name in enumerate(COUNTED[kind].split())]


def test_severities():
    assert [(s.name, int(s)) for s in trt.ILogger.Severity] == [
        ("INTERNAL_ERROR", 0), ("ERROR", 1), ("WARNING", 2), ("INFO", 3), ("VERBOSE", 4),
    ]  # fmt: skip
    assert trt.Logger.VERBOSE is trt.ILogger.Severity.VERBOSE


@pytest.mark.parametrize(
    "alias, member",
    [
        (trt.BuilderFlag.WEIGHTLESS, trt.BuilderFlag.STRIP_PLAN),
        (trt.ProfilingVerbosity.VERBOSE, trt.ProfilingVerbosity.DETAILED),
        (trt.ProfilingVerbosity.DEFAULT, trt.ProfilingVerbosity.LAYER_NAMES_ONLY),
        (trt.float32, trt.DataType.FLOAT),
        (trt.float16, trt.DataType.HALF),
        (trt.bfloat16, trt.DataType.BF16),
        (trt.bool, trt.DataType.BOOL),
    ],
)
def test_names_of_the_same(alias, member):
    assert alias is member


def test_members_equal_their_own_kind_alone():
    assert trt.LayerType.CONVOLUTION != trt.ActivationType.RELU and trt.DataType.FLOAT != 0
    assert str(trt.LayerType.CONVOLUTION) == "LayerType.CONVOLUTION" and 1 << int(trt.BuilderFlag.INT8) == 2


@pytest.mark.parametrize(
    "kind, size",
    [("FLOAT", 4), ("INT32", 4), ("HALF", 2), ("BF16", 2), ("INT64", 8), ("INT8", 1), ("BOOL", 1), ("UINT8", 1), ("FP8", 1), ("INT4", 0.5),
     ("FP4", 0.5), ("E8M0", None)],
)  # fmt: skip
def test_itemsize(kind, size):
    assert trt.DataType[kind].itemsize == size


@pytest.mark.parametrize("kind", ["FP8", "BF16", "INT4", "FP4", "E8M0"])
def test_numpy_has_no_such_type(kind):
    with pytest.raises(TypeError):
        trt.nptype(trt.DataType[kind])


def test_small_values():
    assert trt.volume(()) == 1 and trt.volume((2, 3, 4)) == 24
    assert trt.Dims((1, -1)) == [1, -1] == list(trt.Dims((1, -1))) and trt.Dims((1, 2, 3))[1:] == (2, 3)
    assert trt.DimsHW(3, 4).w == 4 and trt.Dims.MAX_DIMS == 8 and trt.Dims4((1, 2, 3, 4)) == (1, 2, 3, 4)
    memory = trt.IHostMemory(b"abc")
    assert bytes(memory) == b"abc" and memory.nbytes == 3 and bytes(memoryview(memory)) == b"abc"


def test_what_8_x_called_otherwise():
    assert trt.ResizeMode is trt.InterpolationMode and trt.SliceMode is trt.SampleMode
