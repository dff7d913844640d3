"""Burnish compiles ONNX models into engines tuned for one NVIDIA GPU, and runs them.

    import burnish
    engine = burnish.build("resnet50.onnx", fp16=True)
    scores = engine(images)

`burnish.tensorrt` is the same under the names of TensorRT's Python API."""

from .building import build
from .capi import version as _version
from .engine import Context, Engine, Port, Weight
from .plugins import load_plugin
from .errors import (
    Cancelled,
    DeviceError,
    Error,
    FileError,
    IncompatibleEngine,
    InternalError,
    InvalidArgument,
    InvalidModel,
    OutOfMemory,
    Unsupported,
)

__all__ = [
    "build", "load_plugin", "Engine", "Context", "Port", "Weight",
    "Error", "InvalidArgument", "InvalidModel", "Unsupported", "OutOfMemory", "DeviceError", "IncompatibleEngine", "FileError",
    "Cancelled", "InternalError",
]  # fmt: skip


def __getattr__(name: str):
    if name == "__version__":
        return _version()
    raise AttributeError(f"module 'burnish' has no attribute '{name}'")
