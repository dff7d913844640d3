#!/usr/bin/env python3
"""Holds the folders to the directions in which they may include each other."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CORE = ["base", "shape", "ir"]
PLUGIN_INTERFACE = ["api/burnish.h", "api/burnish_plugin.h"]
ALLOWED = {  # path prefix (the longest that fits decides): the folders and files it may include besides itself
    "base": [],
    "shape": ["base"],
    "ir": ["base", "shape"],
    "ops": CORE,
    "plugin": ["base", "shape", *PLUGIN_INTERFACE],
    "onnx": [*CORE, "ops", "plugin"],
    "passes": [*CORE, "ops"],
    "plan": ["base", "shape"],
    "runtime": ["base", "shape", "plan", "plugin", *PLUGIN_INTERFACE],
    "providers/host": [*CORE, "ops", "plan", "runtime"],
    "providers/nvrtc": [*CORE, "ops", "plan"],
    "providers/nvrtc/backend": [*CORE, "ops", "plan", "compiler/backend.h"],  # what the compiler asks of it
    "providers/nvrtc/compile_gpu_test.cpp": ["base", "runtime"],  # runs what it compiled
    "providers/nvrtc/rt": ["base", "shape", "plan", "runtime"],
    "providers/cublaslt": [*CORE, "ops", "runtime/cuda", "runtime/libraries", "compiler/library.h"],
    "providers/cudnn": [*CORE, "ops", "runtime/cuda", "runtime/libraries", "compiler/library.h"],
    "providers/cudnn/device_description_test.cpp": [*CORE, "providers/nvrtc"],
    "providers/cudnn/graph_of_test.cpp": [*CORE, "ops", "runtime/libraries", "providers/nvrtc"],
    "providers/cudnn/library_test.cpp": [*CORE, "providers/nvrtc"],
    "providers/cublaslt/product_of_test.cpp": [*CORE, "ops", "runtime/libraries", "providers/nvrtc"],
    "tuner": ["base", "shape", "plan", "runtime"],
    "compiler": [*CORE, "ops", "onnx", "passes", "plan", "plugin", "providers", "tuner"],
    "api": [*CORE, "onnx", "passes", "tuner", "compiler", "plan", "plugin", "runtime"],
    "api/burnish.h": [],  # the public headers (.h and .hpp) know only each other, by the names an installation gives them
    "api/burnish_compiler.h": ["burnish.h"],
    "api/burnish_device.h": ["burnish.h"],
    "api/burnish_plugin.h": ["burnish.h"],
    "api/burnish.hpp": ["burnish.h", "burnish_compiler.h"],
    "cli": ["api"],
    "cmake": [],  # the precompiled header
    "tests": [*CORE, "ops", "onnx", "passes", "plan", "plugin", "runtime", "providers", "tuner", "compiler", "api"],
    "examples": ["burnish_plugin.h", "snake_cuda.h"],  # as whoever installed Burnish
}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def main():
    wrong = []
    for path in sorted(p for folder in ROOT.glob("[a-z]*/") for p in folder.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("build") or path.suffix not in (".cpp", ".h", ".hpp", ".cuh"):
            continue
        prefix = max((p for p in ALLOWED if name.startswith(p)), key=len, default=None)
        if prefix is None:
            wrong.append(f"{name}: its folder has no row in tools/check_includes.py")
            continue
        reach = [next(p for p in ALLOWED if name.startswith(p)), *ALLOWED[prefix]]
        if path.suffix == ".cuh":  # device text, which no host file includes
            reach.append("providers/nvrtc/device")
        for target in INCLUDE.findall(path.read_text()):
            if not target.startswith(tuple(p if p.endswith(".h") else f"{p}/" for p in reach)):
                wrong.append(f'{name} includes "{target}"; it may include {", ".join(reach)}')
    print("\n".join(wrong) or "include directions hold", file=sys.stderr if wrong else sys.stdout)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
