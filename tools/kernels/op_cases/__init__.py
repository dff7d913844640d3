"""What check_ops.py checks, by kind of operator."""
from op_case import GUARD  # noqa: F401
from . import attention, gated, indexed, primitives, recurrent, reductions, rows, squeeze_excite, windows


def all_cases():
    return [case for part in (primitives, reductions, rows, windows, indexed, recurrent, attention,
                                 squeeze_excite, gated) for case in part.cases()]
