"""Options of the node tests, and engines built ahead on every core."""
import concurrent.futures
import multiprocessing
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import node_tests  # noqa: E402
from building import build  # noqa: E402
from library import Library  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    group = parser.getgroup("burnish")
    group.addoption("--device", default="cpu", help="where engines run: cpu (default) or the number of a GPU")
    group.addoption("--libraries", default="build/lib", help="the folder of the libraries under test")


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", node_tests.names())


class Builds:
    """Engines of node tests, or why there are none. Every chosen test's is ready or on its way, in processes of their own: NVRTC
    compiles one kernel at a time in each, and a crash there fails the tests instead of ending them."""

    def __init__(self, libraries, target, names, pool):
        self.begun = {name: pool.submit(build, libraries, target, name) for name in names}

    def __call__(self, name):
        """(engine's bytes or None, refusal or None)"""
        return self.begun.pop(name).result()


@pytest.fixture(scope="session")
def library(request):
    device = request.config.option.device
    return Library(ROOT / request.config.option.libraries, -1 if device == "cpu" else int(device))


@pytest.fixture(scope="session")
def builds(request, library):
    names = [item.callspec.params["name"] for item in request.session.items if "name" in item.fixturenames]
    fresh = multiprocessing.get_context("spawn")  # a fork would share what the runtime began on the GPU
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), fresh) as pool:
        yield Builds(library.folder, library.target, names, pool)
        pool.shutdown(cancel_futures=True)
