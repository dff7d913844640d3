#!/usr/bin/env python3
"""check_libraries.py FOLDER: what is installed there needs the C and C++ libraries and nothing else, and the runtime stays small."""
import pathlib
import re
import subprocess
import sys
import tempfile

INSTALLED = ("libburnish_runtime.so", "libburnish_compiler.so", "burnish-nvrtc", "libburnish_host.so")
ALLOWED = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
MOST_BYTES_OF_RUNTIME = 10_000_000


def needed(path):
    dynamic = subprocess.run(["readelf", "-dW", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))


def stripped_bytes(path):
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, path], check=True)
        return pathlib.Path(stripped.name).stat().st_size


def main(folder):
    for path in (pathlib.Path(folder, name) for name in INSTALLED):
        if not path.exists():
            sys.exit(f"{path} is not there; ./dev build makes it")
        if more := sorted(needed(path) - ALLOWED):
            sys.exit(f"{path} needs {', '.join(more)}; open it at run time instead")
    size = stripped_bytes(pathlib.Path(folder, INSTALLED[0]))
    if size > MOST_BYTES_OF_RUNTIME:
        sys.exit(f"{INSTALLED[0]} is {size} bytes stripped, allowed {MOST_BYTES_OF_RUNTIME}")
    print(f"the libraries stand alone; the runtime is {size / 1e6:.1f} MB stripped")


if __name__ == "__main__":
    main(sys.argv[1])
