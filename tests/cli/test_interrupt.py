"""Ctrl-C ends a command at once, leaves no half-written file, and a terminal as it was."""
import os
import pty
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from conftest import save
from onnx import helper, numpy_helper

ALL_GPUS = "sm_80,sm_86,sm_89,sm_90,sm_100,sm_120"


@pytest.fixture
def long_build(burnish):
    """The arguments of a build that takes many seconds: products of many shapes, for every GPU."""
    random = np.random.default_rng(0)
    widths = [64 + 4 * step for step in range(60)]
    nodes, weights = [], []
    for step, (rows, columns) in enumerate(zip(widths, widths[1:])):
        weights.append(numpy_helper.from_array(random.standard_normal((rows, columns), np.float32), f"w{step}"))
        nodes.append(helper.make_node("MatMul", [f"x{step}", f"w{step}"], [f"p{step}"]))
        nodes.append(helper.make_node(["Tanh", "Softmax", "Erf"][step % 3], [f"p{step}"], [f"x{step + 1}"]))
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("x0", 1, [8, widths[0]])],
        [helper.make_tensor_value_info(f"x{len(widths) - 1}", 1, [8, widths[-1]])],
        weights,
    )
    save(graph, burnish.folder / "m.onnx")
    return ["build", "m.onnx", "--target", ALL_GPUS]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_build(burnish, long_build, number):
    process = burnish.start(*long_build, "--verbose")
    assert process.stderr.readline()  # the first stage has begun
    process.send_signal(number)
    begin = time.monotonic()
    out, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number, error
    assert time.monotonic() - begin < 20
    assert error.splitlines()[-1] == "interrupted" and out == ""
    assert burnish.files() == ["m.onnx"]


def test_second_time_does_not_wait(burnish, long_build):
    process = burnish.start(*long_build, "--verbose")
    assert process.stderr.readline()
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert process.returncode == 130


def test_waiting_for_a_file(burnish):
    os.mkfifo(burnish.folder / "e.engine")
    process = burnish.start("run", "e.engine")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=10)
    assert process.returncode == 130 and error == "interrupted\n"


def test_ignored_stays_ignored(burnish, engine):
    """As under nohup: a caller that ignores Ctrl-C is not overruled."""
    process = subprocess.Popen(
        burnish.command(["bench", engine, "--duration", "1"]),
        cwd=burnish.folder,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0


def on_terminal(burnish, arguments, seconds):
    """What the program writes to a terminal, interrupted after that time."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        burnish.command(arguments), cwd=burnish.folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(slave)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    written = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        written += chunk
    os.close(master)
    process.wait(timeout=60)
    return written.decode()


def test_progress_appears_and_goes(burnish, long_build):
    written = on_terminal(burnish, long_build, 3)
    assert re.search(r"\r\x1b\[Kbuilding m", written)
    assert written.endswith("\r\x1b[Kinterrupted\r\n")


def test_no_progress_within_a_second(burnish, engine):
    assert "\x1b" not in on_terminal(burnish, ["bench", engine, "--duration", "0.3"], 0.8)
