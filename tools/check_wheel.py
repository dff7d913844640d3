#!/usr/bin/env python3
"""check_wheel.py WHEEL: every program and library in it runs where its name says: manylinux_2_28 is glibc 2.28, and the libraries that
PEP 600 counts on there."""
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

# Of a manylinux platform's libraries those that ours may need. libstdc++ would be one, but the systems meant have that of GCC 8.
ALLOWED = re.compile(r"(libc|libm|libdl|libpthread|librt|ld-linux-.*)\.so\.\d+|libburnish_runtime\.so")


def promised(wheel):
    """The glibc of its name: (2, 28)."""
    tag = re.search(r"-manylinux_(\d+)_(\d+)_\w+\.whl$", wheel.name)
    if not tag:
        sys.exit(f"{wheel.name} is of no manylinux platform; ./dev wheel makes one that is")
    return int(tag[1]), int(tag[2])


def is_elf(path):
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def readelf(flag, path):
    return subprocess.run(["readelf", "-W", flag, path], check=True, capture_output=True, text=True).stdout


def complaints(path, glibc):
    """What of it the platform does not have."""
    libraries = re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("-d", path))
    yield from (f"the library {library}" for library in libraries if not ALLOWED.fullmatch(library))
    for symbol, version in re.findall(r" UND (\S+)@GLIBC_([\d.]+)", readelf("--dyn-syms", path)):
        if tuple(map(int, version.split("."))) > glibc:
            yield f"{symbol} of glibc {version}"


def main(wheel):
    glibc, checked = promised(wheel), 0
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file() and is_elf(p)):
            if found := sorted(set(complaints(path, glibc))):
                sys.exit(f"{path.relative_to(folder)} in {wheel.name} needs {', '.join(found)}")
            checked += 1
    if checked == 0:
        sys.exit(f"{wheel.name} holds no library")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {checked} programs and libraries that run from glibc {glibc[0]}.{glibc[1]} on")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
