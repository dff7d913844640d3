#include "cli/trtexec/flags.h"

#include <fmt/format.h>

#include <algorithm>

namespace burnish::cli::trtexec {

namespace {

using enum Treatment;

constexpr std::string_view no_dla = "there is no DLA here; the GPU does it";
constexpr std::string_view no_caffe = "Caffe and UFF models are not read; convert the model to ONNX";
constexpr std::string_view no_safety = "there is no safety runtime";
constexpr std::string_view plugin_help = "A library of operators beside ONNX's own (docs/plugins.md)";
constexpr std::string_view no_streaming = "weights are always on the device";
constexpr std::string_view one_process = "routes are tried in one process";
constexpr std::string_view any_version = "an engine says itself which versions of Burnish read it";
constexpr std::string_view own_count = "the tuner decides by itself how often it times what";

constexpr Flag model[] = {
    {"--onnx", "<file>", works, "The ONNX model"},
    {"--model", "<file>", refused, no_caffe},
    {"--deploy", "<file>", refused, no_caffe},
    {"--output", "<names>", refused, "an ONNX model names its outputs itself"},
    {"--uff", "<file>", refused, no_caffe},
    {"--uffInput", "<spec>", refused, no_caffe},
    {"--uffNHWC", "", refused, no_caffe},
};
constexpr Flag shapes[] = {
    {"--minShapes", "<shapes>", works, "Least shapes of a profile: input:1x3x224x224,mask:1x8"},
    {"--optShapes", "<shapes>", works,
     "Shapes that the profile is tuned for; alone they are least and most too"},
    {"--maxShapes", "<shapes>", works, "Most shapes of a profile"},
    {"--profile", "<N>", works, "The three flags that follow are profile N's; from 0 on"},
    {"--minShapesCalib", "<shapes>", works, "Shapes of calibration"},
    {"--optShapesCalib", "<shapes>", works, "Shapes of calibration"},
    {"--maxShapesCalib", "<shapes>", works, "Shapes of calibration"},
    {"--calibProfile", "<N>", works, "Profile to calibrate with. Default: 0"},
    {"--inputIOFormats", "<formats>", works, "Type and layout of inputs: fp16:hwc, one for all or one each"},
    {"--outputIOFormats", "<formats>", works, "The same of outputs"},
    {"--directIO", "", warns, "inputs and outputs are copied or cast where their format asks for it"},
    {"--explicitBatch", "", silent, "the batch is always explicit"},
    {"--explicitPrecision", "", silent, "there is no other mode"},
    {"--batch", "<N>", refused, "there is no implicit batch; give shapes with the batch in them"},
    {"--maxBatch", "<N>", refused, "there is no implicit batch; give --maxShapes"},
};
constexpr Flag precision[] = {
    {"--noTF32", "", works, "FP32 products are not rounded to TF32"},
    {"--fp16", "", works, "FP16 may be used beside FP32"},
    {"--bf16", "", works, "BF16 may be used beside FP32; --fp16 goes before it"},
    {"--int8", "", works, "INT8 may be used; refused at the build until there are quantised kernels"},
    {"--fp8", "", works, "FP8 may be used; refused likewise"},
    {"--int4", "", warns, "there are no INT4 kernels yet"},
    {"--best", "", works, "FP16, BF16 and INT8 together; refused likewise"},
    {"--stronglyTyped", "", works, "Types are those of the model"},
    {"--calib", "<path>", works, "A calibration cache, or a folder of data"},
    {"--calibBatchSize", "<N>", warns, "it never was a flag; the data's own batch counts"},
    {"--precisionConstraints", "<none|prefer|obey>", works,
     "Whether the three flags below bind. Default: none"},
    {"--layerPrecisions", "<layers>", works,
     "fp32, fp16 or bf16 of layers, by ONNX node; needs the flag above"},
    {"--layerOutputTypes", "<layers>", works, "The same of their outputs, joined by +"},
    {"--layerDeviceTypes", "<layers>", warns, no_dla},
    {"--decomposableAttentions", "<names>", works,
     "Attention of these ONNX nodes is done step by step, not by one kernel"},
    {"--sparsity", "<disable|enable|force>", works, "2:4 weights; they run as dense ones. Default: disable"},
    {"--distributiveIndependence", "", warns, "the order of sums may depend on the batch"},
};
constexpr Flag tactics[] = {
    {"--memPoolSize", "<pool:size,…>", works,
     "workspace: scratch memory of a kernel, tacticSharedMem: shared memory of a block; MiB, or B, K, M, G"},
    {"--workspace", "<MiB>", works, "The same, older"},
    {"--avgTiming", "<N>", works, "Timings of a kernel that are averaged to one. Default: 1"},
    {"--minTiming", "<N>", silent, own_count},
    {"--builderOptimizationLevel", "<0..5>", works, "How long kernels are searched for. Default: 3"},
    {"--maxTactics", "<N>", works, "Time at most N candidates for a kernel. Default: as the level says"},
    {"--tacticSources", "<±name,…>", works, "Libraries whose routines are candidates: CUBLAS_LT, CUDNN"},
    {"--timingCacheFile", "<file>", works, "Keep the times of kernels there"},
    {"--noBuilderCache", "", works, "Keep no times"},
    {"--noCompilationCache", "", silent, "the timing cache holds times, no code"},
    {"--errorOnTimingCacheMiss", "", works, "Fail where the timing cache lacks a time"},
    {"--heuristic", "", works, "Choose kernels by estimate, as level 1"},
    {"--maxAuxStreams", "<N>", works,
     "Branches beside the first one that run at once at most. Default: -1, all"},
    {"--tilingOptimizationLevel", "<0..3>", warns, "tiles are tactics like others"},
    {"--l2LimitForTiling", "<bytes>", warns, "tiles are tactics like others"},
    {"--preview", "<±feature,…>", silent, "none of these features changes anything any more"},
    {"--tempdir", "<folder>", works, "Where an engine lies that is not saved"},
    {"--tempfileControls", "<spec>", works,
     "temporary:deny: nowhere, so that it must be saved. No executables are made"},
    {"--monitorMemory", "", works, "Say how much memory the build took"},
};
constexpr Flag engine[] = {
    {"--saveEngine", "<file>", works, "Write the engine there: as built, or with --loadEngine as it runs"},
    {"--loadEngine", "<file>", works, "Run this engine; nothing is built"},
    {"--asyncFileReader", "", silent, "engine files are mapped"},
    {"--getPlanVersionOnly", "", works, "Print which version made the engine of --loadEngine, and end"},
    {"--skipInference", "", works, "Build only"},
    {"--buildOnly", "", works, "The same, older"},
    {"--refit", "", works, "Keep what it takes to give the engine other weights"},
    {"--stripWeights", "", works,
     "Leave the weights out; a refit brings in any of them with --refit, else the same ones alone"},
    {"--stripAllWeights", "", works, "--refit and --stripWeights"},
    {"--weightless", "", works, "The same as --stripWeights, older"},
    {"--refitFromOnnx", "<file>", works, "Refit the engine with the weights of this model before it runs"},
    {"--versionCompatible", "", silent, any_version},
    {"--vc", "", silent, any_version},
    {"--excludeLeanRuntime", "", silent, any_version},
    {"--useRuntime", "<full|lean|dispatch>", silent, "there is one runtime, and it is small"},
    {"--leanDLLPath", "<file>", warns, "there is one runtime, and it is small"},
    {"--hardwareCompatibilityLevel", "<none|ampere+|sameComputeCapability>", works,
     "ampere+: for every GPU from sm_80 on"},
    {"--runtimePlatform", "<SameAsBuild|WindowsAMD64>", works,
     "Engines are for Linux; another platform is refused"},
    {"--allowWeightStreaming", "", warns, no_streaming},
    {"--profilingVerbosity", "<layer_names_only|detailed|none>", works, "What layer information says"},
    {"--nvtxMode", "<layer_names_only|detailed|none>", works, "The same, older"},
    {"--markDebug", "<names>", works,
     "Tensors inside the engine that can be written out: they are not fused away"},
    {"--markUnfusedTensorsAsDebugTensors", "", works, "And all that are not fused away anyway"},
    {"--restricted", "", warns, no_safety},
    {"--safe", "", refused, no_safety},
    {"--consistency", "", refused, no_safety},
    {"--dumpKernelText", "", refused, no_safety},
    {"--safetyPlugins", "<file>", refused, no_safety},
    {"--std", "", refused, no_safety},
    {"--serialized", "<file>", refused, no_safety},
    {"--remoteAutoTuningConfig", "<url>", refused, "kernels are timed on the GPU that is here"},
    {"--cpuOnly", "", works, "Choose kernels by estimate; no GPU is used for the build"},
};
constexpr Flag parser[] = {
    {"--pluginInstanceNorm", "", silent, "instance normalisation is an operator"},
    {"--pi", "", silent, "instance normalisation is an operator"},
    {"--nativeInstanceNorm", "", silent, "instance normalisation is an operator"},
    {"--ni", "", silent, "instance normalisation is an operator"},
    {"--enablePluginOverride", "", works, "Plugins' operators go before ONNX's of the same name"},
    {"--uint8AsymmetricQuantizationDLA", "", warns, no_dla},
    {"--reportCapabilityDLA", "", warns, no_dla},
    {"--adjustForDLA", "", warns, no_dla},
    {"--useDLACore", "<N>", warns, no_dla},
    {"--allowGPUFallback", "", warns, no_dla},
    {"--buildDLAStandalone", "", warns, no_dla},
};
constexpr Flag tuning[] = {
    {"--tuneBuildRoutes", "<routes>", works,
     "Build and time by each of several routes and take the fastest: -knob=[a|b] -knob=c"},
    {"--tuneBuildRouteFile", "<file>", works, "The same, from a file"},
    {"--tuningSearch", "<fast|full|mixed>", works,
     "fast: the first values, then one change at a time; full: all; mixed: fast, then what helped together"},
    {"--tuningCacheFile", "<file>", works, "Add the result of each route there, as JSON"},
    {"--tuningTimeOut", "<seconds>", works,
     "Begin no route after so long; without routes, end timing kernels. Default: -1, never"},
    {"--saveAllEngines", "", works, "Keep the engine of each route: <engine>.iter<N>"},
    {"--dryRun", "", works, "List the routes, and build nothing"},
    {"--continue", "", works, "Leave out routes whose result is in --tuningCacheFile"},
    {"--helpBuildRoute", "[knob]", works, "The knobs of build routes, as JSON"},
    {"--setBuildRoute", "<route>", works, "Build by that route: -knob=value -knob=value"},
    {"--tuningResultFile", "<file>", silent, one_process},
};
constexpr Flag inference[] = {
    {"--shapes", "<shapes>", works, "Shapes of the inputs. Default: what the profile is tuned for"},
    {"--loadInputs", "<name:file,…>", works, "Values of inputs, raw; the others are random"},
    {"--loadRefOutputs", "<name:file,…>", works, "What outputs should be, raw"},
    {"--refPair", "<N>", works, "The --loadInputs and --loadRefOutputs that follow belong together"},
    {"--accuracyAlgorithm", "<l0|l1|l2|lInf|cos>", works, "How outputs are compared. Default: l0"},
    {"--atol", "<x>", works, "Absolute tolerance of l0. Default: 1e-5"},
    {"--rtol", "<x>", works, "Relative tolerance of l0. Default: 1e-5"},
    {"--accuracyThreshold", "<x>", works, "A loss of x or more is a failure"},
    {"--iterations", "<N>", works, "At least N timed queries. Default: 10"},
    {"--warmUp", "<ms>", works, "Not timed before. Default: 200"},
    {"--duration", "<s>", works, "At least so long. Default: 3; -1: until Ctrl-C"},
    {"--sleepTime", "<ms>", works, "Between input copy and compute of a query. Default: 0"},
    {"--idleTime", "<ms>", works, "Between queries. Default: 0"},
    {"--infStreams", "<N>", works, "Contexts that run side by side. Default: 1"},
    {"--streams", "<N>", works, "The same, older"},
    {"--exposeDMA", "", works, "No copy beside the compute of another query"},
    {"--noDataTransfers", "", works, "Inputs and outputs stay on the GPU"},
    {"--includeDataTransfers", "", works, "Copy inputs and outputs"},
    {"--useManagedMemory", "", works, "Inputs and outputs are in managed memory, which nobody copies"},
    {"--useSpinWait", "", works, "Wait for the GPU without giving the core away"},
    {"--noSpinWait", "", works, "Give the core away while waiting"},
    {"--threads", "", works, "A thread for each of --infStreams"},
    {"--useCudaGraph", "", works, "Launch each query as CUDA graphs"},
    {"--noCudaGraph", "", works, "Launch kernel by kernel"},
    {"--timeDeserialize", "", works, "Time loading the engine, and end"},
    {"--timeRefit", "", works, "Refit ten times and say how long it takes"},
    {"--separateProfileRun", "", works, "Profile in a run after the timed one"},
    {"--persistentCacheRatio", "<0..1>", works,
     "Share of the L2 cache's persistent part for intermediate results. Default: 0"},
    {"--useProfile", "<N>", works, "The profile that inputs keep to. Default: 0"},
    {"--allocationStrategy", "<static|profile|runtime>", works,
     "Memory at once for all profiles, for the one that is used, or as shapes need it. Default: the last"},
    {"--saveDebugTensors", "<name:file,…>", works, "Write these debug tensors of a query there, raw"},
    {"--saveAllDebugTensors", "<formats>", works,
     "All of them, each in a file of its name: numpy, string, raw; summary: to the log"},
    {"--weightStreamingBudget", "<size>", warns, no_streaming},
};
constexpr Flag reporting[] = {
    {"--verbose", "", works, "Say more"},
    {"--avgRuns", "<N>", works, "Queries of a line of the trace. Default: 10"},
    {"--percentile", "<P,…>", works, "Percentiles of the summary. Default: 90,95,99"},
    {"--dumpRefit", "", works, "List what can be refitted"},
    {"--dumpOutput", "", works, "Print the outputs of the last query"},
    {"--dumpRawBindingsToFile", "", works, "Write the last query's inputs and outputs, raw"},
    {"--dumpProfile", "", works, "Print the time of each layer"},
    {"--dumpLayerInfo", "", works, "Print the layers"},
    {"--dumpOptimizationProfile", "", works, "Print the profiles"},
    {"--exportTimes", "<file>", works, "Times of all queries as JSON"},
    {"--exportOutput", "<file>", works, "Outputs as JSON"},
    {"--exportProfile", "<file>", works, "Times of layers as JSON"},
    {"--exportLayerInfo", "<file>", works, "Layers as JSON"},
};
constexpr Flag system_flags[] = {
    {"--device", "<N>", works, "The GPU. Default: 0"},
    {"--staticPlugins", "<file>", works, plugin_help},
    {"--plugins", "<file>", works, plugin_help},
    {"--dynamicPlugins", "<file>", works, plugin_help},
    {"--setPluginsToSerialize", "<file>", warns, "an engine names the plugins that it needs and holds none"},
    {"--ignoreParsedPluginLibs", "", silent, "models name no libraries"},
};
constexpr Flag own[] = {
    {"--target", "<name>", works,
     "cpu, or another GPU than the one here to build for: sm_90. Default: this GPU"},
    {"--compat", "<10|11>", works, "The defaults of that version. Default: 10"},
    {"--exportAll", "<folder>", works,
     "timing.json, profile.json, graph.json (detailed) and metadata.json, for tools that explore engines"},
    {"--layerInfoSchema", "<10|11>", works, "The form of --exportLayerInfo. Default: 10"},
    {"--help", "", works, "This text; also -h"},
};

constexpr FlagGroup groups[] = {
    {"Model", model},
    {"Build: shapes and I/O", shapes},
    {"Build: precision", precision},
    {"Build: memory, tactics, time", tactics},
    {"Build: engine file, refit, compatibility", engine},
    {"Build: parser and DLA", parser},
    {"Tuning", tuning},
    {"Inference", inference},
    {"Reporting", reporting},
    {"System", system_flags},
    {"Burnish", own},
};

}  // namespace

std::span<const FlagGroup> flag_groups() { return groups; }

const Flag* find_flag(std::string_view name) {
  if (name == "-h") name = "--help";
  for (const FlagGroup& group : groups) {
    const auto at = std::ranges::find(group.flags, name, &Flag::name);
    if (at != group.flags.end()) return &*at;
  }
  return nullptr;
}

std::string help_text() {
  constexpr size_t width = 34;  // of names and values
  constexpr std::string_view prefixes[] = {"",
                                           "Taken, without effect: ", "Taken, without effect: ", "Refused: "};
  std::string text =
      "Builds an engine from an ONNX model and measures it: trtexec --onnx=model.onnx "
      "--saveEngine=model.engine\n"
      "Flags are --name=value or --name; defaults are those of version 10 (--compat=11: of version 11).\n";
  for (const FlagGroup& group : groups) {
    text += fmt::format("\n=== {} ===\n", group.title);
    for (const Flag& flag : group.flags) {
      const std::string left =
          flag.value.empty() ? std::string(flag.name) : fmt::format("{}={}", flag.name, flag.value);
      text += left.size() <= width ? fmt::format("  {:<{}}", left, width + 1)
                                   : fmt::format("  {}\n  {:<{}}", left, "", width + 1);
      text += fmt::format("{}{}\n", prefixes[static_cast<int>(flag.treatment)], flag.text);
    }
  }
  return text;
}

}  // namespace burnish::cli::trtexec
