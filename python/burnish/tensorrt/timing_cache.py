"""Times of kernels, kept from build to build."""

from __future__ import annotations

import ctypes
import os
import tempfile
from typing import List, NamedTuple

from .. import capi
from ..errors import Error
from .types import IHostMemory


class TimingCacheKey:
    """A key of 16 bytes. Burnish's caches are text and have keys of their own."""

    def __init__(self, data: bytes):
        self._data = data

    @staticmethod
    def parse(text: str) -> TimingCacheKey:
        return TimingCacheKey(bytes.fromhex(text[2:]))

    def __str__(self) -> str:
        return "0x" + self._data.hex()


class TimingCacheValue(NamedTuple):
    tacticHash: int
    timingMSec: float


class ITimingCache:
    """A cache in memory: the same text that `burnish build --timing-cache` keeps in a file."""

    def __init__(self, data: bytes):
        self._data = bytes(data)

    def serialize(self) -> IHostMemory:
        """Its bytes, for `create_timing_cache`."""
        return IHostMemory(self._data)

    def combine(self, input_cache: ITimingCache, ignore_mismatch: bool) -> bool:
        """Adds what another one knows; False where they cannot be joined. What both know stays as it is here."""
        texts = [c for c in (input_cache._data, self._data) if c]  # of two that know the same the later counts
        if len(texts) < 2:
            self._data = texts[0] if texts else b""
            return True
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, f"{i}.timing") for i in range(3)]
            for path, text in zip(paths, texts):
                with open(path, "wb") as file:
                    file.write(text)
            names = (ctypes.c_char_p * 2)(*(os.fsencode(p) for p in paths[:2]))
            try:
                capi.call(capi.compiler().burnish_timing_cache_merge, names, 2, os.fsencode(paths[2]))
            except Error:
                return False
            with open(paths[2], "rb") as file:
                self._data = file.read()
        return True

    def reset(self) -> bool:
        """Forgets all."""
        self._data = b""
        return True

    def queryKeys(self) -> List[TimingCacheKey]:  # noqa: N802, the interface's name
        """Empty: Burnish's keys are texts, which the interface's 16 bytes cannot hold."""
        return []

    def query(self, key: TimingCacheKey) -> TimingCacheValue:
        return TimingCacheValue(0, float("inf"))

    def update(self, key: TimingCacheKey, value: TimingCacheValue) -> bool:
        return False

    def __enter__(self) -> ITimingCache:
        return self

    def __exit__(self, *exc) -> None:
        pass
