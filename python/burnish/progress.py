"""How far a build is, for people: a tqdm bar where tqdm is installed (a widget in Jupyter), else one line."""

from __future__ import annotations

import sys
from typing import Callable, Optional

#: told stage, done and total; a truthy answer cancels the build
Progress = Callable[[str, int, int], Optional[bool]]


class Bar:
    """tqdm.auto's bar: one for each stage."""

    def __init__(self, tqdm):
        self._tqdm, self._stage, self._bar = tqdm, None, None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage, self._bar = stage, self._tqdm(total=total, desc=stage, leave=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class Line:
    """One line on a terminal, rewritten as the build goes on; nothing where standard error is no terminal."""

    def __init__(self, stream):
        self._stream = stream if stream.isatty() else None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._stream:
            self._stream.write(f"\r\033[K{stage} {done}/{total}")
            self._stream.flush()

    def close(self) -> None:
        if self._stream:
            self._stream.write("\r\033[K")
            self._stream.flush()


def shown():
    """The bar or the line, whichever this process can show."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return Line(sys.stderr)
    return Bar(tqdm)
