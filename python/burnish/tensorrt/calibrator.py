"""INT8 calibrators, which scripts subclass, and the text file that keeps their scales."""

from __future__ import annotations

import re
import struct
from typing import Dict, List, Optional, Sequence

from ..errors import InvalidArgument
from .callbacks import IVersionedInterface
from .enums import CalibrationAlgoType

_HEADER = re.compile(r"TRT-(\d+)-(\w+)$")
_ALGORITHMS = {
    CalibrationAlgoType.LEGACY_CALIBRATION: "LegacyCalibration",
    CalibrationAlgoType.ENTROPY_CALIBRATION: "EntropyCalibration",
    CalibrationAlgoType.ENTROPY_CALIBRATION_2: "EntropyCalibration2",
    CalibrationAlgoType.MINMAX_CALIBRATION: "MinMaxCalibration",
}


class IInt8Calibrator(IVersionedInterface):
    """Gives batches of inputs, and keeps the scales that were found for them."""

    def get_batch_size(self) -> int:
        """Images in a batch."""
        raise NotImplementedError

    def get_batch(self, names: List[str]) -> Optional[Sequence[int]]:
        """A device pointer for each name, in that order; None or [] when there are no more batches."""
        raise NotImplementedError

    def read_calibration_cache(self) -> Optional[bytes]:
        """What `write_calibration_cache` was given in an earlier build; None to calibrate anew."""
        raise NotImplementedError

    def write_calibration_cache(self, cache: memoryview) -> None:
        """Keeps the scales."""
        raise NotImplementedError

    def get_algorithm(self) -> CalibrationAlgoType:
        """How scales follow from the batches."""
        raise NotImplementedError


class IInt8LegacyCalibrator(IInt8Calibrator):
    """By a quantile."""

    def get_algorithm(self) -> CalibrationAlgoType:
        return CalibrationAlgoType.LEGACY_CALIBRATION

    def get_quantile(self) -> float:
        raise NotImplementedError

    def get_regression_cutoff(self) -> float:
        raise NotImplementedError

    def read_histogram_cache(self, length: int) -> Optional[bytes]:
        return None

    def write_histogram_cache(self, ptr: int, length: int) -> None:
        pass


class IInt8EntropyCalibrator(IInt8Calibrator):
    """By the least divergence of distributions."""

    def get_algorithm(self) -> CalibrationAlgoType:
        return CalibrationAlgoType.ENTROPY_CALIBRATION


class IInt8EntropyCalibrator2(IInt8Calibrator):
    """The same, one scale for each activation."""

    def get_algorithm(self) -> CalibrationAlgoType:
        return CalibrationAlgoType.ENTROPY_CALIBRATION_2


class IInt8MinMaxCalibrator(IInt8Calibrator):
    """By the greatest absolute value."""

    def get_algorithm(self) -> CalibrationAlgoType:
        return CalibrationAlgoType.MINMAX_CALIBRATION


def read_cache(data: bytes) -> Dict[str, float]:
    """{tensor: scale} of a calibration cache; a dynamic range is 127 scales. InvalidArgument for other text."""
    lines = [line.rstrip("\r") for line in bytes(data).decode("utf-8", "replace").split("\n")]
    if not _HEADER.match(lines[0]):
        raise InvalidArgument(f"'{lines[0][:40]}' begins no calibration cache", "its first line is like TRT-101600-EntropyCalibration2")
    scales = {}
    for number, line in enumerate(lines[1:], 2):
        name, colon, digits = line.rpartition(": ")
        if not line:
            continue
        try:
            if not colon:
                raise ValueError(line)
            scales[name] = struct.unpack("!f", bytes.fromhex(digits[:8]))[0]
        except (ValueError, struct.error) as error:
            raise InvalidArgument(
                f"line {number} of the calibration cache is '{line[:60]}'", "each line is a name, ': ' and 8 hex digits"
            ) from error
    return scales


def write_cache(scales: Dict[str, float], algorithm: CalibrationAlgoType, version: int = 101600) -> bytes:
    """The text of a calibration cache, in the order of `scales`."""
    lines = [f"TRT-{version}-{_ALGORITHMS[algorithm]}"]
    lines += [f"{name}: {struct.pack('!f', scale).hex()}" for name, scale in scales.items()]
    return ("\n".join(lines) + "\n").encode()
