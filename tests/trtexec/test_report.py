"""What parsers and dashboards read: the summary's lines, the JSON files, and that both say the same."""
import json
import math
import re

import numpy as np
import pytest
from conftest import QUICK

TIMED = ("--target=cpu", "--iterations=50", "--duration=0", "--warmUp=5")

# As parsers in the field have them.
THROUGHPUT = re.compile(r"Throughput: ([\d.e+]+) qps")
SUMMARY = re.compile(r"(Latency|Enqueue Time|H2D Latency|GPU Compute Time|D2H Latency): min = ([\d.e-]+) ms, max = ([\d.e-]+) ms, mean = ([\d.e-]+) ms, median = ([\d.e-]+) ms")
PERCENTILE = re.compile(r"percentile\((\d+)%\) = ([\d.e-]+) ms")


def summaries(text):
    """{quantity: {min, max, mean, median, 90, …}}"""
    found = {}
    for line in text.splitlines():
        if match := SUMMARY.search(line):
            name, *values = match.groups()
            found[name] = dict(zip(("min", "max", "mean", "median"), map(float, values)))
            found[name] |= {int(p): float(v) for p, v in PERCENTILE.findall(line)}
    return found


def test_parsers_find_every_metric(trtexec):
    log = trtexec.passes("--loadEngine=fixed.engine", *TIMED)
    assert float(THROUGHPUT.search(log.stdout)[1]) > 0
    found = summaries(log.stdout)
    assert list(found) == ["Latency", "Enqueue Time", "H2D Latency", "GPU Compute Time", "D2H Latency"]
    assert all(set(values) == {"min", "max", "mean", "median", 90, 95, 99} for values in found.values())
    assert re.search(r"Total Host Walltime: [\d.e-]+ s", log.stdout) and re.search(r"Total GPU Compute Time: [\d.e-]+ s", log.stdout)
    assert re.search(r"&&&& (PASSED|FAILED)", log.stdout)[1] == "PASSED"
    assert len(re.findall(r"Average on 10 runs - GPU latency: [\d.e-]+ ms - Host latency: [\d.e-]+ ms \(enqueue [\d.e-]+ ms\)", log.stdout)) == 5


def percentile(values, percent):
    values = sorted(values)
    return values[max(len(values) - 1 - int((1 - percent / 100) * len(values)), 0)]


def test_the_summary_is_that_of_the_times(trtexec):
    log = trtexec.passes("--loadEngine=fixed.engine", *TIMED, "--percentile=0,50,90,100", "--exportTimes=t.json")
    text = (trtexec.folder / "t.json").read_text()
    times = json.loads(text)
    keys = "startEnqMs endEnqMs startH2dMs endH2dMs startComputeMs endComputeMs startD2hMs endD2hMs h2dMs computeMs d2hMs latencyMs"
    assert len(times) >= 50 and all(list(query) == keys.split() for query in times)
    assert text.splitlines()[0] == "[" and text.splitlines()[1].startswith("  { ") and text.splitlines()[2].startswith(", { ")
    assert all(query["startComputeMs"] >= 5 for query in times)  # after the warm-up
    assert f"Timing trace has {len(times)} queries over " in log.stdout
    quantities = {
        "Latency": [q["latencyMs"] for q in times],
        "Enqueue Time": [q["endEnqMs"] - q["startEnqMs"] for q in times],
        "H2D Latency": [q["h2dMs"] for q in times],
        "GPU Compute Time": [q["endComputeMs"] - q["startComputeMs"] for q in times],
        "D2H Latency": [q["d2hMs"] for q in times],
    }
    for name, printed in summaries(log.stdout).items():
        values = quantities[name]
        expected = {"min": min(values), "max": max(values), "mean": np.mean(values), "median": np.median(values)}
        expected |= {p: percentile(values, p) for p in (0, 50, 90, 100)}
        for key, value in expected.items():
            assert math.isclose(printed[key], value, rel_tol=1e-5, abs_tol=1e-12), (name, key)
    wall = (max(q["endD2hMs"] for q in times) - min(q["startH2dMs"] for q in times)) / 1000
    assert math.isclose(float(THROUGHPUT.search(log.stdout)[1]), len(times) / wall, rel_tol=1e-4)
    assert [q["latencyMs"] for q in times] == pytest.approx([q["h2dMs"] + q["computeMs"] + q["d2hMs"] for q in times])


def test_only_the_ends_of_a_long_trace_are_shown(trtexec):
    log = trtexec.passes("--loadEngine=fixed.engine", "--target=cpu", "--iterations=450", "--duration=0", "--warmUp=0", "--avgRuns=1")
    assert "... Omitting 50 lines" in log.stdout
    assert log.stdout.count("Average on 1 runs") == 400


@pytest.mark.parametrize(("words", "seconds"), [(("--duration=0.3", "--iterations=1"), 0.3), (("--duration=0", "--iterations=1", "--sleepTime=20", "--iterations=5"), 0)])
def test_a_run_is_as_long_as_asked(trtexec, words, seconds):
    trtexec.passes("--loadEngine=fixed.engine", "--target=cpu", "--warmUp=0", "--exportTimes=t.json", *words)
    times = json.loads((trtexec.folder / "t.json").read_text())
    assert times[-1]["endD2hMs"] >= seconds * 1000 * 0.98
    if seconds == 0:
        assert len(times) == 5 and all(b["startEnqMs"] - a["endEnqMs"] >= 19 for a, b in zip(times, times[1:]))


def test_several_streams(trtexec):
    for threads in ((), ("--threads",)):
        log = trtexec.passes("--loadEngine=fixed.engine", *QUICK, "--infStreams=3", "--exportTimes=t.json", *threads)
        assert len(json.loads((trtexec.folder / "t.json").read_text())) == 30
        assert any(line.startswith("* Multiple inference streams are used. ") for line in log.lines("W"))


def test_profile(trtexec):
    log = trtexec.passes("--loadEngine=fixed.engine", *QUICK, "--dumpProfile", "--exportProfile=p.json")
    assert "Performance summary" not in log.stdout and "--separateProfileRun" in log.stdout
    count, *layers = json.loads((trtexec.folder / "p.json").read_text())
    assert count == {"count": 10}
    assert all(list(layer) == ["name", "timeMs", "averageMs", "medianMs", "percentage"] for layer in layers)
    assert [layer["name"] for layer in layers] == ["conv + relu", "mean"]
    assert sum(layer["percentage"] for layer in layers) == pytest.approx(100)
    assert all(layer["averageMs"] == pytest.approx(layer["timeMs"] / 10) for layer in layers)
    title, header, *rows = [line for line in log.lines("I") if re.match(r"=== Profile|   Time|^ +\d", line)]
    assert title == "=== Profile (10 iterations ) ==="
    assert header == "   Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer"
    for row, name in zip(rows, ["conv + relu", "mean", "Total"], strict=True):
        assert re.fullmatch(r" *\d+\.\d\d +\d+\.\d{4} +\d+\.\d{4} +\d+\.\d   " + re.escape(name), row)
        assert len(row) - len(name) == len(header) - len("Layer")
    assert rows[-1].split()[3] == "100.0"
    both = trtexec.passes("--loadEngine=fixed.engine", *QUICK, "--dumpProfile", "--separateProfileRun")
    assert both.stdout.index("Performance summary") < both.stdout.index("=== Profile (")


def test_layer_info(trtexec):
    def layers(*words):
        trtexec.passes("--loadEngine=tiny.engine", "--target=cpu", "--skipInference", "--exportLayerInfo=l.json", *words)
        return json.loads((trtexec.folder / "l.json").read_text())

    assert layers() == {"Layers": ["conv + relu", "mean"], "Bindings": ["x", "y"]}
    assert layers("--profilingVerbosity=none") == {"Layers": [], "Bindings": ["x", "y"]}
    ten = layers("--profilingVerbosity=detailed")
    keys = ["Name", "LayerType", "Inputs", "Outputs", "ParameterType", "TacticName", "TacticValue", "StreamId", "Metadata"]
    assert list(ten) == ["Layers", "Bindings"] and all(list(layer) == keys for layer in ten["Layers"])
    conv, mean = ten["Layers"]
    assert conv["Inputs"] == [{"Name": "x", "Location": "Host", "Dimensions": [-1, 3, 8, 8], "Format/Datatype": "FP32"}]
    assert conv["Outputs"][0]["Name"] == mean["Inputs"][0]["Name"] != "y" and mean["Outputs"][0]["Name"] == "y"
    assert conv["Metadata"] == "[ONNX Layer: conv]\x1e[ONNX Layer: relu]"
    assert conv["TacticName"] == mean["TacticName"] == "host"
    eleven = layers("--profilingVerbosity=detailed", "--layerInfoSchema=11")
    x, y = eleven["I/O Tensors"]
    assert x == {
        "Name": "x",
        "IOMode": "Input",
        "DataType": "FP32",
        "Dimensions": [-1, 3, 8, 8],
        "Location": "Device",
        "IsShapeInferenceIO": False,
        "ProfileInfo": [{"MinShape": [1, 3, 8, 8], "OptShape": [2, 3, 8, 8], "MaxShape": [8, 3, 8, 8], "Format": "Row major linear"}],
    }
    assert (y["Name"], y["IOMode"], y["Dimensions"]) == ("y", "Output", [-1, 4])
    assert set(eleven["Layers"][0]["Inputs"][0]) == {"Name", "Location", "Dimensions", "Format", "DataType"}


def test_all_files_at_once(trtexec):
    log = trtexec.passes("--loadEngine=fixed.engine", *TIMED, "--exportAll=all/files")
    read = {file.stem: json.loads(file.read_text()) for file in (trtexec.folder / "all" / "files").iterdir()}
    assert set(read) == {"timing", "profile", "graph", "metadata"}
    assert list(read["metadata"]) == ["performance_summary", "device_information", "model_options", "build_options", "system_options", "inference_options", "reporting_options"]
    summary = read["metadata"]["performance_summary"]
    printed = summaries(log.stdout)
    assert list(summary) == ["Throughput", *printed]
    for name, values in printed.items():
        assert list(summary[name]) == ["min", "max", "mean", "median", "percentile"]
        assert math.isclose(summary[name]["median"], values["median"], rel_tol=1e-5, abs_tol=1e-12)
        assert math.isclose(summary[name]["percentile"]["99"], values[99], rel_tol=1e-5, abs_tol=1e-12)
    assert read["metadata"]["inference_options"]["Iterations"] == "50"
    assert [layer["Name"] for layer in read["graph"]["Layers"]] == [layer["name"] for layer in read["profile"][1:]]
    assert len(read["timing"]) == int(re.search(r"Timing trace has (\d+) queries", log.stdout)[1])


def test_files_are_whole_or_not_there(trtexec):
    log = trtexec.fails("--loadEngine=fixed.engine", *QUICK, "--exportTimes=no/such/folder/t.json")
    assert log.lines("E")[0].startswith("cannot write 'no/such/folder/t.json': ") and log.lines("E")[-1] == "Engine set up failed"
