"""`pip install` of the package: one wheel for every Python, with the libraries and the commands in it."""

import pathlib
import subprocess
import sys
import zipfile

import pytest
from burnish import capi

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = """
import pathlib, sys
import numpy as np, onnx
from onnx import helper
import burnish, burnish.capi
assert burnish.capi.library_folder() == pathlib.Path(sys.argv[1]) / "burnish" / "lib", burnish.capi.library_folder()
x = helper.make_tensor_value_info("x", 1, [2, 3])
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [helper.make_tensor_value_info("y", 1, [2, 3])])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "relu.onnx")
engine = burnish.build("relu.onnx", target="cpu", progress=False)
print(engine(np.array([[-1, 0, 1], [2, -2, 3]], "f4")).tolist())
import burnish.tensorrt as trt
print(trt.__version__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """From the libraries that are built already."""
    pytest.importorskip("scikit_build_core", reason="tools/requirements.txt names it")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", str(ROOT), "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder),
         "-C", f"cmake.define.BURNISH_BUILD={capi.library_folder().parent}", "-C", f"build-dir={folder / 'build'}"],
        check=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def test_what_is_in_it(wheel):
    assert wheel.name == f"burnish-{capi.version()}-py3-none-linux_x86_64.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {p.relative_to(ROOT / "python").as_posix() for p in (ROOT / "python/burnish").rglob("*.py")}
    libraries = {f"burnish/lib/libburnish_{name}.so" for name in ("runtime", "compiler", "host")}
    programs = {"burnish/lib/burnish-nvrtc", "burnish/bin/burnish"}
    assert sources | libraries | programs | {"burnish/py.typed"} == {n for n in names if n.startswith("burnish/")}


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """Where it is installed."""
    return installed(wheel, tmp_path_factory.mktemp("site"))


def installed(wheel, folder):
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), str(wheel)], check=True)
    return folder


def works(site, folder):
    """The package in `site` builds and runs a model, and its commands do too."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, sys.argv[1])\n{SCRIPT}", str(site)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:2] == ["[[0.0, 0.0, 1.0], [2.0, 0.0, 3.0]]", "10.16.0"], done.stderr
    for name, words, said in (
        ("burnish", ["build", "relu.onnx", "--target", "cpu", "-o", "relu.engine"], "relu.engine"),
        ("trtexec", ["--loadEngine=relu.engine", "--target=cpu", "--duration=0", "--warmUp=0"], "&&&& PASSED TensorRT.trtexec"),
    ):
        program = [sys.executable, str(site / "bin" / name), *words]
        done = subprocess.run(program, cwd=folder, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and said in done.stdout, done.stdout + done.stderr


def test_it_builds_and_runs_a_model_where_it_is_installed(site, tmp_path):
    works(site, tmp_path)


def test_the_wheel_for_older_systems(tmp_path):
    """That of ./dev wheel, where it was made: it is checked for what glibc 2.28 lacks, and works here."""
    made = list(ROOT.glob("build/wheel/*-manylinux_*.whl"))
    if not made:
        pytest.skip("./dev wheel makes it")
    subprocess.run([sys.executable, ROOT / "tools/check_wheel.py", made[0]], check=True)
    works(installed(made[0], tmp_path / "site"), tmp_path)


def test_a_wheel_that_needs_a_newer_glibc_is_found_out(wheel, tmp_path):
    """The libraries of this build, under the name of an older system."""
    name = tmp_path / wheel.name.replace("linux_", "manylinux_2_17_")
    name.symlink_to(wheel)
    done = subprocess.run([sys.executable, ROOT / "tools/check_wheel.py", name], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and " in burnish-" in done.stderr and " needs " in done.stderr
