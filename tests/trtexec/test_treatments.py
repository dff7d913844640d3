"""The table of flags in the code against what is to become of each: none slips back."""
import re

import pytest
from conftest import ROOT

# What a flag of each kind may be in the code.
ALLOWED = {"do": {"works"}, "noop": {"silent", "works"}, "warn": {"warns", "works"}, "err": {"refused", "works"}}

REFERENCE = """
do    onnx
err   model deploy output uff uffInput uffNHWC

do    minShapes optShapes maxShapes profile minShapesCalib optShapesCalib maxShapesCalib calibProfile inputIOFormats outputIOFormats
warn  directIO
noop  explicitBatch explicitPrecision
err   batch maxBatch

do    noTF32 fp16 bf16 int8 fp8 best stronglyTyped calib precisionConstraints layerPrecisions layerOutputTypes decomposableAttentions
warn  int4 layerDeviceTypes sparsity distributiveIndependence calibBatchSize

do    memPoolSize workspace avgTiming builderOptimizationLevel maxTactics tacticSources timingCacheFile noBuilderCache noCompilationCache
do    errorOnTimingCacheMiss heuristic maxAuxStreams tempdir tempfileControls monitorMemory
noop  minTiming preview
warn  tilingOptimizationLevel l2LimitForTiling

do    saveEngine loadEngine getPlanVersionOnly skipInference buildOnly refit stripWeights stripAllWeights weightless refitFromOnnx
do    hardwareCompatibilityLevel profilingVerbosity nvtxMode markDebug markUnfusedTensorsAsDebugTensors cpuOnly
noop  asyncFileReader versionCompatible vc excludeLeanRuntime useRuntime
warn  leanDLLPath allowWeightStreaming restricted
err   runtimePlatform safe consistency dumpKernelText safetyPlugins std serialized remoteAutoTuningConfig

noop  pluginInstanceNorm pi nativeInstanceNorm ni
do    enablePluginOverride
warn  uint8AsymmetricQuantizationDLA reportCapabilityDLA adjustForDLA useDLACore allowGPUFallback buildDLAStandalone

do    setBuildRoute tuningCacheFile tuningTimeOut tuneBuildRoutes tuneBuildRouteFile tuningSearch saveAllEngines dryRun continue helpBuildRoute
noop  tuningResultFile

do    shapes loadInputs loadRefOutputs refPair accuracyAlgorithm atol rtol accuracyThreshold iterations warmUp duration sleepTime idleTime
do    infStreams streams exposeDMA noDataTransfers includeDataTransfers useManagedMemory useSpinWait noSpinWait threads useCudaGraph
do    noCudaGraph timeDeserialize timeRefit separateProfileRun persistentCacheRatio useProfile allocationStrategy saveDebugTensors
do    saveAllDebugTensors
warn  weightStreamingBudget

do    verbose avgRuns percentile dumpRefit dumpOutput dumpRawBindingsToFile dumpProfile dumpLayerInfo dumpOptimizationProfile exportTimes
do    exportOutput exportProfile exportLayerInfo

do    device staticPlugins plugins dynamicPlugins help
warn  setPluginsToSerialize
noop  ignoreParsedPluginLibs

do    target compat exportAll layerInfoSchema
"""

# What has nothing to do, for what it asks for is so anyway.
SO_ANYWAY = {"noCompilationCache": "silent"}  # a timing cache holds no code


def wanted():
    return {flag: kind for line in REFERENCE.split("\n") if line for kind, *flags in [line.split()] for flag in flags}


def in_code():
    return dict(re.findall(r'\{"--(\w+)",\s*"[^"]*",\s*(\w+),', (ROOT / "cli" / "trtexec" / "flags.cpp").read_text()))


def test_the_same_flags():
    assert sorted(wanted()) == sorted(in_code())


@pytest.mark.parametrize("flag", sorted(in_code()))
def test_treatment(flag):
    treatment = in_code()[flag]
    excused = SO_ANYWAY.get(flag)
    if excused:
        assert treatment == excused, f"--{flag} is another one now: take it off the list above"
    else:
        assert treatment in ALLOWED[wanted()[flag]]
