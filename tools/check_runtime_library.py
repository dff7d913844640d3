#!/usr/bin/env python3
"""check_runtime_library.py LIBRARY: the runtime needs the C and C++ libraries and nothing else, and stays small."""
import os
import re
import subprocess
import sys
import tempfile

ALLOWED = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
MOST_BYTES = 10_000_000


def main(library):
    if not os.path.exists(library):
        sys.exit(f"{library} is not there; ./dev build makes it")
    dynamic = subprocess.run(["readelf", "-dW", library], check=True, capture_output=True, text=True).stdout
    more = sorted(set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)) - ALLOWED)
    if more:
        sys.exit(f"{library} needs {', '.join(more)}; open it at run time instead")
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, library], check=True)
        size = os.path.getsize(stripped.name)
    if size > MOST_BYTES:
        sys.exit(f"{library} is {size} bytes stripped, allowed {MOST_BYTES}")
    print(f"the runtime library stands alone, {size / 1e6:.1f} MB stripped")


if __name__ == "__main__":
    main(sys.argv[1])
