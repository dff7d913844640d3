"""Options of the model tests, and engines built once per model."""
import collections
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from catalogue import MODELS, ROOT, Case  # noqa: E402


def pytest_addoption(parser):
    group = parser.getgroup("burnish")
    group.addoption("--device", default="cpu", help="where engines run: cpu (default) or the number of a GPU")
    group.addoption("--target", help="what engines are built for; default: cpu, or the GPU of --device")
    group.addoption("--burnish", default="build/bin/burnish", help="the program under test")
    group.addoption("--full", action="store_true", help="8 seeds instead of 2, and the time of each model")
    group.addoption("--small", action="store_true", help="only the small models, one seed: for sanitisers")


def pytest_configure(config):
    config.addinivalue_line("markers", "xdist_group(name): tests of one group run in one process of pytest-xdist")


def pytest_generate_tests(metafunc):
    option = metafunc.config.option
    seeds = range(8) if option.full else range(1) if option.small else range(2)
    models = [model for model in MODELS if model.small or not option.small]
    if "case" in metafunc.fixturenames:
        pairs = [(model, case) for model in models for case in model.cases(seeds)]
        ids = [f"{model.name}-{case}" for model, case in pairs]
        metafunc.parametrize(("model", "case"), pairs, ids=ids)
    elif "seed" in metafunc.fixturenames:
        pairs = [(model, seed) for model in models for seed in seeds]
        ids = [f"{model.name}-{Case(seed)}" for model, seed in pairs]
        metafunc.parametrize(("model", "seed"), pairs, ids=ids)
    elif "model" in metafunc.fixturenames:
        metafunc.parametrize("model", models, ids=[model.name for model in models])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """A model's tests stay together, so that one model's engines are on the disk at a time."""
    order = {model.name: index for index, model in enumerate(MODELS)}
    items.sort(key=lambda item: order[item.callspec.params["model"].name] if hasattr(item, "callspec") else -1)
    for item in items:
        if hasattr(item, "callspec"):  # under pytest-xdist too
            item.add_marker(pytest.mark.xdist_group(item.callspec.params["model"].name))


def pytest_collection_finish(session):
    """Makes the zoo models that the chosen tests need, where they are not there yet."""
    models = {item.callspec.params["model"] for item in session.items if hasattr(item, "callspec")}
    names = sorted(model.name for model in models if model.path.parent.name == "zoo")
    if names and not session.config.option.collectonly:
        subprocess.run([sys.executable, ROOT / "tools/test_models.py", "zoo", *names], check=True)


@dataclasses.dataclass
class Engine:
    path: pathlib.Path
    build_seconds: float


class Burnish:
    """The command line, as a user calls it; keeps the engines of the latest model."""

    def __init__(self, program, device, target, folder):
        self.program, self.device, self.folder = str(program), device, folder
        self.target = target or ("cpu" if device == "cpu" else None)
        self.engines = collections.OrderedDict()

    def call(self, *arguments):
        """Runs the program; a failure shows its own words."""
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, f"burnish {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}"
        return done

    def build(self, model, *options, target=None, again=False):
        """The engine of `model`; built only once for the same options unless `again`."""
        target = target or self.target
        key = (model.name, options, target)
        if key in self.engines and not again:
            return self.engines[key]
        for old in [old for old in self.engines if old[0] != model.name]:
            self.engines.pop(old).path.unlink()
        path = self.folder / f"{model.name}-{len(self.engines)}{'-again' if again else ''}.engine"
        choices = ["--optimization-level", "0"]  # builds repeat, and take no longer than they must
        choices += (["--shapes", model.shapes] if model.shapes else []) + (["--target", target] if target else [])
        begin = time.monotonic()
        self.call("build", model.path, "-o", path, *choices, *options)
        engine = Engine(path, time.monotonic() - begin)
        if not again:
            self.engines[key] = engine
        return engine

    def run(self, engine, inputs, device=None):
        """Output name -> array."""
        given, made = self.folder / "in.npz", self.folder / "out.npz"
        np.savez(given, **inputs)
        made.unlink(missing_ok=True)
        self.call("run", engine.path, "--inputs", given, "--outputs", made, "--device", device or self.device)
        with np.load(made) as arrays:
            return dict(arrays)


@pytest.fixture(scope="session")
def burnish(request, tmp_path_factory):
    option = request.config.option
    program = (ROOT / option.burnish).resolve()
    assert program.exists(), f"{program} is not there; ./dev build makes it"
    folder = tmp_path_factory.mktemp("engines")
    yield Burnish(program, option.device, option.target, folder)
    shutil.rmtree(folder)


@pytest.fixture
def host(burnish):
    if burnish.device == "cpu":
        pytest.skip("compares a GPU with the host")
    return burnish
