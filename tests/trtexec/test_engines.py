"""Building, loading, running: what the flags do to an engine and to what it computes."""
import json
import re
import shutil
import signal
import struct
import subprocess
import time

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import QUICK, copies, save
from onnx import TensorProto, helper, numpy_helper


def reference(folder, model, x):
    return onnxruntime.InferenceSession(folder / model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def exported(folder):
    return {one["name"]: (one["dimensions"], np.array(one["values"])) for one in json.loads((folder / "o.json").read_text())}


def test_values_from_a_file_and_outputs_in_one(trtexec):
    x = np.random.default_rng(1).normal(size=(3, 3, 8, 8)).astype(np.float32)
    x.tofile(trtexec.folder / "x.bin")
    log = trtexec.passes("--loadEngine=tiny.engine", "--shapes=x:3x3x8x8", "--loadInputs=x:x.bin", *QUICK, "--exportOutput=o.json", "--dumpOutput", "--dumpRawBindingsToFile")
    assert "Using values loaded from x.bin for input x" in log.stdout
    dimensions, values = exported(trtexec.folder)["y"]
    expected = reference(trtexec.folder, "tiny.onnx", x)
    assert dimensions == "3x4" and list(json.loads((trtexec.folder / "o.json").read_text())[0]) == ["name", "dimensions", "values"]
    np.testing.assert_allclose(values.reshape(3, 4), expected, rtol=1e-5, atol=1e-5)
    assert "y: (3x4)" in log.lines("I")
    np.testing.assert_allclose(np.fromfile(trtexec.folder / "y.3x4.fp32.raw", np.float32).reshape(3, 4), expected, rtol=1e-5, atol=1e-5)
    assert (np.fromfile(trtexec.folder / "x.3x3x8x8.fp32.raw", np.float32).reshape(x.shape) == x).all()


def test_random_inputs_repeat(trtexec):
    copies(trtexec.folder / "m.onnx", f=("float32", [200]), i=("int64", [200]), u=("uint8", [500]), b=("bool", [100]))
    outputs = []
    for _ in range(2):
        trtexec.passes("--onnx=m.onnx", *QUICK, "--exportOutput=o.json")
        outputs.append(exported(trtexec.folder))
    assert all((outputs[0][name][1] == outputs[1][name][1]).all() for name in outputs[0])
    f, i, u, b = (outputs[0][f"{name}_out"][1] for name in "fiub")
    assert -1 <= f.min() < -0.9 and 0.9 < f.max() <= 1
    assert -128 <= i.min() < -100 and 100 < i.max() <= 127
    assert u.min() < 20 and 235 < u.max() <= 255 and set(b) == {0, 1}


def test_ids_stay_within_their_table(trtexec):
    table = numpy_helper.from_array(np.arange(30, dtype=np.float32).reshape(10, 3), "table")
    node = helper.make_node("Gather", ["table", "ids"], ["y"], "embed")
    port = helper.make_tensor_value_info
    save(helper.make_graph([node], "g", [port("ids", TensorProto.INT64, [50])], [port("y", TensorProto.FLOAT, [50, 3])], [table]), trtexec.folder / "m.onnx")
    log = trtexec.passes("--onnx=m.onnx", *QUICK, "--exportOutput=o.json")
    assert "Input ids indexes a table: its values are from 0 to 9." in log.stdout
    assert set(exported(trtexec.folder)["y"][1][::3]) == {3.0 * i for i in range(10)}


def shapes_of(trtexec, *words):
    """What the input's shape was at the run."""
    log = trtexec.passes(*words, *QUICK)
    return re.search(r"Input binding for x with dimensions (\S+) and type fp32 is created\.", log.stdout)[1], log


def test_shapes(trtexec):
    assert shapes_of(trtexec, "--loadEngine=tiny.engine")[0] == "2x3x8x8"  # the opt of the profile
    assert shapes_of(trtexec, "--loadEngine=tiny.engine", "--shapes=x:5x3x8x8")[0] == "5x3x8x8"
    assert shapes_of(trtexec, "--loadEngine=tiny.engine", "--shapes=*:1x3x8x8")[0] == "1x3x8x8"
    assert shapes_of(trtexec, "--onnx=tiny.onnx", "--shapes='x':4x3x8x8")[0] == "4x3x8x8"
    assert shapes_of(trtexec, "--onnx=tiny.onnx", "--optShapes=x:4x3x8x8")[0] == "4x3x8x8"
    shape, log = shapes_of(trtexec, "--onnx=tiny.onnx")
    assert shape == "1x3x8x8"
    assert "No shape is given for the dynamic input x: it is taken to be 1x3x8x8." in log.lines("W")


def test_shapes_out_of_range(trtexec):
    log = trtexec.fails("--loadEngine=tiny.engine", "--shapes=x:9x3x8x8", *QUICK)
    assert log.lines("E") == ["input 'x' axis 0 must be from 1 to 8, got 9; try: the engine takes 'x' as f32 [batch, 3, 8, 8]", "Inference set up failed"]


def test_several_profiles(trtexec):
    profiles = "--profile=0 --minShapes=x:1x3x8x8 --optShapes=x:2x3x8x8 --maxShapes=x:4x3x8x8 --profile=1 --minShapes=x:8x3x8x8 --optShapes=x:16x3x8x8 --maxShapes=x:32x3x8x8".split()
    log = trtexec.passes("--onnx=tiny.onnx", *profiles, "--saveEngine=p.engine", "--skipInference", "--target=cpu", "--dumpOptimizationProfile")
    assert "Input build shape (profile 1): x=8x3x8x8+16x3x8x8+32x3x8x8" in log.stdout
    assert "Set shape of input tensor x for optimization profile 1 to: MIN=8x3x8x8 OPT=16x3x8x8 MAX=32x3x8x8" in log.stdout
    assert log.lines("I")[-3:-1] == [f"Model input x (profile {i}): min={low}x3x8x8, opt={opt}x3x8x8, max={high}x3x8x8" for i, low, opt, high in ((0, 1, 2, 4), (1, 8, 16, 32))]
    shape, log = shapes_of(trtexec, "--loadEngine=p.engine")
    assert shape == "2x3x8x8" and "The engine has 2 profiles and --useProfile names none: profile 0 is used." in log.lines("W")
    assert shapes_of(trtexec, "--loadEngine=p.engine", "--useProfile=1")[0] == "16x3x8x8"
    refused = trtexec.fails("--loadEngine=p.engine", "--useProfile=1", "--shapes=x:2x3x8x8", *QUICK)
    assert refused.lines("E")[0].startswith("in profile 1 input 'x' axis 0 must be from 8 to 32, got 2; ")
    assert trtexec.fails("--loadEngine=p.engine", "--useProfile=2", *QUICK).lines("E")[0].startswith("the engine has 2 profiles, and number 2 was chosen")


def test_formats(trtexec):
    x = np.random.default_rng(2).normal(size=(2, 3, 8, 8)).astype(np.float16)
    x.transpose(0, 2, 3, 1).tofile(trtexec.folder / "x.bin")
    trtexec.passes("--onnx=fixed.onnx", "--inputIOFormats=fp16:hwc", "--outputIOFormats=fp16:chw", "--loadInputs=x:x.bin", *QUICK, "--exportOutput=o.json")
    expected = reference(trtexec.folder, "fixed.onnx", x.astype(np.float32))
    np.testing.assert_allclose(exported(trtexec.folder)["y"][1].reshape(2, 4), expected, rtol=2e-3, atol=2e-3)


def other_weights(trtexec):
    """other.onnx is tiny.onnx, with other weights."""
    model = onnx.load(trtexec.folder / "tiny.onnx")
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.random.default_rng(5).normal(size=(4, 3, 3, 3)).astype("f4"), "w"))
    onnx.save(model, trtexec.folder / "other.onnx")


def computes_as(trtexec, model, *words):
    x = np.random.default_rng(4).normal(size=(1, 3, 8, 8)).astype(np.float32)
    x.tofile(trtexec.folder / "x.bin")
    log = trtexec.passes(*words, "--loadInputs=x:x.bin", "--shapes=x:1x3x8x8", *QUICK, "--exportOutput=o.json")
    np.testing.assert_allclose(exported(trtexec.folder)["y"][1].reshape(1, 4), reference(trtexec.folder, model, x), rtol=1e-5, atol=1e-5)
    return log


REFITTED = re.compile(r"Engine refitted in [\d.e-]+ ms\.")


def test_an_engine_is_refitted_from_another_model(trtexec):
    other_weights(trtexec)
    build = trtexec.passes("--onnx=tiny.onnx", "--refit", "--saveEngine=r.engine", "--skipInference", "--target=cpu", "--dumpRefit")
    assert "Refittable: (conv, KERNEL), weights w of 108 values" in build.lines("I") and "Refit: Enabled" in build.lines("I")
    log = computes_as(trtexec, "other.onnx", "--loadEngine=r.engine", "--refitFromOnnx=other.onnx")
    assert sum(bool(REFITTED.fullmatch(line)) for line in log.lines("I")) == 1
    computes_as(trtexec, "tiny.onnx", "--loadEngine=r.engine")
    trtexec.passes("--loadEngine=r.engine", "--refitFromOnnx=other.onnx", "--saveEngine=o.engine", "--skipInference", "--target=cpu")
    computes_as(trtexec, "other.onnx", "--loadEngine=o.engine")
    computes_as(trtexec, "tiny.onnx", "--loadEngine=r.engine")  # as it was
    log = computes_as(trtexec, "tiny.onnx", "--loadEngine=r.engine", "--timeRefit")
    assert "Time Refit: Enabled" in log.lines("I") and any(map(REFITTED.fullmatch, log.lines("I")))
    log = trtexec.passes("--loadEngine=tiny.engine", "--dumpRefit", *QUICK)
    assert "Refittable layers: none; the engine was not built with --refit." in log.lines("I")
    refused = trtexec.fails("--loadEngine=tiny.engine", "--refitFromOnnx=other.onnx", *QUICK)
    assert refused.lines("E")[0].startswith("the engine cannot be refitted: it was not built for it; try: ")


def test_what_is_loaded_can_be_saved_as_it_runs(trtexec):
    trtexec.passes("--loadEngine=tiny.engine", "--saveEngine=copy.engine", "--skipInference", "--target=cpu")
    assert (trtexec.folder / "copy.engine").read_bytes() == (trtexec.folder / "tiny.engine").read_bytes()
    other_weights(trtexec)
    trtexec.passes("--onnx=tiny.onnx", "--stripAllWeights", "--saveEngine=s.engine", "--skipInference", "--target=cpu")
    trtexec.passes("--loadEngine=s.engine", "--refitFromOnnx=other.onnx", "--saveEngine=s.engine", *QUICK)  # in its own place
    computes_as(trtexec, "other.onnx", "--loadEngine=s.engine")


def attention(path, seed):
    """Attention over what two weights make of x, and a branch beside it."""
    rng, value = np.random.default_rng(seed), helper.make_tensor_value_info
    weights = [numpy_helper.from_array(rng.standard_normal((32, 32)).astype("f4"), name) for name in "wv"]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["q"], "query"),
        helper.make_node("MatMul", ["x", "v"], ["k"], "key"),
        helper.make_node("Transpose", ["k"], ["t"], "transpose", perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "t"], ["p"], "product"),
        helper.make_node("Softmax", ["p"], ["s"], "softmax", axis=-1),
        helper.make_node("MatMul", ["s", "x"], ["a"], "values"),
        helper.make_node("Add", ["a", "q"], ["y"], "sum"),
    ]
    save(helper.make_graph(nodes, "attention", [value("x", 1, [2, 16, 32])], [value("y", 1, [2, 16, 32])], weights), path)


FLAGS = """
--fp16 --layerPrecisions=product:fp32 --precisionConstraints=obey
--bf16 --layerOutputTypes=query:fp32,key:bf16 --precisionConstraints=prefer
--fp16 --decomposableAttentions=softmax
--fp16 --markDebug=q,a
--markUnfusedTensorsAsDebugTensors
--fp16 --memPoolSize=workspace:0.001,tacticSharedMem:16K
--maxAuxStreams=1
--fp16 --setBuildRoute=-optimization_level=3 -max_branches=4 -workspace_mib=1
"""


@pytest.mark.parametrize("target", ["cpu", "sm_90"])
@pytest.mark.parametrize("flags", FLAGS.strip().split("\n"))
def test_a_refit_builds_by_the_same_flags(trtexec, flags, target):
    words = ["--" + word.strip() for word in flags.split("--")[1:]]
    for seed, name in enumerate("ab"):
        attention(trtexec.folder / f"{name}.onnx", seed)
        trtexec.passes(f"--onnx={name}.onnx", f"--saveEngine={name}.engine", "--skipInference", "--refit", f"--target={target}", *words)
    subprocess.run([trtexec.program.parent / "burnish", "refit", "a.engine", "--onnx", "b.onnx"], cwd=trtexec.folder, check=True)
    assert (trtexec.folder / "a.engine").read_bytes() == (trtexec.folder / "b.engine").read_bytes()


@pytest.mark.parametrize("flag", ["--stripWeights", "--weightless", "--stripAllWeights"])
def test_an_engine_without_weights(trtexec, flag):
    other_weights(trtexec)
    computes_as(trtexec, "tiny.onnx", "--onnx=tiny.onnx", flag, "--saveEngine=s.engine")  # from the model that is there
    missing = trtexec.fails("--loadEngine=s.engine", *QUICK).lines("E")
    assert missing == [
        "Missing (conv, KERNEL) for refitting.",
        "the engine has no weights; try: add --refitFromOnnx=<file>, or --skipInference",
        "Inference set up failed",
    ]
    computes_as(trtexec, "tiny.onnx", "--loadEngine=s.engine", "--refitFromOnnx=tiny.onnx")
    if flag == "--stripAllWeights":
        computes_as(trtexec, "other.onnx", "--loadEngine=s.engine", "--refitFromOnnx=other.onnx")
    else:
        refused = trtexec.fails("--loadEngine=s.engine", "--refitFromOnnx=other.onnx", *QUICK).lines("E")
        assert refused[0].startswith("weight 'w' is another one, and the engine takes only the one that it was built with; try: ")


@pytest.mark.parametrize("flag", ["--int8", "--fp8", "--best"])
def test_quantised_builds_are_refused(trtexec, flag):
    log = trtexec.fails("--onnx=tiny.onnx", "--target=cpu", "--saveEngine=q.engine", flag)
    assert log.lines("E") == [f"{flag} asks for quantised kernels, which Burnish does not have yet; try: build with --fp16", "Engine set up failed"]
    assert not (trtexec.folder / "q.engine").exists()


def test_precisions_of_layers_are_not_pretended(trtexec):
    build = ("--onnx=tiny.onnx", "--target=cpu", "--skipInference")
    for flags, why in (
        (["--layerPrecisions=*:fp16"], "--layerPrecisions=*:fp16: the build is in FP32 without --fp16"),
        (["--layerOutputTypes=*:bf16"], "--layerOutputTypes=*:bf16: the build is in FP32 without --bf16"),
        (["--fp16", "--layerPrecisions=*:int8"], "--layerPrecisions=*:int8: floating-point layers are stored in FP32, FP16 or BF16"),
        (["--bf16", "--layerPrecisions=*:fp16"], "--layerPrecisions=*:fp16: the build is in FP32 and BF16"),
        (["--fp16", "--layerOutputTypes=*:fp32+int32"], "--layerOutputTypes=*:int32: floating-point layers are stored in FP32, FP16 or BF16"),
    ):
        log = trtexec.fails(*build, *flags, "--precisionConstraints=obey")
        assert log.lines("E")[0] == f"--precisionConstraints=obey cannot be kept: {why}; try: say --precisionConstraints=prefer, or leave that away"
        assert f"{why.replace(': ', ' has no effect: ', 1)}." in trtexec.passes(*build, *flags, "--precisionConstraints=prefer").lines("W")
    for flag in ("--layerPrecisions", "--layerOutputTypes"):
        log = trtexec.passes(*build, "--fp16", f"{flag}=*:fp32")
        assert f"{flag} has no effect without --precisionConstraints=prefer or obey." in log.lines("W")
    assert trtexec.fails("--onnx=tiny.onnx", "--target=cpu", "--runtimePlatform=WindowsAMD64").lines("E")[0].startswith("--runtimePlatform=WindowsAMD64 is refused: ")


def rounds_to(values, bits):
    """Whether FP32 values have so few digits."""
    return (np.float32(values).view(np.uint32) << np.uint32(9 + bits) == 0).all()


def test_types_of_layers_and_their_outputs(trtexec):
    """What a layer in the middle makes, looked at: how many digits it has says in what type it was stored."""
    random = np.random.default_rng(4)
    weights = [numpy_helper.from_array(random.normal(size=(8, 8)).astype(np.float32), name) for name in ("v", "w")]
    nodes = [helper.make_node("MatMul", ["x", "v"], ["a"], "first"), helper.make_node("Relu", ["a"], ["r"], "relu"), helper.make_node("MatMul", ["r", "w"], ["y"], "last")]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 8]) for name in "xy")
    save(helper.make_graph(nodes, "g", [x], [y], weights), trtexec.folder / "m.onnx")
    values = random.normal(size=(4, 8)).astype(np.float32)
    values.tofile(trtexec.folder / "x.bin")
    (want,) = onnxruntime.InferenceSession(with_outputs(trtexec.folder / "m.onnx", "a"), providers=["CPUExecutionProvider"]).run(["a"], {"x": values})

    def middle(*words):
        """Whether it is rounded to FP16, and to BF16; and the log."""
        flags = ["--precisionConstraints=obey"] if any("layer" in word for word in words) else []
        log = trtexec.passes("--onnx=m.onnx", "--markDebug=a", "--saveDebugTensors=a:a.raw", "--loadInputs=x:x.bin", *flags, *words, *QUICK)
        got = np.fromfile(trtexec.folder / "a.raw", np.float32).reshape(4, 8)
        np.testing.assert_allclose(got, want, rtol=5e-2, atol=5e-2)
        return rounds_to(got, 10), rounds_to(got, 7), log

    assert middle()[:2] == (False, False)
    assert middle("--fp16")[:2] == (True, False)
    assert middle("--bf16")[:2] == (True, True)
    both = middle("--fp16", "--bf16")
    assert both[:2] == (True, False) and "Of --fp16 and --bf16 FP16 is taken, which has more digits." in both[2].lines("I")
    rounded, _, log = middle("--fp16", "--layerPrecisions=first:fp32")
    assert not rounded and "Set layer first to precision fp32" in log.lines("I")
    assert not middle("--fp16", "--layerOutputTypes=first:fp32")[0]
    rounded, _, log = middle("--fp16", "--layerPrecisions=first:fp32", "--layerOutputTypes=first:fp16")
    assert rounded and "Set output 0 of layer first to type fp16" in log.lines("I")


def test_bf16_is_as_accurate_as_its_digits(trtexec):
    x = np.random.default_rng(5).normal(size=(2, 3, 8, 8)).astype(np.float32)
    x.tofile(trtexec.folder / "x.bin")
    log = trtexec.passes("--onnx=fixed.onnx", "--bf16", "--loadInputs=x:x.bin", *QUICK, "--exportOutput=o.json")
    assert "Precision: FP32+BF16" in log.lines("I")
    got, want = exported(trtexec.folder)["y"][1].reshape(2, 4), reference(trtexec.folder, "fixed.onnx", x)
    error = np.linalg.norm(got - want) / np.linalg.norm(want)
    assert 1e-4 < error < 1e-2


def with_outputs(path, *names):
    """The model's bytes, these tensors being outputs too."""
    model = onnx.load(path)
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    return model.SerializeToString()


def test_debug_tensors(trtexec):
    x = np.random.default_rng(6).normal(size=(3, 3, 8, 8)).astype(np.float32)
    x.tofile(trtexec.folder / "x.bin")
    run = ("--loadEngine=d.engine", "--shapes=x:3x3x8x8", "--loadInputs=x:x.bin", *QUICK)
    profile = "--minShapes=x:1x3x8x8 --optShapes=x:2x3x8x8 --maxShapes=x:8x3x8x8".split()
    log = trtexec.passes("--onnx=tiny.onnx", *profile, "--markDebug=r,c", "--saveEngine=d.engine", "--skipInference", "--target=cpu")
    assert "Debug Tensors: r,c" in log.lines("I")
    log = trtexec.passes(*run, "--saveDebugTensors=c:c.raw", "--saveAllDebugTensors=summary,numpy,string,raw", "--exportOutput=o.json")
    session = onnxruntime.InferenceSession(with_outputs(trtexec.folder / "tiny.onnx", "c", "r"), providers=["CPUExecutionProvider"])
    for name, want in zip("cr", session.run(["c", "r"], {"x": x})):
        stem = trtexec.folder / f"{name}.3x4x8x8.fp32"
        got = np.load(f"{stem}.npy")
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
        assert (trtexec.folder / f"{stem}.raw").read_bytes() == got.tobytes()
        first, *rows = open(f"{stem}.txt").read().splitlines()
        assert first == "3x4x8x8 fp32" and len(rows) == 3 * 4 * 8
        np.testing.assert_allclose(np.array(" ".join(rows).split(), np.float32).reshape(got.shape), got, rtol=1e-5, atol=1e-5)
        (summary,) = [line for line in log.lines("I") if line.startswith(f"Debug tensor {name}: 3x4x8x8 fp32, min ")]
        assert f"max {got.max():.5g}"[:9] in summary
    assert (trtexec.folder / "c.raw").read_bytes() == np.load(f"{trtexec.folder}/c.3x4x8x8.fp32.npy").tobytes()
    assert list(exported(trtexec.folder)) == ["y"]
    unknown = trtexec.fails(*run, "--saveDebugTensors=q:q.raw")
    assert unknown.lines("E") == ["--saveDebugTensors names 'q', which is no debug tensor of the engine; try: its debug tensors are: r, c", "Inference set up failed"]
    none = trtexec.fails("--loadEngine=tiny.engine", *QUICK, "--saveDebugTensors=c:c.raw")
    assert none.lines("E")[0].endswith("; try: build it with --markDebug=c")
    none = trtexec.fails("--loadEngine=tiny.engine", *QUICK, "--saveAllDebugTensors=raw")
    assert none.lines("E")[0] == "--saveAllDebugTensors is given, and the engine has no debug tensors; try: build it with --markDebug=<names> or --markUnfusedTensorsAsDebugTensors"
    wrong = trtexec.fails("--onnx=tiny.onnx", "--target=cpu", "--markDebug=w")
    assert wrong.lines("E")[0] == "no tensor that the model computes is named 'w'; try: name an input or what a node makes; constants, and tensors inside of bodies, are none"


def test_unfused_tensors_are_those_that_are_in_memory_anyway(trtexec):
    log = trtexec.passes("--onnx=fixed.onnx", "--markUnfusedTensorsAsDebugTensors", "--saveAllDebugTensors=summary", *QUICK)
    assert [line.split(":")[0] for line in log.lines("I") if line.startswith("Debug tensor ")] == ["Debug tensor r"]


def test_attention_that_stays_decomposed(trtexec):
    port = helper.make_tensor_value_info
    nodes = [
        helper.make_node("MatMul", ["q", "k"], ["p"], "product"),
        helper.make_node("Softmax", ["p"], ["w"], "softmax", axis=-1),
        helper.make_node("MatMul", ["w", "v"], ["y"], "values"),
    ]
    shapes = {"q": [2, 5, 8], "k": [2, 8, 7], "v": [2, 7, 4]}
    save(helper.make_graph(nodes, "g", [port(n, TensorProto.FLOAT, s) for n, s in shapes.items()], [port("y", TensorProto.FLOAT, [2, 5, 4])]), trtexec.folder / "m.onnx")
    layers = "--dumpLayerInfo --profilingVerbosity=detailed --skipInference --fp16 --target=cpu --saveEngine=a.engine".split()
    whole = trtexec.passes("--onnx=m.onnx", *layers).stdout
    apart = trtexec.passes("--onnx=m.onnx", *layers, "--decomposableAttentions=soft*").stdout
    assert "product + softmax + values" in whole and "product + softmax + values" not in apart
    unknown = trtexec.fails("--onnx=m.onnx", "--target=cpu", "--decomposableAttentions=hat")
    assert unknown.lines("E")[0].startswith("the model has no node named 'hat'; ")


def test_memory_by_strategy(trtexec):
    """A batch of 1 of up to 8: for it alone, or for the largest at once."""

    def sizes(*words, batch=1):
        log = trtexec.passes("--loadEngine=tiny.engine", f"--shapes=x:{batch}x3x8x8", *QUICK, *words)
        told = [line for line in log.lines("I") if line.startswith(("Maximum device memory", "Only allocated", "Device memory is"))]
        return float(re.search(r"Created execution context with device memory size: (\S+) MiB", log.stdout)[1]), told

    small, nothing = sizes()
    assert nothing == [] and sizes("--allocationStrategy=runtime") == (small, ["Device memory is allocated as the shapes of each run need it."])
    large, told = sizes("--allocationStrategy=static")
    assert large == sizes(batch=8)[0] > 4 * small
    assert told[0].startswith("Maximum device memory size across all profiles: ")
    assert sizes("--allocationStrategy=profile")[0] == large


def test_temporary_files(trtexec):
    build = ("--onnx=tiny.onnx", "--target=cpu", "--skipInference")
    log = trtexec.fails(*build, "--tempdir=nowhere")
    assert log.lines("E")[0].startswith("cannot make a temporary folder 'nowhere/burnish-")
    log = trtexec.fails(*build, "--tempfileControls=in_memory:allow,temporary:deny")
    assert log.lines("E")[0] == "an engine that is not saved lies in a temporary file, which --tempfileControls denies; try: add --saveEngine=<file>, or allow it"
    log = trtexec.passes(*build, "--tempfileControls=temporary:deny", "--saveEngine=s.engine")
    refused = trtexec.fails("--onnx=tiny.onnx", *QUICK, "--tempfileControls=temporary:deny", "--saveEngine=s.engine", "--stripWeights")
    assert refused.lines("E")[0] == "an engine that is refitted lies in a temporary file, which --tempfileControls denies; try: allow it"
    assert "Tempfile Controls: { in_memory: allow, temporary: deny }" in log.lines("I")


def test_calibration(trtexec):
    (trtexec.folder / "cache").write_text("TRT-8501-EntropyCalibration2\nx: 3c010a14\nodd: name: 3f800000\r\n")
    log = trtexec.fails("--onnx=tiny.onnx", "--target=cpu", "--int8", "--calib=cache")
    assert "Calibration cache cache: 2 tensors, by TRT-8501-EntropyCalibration2" in log.stdout
    (trtexec.folder / "cache").write_text("TRT-8501-EntropyCalibration2\nx: nonsense\n")
    log = trtexec.fails("--onnx=tiny.onnx", "--target=cpu", "--int8", "--calib=cache")
    assert log.lines("E")[0].startswith("'cache' is no calibration cache: line 2 is not 'tensor: 8 hexadecimal digits'; ")
    (trtexec.folder / "data").mkdir()
    assert trtexec.fails("--onnx=tiny.onnx", "--target=cpu", "--int8", "--calib=data").lines("E")[0].startswith("the folder of calibration data 'data' is empty; ")
    np.savez(trtexec.folder / "data" / "a.npz", x=np.zeros(1))
    log = trtexec.fails("--onnx=tiny.onnx", "--target=cpu", "--int8", "--calib=data")
    assert "Calibration data: 1 files in data" in log.stdout and "quantised kernels" in log.lines("E")[0]


def test_strongly_typed_switches_precision_flags_off(trtexec):
    log = trtexec.passes("--onnx=tiny.onnx", "--target=cpu", "--skipInference", "--stronglyTyped", "--fp16", "--int8")
    assert [line.split(" is switched off")[0] for line in log.lines("W") if "switched off" in line] == ["--fp16", "--int8"]


def test_tf32_is_on_unless_told(trtexec):
    assert "TF32 is on for FP32 products" in trtexec.passes("--onnx=tiny.onnx", "--target=cpu", "--skipInference").stdout
    assert "TF32 is on" not in trtexec.passes("--onnx=tiny.onnx", "--target=cpu", "--skipInference", "--noTF32").stdout


def test_engines_that_cannot_be_loaded(trtexec):
    (trtexec.folder / "foreign.plan").write_bytes(struct.pack("<II", 0x74727466, 0) + bytes(64))
    for words in ((), ("--getPlanVersionOnly",)):
        log = trtexec.fails("--loadEngine=foreign.plan", "--target=cpu", *words)
        assert log.lines("E") == [
            "this is a plan of TensorRT, which only the library that made it can load, while opening 'foreign.plan'; try: "
            "build the engine again from the ONNX model",
            "Engine set up failed",
        ]
    (trtexec.folder / "empty").write_bytes(b"")
    assert trtexec.fails("--loadEngine=empty", "--target=cpu").lines("E")[-1] == "Engine set up failed"
    assert trtexec.fails("--loadEngine=none", "--target=cpu").lines("E")[0].startswith("cannot read the engine 'none': ")
    assert trtexec.fails("--onnx=none", "--target=cpu").lines("E")[0].startswith("cannot read the model 'none': ")


def test_version_and_loading_times(trtexec):
    log = trtexec.passes("--loadEngine=fixed.engine", "--getPlanVersionOnly")
    assert re.search(r"Plan was created with Burnish version \d+\.\d+\.\d+, which follows TensorRT version 10\.16\.0\.0", log.stdout)
    log = trtexec.passes("--loadEngine=fixed.engine", "--target=cpu", "--timeDeserialize")
    assert re.search(r"Total deserialization time = [\d.e-]+ milliseconds in \d+ iterations, average time = [\d.e-]+ milliseconds, first time = [\d.e-]+ milliseconds\.", log.stdout)
    assert "Starting inference" not in log.stdout


def test_accuracy(trtexec):
    x = np.random.default_rng(3).normal(size=(2, 2, 3, 8, 8)).astype(np.float32)
    y = [reference(trtexec.folder, "fixed.onnx", one) for one in x]
    for i in range(2):
        x[i].tofile(trtexec.folder / f"x{i}.bin")
        y[i].tofile(trtexec.folder / f"y{i}.bin")
    (y[1] + 0.5).tofile(trtexec.folder / "off.bin")
    run = ("--loadEngine=fixed.engine", *QUICK, "--accuracyThreshold=0.1", "--atol=1e-4", "--rtol=1e-4")
    pairs = ("--refPair=0", "--loadInputs=x:x0.bin", "--loadRefOutputs=y:y0.bin", "--refPair=1", "--loadInputs=x:x1.bin")
    log = trtexec.passes(*run, *pairs, "--loadRefOutputs=y:y1.bin")
    assert log.stdout.count("Accuracy loss for tensor y (l0): 0.000000") == 2
    for algorithm, loss in {"l0": 1, "l1": 0.5, "l2": 0.25, "lInf": 0.5}.items():
        log = trtexec.fails(*run, *pairs, "--loadRefOutputs=y:off.bin", f"--accuracyAlgorithm={algorithm}")
        (line,) = [line for line in log.lines("E") if line.startswith("Accuracy")]
        found = re.fullmatch(rf"Accuracy loss for tensor y \({algorithm}\): (\d\.\d{{6}}) \[FAIL: >= threshold 0\.1\]", line)
        assert float(found[1]) == pytest.approx(loss, abs=1e-4)
    log = trtexec.passes("--loadEngine=fixed.engine", *QUICK, *pairs, "--loadRefOutputs=y:off.bin", "--accuracyAlgorithm=cos")
    cosine = np.dot(y[1].ravel(), (y[1] + 0.5).ravel()) / np.linalg.norm(y[1]) / np.linalg.norm(y[1] + 0.5)
    losses = [float(loss) for loss in re.findall(r"\(cos\): (\d\.\d{6})$", log.stdout, re.M)]
    assert losses == pytest.approx([0, 1 - cosine], abs=1e-5)
    (trtexec.folder / "short.bin").write_bytes(b"1234")
    log = trtexec.fails("--loadEngine=fixed.engine", *QUICK, "--loadInputs=x:short.bin")
    assert log.lines("E")[0].startswith("'short.bin' has 4 bytes, and x of 2x3x8x8 fp32 has 1536; ")


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there is a GPU here")
def test_the_cpu_is_never_chosen_silently(trtexec):
    log = trtexec.fails("--onnx=tiny.onnx")
    assert log.lines("E")[0].startswith("there is no GPU here: ") and log.lines("E")[0].endswith("; try: --target=cpu builds for the CPU and runs there")


def test_an_endless_run_ends_with_ctrl_c(trtexec):
    words = ["--loadEngine=fixed.engine", "--target=cpu", "--duration=-1", "--warmUp=0"]
    process = subprocess.Popen(
        [str(trtexec.program), *words],
        cwd=trtexec.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stdout:
        if "Starting inference" in line:
            break
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert "Performance summary" in rest and process.returncode == 0 and "&&&& PASSED" in rest


def test_what_fails_while_it_runs(trtexec):
    log = trtexec.fails("--loadEngine=fixed.engine", *QUICK, "--loadRefOutputs=z:z.bin")
    assert log.lines("E") == ["--loadRefOutputs names 'z', which is no output of the engine; try: its outputs are: y", "Error occurred during inference"]
