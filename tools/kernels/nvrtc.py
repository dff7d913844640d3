"""NVRTC through ctypes: device text of this repository to cubins, as the compiler makes them. Needs no GPU."""
import ctypes
import glob
import os
import re
import site
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHITECTURES = ["sm_80", "sm_86", "sm_89", "sm_90a", "sm_100f", "sm_120f"]


def _open():
    places = ["libnvrtc.so.13", "/usr/local/cuda/lib64/libnvrtc.so.13"]
    for folder in site.getsitepackages() + sys.path:
        places += glob.glob(os.path.join(folder, "nvidia", "*", "lib", "libnvrtc.so.13"))
    for place in places:
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    sys.exit("libnvrtc.so.13 not found: install the toolkit or the package nvidia-cuda-nvrtc")


_library = _open()


def _headers():
    found = {}
    for folder in ("base", "ops", "providers/nvrtc/device"):
        for path in glob.glob(os.path.join(ROOT, folder, "**", "*.cuh"), recursive=True):
            with open(path, "rb") as file:
                found[os.path.relpath(path, ROOT).encode()] = file.read()
    return found


HEADERS = _headers()


class CompileError(Exception):
    pass


def _fetch(program, size_of, read):
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value + 1)
    read(program, buffer)
    return buffer.raw[: size.value]


def compile(text, architecture):
    """The cubin and (registers, bytes of spills)."""
    count = len(HEADERS)
    texts = (ctypes.c_char_p * count)(*HEADERS.values())
    names = (ctypes.c_char_p * count)(*HEADERS.keys())
    program = ctypes.c_void_p()
    _library.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernel.cu", count, texts, names)
    options = [f"--gpu-architecture={architecture}", "--std=c++20", "-default-device", "--no-source-include",
               "--ptxas-options=-v"]
    status = _library.nvrtcCompileProgram(program, len(options),
                                          (ctypes.c_char_p * len(options))(*[o.encode() for o in options]))
    log = _fetch(program, _library.nvrtcGetProgramLogSize, _library.nvrtcGetProgramLog).decode()
    try:
        if status:
            raise CompileError(log)
        cubin = _fetch(program, _library.nvrtcGetCUBINSize, _library.nvrtcGetCUBIN)
    finally:
        _library.nvrtcDestroyProgram(ctypes.byref(program))
    registers = max(map(int, re.findall(r"Used (\d+) registers", log)), default=0)
    spills = sum(map(int, re.findall(r"(\d+) bytes spill", log)))
    warnings = [line for line in log.splitlines() if "warning" in line or "(C75" in line]  # C75..: wgmma serialised
    return cubin, registers, spills, warnings
