"""Classes by which scripts of 8.x and 10.x chose kernels. Burnish accepts a selector and asks it nothing: its own tuner chooses."""

from __future__ import annotations

from typing import Any, List


class IAlgorithmSelector:
    """To be subclassed."""

    def select_algorithms(self, context: Any, choices: List[Any]) -> List[int]:
        raise NotImplementedError

    def report_algorithms(self, contexts: List[Any], choices: List[Any]) -> None:
        raise NotImplementedError


class IAlgorithm:
    """A candidate."""


class IAlgorithmContext:
    """What it is a candidate for."""


class IAlgorithmIOInfo:
    """How it takes or gives a tensor."""


class IAlgorithmVariant:
    """Its implementation and tactic."""
