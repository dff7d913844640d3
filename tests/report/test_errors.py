"""What goes wrong is two lines, cause and remedy, and leaves no file."""
import json
import shutil

import exports
import pytest

CASES = [  # arguments, cause, remedy
    ([], "burnish report: there is nothing to report on", "name an engine, or a file of layers: --layers graph.json"),
    (["nope.engine"], "cannot read the engine 'nope.engine': No such file or directory", "check the path; relative ones start at the current folder"),
    (["net.onnx"], "'net.onnx' is a model, not an engine", "build it first: burnish build net.onnx"),
    (["--layers", "nope.json"], "cannot read the layer file 'nope.json': No such file or directory", "check the path; relative ones start at the current folder"),
    (["--layers", "broken.json"], "the layer file 'broken.json' is no JSON from byte 13 on", "export it again"),
    (["--layers", "list.json"], "cannot use the layer file 'list.json': it has no list 'Layers'", "export it with trtexec --exportLayerInfo=FILE"),
    (["--layers", "odd.json"], "cannot use the layer file 'odd.json': type must be string, but is number", "export it again; burnish report --help says with what"),
    (["--layers", "graph.json", "--profile", "broken.json"], "the profile 'broken.json' is no JSON from byte 13 on", "export it again"),
    (["--layers", "graph.json", "--profile", "other.json"], "cannot use the profile 'other.json': none of its layers is one of the engine's", "give the profile that was exported with this engine"),
    (["--layers", "graph.json", "--times", "list.json"], "cannot use the times 'list.json': it is no list of timed queries", "export it with trtexec --exportTimes=FILE or burnish bench --json FILE"),
    (["--layers", "graph.json", "--times", "other.json"], "cannot use the times 'other.json': key 'latencyMs' not found", "export it again; burnish report --help says with what"),
    (["net.engine", "half.engine", "--layers", "graph.json"], "burnish report shows one engine or compares two, and 3 are given", "compare them in pairs"),
    (["--layers", "graph.json", "--profile", "other.json", "--profile", "other.json"], "--profile is given 2 times for 1 engine", "give it once for each"),
    (["find.engine", "--profile", "cpu.json"], "cannot use the profile 'cpu.json': it was measured on cpu, and the engine is built for sm_90", "measure this engine: burnish bench ENGINE --profile --json FILE"),
    (["net.engine", "--device", "gpu"], "--device: 'gpu' is no device", "say cpu, or the number of a GPU as nvidia-smi lists them"),
    (["find.engine", "--device", "cpu"], "the engine has no plan for the host, only for sm_90", "build it with target cpu too, or choose a GPU"),
    (["net.engine", "--shapes", "q:1", "--device", "cpu"], "--shapes: 'q' is no input of the engine", "its inputs are: image"),
    (["net.engine", "--shapes", "q:1", "--no-run"], "--shapes: 'q' is no input of the engine", "its inputs are: image"),
]


@pytest.fixture
def files(burnish):
    exports.write(burnish.folder, 2)
    (burnish.folder / "broken.json").write_text('{"Layers": [')
    (burnish.folder / "list.json").write_text("[]")
    (burnish.folder / "odd.json").write_text(json.dumps({"Layers": [{"Name": 3}]}))
    (burnish.folder / "cpu.json").write_text(json.dumps({"target": "cpu", "inputs": {}}))
    (burnish.folder / "other.json").write_text(json.dumps([{"count": 1}, {"name": "stranger", "averageMs": 1}]))


@pytest.mark.parametrize(("arguments", "cause", "remedy"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_refusals(burnish, files, arguments, cause, remedy):
    before = sorted(burnish.folder.iterdir())
    assert burnish.refuse("report", *arguments, "-o", "page.html") == (cause, remedy)
    assert sorted(burnish.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("output", "cause", "remedy"),
    [
        ("no/such/page.html", "cannot write 'no/such/page.html': No such file or directory", "make its folder first: mkdir -p 'no/such'"),
        (".", "cannot write '.': it is a folder", "name a file in it"),
        ("/dev/full", "cannot write '/dev/full': No space left on device", "free some space, or choose another file"),
    ],
)
def test_unwritable_pages(burnish, files, output, cause, remedy):
    assert burnish.refuse("report", "--layers", "graph.json", "-o", output) == (cause, remedy)


def test_a_page_must_have_a_name(burnish):
    assert burnish.refuse("report", "net.engine") == ("burnish report: --output is required", "burnish report --help says what it takes")


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there is a GPU here")
def test_an_engine_for_a_gpu_that_is_not_here_is_shown_unmeasured(burnish):
    assert burnish.succeed("report", "find.engine", "-o", "unmeasured.html") == "unmeasured.html\n"
    assert '"not_run":"there is no NVIDIA driver' in (burnish.folder / "unmeasured.html").read_text()
