"""Builds that time kernels: on stand-ins for the driver, whose kernels do nothing and take as long as they like, and for cuBLASLt, whose
results therefore differ (the real library would look for a GPU)."""
import os
import re

import pytest
from conftest import ROOT, product

FAKES = [ROOT / "build" / "testing" / folder for folder in ("host_gpu", "fake_libraries")]


@pytest.fixture
def gpu(burnish, monkeypatch):
    assert (FAKES[0] / "libcuda.so.1").exists(), "the target host_gpu makes it"
    monkeypatch.setenv("LD_LIBRARY_PATH", ":".join([*map(str, FAKES), os.environ.get("LD_LIBRARY_PATH", "")]))
    product(burnish.folder / "m.onnx")
    return burnish


def test_times_are_kept_beside_the_engine_and_repeat_the_build(gpu):
    told = gpu.succeed("build", "m.onnx", "--optimization-level", 2).splitlines()
    assert re.fullmatch(r"m\.engine  \S+ \wB  for sm_90  in \S+ s", told[0])
    assert told[1:] == ["timed 1 kernel on Host GPU; times are in m.timing"]
    assert gpu.files() == ["m.engine", "m.onnx", "m.timing"]
    times = (gpu.folder / "m.timing").read_bytes()
    for mode in "strict", "read", "append":
        told = gpu.succeed("build", "m.onnx", "--optimization-level", 2, "-o", "again.engine", "--timing-cache", "m.timing", "--timing-cache-mode", mode)
        assert told.count("\n") == 1, "nothing was timed or estimated"
        assert (gpu.folder / "again.engine").read_bytes() == (gpu.folder / "m.engine").read_bytes()
    assert (gpu.folder / "m.timing").read_bytes() == times
    assert "kernel, timed on Host GPU\n" in gpu.succeed("explain", "m.engine", "product")


def test_levels_0_and_1_time_nothing_and_repeat(gpu):
    for level in 0, 1:
        engines = []
        for name in "a.engine", "b.engine":
            assert gpu.succeed("build", "m.onnx", "--optimization-level", level, "-o", name).count("\n") == 1
            engines.append((gpu.folder / name).read_bytes())
        assert engines[0] == engines[1]
    assert gpu.files() == ["a.engine", "b.engine", "m.onnx"]


def test_where_time_is_over_estimates_decide(gpu):
    told = gpu.succeed("build", "m.onnx", "--time-budget", 0.001).splitlines()
    assert told[1:] == ["timed 0 kernels on Host GPU; for 1 more there was no time or memory: by estimate; times are in m.timing"]
    assert "kernel, chosen by estimate\n" in gpu.succeed("explain", "m.engine", "product")
