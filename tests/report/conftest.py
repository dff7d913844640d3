"""Engines, exported files, and a real browser that opens the report."""
import json
import os
import pathlib
import shutil
import subprocess

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")  # not chromium-browser, which on Ubuntu only points at a snap


def pytest_addoption(parser):
    group = parser.getgroup("burnish")
    group.addoption("--burnish", default="build/bin/burnish", help="the program under test")
    group.addoption("--screenshot", help="keep the picture of the report here, say docs/report.png")


class Burnish:
    """Calls the program in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, *arguments, **options):
        command = [str(self.program), *map(str, arguments)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, **options)

    def with_gpu(self):
        """The environment in which a stand-in for a GPU is found (build/testing)."""
        return {**os.environ, "LD_LIBRARY_PATH": str(self.program.parents[1] / "testing" / "host_gpu")}

    def succeed(self, *arguments, **options):
        done = self(*arguments, **options)
        assert done.returncode == 0 and done.stderr == "", f"burnish {' '.join(map(str, arguments))}\n{done.stderr}"
        return done.stdout

    def refuse(self, *arguments):
        """(cause, remedy) of a call that has to fail: these two lines and nothing else."""
        done = self(*arguments)
        lines = done.stderr.splitlines()
        assert done.returncode == 1 and len(lines) == 2, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        return lines[0].removeprefix("error: "), lines[1].removeprefix("  try: ")

    def json(self, name):
        return json.loads((self.folder / name).read_text())

    def inspect(self, engine, target):
        """The plan for a target, as `burnish inspect` has it."""
        return next(plan for plan in json.loads(self.succeed("inspect", engine, "--json"))["plans"] if plan["target"] == target)


@pytest.fixture(scope="session")
def burnish(request, tmp_path_factory):
    """The program, in a folder with net.engine (cpu and sm_90, FP32), half.engine (the same in FP16), find.engine
    (a host step), and net.engine's reports: report.html measured on the CPU, gpu.html of the plan for a GPU that is not here."""
    program = (ROOT / request.config.getoption("--burnish")).resolve()
    assert program.exists(), f"{program} is not there; ./dev build makes it"
    burnish = Burnish(program, tmp_path_factory.mktemp("report"))
    save_network(burnish.folder / "net.onnx")
    save_network(burnish.folder / "free.onnx", "batch")
    save_search(burnish.folder / "find.onnx")
    burnish.succeed("build", "net.onnx", "--target", "cpu,sm_90", "-o", "net.engine")
    burnish.succeed("build", "net.onnx", "--target", "cpu,sm_90", "--fp16", "-o", "half.engine")
    burnish.succeed("build", "find.onnx", "--target", "sm_90", "-o", "find.engine")
    burnish.succeed("report", "net.engine", "--device", "cpu", "-o", "report.html")
    burnish.succeed("report", "net.engine", "--no-run", "-o", "gpu.html")
    return burnish


def save(nodes, inputs, outputs, weights, path):
    ports = [[helper.make_tensor_value_info(name, dtype, shape) for name, (dtype, shape) in side.items()] for side in (inputs, outputs)]
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    model = helper.make_model(helper.make_graph(nodes, path.stem, *ports, tensors), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def save_network(path, batch=1):
    """A small residual network: 3 channels in, 20 out of the last convolution, which tensor cores do not like; a Pad moves data."""
    random = np.random.default_rng(0)
    nodes, weights = [], {}

    def convolution(name, x, channels, filters, size, stride=1):
        weights[f"{name}.w"] = random.standard_normal((filters, channels, size, size), np.float32) / (channels * size)
        pads = [size // 2] * 4
        nodes.append(helper.make_node("Conv", [x, f"{name}.w"], [f"{name}.out"], name, pads=pads, strides=[stride] * 2))
        return f"{name}.out"

    def relu(name, x):
        nodes.append(helper.make_node("Relu", [x], [f"{name}.out"], name))
        return f"{name}.out"

    x, channels = relu("stem/relu", convolution("stem/conv", "image", 3, 32, 7, 2)), 32
    for block, filters in enumerate((32, 64, 64)):
        stride = 1 + (filters != channels)
        inner = relu(f"block{block}/relu1", convolution(f"block{block}/conv1", x, channels, filters, 3, stride))
        inner = convolution(f"block{block}/conv2", inner, filters, filters, 3)
        skip = x if filters == channels else convolution(f"block{block}/shortcut", x, channels, filters, 1, stride)
        nodes.append(helper.make_node("Add", [inner, skip], [f"block{block}/add.out"], f"block{block}/add"))
        x, channels = relu(f"block{block}/relu2", f"block{block}/add.out"), filters
    weights["border"] = np.array([0, 0, 1, 1, 0, 0, 2, 2])
    nodes.append(helper.make_node("Pad", [x, "border"], ["padded"], "head/pad"))
    x = convolution("head/conv", "padded", channels, 20, 3)
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["pooled"], "head/pool"))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["row"], "head/flatten"))
    weights["head/fc.w"] = random.standard_normal((20, 10), np.float32)
    nodes.append(helper.make_node("Gemm", ["row", "head/fc.w"], ["scores"], "head/fc"))
    save(nodes, {"image": (1, [batch, 3, 96, 96])}, {"scores": (1, [batch, 10])}, weights, path)


def save_search(path):
    """A model whose result has as many rows as the data says: the GPU leaves that to the host."""
    nodes = [helper.make_node("Relu", ["x"], ["y"], "relu"), helper.make_node("NonZero", ["y"], ["places"], "find")]
    save(nodes, {"x": (1, [8, 8])}, {"places": (7, [2, "hits"])}, {}, path)


@pytest.fixture(scope="session")
def chromium():
    """The system's browser, else the one that playwright installs."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def show(burnish, chromium):
    """show(name): the page, opened from disk. It may ask for nothing, and has to be silent."""
    contexts, requests, complaints = [], [], []

    def show(name, **options):
        contexts.append(chromium.new_context(viewport={"width": 1240, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        url = (burnish.folder / name).as_uri()
        page.goto(url)
        page.wait_for_function("document.querySelector('footer') !== null")
        assert requests[-1] == url
        requests.pop()
        return page

    yield show
    for context in contexts:
        context.close()
    assert requests == [] and complaints == []


def document_of(page):
    return json.loads(page.locator("#report").text_content())
