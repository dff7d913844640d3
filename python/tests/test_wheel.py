"""`pip install` of the package: one wheel for every Python, with the libraries in it."""

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
engine = burnish.build(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), target="cpu", progress=False)
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
         "-C", f"cmake.define.BURNISH_LIBRARIES={capi.library_folder()}", "-C", f"build-dir={folder / 'build'}"],
        check=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def test_what_is_in_it(wheel):
    assert wheel.name == f"burnish-{capi.version()}-py3-none-linux_x86_64.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {p.relative_to(ROOT / "python").as_posix() for p in (ROOT / "python/burnish").rglob("*.py")}
    libraries = {f"burnish/lib/libburnish_{name}.so" for name in ("runtime", "compiler", "host")}
    assert sources | libraries | {"burnish/lib/burnish-nvrtc", "burnish/py.typed"} == {n for n in names if n.startswith("burnish/")}


def test_it_builds_and_runs_a_model_where_it_is_installed(wheel, tmp_path):
    target = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)], check=True)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, sys.argv[1])\n{SCRIPT}", str(target)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:2] == ["[[0.0, 0.0, 1.0], [2.0, 0.0, 3.0]]", "10.16.0"], done.stderr
