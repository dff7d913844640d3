"""Extents as plugins compute with them: expressions, not numbers yet."""

from __future__ import annotations

import operator
from ctypes import byref, c_int64
from typing import Any, Iterable, Optional, Union

from .. import plugin_interface as abi
from .enums import DimensionOperation

UNBOUNDED = 1 << 40
_OPERATIONS = {  # of the interface: that of burnish_plugin.h, and what it does to numbers
    DimensionOperation.SUM: (abi.SUM, operator.add),
    DimensionOperation.PROD: (abi.PRODUCT, operator.mul),
    DimensionOperation.MAX: (abi.MAX, max),
    DimensionOperation.MIN: (abi.MIN, min),
    DimensionOperation.SUB: (abi.DIFFERENCE, operator.sub),
    DimensionOperation.EQUAL: (abi.EQUAL, lambda a, b: int(a == b)),
    DimensionOperation.LESS: (abi.LESS, lambda a, b: int(a < b)),
    DimensionOperation.FLOOR_DIV: (abi.FLOOR_DIVIDE, lambda a, b: a // b if b else 0),
    DimensionOperation.CEIL_DIV: (abi.CEIL_DIVIDE, lambda a, b: -(-a // b) if b else 0),
}


class IDimensionExpr:
    """An extent. Made by an IExprBuilder."""

    def __init__(self, builder: IExprBuilder, value: Any):
        self._builder, self._value = builder, value

    def is_constant(self) -> bool:
        """Whether it is one number whatever the inputs are."""
        return self._builder._number(self._value) is not None

    def get_constant_value(self) -> int:
        """The number; -2**63 where it is none."""
        number = self._builder._number(self._value)
        return -(2**63) if number is None else number

    def is_size_tensor(self) -> bool:
        """False: extents that the data decide cannot be declared."""
        return False


class IExprBuilder:
    """Makes expressions. This one is of a network that is being defined: values are numbers, None for those not known yet."""

    def constant(self, value: int) -> IDimensionExpr:
        """A number."""
        return IDimensionExpr(self, self._constant(int(value)))

    def operation(self, op: DimensionOperation, first: IDimensionExpr, second: IDimensionExpr) -> IDimensionExpr:
        """Two put together."""
        return IDimensionExpr(self, self._combined(op, first._value, second._value))

    def declare_size_tensor(self, output_index: int, opt: IDimensionExpr, upper: IDimensionExpr) -> IDimensionExpr:
        """RuntimeError: the extents of a plugin's outputs follow from those of its inputs."""
        raise RuntimeError(
            "extents of a plugin's outputs that the data decide are not supported: pad the output to what is possible, and give the count as "
            "an output of its own"
        )

    def _constant(self, value: int) -> Any:
        return value

    def _combined(self, op: DimensionOperation, a: Any, b: Any) -> Any:
        return None if a is None or b is None else _OPERATIONS[op][1](a, b)

    def _number(self, value: Any) -> Optional[int]:
        return value


class SymbolicBuilder(IExprBuilder):
    """While an engine is built: values are extents of burnish_plugin.h."""

    def __init__(self, extents: Any):
        self._extents = extents

    def _constant(self, value: int) -> int:
        return self._extents.constant(self._extents.self, value)

    def _combined(self, op: DimensionOperation, a: int, b: int) -> int:
        return self._extents.combine(self._extents.self, _OPERATIONS[op][0], a, b)

    def _range(self, value: int) -> tuple:
        least, most = c_int64(), c_int64()
        self._extents.range(self._extents.self, value, byref(least), byref(most))
        return least.value, most.value

    def _number(self, value: int) -> Optional[int]:
        least, most = self._range(value)
        return least if least == most else None


class DimsExprs(list):
    """Extents of a tensor as expressions: a copy of others, or as many of nothing."""

    def __init__(self, extents: Union[int, Iterable[IDimensionExpr]] = ()):
        super().__init__([None] * extents if isinstance(extents, int) else extents)


def bounds(extents: Iterable[IDimensionExpr]) -> tuple:
    """(extents with -1 where they are dynamic, the least they can be, the most)."""
    now, least, most = [], [], []
    for extent in extents:
        number = extent._builder._number(extent._value)
        lo, hi = extent._builder._range(extent._value) if isinstance(extent._builder, SymbolicBuilder) else (number, number)
        now.append(-1 if number is None else number)
        least.append(max(lo or 0, 0))
        most.append(min(hi or 0, UNBOUNDED))
    return now, least, most
