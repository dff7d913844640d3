"""The way over a GPU: with a stand-in for the driver, whose copies are real and whose kernels do nothing, and where there is one on a GPU."""
import json
import os
import re
import shutil

import numpy as np
import pytest
from conftest import QUICK, ROOT, copies

FAKE = ROOT / "build" / "testing" / "host_gpu"
HAS_GPU = shutil.which("nvidia-smi") is not None
ON_GPU = [word for word in QUICK if word != "--target=cpu"]


@pytest.fixture
def host_gpu(trtexec, monkeypatch):
    assert (FAKE / "libcuda.so.1").exists(), "the target host_gpu makes it"
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{FAKE}:{os.environ.get('LD_LIBRARY_PATH', '')}")
    copies(trtexec.folder / "m.onnx", x=("float32", ["n", 5]), i=("int64", [7]))
    trtexec.passes("--onnx=m.onnx", "--shapes=x:3x5", "--saveEngine=m.engine", "--skipInference", "--builderOptimizationLevel=1")
    return trtexec


@pytest.mark.parametrize("words", [(), ("--noDataTransfers",), ("--exposeDMA",), ("--infStreams=2", "--threads"), ("--useCudaGraph", "--useSpinWait"), ("--compat=11",), ("--useManagedMemory",), ("--persistentCacheRatio=0.5",), ("--persistentCacheRatio=1", "--useCudaGraph")], ids=" ".join)
def test_queries_go_over_the_gpu(host_gpu, words):
    log = host_gpu.passes("--loadEngine=m.engine", *ON_GPU, "--exportOutput=o.json", "--exportTimes=t.json", *words)
    assert "Selected Device: Host GPU" in log.stdout and "Compute Capability: 9.0" in log.stdout
    assert {one["name"]: one["dimensions"] for one in json.loads((host_gpu.folder / "o.json").read_text())} == {"x_out": "3x5", "i_out": "7"}
    assert len(json.loads((host_gpu.folder / "t.json").read_text())) == (20 if "--threads" in words else 10)
    assert ("Successfully captured CUDA graph" in log.stdout) == ("--useCudaGraph" in words or "--compat=11" in words)


@pytest.mark.skipif(not HAS_GPU, reason="there is no GPU here")
@pytest.mark.parametrize("words", [(), ("--useCudaGraph", "--useSpinWait"), ("--infStreams=2", "--threads"), ("--fp16", "--exposeDMA"), ("--bf16", "--maxAuxStreams=0", "--avgTiming=2"), ("--persistentCacheRatio=0.5", "--useCudaGraph"), ("--memPoolSize=tacticSharedMem:32K",)], ids=" ".join)
def test_on_a_gpu(trtexec, words):
    log = trtexec.passes("--onnx=tiny.onnx", "--shapes=x:8x3x8x8", "--iterations=50", "--duration=0.2", "--exportTimes=t.json", "--exportOutput=o.json", *words)
    assert re.search(r"Selected Device UUID: GPU-[0-9a-f]{8}-[0-9a-f]{4}-", log.stdout)
    times = json.loads((trtexec.folder / "t.json").read_text())
    assert all(query["h2dMs"] > 0 and query["computeMs"] > 0 and query["d2hMs"] > 0 for query in times)
    assert all(query["endH2dMs"] <= query["startComputeMs"] + 1e-3 and query["endComputeMs"] <= query["startD2hMs"] + 1e-3 for query in times)
    on_gpu = json.loads((trtexec.folder / "o.json").read_text())[0]["values"]
    trtexec.passes("--onnx=tiny.onnx", "--shapes=x:8x3x8x8", *QUICK, "--exportOutput=c.json")
    on_cpu = json.loads((trtexec.folder / "c.json").read_text())[0]["values"]
    tolerance = 3e-2 if "--bf16" in words else 1e-2
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=tolerance, atol=tolerance)
    bare = trtexec.passes("--onnx=tiny.onnx", "--shapes=x:8x3x8x8", "--iterations=50", "--duration=0.1", "--noDataTransfers", *words)
    assert re.search(r"H2D Latency: min = 0 ms, max = 0 ms", bare.stdout)


@pytest.mark.skipif(not HAS_GPU, reason="there is no GPU here")
def test_managed_memory_and_debug_tensors_on_a_gpu(trtexec):
    run = ("--onnx=tiny.onnx", "--shapes=x:8x3x8x8", "--iterations=50", "--duration=0.1", "--markDebug=c", "--saveDebugTensors=c:c.raw")
    trtexec.passes(*run, "--useManagedMemory", "--exportOutput=m.json", "--exportTimes=t.json")
    managed, seen = (trtexec.folder / "m.json").read_text(), np.fromfile(trtexec.folder / "c.raw", np.float32)
    assert all(query["h2dMs"] < 0.1 and query["d2hMs"] < 0.1 for query in json.loads((trtexec.folder / "t.json").read_text()))
    trtexec.passes(*run, "--exportOutput=o.json")
    assert managed == (trtexec.folder / "o.json").read_text()
    assert (seen == np.fromfile(trtexec.folder / "c.raw", np.float32)).all()
    trtexec.passes(*run, "--target=cpu")
    np.testing.assert_allclose(seen, np.fromfile(trtexec.folder / "c.raw", np.float32), rtol=1e-2, atol=1e-2)
