"""`import tensorrt` as this package."""

from __future__ import annotations

import sys
from typing import Optional

from . import interface


def install(version: Optional[str] = None, target: Optional[str] = None) -> None:
    """Makes `import tensorrt` give `burnish.tensorrt`, in this process.

    version: the interface that scripts see in `tensorrt.__version__`: "8.6", "10" (the default) or "11". All names are there in
    any case. target: what engines are built for; None: the GPU that is there. "cpu" builds for and runs on the host: tensor
    addresses are host pointers then. It is never chosen by itself."""
    interface.choose(version, target)
    package = sys.modules["burnish.tensorrt"]
    sys.modules["tensorrt"] = package
    sys.modules["tensorrt.tensorrt"] = package.tensorrt = package  # where scripts find the extension module
