"""The extents that inputs may have."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from .logger import NoEffect, Reporter
from .types import Dims


class IOptimizationProfile:
    """For each dynamic input the least, usual and greatest extents. Tuned for the usual ones, right for all between."""

    extra_memory_target = NoEffect(1.0, "memory is planned for the usual extents, and grows with those that are run")

    def __init__(self, logger: Any = None) -> None:
        self._report = Reporter(logger)
        self._shapes: Dict[str, Tuple[Dims, Dims, Dims]] = {}
        self._values: Dict[str, Tuple[list, list, list]] = {}

    def set_shape(self, input: str, min: Sequence[int], opt: Sequence[int], max: Sequence[int]) -> None:
        """RuntimeError unless min <= opt <= max, axis by axis."""
        shapes = Dims(min), Dims(opt), Dims(max)
        self._check(input, *shapes)
        self._shapes[input] = shapes

    @staticmethod
    def _check(input: str, least: Sequence[int], usual: Sequence[int], most: Sequence[int]) -> None:
        if not len(least) == len(usual) == len(most):
            raise RuntimeError(f"the profile of '{input}' has shapes of {len(least)}, {len(usual)} and {len(most)} axes; give all the same")
        for axis, (a, b, c) in enumerate(zip(least, usual, most)):
            if not a <= b <= c:
                raise RuntimeError(f"the profile of '{input}' has min {a}, opt {b} and max {c} on axis {axis}; give min <= opt <= max")

    def get_shape(self, input: str) -> List[Dims]:
        """[min, opt, max], or [] where they are not set."""
        return list(self._shapes.get(input, ()))

    def set_shape_input(self, input: str, min: Sequence[int], opt: Sequence[int], max: Sequence[int]) -> None:
        """The values of an input that extents are read from."""
        values = [int(v) for v in min], [int(v) for v in opt], [int(v) for v in max]
        self._check(input, *values)
        self._values[input] = values
        self._report.no_effect("IOptimizationProfile.set_shape_input", "extents are read from the data when it runs")

    def get_shape_input(self, input: str) -> List[list]:
        return list(self._values.get(input, ()))

    def __bool__(self) -> bool:
        return bool(self._shapes or self._values)

    def _fault(self, inputs: Sequence[Any]) -> str:
        """What keeps it from fitting a network's inputs; "" for nothing."""
        names = {t.name for t in inputs}
        for name in self._shapes:
            if name not in names:
                return f"the profile names an input '{name}', and the network has {', '.join(sorted(names)) or 'none'}"
        for tensor in inputs:
            if -1 in tensor.shape and tensor.name not in self._shapes:
                return f"input '{tensor.name}' has dynamic extents {tensor.shape}, and the profile has no shapes for it; call set_shape"
            for shape in self._shapes.get(tensor.name, ()):
                if len(shape) != len(tensor.shape) or any(e not in (-1, s) for e, s in zip(tensor.shape, shape)):
                    return f"the profile's shape {shape} does not fit input '{tensor.name}' of {tensor.shape}"
        return ""
