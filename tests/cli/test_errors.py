"""Whatever goes wrong is two lines, cause and remedy, and exit status 1."""
import os
import resource
import shutil
import signal
import subprocess

import numpy as np
import pytest
from conftest import copies, save
from onnx import helper, numpy_helper

no_gpu = pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there is a GPU here")


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        (["biuld", "m.onnx"], "burnish has no command 'biuld'", "did you mean build?"),
        (["frobnicate"], "burnish has no command 'frobnicate'", "burnish --help lists the commands"),
        (["--frob"], "burnish has no option '--frob'", "burnish --help lists the commands"),
        (["build", "--fp17", "m.onnx"], "burnish build has no option '--fp17'", "did you mean --fp16?"),
        (["build", "m.onnx", "--zzz=3"], "burnish build has no option '--zzz'", "burnish build --help lists its options"),
        (["build", "--fp17"], "burnish build has no option '--fp17'", "did you mean --fp16?"),
        (["build"], "burnish build: MODEL is required", "burnish build --help says what it takes"),
        (["run"], "burnish run: ENGINE is required", "burnish run --help says what it takes"),
        (["run", "a", "b"], "burnish run has no use for 'b'", "burnish run --help lists its options"),
        (["run", "a", "--seed"], "burnish run: --seed needs a value", "burnish run --help says what it takes"),
        (["bench", "a", "--iterations", "0"], "burnish bench: --iterations: Value 0 not in range 1 to 10000000", "burnish bench --help says what it takes"),
        (["bench", "a", "--iterations", "5", "--duration", "2"], "burnish bench: --iterations excludes --duration", "burnish bench --help says what it takes"),
        (["run", "nope.engine"], "cannot read the engine 'nope.engine': No such file or directory", "check the path; relative ones start at the current folder"),
        (["run", "."], "the engine '.' is a folder", "name a file in it"),
        (["build", "nope.onnx", "--target", "cpu"], "cannot read the model 'nope.onnx': No such file or directory", "check the path; relative ones start at the current folder"),
        (["compare", "nope.onnx"], "cannot read the model 'nope.onnx': No such file or directory", "check the path; relative ones start at the current folder"),
        (["inspect", "nope"], "cannot read the file 'nope': No such file or directory", "check the path; relative ones start at the current folder"),
        (["build", "m.onnx", "--shapes", "x"], "--shapes: 'x' lacks a ':' after the input's name", "write name:extents, say --shapes images:1x3x224x224; burnish inspect lists the inputs"),
        (["build", "m.onnx", "--node-precision", "a:int8"], "--node-precision: 'a:int8' is no node with its type", "write NODE:fp32, NODE:fp16 or NODE:bf16; one * in the name stands for anything"),
        (["run", "a", "--device", "gpu"], "--device: 'gpu' is no device", "say cpu, or the number of a GPU as nvidia-smi lists them"),
        (["run", "a", "--device=-1"], "--device: '-1' is no device", "say cpu, or the number of a GPU as nvidia-smi lists them"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage(burnish, arguments, cause, remedy):
    assert burnish.refuse(*arguments) == (cause, remedy)


ENGINE = [
    (["run", "copy.onnx"], "'copy.onnx' is a model, not an engine", "build it first: burnish build copy.onnx"),
    (["run", "copy.engine", "--shapes", "q:1"], "--shapes: 'q' is no input of the engine", "its inputs are: x, ids"),
    (["run", "copy.engine", "--shapes", "x:1"], "--shapes: 'x' has 2 axes, 1 has 1", "give it as x:?x3"),
    (["run", "copy.engine", "--shapes", "x:1x4"], "--shapes: axis 1 of 'x' is fixed at 3 in this engine, not 4", "give 3 or ?, or build the engine without fixing that axis"),
    (["run", "copy.engine", "--outputs", "no/such/out.npz"], "cannot write 'no/such/out.npz': No such file or directory", "make its folder first: mkdir -p 'no/such'"),
    (["run", "copy.engine", "--outputs", "."], "cannot write '.': it is a folder", "name a file in it"),
    (["build", "copy.onnx", "--target", "cpu", "-o", "no/e.engine"], "cannot write 'no/e.engine': No such file or directory", "make its folder first: mkdir -p 'no'"),
    (["build", "copy.onnx", "--target", "cpu", "-o", "/dev/full"], "cannot write '/dev/full': it is no regular file", "name a file; an engine is moved there once it is complete"),
    (["run", "copy.engine", "--outputs", "/dev/full"], "cannot write '/dev/full': No space left on device", "free some space, or choose a file on another disk"),
    (["bench", "copy.engine", "--iterations", "1", "--json", "/dev/full"], "cannot write '/dev/full': No space left on device", "free some space, or choose another file"),
    (["build", "copy.onnx", "--target", "cpu", "--input-formats", "x:half"], "--input-formats: 'x:half' does not end in a type or a layout", "write NAME:TYPE:LAYOUT, TYPE being fp32, fp16 or bf16, LAYOUT nchw or nhwc, and one of them is enough"),
    (["build", "copy.onnx", "--target", "cpu", "--input-formats", "ids:fp16"], "--input-formats ids: input 'ids' is i64 and cannot be f16", "only floating-point types are converted; leave its type away"),
    (["build", "copy.onnx", "--target", "cpu", "--output-formats", "x:fp16"], "--output-formats x: the model has no output 'x'", "it has 'x_out', 'ids_out'"),
    (["bench", "copy.engine", "--flush-l2"], "a GPU's L2 cache is to be flushed, and this context runs on the host", "time it as it is, or create the context for a GPU"),
    (["inspect", "copy.engine", "--text"], "--text shows models, and 'copy.engine' is an engine", "leave --text away, or name the model"),
    (["compare", "copy.onnx", "--device", "cpu", "--reference", "r.npz"], "'r.npz' holds 'y', which is no output of the model", "its outputs are: x_out, ids_out"),
]


@pytest.mark.parametrize(("arguments", "cause", "remedy"), ENGINE, ids=[" ".join(row[0]) for row in ENGINE])
def test_with_an_engine(burnish, engine, arguments, cause, remedy):
    np.savez(burnish.folder / "r.npz", y=np.zeros(3))
    before = burnish.files()
    assert burnish.refuse(*arguments) == (cause, remedy)
    assert burnish.files() == before


def test_batch_of_a_fixed_engine(burnish):
    copies(burnish.folder / "m.onnx", x=("float32", [1, 3]))
    burnish.succeed("build", "m.onnx", "--target", "cpu")
    assert burnish.refuse("bench", "m.engine", "--batch", 4) == (
        "--batch: axis 0 of every input is fixed in this engine",
        "build it without fixing that axis: --shapes NAME:?x…",
    )


@no_gpu
def test_no_gpu(burnish, engine):
    cause, remedy = burnish.refuse("build", "copy.onnx")
    assert cause.startswith("no GPU here to build for: ") and remedy == "name what to build for: --target sm_90, say, or --target cpu"
    cause, remedy = burnish.refuse("compare", "copy.onnx")
    assert cause == "nothing to compare: FP32 on the CPU is the reference itself"
    assert remedy == "there is no GPU here: say --fp16, or --reference OUTPUTS.npz"
    burnish.refuse("run", engine, "--device", 0)


def test_wrong_shape(burnish, engine):
    np.savez(burnish.folder / "in.npz", x=np.zeros((2, 4), np.float32))
    cause, remedy = burnish.refuse("run", engine, "--inputs", "in.npz")
    assert all(word in cause for word in ("'x'", "axis 1", "3", "4")) and remedy


def test_wrong_type(burnish, engine):
    np.savez(burnish.folder / "in.npz", x=np.zeros((2, 3)))
    cause, remedy = burnish.refuse("run", engine, "--inputs", "in.npz")
    assert all(word in cause for word in ("'x'", "f32", "f64")) and remedy


def test_unequal_extents_of_one_name(burnish, engine):
    np.savez(burnish.folder / "in.npz", x=np.zeros((2, 3), np.float32), ids=np.zeros((4, 5), np.int64))
    cause, remedy = burnish.refuse("run", engine, "--inputs", "in.npz")
    assert "batch" in cause and "2" in cause and "4" in cause and remedy


@pytest.mark.parametrize("content", [b"", b"BRN", b"BRN1", b"BRN1" + bytes(4096), b"\x7fELF" + bytes(100)])
def test_no_engine(burnish, content):
    (burnish.folder / "e.engine").write_bytes(content)
    for command in ("run", "bench", "inspect"):
        cause, remedy = burnish.refuse(command, "e.engine")
        assert "e.engine" in cause and remedy


@pytest.mark.parametrize("content", [b"", b"hello", bytes(100)])
def test_no_model(burnish, content):
    (burnish.folder / "m.onnx").write_bytes(content)
    for command in (["build", "m.onnx", "--target", "cpu"], ["inspect", "m.onnx"]):
        cause, remedy = burnish.refuse(*command)
        assert "m.onnx" in cause and remedy
    assert burnish.files() == ["m.onnx"]


def test_unknown_target(burnish, engine):
    cause, remedy = burnish.refuse("build", "copy.onnx", "--target", "sm_12")
    assert "sm_12" in cause and "sm_90" in cause + remedy


def test_unreadable_and_unwritable(burnish, engine):
    if os.geteuid() == 0:
        pytest.skip("root may read and write everything")
    (burnish.folder / engine).chmod(0)
    assert burnish.refuse("run", engine)[0] == f"cannot read the engine '{engine}': Permission denied"
    (burnish.folder / "closed").mkdir(mode=0o500)
    assert burnish.refuse("build", "copy.onnx", "--target", "cpu", "-o", "closed/e")[0] == "cannot write 'closed/e': Permission denied"


def test_full_standard_output(burnish, engine):
    with open("/dev/full", "w") as full:
        done = subprocess.run(burnish.command(["inspect", burnish.folder / engine]), stdout=full, stderr=-1, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "error: cannot write standard output: No space left on device\n  try: free some space, or send the output elsewhere\n"
    )


def small_files(limit):
    """For a child: a file cannot grow beyond `limit`, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def test_engine_that_does_not_fit(burnish):
    weights = np.random.default_rng(0).standard_normal((512, 512), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", 1, [1, 512])],
        [helper.make_tensor_value_info("y", 1, [1, 512])],
        [numpy_helper.from_array(weights, "w")],
    )
    save(graph, burnish.folder / "m.onnx")
    cause, remedy = burnish.refuse("build", "m.onnx", "--target", "cpu", preexec_fn=lambda: small_files(100_000))
    assert "m.engine" in cause and "File too large" in cause and remedy
    assert burnish.files() == ["m.onnx"]


def test_outputs_that_do_not_fit(burnish, engine):
    before = burnish.files()
    cause, _ = burnish.refuse("run", engine, "--shapes", "x:9999x3", "--outputs", "o.npz", preexec_fn=lambda: small_files(5000))
    assert cause == "cannot write 'o.npz': File too large"
    assert burnish.files() == before


def test_old_outputs_stay_when_new_ones_do_not_fit(burnish, engine):
    burnish.succeed("run", engine, "--outputs", "o.npz")
    before = (burnish.folder / "o.npz").read_bytes()
    burnish.refuse("run", engine, "--shapes", "x:9999x3", "--outputs", "o.npz", preexec_fn=lambda: small_files(5000))
    assert (burnish.folder / "o.npz").read_bytes() == before
