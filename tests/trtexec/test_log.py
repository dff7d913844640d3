"""Whole logs, with what differs from run to run masked. --update-golden writes them anew."""
import pathlib
import re

import pytest
from conftest import QUICK

GOLDEN = pathlib.Path(__file__).parent / "golden"
SHAPES = ("--minShapes=x:1x3x8x8", "--optShapes=x:2x3x8x8", "--maxShapes=x:8x3x8x8")
CASES = {
    "build_and_run": ("--onnx=tiny.onnx", *SHAPES, *QUICK, "--avgRuns=5"),
    "load_and_run": ("--loadEngine=tiny.engine", "--shapes=x:4x3x8x8", *QUICK, "--avgRuns=5", "--verbose"),
    "skip_inference": ("--onnx=fixed.onnx", "--saveEngine=s.engine", "--skipInference", "--target=cpu", "--fp16", "--bf16"),
    "profile": ("--loadEngine=fixed.engine", *QUICK, "--dumpProfile", "--dumpLayerInfo", "--dumpOptimizationProfile"),
    "bad_flag": ("--onnx=tiny.onnx", "--frobnicate=1"),
    "refused": ("--onnx=tiny.onnx", "--target=cpu", "--int8"),
}


def masked(text):
    number = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
    for pattern, mask in (
        (r"(?m)^\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\]", "[TIME]"),
        (r"(# ).*/trtexec", r"\1trtexec"),
        (r"burnish v\d+\.\d+\.\d+", "burnish vVERSION"),
        (r"(Burnish version: )\d+\.\d+\.\d+", r"\1VERSION"),
        (r"CPU \(.*\)", "CPU (NAME)"),
        (r"Threads: \d+", "Threads: N"),
        (r"Parse time: " + number, "Parse time: N"),
        (r"(?<==) ?" + number + r"(?= ms)", " N"),
        (r"(?<=[ :])" + number + r"(?= (?:ms|s|sec|qps|MiB)\b)", "N"),
        (r"(?m)^(\[TIME\] \[I\]) +(?:" + number + r" +){4}", r"\1 N N N N   "),  # a row of the profile
    ):
        text = re.sub(pattern, mask, text)
    return text


@pytest.mark.parametrize("name", CASES)
def test_golden(trtexec, request, name):
    text = masked(trtexec.merged(*CASES[name]))
    file = GOLDEN / f"{name}.log"
    if request.config.getoption("--update-golden"):
        file.write_text(text)
    assert text == file.read_text()


def test_every_line_is_framed(trtexec):
    for words in CASES.values():
        if "--frobnicate=1" in words:
            continue  # the help is not
        for line in trtexec.merged(*words).splitlines():
            assert line.startswith("&&&& ") or re.match(r"\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] \[[EWIV]\] ", line), line


def test_errors_and_warnings_go_to_standard_error(trtexec):
    log = trtexec("--loadEngine=fixed.engine", "--directIO", *QUICK)
    assert re.search(r"\[W\]", log.stderr) and not re.search(r"\[[WE]\]", log.stdout)
    assert not re.search(r"\[[IV]\]", log.stderr)


def test_it_is_a_command_of_burnish_too(trtexec):
    program, trtexec.program = trtexec.program, trtexec.program.parent / "burnish"
    log = trtexec("trtexec", "--loadEngine=fixed.engine", "--skipInference", "--target=cpu")
    assert (log.code, log.state) == (0, ["PASSED"])
    assert program.resolve() == trtexec.program.resolve()


def test_the_golden_logs_are_all_of_a_case():
    assert {file.stem for file in GOLDEN.iterdir()} == set(CASES)
