"""Every flag that scripts for versions 8.6 to 11 may have does what this table says."""
import json
import re

import pytest

WORKS, SILENT, WARNS, REFUSED = "works", "silent", "warns", "refused"
MIN, OPT, MAX = "--minShapes=x:1x3x8x8", "--optShapes=x:2x3x8x8", "--maxShapes=x:8x3x8x8"

FLAGS = f"""
works    --onnx=tiny.onnx
refused  --model=m --deploy=m --output=y --uff=m --uffInput=x,1,1,1 --uffNHWC

works    {MIN}                 | {OPT} {MAX}
works    {OPT}
works    {MAX}                 | {MIN} {OPT}
works    --profile=0                           | {MIN} {OPT} {MAX}
warns    --minShapesCalib=x:1x3x8x8 --optShapesCalib=x:1x3x8x8 --maxShapesCalib=x:1x3x8x8
works    --calibProfile=0 --inputIOFormats=fp32:chw --inputIOFormats=chw --outputIOFormats=fp16:chw+hwc
warns    --directIO
silent   --explicitBatch --explicitPrecision
refused  --batch=1 --maxBatch=1

works    --noTF32 --fp16 --bf16 --int8 --fp8 --best --stronglyTyped --calib=cache
warns    --int4 --calibBatchSize=1
works    --layerPrecisions=*:fp16 --layerOutputTypes=a:fp32+fp16 --precisionConstraints=obey --decomposableAttentions=a
works    --precisionConstraints=none --sparsity=disable
warns    --layerDeviceTypes=*:GPU --sparsity=enable --sparsity=force --distributiveIndependence

works    --memPoolSize=workspace:512 --memPoolSize=tacticSharedMem:48K
warns    --memPoolSize=dlaSRAM:1M --workspace=64
works    --maxTactics=3 --avgTiming=4 --maxAuxStreams=0
warns    --tilingOptimizationLevel=1 --l2LimitForTiling=1000
silent   --minTiming=1 --noCompilationCache --preview=+profileSharing0806
works    --tempdir=. --tempfileControls=in_memory:deny,temporary:allow
works    --builderOptimizationLevel=2 --tacticSources=-CUBLAS_LT,+CUDNN --timingCacheFile=t.cache --noBuilderCache
works    --errorOnTimingCacheMiss --heuristic --monitorMemory

works    --saveEngine=s.engine --loadEngine=tiny.engine --getPlanVersionOnly --skipInference
warns    --buildOnly
silent   --asyncFileReader --versionCompatible --vc --excludeLeanRuntime --useRuntime=lean
works    --refit --stripWeights --stripAllWeights --weightless
works    --refitFromOnnx=fixed.onnx
warns    --leanDLLPath=l.so --allowWeightStreaming --nvtxMode=detailed --restricted
works    --markDebug=c --markUnfusedTensorsAsDebugTensors
works    --hardwareCompatibilityLevel=ampere+ --runtimePlatform=SameAsBuild --profilingVerbosity=detailed --cpuOnly
refused  --safe --consistency --safetyPlugins=p.so --std --serialized=s --remoteAutoTuningConfig=ssh://host
refused  --dumpKernelText                      | --safe

silent   --pluginInstanceNorm --pi --nativeInstanceNorm --ni
works    --enablePluginOverride
warns    --uint8AsymmetricQuantizationDLA --reportCapabilityDLA --adjustForDLA
warns    --useDLACore=0 --allowGPUFallback --buildDLAStandalone

works    --tuneBuildRoutes=-a=[1|2] --tuneBuildRouteFile=routes --tuningSearch=full --tuningCacheFile=f --dryRun --setBuildRoute=-a=1
works    --saveAllEngines                      | --saveEngine=s.engine
works    --continue                            | --tuningCacheFile=f
works    --tuningTimeOut=5
silent   --tuningResultFile=f

works    --shapes=x:1x3x8x8 --loadInputs=x:x.bin --loadRefOutputs=y:y.bin --refPair=0 --accuracyAlgorithm=l2 --atol=1e-3
works    --rtol=1e-3 --accuracyThreshold=0.1 --iterations=1 --warmUp=0 --duration=0 --sleepTime=1 --idleTime=1 --infStreams=2
works    --useManagedMemory --persistentCacheRatio=0.5 --saveDebugTensors=c:f --saveAllDebugTensors=numpy
warns    --streams=2 --weightStreamingBudget=50% --duration=-1
works    --exposeDMA --noDataTransfers --includeDataTransfers --useSpinWait --noSpinWait --threads --useCudaGraph --noCudaGraph
works    --timeDeserialize --separateProfileRun --useProfile=0
works    --timeRefit
works    --allocationStrategy=runtime

works    --verbose --avgRuns=5 --percentile=0,50,100 --dumpRefit --dumpOutput --dumpRawBindingsToFile --dumpProfile
works    --dumpLayerInfo --dumpOptimizationProfile --exportTimes=t.json --exportOutput=o.json --exportProfile=p.json
works    --exportLayerInfo=l.json

works    --device=0
works    --staticPlugins=snake.so --plugins=snake.so --dynamicPlugins=snake.so
warns    --setPluginsToSerialize=p.so
silent   --ignoreParsedPluginLibs

works    --target=cpu --compat=10 --layerInfoSchema=11 --exportAll=all
"""


def cases():
    for line in FLAGS.splitlines():
        if line.strip():
            treatment, rest = line.split(None, 1)
            flags, _, beside = rest.partition(" | ")
            for flag in flags.split():
                yield treatment, flag, beside.split()


@pytest.mark.parametrize(("treatment", "flag", "beside"), list(cases()), ids=lambda value: value if isinstance(value, str) and value.startswith("-") else "")
def test_flag(trtexec, treatment, flag, beside):
    """The flag beside an engine to load, so that its effect on a build is another test's."""
    (trtexec.folder / "routes").write_text("-a=[1|2]\n-b=3\n")
    log = trtexec("--loadEngine=fixed.engine", "--skipInference", "--target=cpu", "--verbose", *beside, flag)
    name = flag.split("=")[0]
    if treatment == REFUSED:
        assert (log.code, log.state) == (1, ["FAILED"])
        assert any(line.startswith(f"{name} is refused: ") for line in log.lines("E"))
        return
    assert (log.code, log.state) == (0, ["PASSED"]), log.text
    told = [line for line in log.lines("W") if line.startswith((f"{name} ", f"{name}="))]
    assert len(told) == (treatment == WARNS), log.text
    assert any(line.startswith(f"{name} changes nothing: ") for line in log.lines("V")) == (treatment == SILENT)


def test_models_of_other_frameworks_are_refused_by_name(trtexec):
    """Not for want of --onnx."""
    log = trtexec("--deploy=m.prototxt", "--model=m.caffemodel", "--output=prob", "--batch=4")
    assert (log.code, log.state) == (1, ["FAILED"])
    told = [line.split(" is refused: ")[0] for line in log.lines("E")]
    assert told == ["--deploy", "--model", "--output", "--batch", "The command asks for what Burnish does not have"]


def test_the_table_is_complete(trtexec):
    shown = set(re.findall(r"^  (--\w+)", trtexec("--help").stdout, re.M))
    assert shown == {flag.split("=")[0] for _, flag, _ in cases()} | {"--help", "--helpBuildRoute"}


def test_help(trtexec):
    for words in (["--help"], ["-h"], ["--help", "--onnx=x"]):
        log = trtexec(*words)
        assert (log.code, log.state) == (0, [])
        assert log.stdout.startswith("&&&& RUNNING TensorRT.trtexec [TensorRT v101600] [burnish v")
    assert re.findall(r"^=== (.*) ===$", log.stdout, re.M) == [
        "Model",
        "Build: shapes and I/O",
        "Build: precision",
        "Build: memory, tactics, time",
        "Build: engine file, refit, compatibility",
        "Build: parser and DLA",
        "Tuning",
        "Inference",
        "Reporting",
        "System",
        "Burnish",
    ]
    nothing = trtexec()
    assert (nothing.code, nothing.state) == (0, ["PASSED"]) and "--onnx=<file>" in nothing.stdout


def test_knobs_of_build_routes(trtexec):
    def knobs(*words, code=0):
        log = trtexec(*words)
        assert log.code == code
        told = json.loads(log.stdout.splitlines()[-1])
        assert list(told) == ["tuner_version", "tuner_options"]
        assert all(list(knob) == ["option", "allowed_values", "default_value", "help"] for knob in told["tuner_options"])
        return [knob["option"] for knob in told["tuner_options"]]

    assert knobs("--helpBuildRoute") == ["optimization_level", "max_tactics", "averaged_timings", "libraries", "max_branches", "workspace_mib"]
    assert knobs("--helpBuildRoute=libraries") == ["libraries"]
    assert knobs("--helpBuildRoute=tiles", code=1) == []


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (["--frob"], ["Unknown option: --frob"]),
        (["--frob=v", "--onnx=m.onnx", "x"], ["Unknown option: --frob v", "Unknown option: x"]),
        (["--skipInference"], ["neither a model nor an engine is given: --onnx=<file> or --loadEngine=<file>"]),
        (["--onnx"], ["--onnx needs a value: --onnx=<file>"]),
        (["--onnx=m", "--iterations=ten"], ["--iterations: 'ten' is no whole number"]),
        (["--onnx=m", "--iterations=-1"], ["--iterations=-1: it is from 0 to 2147483647"]),
        (["--onnx=m", "--infStreams=0"], ["--infStreams=0: it is from 1 to 64"]),
        (["--onnx=m", "--fp8", "--int8"], ["--fp8 and --int8 exclude each other"]),
        (["--onnx=m", "--best", "--stronglyTyped"], ["--best and --stronglyTyped exclude each other"]),
        (["--onnx=m", "--memPoolSize=workspace:-1"], ["--memPoolSize: a size is not negative"]),
        (["--onnx=m", "--memPoolSize=heap:1"], ["--memPoolSize: there is no pool 'heap'"]),
        (["--onnx=m", "--precisionConstraints=maybe"], ["--precisionConstraints: 'maybe' is none of none, prefer, obey"]),
        (["--onnx=m", "--sparsity=some"], ["--sparsity: 'some' is none of disable, enable, force"]),
        (["--onnx=m", "--profilingVerbosity=all"], ["--profilingVerbosity: 'all' is none of layer_names_only, detailed, none, default, verbose"]),
        (["--onnx=m", "--hardwareCompatibilityLevel=x"], ["--hardwareCompatibilityLevel: 'x' is none of none, ampere+, sameComputeCapability"]),
        (["--onnx=m", "--runtimePlatform=Mac"], ["--runtimePlatform: 'Mac' is none of SameAsBuild, WindowsAMD64"]),
        (["--onnx=m", "--calibProfile=1"], ["--calibProfile=1: there are 1 profiles"]),
        (["--onnx=m", "--dumpKernelText"], ["--dumpKernelText needs --safe"]),
        (["--onnx=m", "--percentile=90,101"], ["--percentile=101: percentiles are from 0 to 100"]),
        (["--onnx=m", "--shapes=x"], ["--shapes: 'x' lacks a name and a colon before its value"]),
        (["--onnx=m", "--shapes=x:1xa"], ["--shapes: 'a' is no whole number"]),
        (["--onnx=m", "--shapes=*a*:1"], ["--shapes: '*a*' holds more than one *"]),
        (["--onnx=m", "--minShapes=x:1"], ["profile 0 needs --minShapes, --optShapes and --maxShapes, or --optShapes alone"]),
        (["--onnx=m", "--optShapes=x:1", "--optShapes=x:2"], ["--optShapes is given twice: several profiles need --profile=<N> before each"]),
        (["--onnx=m", "--profile=1"], ["--profile=1: profiles are numbered from 0, one after the other"]),
        (["--onnx=m", "--profile=0"], ["profile 0 has no shapes"]),
        (["--onnx=m", "--inputIOFormats=fp31:chw"], ["--inputIOFormats: 'fp31:chw' begins with no type"]),
        (["--onnx=m", "--inputIOFormats=fp16:chw32"], ["--inputIOFormats: 'fp16:chw32' has no layout that Burnish knows: chw, hwc and dhwc"]),
        (["--onnx=m", "--tacticSources=CUDNN"], ["--tacticSources: 'CUDNN' begins with neither + nor -"]),
        (["--onnx=m", "--atol=-1"], ["--atol=-1: it is not negative"]),
        (["--onnx=m", "--avgTiming=0"], ["--avgTiming=0: it is from 1 to 1000"]),
        (["--onnx=m", "--maxAuxStreams=-2"], ["--maxAuxStreams=-2: it is from -1 to 1000"]),
        (["--onnx=m", "--layerOutputTypes=a:fp32+fp8"], ["--layerOutputTypes: 'fp8' is none of fp32, fp16, bf16, int32, int8"]),
        (["--onnx=m", "--persistentCacheRatio=1.5"], ["--persistentCacheRatio=1.5: it is from 0 to 1"]),
        (["--onnx=m", "--saveAllDebugTensors=summary,hex"], ["--saveAllDebugTensors: 'hex' is none of summary, numpy, string, raw"]),
        (["--onnx=m", "--tuneBuildRoutes=a=1"], ["--tuneBuildRoutes: 'a=1' is neither -knob=value nor -knob=[a|b]"]),
        (["--onnx=m", "--tuneBuildRouteFile=none"], ["--tuneBuildRouteFile: cannot read 'none'"]),
        (["--onnx=m", "--tuningSearch=slow"], ["--tuningSearch: 'slow' is none of fast, full, mixed"]),
        (["--onnx=m", "--saveAllEngines"], ["--saveAllEngines needs --saveEngine"]),
        (["--onnx=m", "--continue"], ["--continue needs --tuningCacheFile"]),
        (["--onnx=m", "--refPair=1"], ["--refPair=1: pairs are numbered from 0, one after the other"]),
    ],
    ids=lambda value: " ".join(value) if value and value[0].startswith("--") else "",
)
def test_usage(trtexec, words, messages):
    log = trtexec(*words)
    assert (log.code, log.state) == (1, ["FAILED"])
    assert log.lines("E") == messages
    assert "=== Model ===" in log.stdout  # the help
    eleven = trtexec(*words, "--compat=11")
    assert (eleven.code, eleven.state, eleven.lines("E")) == (1, [], messages)


def test_version_11_has_other_defaults(trtexec):
    def effective(*words):
        options = trtexec.passes("--loadEngine=fixed.engine", "--skipInference", "--target=cpu", *words).stdout
        return [re.search(rf"\[I\] {key}: (\w+)$", options, re.M)[1] for key in ("CUDA Graph", "Spin-wait", "Data transfers", "Separate profiling")]

    on, off = "Enabled", "Disabled"
    assert effective() == [off, off, on, off]
    assert effective("--compat=11") == [on, on, off, on]
    assert effective("--compat=11", "--noCudaGraph", "--noSpinWait", "--includeDataTransfers") == [off, off, on, on]
    assert effective("--useCudaGraph", "--useSpinWait", "--noDataTransfers", "--separateProfileRun") == [on, on, off, on]
