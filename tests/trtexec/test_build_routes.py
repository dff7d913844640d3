"""Building by a route, and trying out several."""
import json
import re

import pytest
from conftest import QUICK

BUILD = ("--onnx=fixed.onnx", *QUICK)


def results(trtexec):
    return json.loads((trtexec.folder / "routes.json").read_text())["results"]


def tasks(log):
    """[("TASK_END", "-a=1"), …] of the lines about single builds, and their numbers."""
    found = re.findall(r"^&&&& (TASK_\w+) TensorRT\.trtexec \[TensorRT v101600\] \[burnish v[\d.]+\] \[iter=(\d+)\] BuildRoute = '(.*)'$", log.stdout, re.M)
    return [(state, route) for state, _, route in found], [int(number) for _, number, _ in found]


def test_one_route_and_its_result(trtexec):
    for _ in range(2):
        trtexec.passes(*BUILD, "--setBuildRoute=-optimization_level=1 -max_branches=2", "--saveEngine=r.engine", "--tuningCacheFile=routes.json")
    first, second = results(trtexec)
    assert (first["iteration"], second["iteration"]) == (0, 1)
    assert (first["model"], first["route"], first["state"]) == ("fixed.onnx", "-optimization_level=1 -max_branches=2", "passed")
    assert first["median_compute_ms"] > 0 and first["throughput_qps"] > 0 and first["queries"] == 10
    assert first["engine_bytes"] == (trtexec.folder / "r.engine").stat().st_size


@pytest.mark.parametrize(
    ("route", "why"),
    [
        ("-tiles=1", "a build has no knob 'tiles'; try: its knobs are optimization_level, max_tactics, averaged_timings, libraries, max_branches, workspace_mib"),
        ("-max_branches=3", "knob 'max_branches' cannot be '3'; try: it may be 0, 1, 2, 4, 8"),
        ("max_branches", "'max_branches' in a build route chooses nothing; try: write -knob=value, with spaces between several"),
    ],
)
def test_routes_that_there_are_not(trtexec, route, why):
    assert trtexec.fails(*BUILD, f"--setBuildRoute={route}").lines("E") == [why, "Engine set up failed"]


def test_a_file_that_holds_no_results(trtexec):
    (trtexec.folder / "routes.json").write_text("[1]")
    log = trtexec.fails(*BUILD, "--tuneBuildRoutes=-max_branches=1", "--tuningCacheFile=routes.json")
    assert log.lines("E")[0] == "--tuningCacheFile='routes.json' holds no results of build routes; try: name another file, or remove it"


def test_several_routes(trtexec):
    expression = "-max_branches=[0|1|3] -optimization_level=[0|1] -workspace_mib=16"
    words = (*BUILD, f"--tuneBuildRoutes={expression}", "--tuningCacheFile=routes.json", "--saveEngine=best.engine", "--saveAllEngines")
    log = trtexec.passes(*words)
    route = "-max_branches={} -optimization_level={} -workspace_mib=16".format
    expected = [route(0, 0), route(1, 0), route(3, 0), route(0, 1)]
    states, numbers = tasks(log)
    assert states == [pair for r in expected for pair in (("TASK_BEGIN", r), ("TASK_ABORT" if "=3" in r else "TASK_END", r))]
    assert numbers == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [(r["route"], r["state"]) for r in results(trtexec)] == [(r, "failed" if "=3" in r else "passed") for r in expected]
    best = min((r for r in results(trtexec) if r["state"] == "passed"), key=lambda r: r["median_compute_ms"])
    assert any(line.startswith(f"Fastest of 4 build routes: '{best['route']}', median compute ") for line in log.lines("I"))
    assert (trtexec.folder / "best.engine").read_bytes() == (trtexec.folder / f"best.engine.iter{best['iteration']}").read_bytes()
    assert "=== Performance summary ===" in log.stdout  # of the fastest
    again = trtexec.passes(*words, "--continue")
    assert tasks(again)[0] == [("TASK_BEGIN", route(3, 0)), ("TASK_ABORT", route(3, 0))]


@pytest.mark.parametrize(("search", "count"), [("fast", 4), ("full", 6), ("mixed", 4)])
def test_a_dry_run_lists_the_routes(trtexec, search, count):
    (trtexec.folder / "routes").write_text("-max_branches=[0|1|2]\n-optimization_level=[0|1]\n")
    log = trtexec.passes(*BUILD, "--tuneBuildRouteFile=routes", f"--tuningSearch={search}", "--dryRun", "--saveEngine=no.engine")
    listed = [line for line in log.lines("I") if line.startswith("[iter=")]
    assert listed[:2] == [f"[iter=0] BuildRoute = '-max_branches=0 -optimization_level=0'", listed[1]] and len(listed) == count
    assert not (trtexec.folder / "no.engine").exists()


def test_a_mixed_search_tries_what_helped_together(trtexec):
    log = trtexec.passes(*BUILD, "--tuneBuildRoutes=-max_branches=[0|1] -max_tactics=[0|2]", "--tuningSearch=mixed", "--tuningCacheFile=routes.json")
    first, branches, tactics = (r["median_compute_ms"] for r in results(trtexec)[:3])
    assert len(tasks(log)[0]) == (8 if branches < first and tactics < first else 6)


def test_engines_without_weights_are_timed_with_them(trtexec):
    routes = "--tuneBuildRoutes=-max_branches=[0|1]"
    log = trtexec.passes(*BUILD, routes, "--stripWeights")
    assert [state for state, _ in tasks(log)[0]] == ["TASK_BEGIN", "TASK_END"] * 2 and "=== Performance summary ===" in log.stdout
    trtexec.passes(*BUILD, routes, "--stripWeights", "--skipInference", "--saveEngine=s.engine")
    missing = trtexec.fails("--loadEngine=s.engine", *QUICK).lines("E")
    assert missing[0] == "Missing (conv, KERNEL) for refitting."
    trtexec.passes("--loadEngine=s.engine", "--refitFromOnnx=fixed.onnx", *QUICK)


def test_no_route_begins_after_the_time_out(trtexec):
    log = trtexec.fails(*BUILD, "--tuneBuildRoutes=-max_branches=[0|1]", "--tuningTimeOut=0.000001")
    assert log.lines("W")[-2:] == [f"Build route '-max_branches={n}' is left out: --tuningTimeOut is over." for n in (0, 1)]
    assert log.lines("E")[0] == "no build route gave an engine that runs; try: see the errors above, or allow more time by --tuningTimeOut"
