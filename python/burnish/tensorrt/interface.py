"""Which interface scripts see, and where what they build runs."""

from __future__ import annotations

import os
from typing import Optional

from .. import devices
from ..building import default_target
from ..errors import DeviceError

_VERSIONS = {"8": "8.6.1", "10": "10.16.0", "11": "11.1.0"}

version = "10.16.0"
target: Optional[str] = None


def choose(wanted: Optional[str], chosen_target: Optional[str]) -> None:
    """Sets what `burnish.tensorrt.install` was asked for."""
    global version, target
    if wanted is not None:
        major = wanted.split(".")[0]
        if major not in _VERSIONS:
            raise ValueError(f"there is no interface of version '{wanted}'; choose 8.6, 10 or 11")
        version = wanted if wanted.count(".") >= 2 else _VERSIONS[major]
    if chosen_target is not None:
        target = chosen_target


def major() -> int:
    """The leading number of the version."""
    return int(version.split(".")[0])


def numeric_version() -> int:
    """As in the first line of a calibration cache: 101600 for 10.16.0, 8601 for 8.6.1."""
    numbers = [int(n) for n in version.split(".")[:3]]
    return numbers[0] * 10000 + numbers[1] * 100 + numbers[2] if numbers[0] >= 10 else numbers[0] * 1000 + numbers[1] * 100 + numbers[2]


def build_target() -> str:
    """What to build for: the target that was chosen, else the GPU that is there. DeviceError where there is none."""
    return target or default_target()


def run_device() -> int:
    """Where engines run: -1 for the host, else the current GPU."""
    return -1 if target == "cpu" else devices.current()


def memory_bytes() -> int:
    """Memory of the GPU that is there, else of the host: what a workspace may have where nothing limits it."""
    try:
        return devices.describe(devices.current()).memory_bytes
    except DeviceError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
